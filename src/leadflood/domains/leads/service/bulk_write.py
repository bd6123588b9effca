"""Bulk write, for imports: a chunk of leads with timeline and images in one transaction.

Each chunk takes two calls: `write_rows`, which may run while the previous chunk is written, and `add_row_counts` in
the order of the chunks.
"""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads.contracts.bulk_write import IncomingRows, WriteContext, WriteResult
from leadflood.domains.leads.events import LEAD_CREATED, LEAD_UPDATED, LeadCreatedData, LeadUpdatedData
from leadflood.domains.leads.models import FieldSource
from leadflood.domains.leads.service import changesets, queue_enrichment
from leadflood.domains.leads.store import bulk_write, lock_active
from leadflood.domains.leads.store.history import attribute
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event
from leadflood.kernel.queue.ports import Priority


async def write_rows(tx: Transaction, context: WriteContext, rows: IncomingRows) -> WriteResult:
    """Create and change leads. Call `add_row_counts` in the same transaction.

    Values that no longer match `changes` are not overwritten; an email is never used twice.
    """
    written = WriteResult(rows.creates_count + rows.changes_count)
    await bulk_write.put(tx, rows)
    if rows.creates_count:
        created = await bulk_write.create(tx, context)
        written.created = len(created)
        made = LeadCreatedData(changeset_id=context.changeset_id, import_id=context.import_id)
        await publish(tx, LEAD_CREATED, [Event(lead_id, made, context.actor) for lead_id in created])
        if written.created < rows.creates_count:
            written.email_taken = await bulk_write.not_created(tx, context)
    if rows.changes_count:
        await _change(tx, context, rows.changes_count, written)
    return written


async def _change(tx: Transaction, context: WriteContext, count: int, written: WriteResult) -> None:
    await bulk_write.lock(tx, context)
    await attribute(
        tx,
        FieldSource.IMPORT,
        actor_kind=context.actor.kind,
        actor_id=context.actor.id,
        changeset_id=context.changeset_id,
    )
    updated = await bulk_write.change(tx, context)
    written.updated = len(updated)
    change = LeadUpdatedData(changeset_id=context.changeset_id)
    await publish(tx, LEAD_UPDATED, [Event(lead_id, change, context.actor) for lead_id in updated])
    if written.updated < count:
        for left in await bulk_write.not_changed(tx, context):
            (written.deleted if left.deleted else written.unchanged if left.unchanged else written.edited_since).append(
                left.lead_id
            )


async def add_row_counts(tx: Transaction, context: WriteContext, written: WriteResult) -> None:
    """Add the counts, which locks the changeset until the transaction ends. Raises: ChangesetClosed."""
    counts = {"done": written.rows, "created": written.created, "updated": written.updated}
    await changesets.add_counts(tx, context.actor, changeset_id=context.changeset_id, **counts)


async def request_enrichments(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]) -> list[UUID]:
    """Enrich leads that were created without a job. Returns the IDs of the jobs; deleted leads get none."""
    active = await lock_active(tx, actor.workspace_id, lead_ids)
    return await queue_enrichment(tx, actor, lead_ids=active, trace={}, priority=Priority.BULK)
