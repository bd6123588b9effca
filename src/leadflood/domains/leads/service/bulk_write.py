"""Many leads at a time, as an import writes them: a chunk with its timeline and its images in one transaction.

A chunk crosses the border twice: `write_rows` while the chunk before it may still be written, `count_rows` when it is
this chunk's turn to be counted.
"""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.jobs import service as jobs
from leadflood.domains.leads.contracts.bulk_write import IncomingRows, WriteContext, WriteResult
from leadflood.domains.leads.events import LeadEventKind
from leadflood.domains.leads.models import search_text
from leadflood.domains.leads.service import changesets, enrichment_job
from leadflood.domains.leads.store import bulk_write, hold_living, record_each
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.queue.ports import Priority


async def write_rows(tx: Transaction, origin: WriteContext, rows: IncomingRows) -> WriteResult:
    """Create and change leads. Call `count_rows` in the same transaction.

    Nothing is overwritten that is no longer as `changes` says it was; an address is not taken twice.
    """
    written = WriteResult(rows.creates_count + rows.changes_count)
    await bulk_write.put(tx, rows)
    if rows.creates_count:
        written.created = await bulk_write.create(tx, origin)
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
    written.updated = await bulk_write.change(tx, origin)
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
    job_ids = await jobs.enqueue(tx, actor, jobs=[enrichment_job(each, {}, priority=Priority.BULK) for each in living])
    entries = {lead_id: {"jobId": str(job_id)} for lead_id, job_id in zip(living, job_ids, strict=True)}
    await record_each(tx, actor, LeadEventKind.ENRICHMENT_REQUESTED, entries)
    return job_ids
