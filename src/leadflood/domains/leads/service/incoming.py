"""Many leads at a time, as an import writes them: a chunk with its timeline and its images in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from leadflood.domains.jobs import service as jobs
from leadflood.domains.leads.events import LeadEventKind
from leadflood.domains.leads.models import search_text
from leadflood.domains.leads.service import changesets, enrichment_job
from leadflood.domains.leads.store import hold_living, incoming, record_each
from leadflood.domains.leads.store.incoming import Origin
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.queue.ports import Priority

__all__ = ["Written", "count_incoming", "make_room", "request_enrichments", "write_incoming"]

make_room = incoming.make_room


@dataclass(slots=True)
class Written:
    """What became of a chunk: how many leads were made and changed, and by id those that were not, and why."""

    wanted: int = 0
    created: int = 0
    updated: int = 0
    taken: list[UUID] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    same: list[UUID] = field(default_factory=list)
    edited: list[UUID] = field(default_factory=list)


async def write_incoming(
    tx: Transaction, actor: Actor, *, changeset_id: UUID, import_id: UUID, creates: int, updates: int
) -> Written:
    """Create what is in `incoming_leads` and change what is in `incoming_changes` (see `make_room`).

    Nothing is overwritten that is no more as `incoming_changes` says it was; an address is not taken twice. Call
    `count_incoming` in the same transaction.

    Args: creates: rows in the one table. updates: rows in the other.
    """
    origin, written = Origin(actor, changeset_id, import_id), Written(creates + updates)
    if creates:
        written.created = await incoming.create(tx, origin)
        if written.created < creates:
            written.taken = await incoming.not_created(tx, origin)
    if updates:
        rows = await incoming.renamed(tx, origin)
        texts = {
            row.id: (row.search_text, search_text(row.first_name, row.last_name, row.email, row.company))
            for row in rows
        }
        if texts:
            await incoming.put_texts(tx, texts)
        written.updated = await incoming.change(tx, origin)
        if written.updated < updates:
            for row in await incoming.not_changed(tx, origin):
                (written.gone if row.gone else written.same if row.same else written.edited).append(row.lead_id)
    return written


async def count_incoming(tx: Transaction, actor: Actor, *, changeset_id: UUID, written: Written) -> None:
    """Count what was written, which holds the changeset until the transaction ends. Raises: ChangesetClosed."""
    counts = {"done": written.wanted, "created": written.created, "updated": written.updated}
    await changesets.count(tx, actor, changeset_id=changeset_id, **counts)


async def request_enrichments(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]) -> list[UUID]:
    """Enrich leads that came without a job of their own. Returns the ids of the jobs; leads that are gone get none."""
    living = await hold_living(tx, actor.workspace_id, lead_ids)
    job_ids = await jobs.enqueue(tx, actor, jobs=[enrichment_job(each, {}, priority=Priority.BULK) for each in living])
    entries = {lead_id: {"jobId": str(job_id)} for lead_id, job_id in zip(living, job_ids, strict=True)}
    await record_each(tx, actor, LeadEventKind.ENRICHMENT_REQUESTED, entries)
    return job_ids
