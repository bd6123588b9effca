"""The undo of changes of leads: three-way, field by field, so that later edits are kept."""

from typing import Any, Final, cast

from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads.events import (
    LEAD,
    LEAD_DELETED,
    LEAD_RESTORED,
    LEAD_UPDATED,
    ChangesetData,
    LeadUpdatedData,
)
from leadflood.domains.leads.models import FieldSource
from leadflood.domains.leads.service import bulk_operations, queue_enrichment
from leadflood.domains.leads.store import undo
from leadflood.domains.leads.store.history import attribute
from leadflood.kernel.changesets import ChangesetSubject, Undone, UndoStep
from leadflood.kernel.db.errors import IntegrityError
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.events import Event, EventType


async def _undo_leads(tx: Transaction, step: UndoStep) -> Undone:
    """Revert leads, and queue what they wait for.

    Raises: Unavailable: an address was taken concurrently; nothing was undone by this call.
    """
    locked = await undo.lock_chunk(tx, step)
    conflicts = await step.participants.conflicts(tx, step.actor, locked.removable)
    await attribute(tx, FieldSource.UNDO, actor_kind=step.by.kind, actor_id=step.by.id, changeset_id=step.changeset_id)
    try:
        async with tx.savepoint():
            rows = await undo.undo_chunk(tx, step, leads=locked.count, conflicts=conflicts)
    except IntegrityError as error:
        message = "An email or owner was just changed. Try again."
        raise Unavailable(message) from error
    (moved,) = (row for row in rows if row.id is None)
    reverted = await _publish(tx, step, moved) + len(await bulk_operations.undo_chunk(tx, step))
    unfinished = [row.id for row in rows if row.id is not None and row.unfinished]
    await queue_enrichment(tx, step.actor, lead_ids=unfinished, trace=step.trace)
    return Undone(reverted, {row.id: row.kept for row in rows if row.id is not None and row.kept})


async def _publish(tx: Transaction, step: UndoStep, moved: Row) -> int:
    """Record the results per lead. Returns the number of leads."""
    part, update = ChangesetData(changeset_id=step.changeset_id), LeadUpdatedData(changeset_id=step.changeset_id)
    for event_type, data, lead_ids in (
        (LEAD_RESTORED, part, moved.restored),
        (LEAD_DELETED, part, moved.deleted),
        (LEAD_UPDATED, update, moved.updated),
    ):
        events = [Event(lead_id, data, step.by, step.trace) for lead_id in lead_ids or ()]
        await publish(tx, cast("EventType[Any]", event_type), events)
    return sum(len(lead_ids or ()) for lead_ids in (moved.restored, moved.deleted, moved.updated))


LEAD_CHANGESETS: Final = ChangesetSubject(subject=LEAD, undo=_undo_leads)
