"""Accepting found values: they become values of the lead, as if a person had written them."""

from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.enrichment.contracts import FILLABLE, AcceptedValuesView, AcceptValues
from leadflood.domains.enrichment.errors import FoundValueChanged
from leadflood.domains.enrichment.queries.effective import EffectiveValue, effective_values
from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import LeadView, UpdateLead
from leadflood.domains.leads.contracts.filling import FieldFilling
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.service.filling import fill_fields
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


async def accept_values(tx: Transaction, actor: Actor, *, lead_id: UUID, command: AcceptValues) -> AcceptedValuesView:
    """Write found values into empty fields of a lead. Again is allowed: fields that have the value are left alone.

    Raises: LeadNotFound, FieldsTaken: a field has another value. FoundValueChanged.
    """
    actor.require(LEADS_WRITE)
    await service.lock_lead_ids(tx, actor, lead_ids=[lead_id])
    lead = await queries.get_lead(tx, actor, lead_id=lead_id)
    effective = await effective_values(tx, actor, lead=lead)
    wanted = _wanted(lead, effective, command)
    if not wanted:
        return AcceptedValuesView(lead_id=lead_id, fields=[], changeset_id=None, version=lead.version)
    filling = FieldFilling(
        UpdateLead.model_validate(wanted),
        {item.field: item.view.source for name, item in effective.items() if name in wanted},
    )
    filled = await fill_fields(tx, actor, lead_id=lead_id, filling=filling)
    return AcceptedValuesView(
        lead_id=lead_id, fields=list(filled.fields), changeset_id=filled.changeset_id, version=filled.version
    )


def _wanted(lead: LeadView, effective: Mapping[str, EffectiveValue], command: AcceptValues) -> dict[str, str]:
    """Values to write, by name in the API. Raises: FoundValueChanged."""
    if command.values is None:
        return {name: item.view.value for name, item in effective.items()}
    changed = [
        name
        for name, value in command.values.items()
        if getattr(lead, FILLABLE[name]) is None and (name not in effective or effective[name].view.value != value)
    ]
    if changed:
        raise FoundValueChanged(changed)
    return dict(command.values)
