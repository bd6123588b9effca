"""Accepting found values: they become values of the lead, as if a person had written them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from leadflood.domains.enrichment.contracts import FILLABLE, AcceptAllValues, AcceptedValuesView, AcceptValues
from leadflood.domains.enrichment.errors import FoundValueChanged
from leadflood.domains.enrichment.queries.effective import EffectiveValue, effective_values, effective_values_of
from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import LeadView, UpdateLead
from leadflood.domains.leads.contracts.filling import FieldFilling, FoundFilling
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.service.filling import fill_fields, fill_many
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import Batch, Changed, Prepared, UndoBatch


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


async def prepare_all(_tx: Transaction, _actor: Actor, _command: AcceptAllValues) -> Prepared:
    """The bulk operation that accepts all found values of many leads."""
    return Prepared("Accept found values", {})


async def accept_all(tx: Transaction, batch: Batch) -> Changed:
    """Write all effective values of locked leads into their empty fields. Filled and suggested ones are alike."""
    leads = await queries.leads_by_id(tx, batch.actor, lead_ids=batch.subject_ids)
    found = await effective_values_of(tx, batch.actor, leads=list(leads.values()))
    fillings = {
        lead_id: FoundFilling(
            {item.field: item.view.value for item in values.values()},
            {item.field: item.view.source for item in values.values()},
        )
        for lead_id, values in found.items()
        if values
    }
    changed = await fill_many(tx, batch.actor, changeset_id=batch.changeset_id, fillings=fillings, trace=batch.trace)
    return {lead_id: {} for lead_id in changed}


async def undo_none(_tx: Transaction, _batch: UndoBatch) -> Iterable[UUID]:
    """The changeset has images of the leads, which its undo restores."""
    return ()


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
