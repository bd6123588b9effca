"""Staged rows become leads and changes of leads, a chunk at a time, each chunk complete in its transaction."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import func

from leadflood.domains.imports import store
from leadflood.domains.imports.contracts import options_of
from leadflood.domains.imports.events import ENRICH_IMPORTED, AuditAction, ImportPayload
from leadflood.domains.imports.models.states import ImportStatus, RowAction
from leadflood.domains.imports.service.recording import record, undoable
from leadflood.domains.imports.store import writing
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads.models import ChangesetStatus
from leadflood.domains.leads.queries import changesets as changeset_queries
from leadflood.domains.leads.service import changesets, incoming
from leadflood.domains.leads.service.incoming import Written
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction

BATCH = 10_000
"""Rows of one transaction."""
MOST_WAITING = 2000
"""Jobs of a workspace that may wait before an import adds no more."""
ENRICH_AT_ONCE = 500


def importer(row: Row) -> Actor:
    """Whoever started the import: in the timeline of leads it is they who did it."""
    return Actor.asker(row.workspace_id, ActorKind(row.actor_kind), row.actor_id)


class Writing:
    """Writes an import as `leads.service.lanes` wants it: rows of a chunk with all that belongs to them."""

    def __init__(self, row: Row) -> None:
        """Args: row: the import as its job finds it."""
        self._row = row
        self._actor = importer(row)

    async def position(self, tx: Transaction) -> int | None:
        """The number of the last row that is written."""
        held = await self._hold(tx)
        return None if held is None else int(held.committed_through)

    async def find(self, tx: Transaction, after: int) -> writing.Chunk | None:
        """The next rows that write something."""
        return await writing.next_chunk(tx, self._row.workspace_id, self._row.id, after, BATCH)

    async def write(self, tx: Transaction, chunk: writing.Chunk) -> Written:
        """Write leads and changes of leads, and keep in the rows what came otherwise."""
        row = self._row
        await incoming.make_room(tx)
        await writing.hand_over(tx, row.workspace_id, row.id, chunk)
        written = await incoming.write_incoming(
            tx,
            self._actor,
            changeset_id=row.changeset_id,
            import_id=row.id,
            creates=chunk.creates,
            updates=chunk.updates,
        )
        for lead_ids, _, action, reason in _otherwise(written):
            await writing.mark(
                tx, row.workspace_id, row.id, chunk=chunk, lead_ids=lead_ids, action=action, reason=reason
            )
        return written

    async def keep(self, tx: Transaction, chunk: writing.Chunk, outcome: Written) -> bool:
        """Count the chunk, if the import is still being committed by this job, and has come to where it begins."""
        row, held = self._row, await self._hold(tx)
        if held is None or held.committed_through != chunk.after:
            return False
        counts = dict(held.counts)
        for lead_ids, was, action, _ in _otherwise(outcome):
            counts[was] -= len(lead_ids)
            counts[action] = counts.get(action, 0) + len(lead_ids)
        await incoming.count_incoming(tx, self._actor, changeset_id=row.changeset_id, written=outcome)
        await store.set_fields(tx, row.workspace_id, row.id, committed_through=chunk.until, counts=counts)
        return True

    async def _hold(self, tx: Transaction) -> Row | None:
        row, committing = self._row, ImportStatus.COMMITTING
        return await store.hold(tx, row.workspace_id, row.id, expected=committing, job_id=row.job_id)


def _otherwise(written: Written) -> Iterator[tuple[list[UUID], RowAction, RowAction, str | None]]:
    """The leads that were not written: what was foreseen, what it came to, and why."""
    for lead_ids, was, action, reason in (
        (written.taken, RowAction.CREATE, RowAction.CONFLICT, "created_since_preview"),
        (written.gone, RowAction.UPDATE, RowAction.CONFLICT, "deleted_since_preview"),
        (written.edited, RowAction.UPDATE, RowAction.CONFLICT, "changed_since_preview"),
        (written.same, RowAction.UPDATE, RowAction.UNCHANGED, None),
    ):
        if lead_ids:
            yield lead_ids, was, action, reason


async def finish_writing(tx: Transaction, row: Row) -> None:
    """All rows are written: the import is `committed`, its changeset closed, and enrichment on its way if wanted."""
    actor = importer(row)
    await changesets.close_changeset(tx, actor, changeset_id=row.changeset_id)
    committing, committed = ImportStatus.COMMITTING, ImportStatus.COMMITTED
    await store.move(tx, actor.workspace_id, row.id, expected=[committing], status=committed, finished_at=func.now())
    changeset = await changeset_queries.get_changeset(tx, actor, changeset_id=row.changeset_id)
    data = undoable(changesets.changed_leads(changeset), row.id, row.changeset_id)
    await record(tx, actor, AuditAction.FINISHED, row.id, row.filename, data)
    if options_of(row.options).enrich and row.counts.get(RowAction.CREATE):
        await jobs.enqueue(tx, actor, jobs=[NewJob(ENRICH_IMPORTED, ImportPayload(import_id=row.id), row.id)])


async def enrich_more(tx: Transaction, row: Row) -> int | None:
    """Queue the enrichment of the next new leads, if few jobs wait. Returns how many; None when all are queued."""
    actor = importer(row)
    changeset = await changeset_queries.get_changeset(tx, actor, changeset_id=row.changeset_id)
    if changeset.status != ChangesetStatus.APPLIED:
        return None
    room = MOST_WAITING - await writing.count_waiting(tx, actor.workspace_id, at_most=MOST_WAITING)
    if room <= 0:
        return 0
    batch = min(room, ENRICH_AT_ONCE)
    created = await writing.created_after(tx, actor.workspace_id, row.id, row.enriched_through, batch)
    if not created:
        return None
    lead_ids: list[UUID] = [lead_id for _, lead_id in created]
    await incoming.request_enrichments(tx, actor, lead_ids=lead_ids)
    await store.set_fields(tx, actor.workspace_id, row.id, enriched_through=created[-1][0])
    return len(created)
