"""Many leads at a time, as an import writes them: a chunk with its timeline and its images in one transaction.

A chunk crosses the border twice: `write_rows` while the chunk before it may still be written, `count_rows` when it is
this chunk's turn to be counted.
"""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads.contracts.bulk_write import IncomingRows, WriteContext, WriteResult
from leadflood.domains.leads.events import LEAD_CREATED, LEAD_UPDATED, LeadCreatedData, LeadUpdatedData
from leadflood.domains.leads.models import search_text
from leadflood.domains.leads.service import changesets, enrich_again
from leadflood.domains.leads.store import bulk_write, hold_living
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event
from leadflood.kernel.queue.ports import Priority


async def write_rows(tx: Transaction, origin: WriteContext, rows: IncomingRows) -> WriteResult:
    """Create and change leads. Call `count_rows` in the same transaction.

    Nothing is overwritten that is no longer as `changes` says it was; an address is not taken twice.
    """
    written = WriteResult(rows.creates_count + rows.changes_count)
    await bulk_write.put(tx, rows)
    if rows.creates_count:
        created = await bulk_write.create(tx, origin)
        written.created = len(created)
        made = LeadCreatedData(changeset_id=origin.changeset_id, import_id=origin.import_id)
        await publish(tx, LEAD_CREATED, [Event(lead_id, made, origin.actor) for lead_id in created])
        if written.created < rows.creates_count:
            written.taken = await bulk_write.not_created(tx, origin)
    if rows.changes_count:
        await _change(tx, origin, rows.changes_count, written)
    return written


async def _change(tx: Transaction, origin: WriteContext, count: int, written: WriteResult) -> None:
    texts = {
        lead.id: (lead.search_text, search_text(lead.first_name, lead.last_name, lead.email, lead.company))
        for lead in await bulk_write.renamed(tx, origin)
    }
    if texts:
        await bulk_write.put_texts(tx, texts)
    updated = await bulk_write.change(tx, origin)
    written.updated = len(updated)
    change = LeadUpdatedData(changeset_id=origin.changeset_id)
    await publish(tx, LEAD_UPDATED, [Event(lead_id, change, origin.actor) for lead_id in updated])
    if written.updated < count:
        for left in await bulk_write.not_changed(tx, origin):
            (written.gone if left.gone else written.same if left.same else written.edited).append(left.lead_id)


async def count_rows(tx: Transaction, origin: WriteContext, written: WriteResult) -> None:
    """Count what was written, which locks the changeset until the transaction ends. Raises: ChangesetClosed."""
    counts = {"done": written.rows, "created": written.created, "updated": written.updated}
    await changesets.count(tx, origin.actor, changeset_id=origin.changeset_id, **counts)


async def request_enrichments(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]) -> list[UUID]:
    """Enrich leads that came without a job of their own. Returns the ids of the jobs; leads that are gone get none."""
    living = await hold_living(tx, actor.workspace_id, lead_ids)
    return await enrich_again(tx, actor, lead_ids=living, trace={}, priority=Priority.BULK)
