"""Values that sources found, written into empty fields of a lead as a change that can be undone."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import JsonValue
from pydantic.alias_generators import to_camel

from leadflood.domains.identity.service import audit
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import store
from leadflood.domains.leads.contracts.filling import FieldFilling, FilledFields, FoundFilling
from leadflood.domains.leads.errors import FieldsTaken, LeadNotFound
from leadflood.domains.leads.events import LEAD, LEAD_UPDATED, LeadAuditAction, LeadEventKind, LeadUpdatedData
from leadflood.domains.leads.models import ChangesetKind, FieldSource
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.service.changesets import add_counts, close_changeset, open_changeset
from leadflood.domains.leads.store import changesets
from leadflood.domains.leads.store import filling as store_filling
from leadflood.domains.leads.store.history import attribute
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.events import Event

_LABEL = "Accept found values"


async def fill_fields(tx: Transaction, actor: Actor, *, lead_id: UUID, filling: FieldFilling) -> FilledFields:
    """Write values into empty fields of a lead. Fields that have the value already are left alone.

    Raises: LeadNotFound, FieldsTaken: a field has another value; nothing was written.
    """
    actor.require(LEADS_WRITE)
    stored = await store.lock(tx, actor.workspace_id, lead_id)
    if stored is None:
        raise LeadNotFound
    given = {name: getattr(filling.values, name) for name in sorted(filling.values.model_fields_set)}
    taken = [to_camel(name) for name, value in given.items() if stored[name] not in (None, value)]
    if taken:
        raise FieldsTaken(taken)
    values = {name: value for name, value in given.items() if stored[name] is None}
    if not values:
        return FilledFields((), None, stored.version)
    changeset_id = await _write(tx, actor, lead_id, stored.version, values, filling)
    fields = [to_camel(name) for name in values]
    await publish(tx, LEAD_UPDATED, [Event(lead_id, LeadUpdatedData(fields=fields, changeset_id=changeset_id), actor)])
    found_by: dict[str, JsonValue] = {name: filling.found_by[name] for name in values}
    data = {"changes": {name: [None, value] for name, value in values.items()}, "version": stored.version + 1}
    data |= {"changesetId": str(changeset_id), "foundBy": found_by}
    await store.record(tx, actor, [lead_id], LeadEventKind.CHANGED, data)
    await audit.record(
        tx,
        actor,
        action=LeadAuditAction.UPDATED,
        subject_type=LEAD,
        subject_id=lead_id,
        data={"count": 1, "fields": list(values), "changesetId": str(changeset_id), "foundBy": found_by},
    )
    return FilledFields(fields, changeset_id, stored.version + 1)


async def fill_many(
    tx: Transaction,
    actor: Actor,
    *,
    changeset_id: UUID,
    fillings: Mapping[UUID, FoundFilling],
    trace: Mapping[str, str],
) -> list[UUID]:
    """Write values into the empty fields of locked leads, as part of an open changeset. Returns those that changed."""
    if not fillings:
        return []
    await attribute(tx, FieldSource.BULK, actor_kind=actor.kind, actor_id=actor.id, changeset_id=changeset_id)
    changed = await store_filling.fill(tx, actor, changeset_id, fillings)
    data = {
        lead_id: LeadUpdatedData(
            fields=[to_camel(name) for name in sorted(fillings[lead_id].values)], changeset_id=changeset_id
        )
        for lead_id in changed
    }
    await publish(tx, LEAD_UPDATED, [Event(lead_id, data[lead_id], actor, trace) for lead_id in sorted(changed)])
    return changed


async def _write(
    tx: Transaction, actor: Actor, lead_id: UUID, version: int, values: dict[str, str], filling: FieldFilling
) -> UUID:
    """Write the values, as a changeset of one lead. Returns its ID."""
    changeset_id = await open_changeset(tx, actor, kind=ChangesetKind.BULK, label=_LABEL, wanted=1)
    await attribute(
        tx,
        FieldSource.EDIT,
        actor_kind=actor.kind,
        actor_id=actor.id,
        changeset_id=changeset_id,
        found_by=filling.found_by,
    )
    image = await changesets.image_of(tx, actor.workspace_id, lead_id)
    expect_changed(await store.update_lead(tx, actor.workspace_id, lead_id, expected_version=version, values=values))
    await changesets.record_updated(tx, actor.workspace_id, changeset_id, lead_id, image=image)
    await add_counts(tx, actor, changeset_id=changeset_id, done=1, updated=1)
    await close_changeset(tx, actor, changeset_id=changeset_id)
    return changeset_id
