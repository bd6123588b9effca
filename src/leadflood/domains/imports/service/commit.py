"""Commit of an import: staged rows become leads and changes, in chunks, each in one transaction."""

from collections.abc import Iterator
from uuid import UUID

from leadflood.domains.imports import store
from leadflood.domains.imports.events import (
    ENRICH_IMPORTED,
    IMPORT_COMMITTED,
    ImportAuditAction,
    ImportCommittedData,
    ImportPayload,
)
from leadflood.domains.imports.models.states import ImportStatus, RowAction
from leadflood.domains.imports.service.recording import record, undoable
from leadflood.domains.imports.store import StoredImport, commit
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads.contracts.bulk_write import WriteContext, WriteResult
from leadflood.domains.leads.models import ChangesetStatus
from leadflood.domains.leads.queries import changesets as changeset_queries
from leadflood.domains.leads.service import bulk_write, changesets
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event

BATCH = 10_000
"""Maximum rows of one transaction."""
MAX_WAITING = 2000
"""Maximum waiting jobs of a workspace: above it, an import adds none."""
ENRICH_BATCH = 500


class CommitWork:
    """Writes an import by `jobs.parallel_chunks`: the rows of a chunk with all that belongs to them."""

    def __init__(self, found: StoredImport) -> None:
        """Args: found: the import, as its job locked it."""
        self._found = found
        self._origin = WriteContext(found.actor, found.changeset, found.id)

    async def position(self, tx: Transaction) -> int | None:
        """The number of the last committed row."""
        found = await self._lock(tx)
        return None if found is None else found.committed_through

    async def find(self, tx: Transaction, after: int) -> commit.CommitChunk | None:
        """The next rows that write something."""
        return await commit.next_chunk(tx, self._found, after, BATCH)

    async def write(self, tx: Transaction, chunk: commit.CommitChunk) -> WriteResult:
        """Write leads and changes, and record rows with other results."""
        written = await bulk_write.write_rows(tx, self._origin, commit.incoming_rows(self._found, chunk))
        for lead_ids, _, action, reason in _otherwise(written):
            await commit.mark(tx, self._found, chunk, lead_ids, action=action, reason=reason)
        return written

    async def record(self, tx: Transaction, chunk: commit.CommitChunk, outcome: WriteResult) -> bool:
        """Count the chunk, if this job still commits the import, and all earlier chunks are counted."""
        found = await self._lock(tx)
        if found is None or found.committed_through != chunk.after:
            return False
        counts = dict(found.counts)
        for lead_ids, was, action, _ in _otherwise(outcome):
            counts[was] -= len(lead_ids)
            counts[action] = counts.get(action, 0) + len(lead_ids)
        await bulk_write.add_row_counts(tx, self._origin, outcome)
        await store.set_written(tx, found, through=chunk.until, counts=counts)
        return True

    async def _lock(self, tx: Transaction) -> StoredImport | None:
        found, committing = self._found, ImportStatus.COMMITTING
        return await store.lock_for_job(tx, found.workspace_id, found.id, expected=committing, job_id=found.job_id)


def _otherwise(written: WriteResult) -> Iterator[tuple[list[UUID], RowAction, RowAction, str | None]]:
    """The leads that were not written: planned action, result, and reason."""
    for lead_ids, was, action, reason in (
        (written.email_taken, RowAction.CREATE, RowAction.CONFLICT, "created_since_preview"),
        (written.deleted, RowAction.UPDATE, RowAction.CONFLICT, "deleted_since_preview"),
        (written.edited_since, RowAction.UPDATE, RowAction.CONFLICT, "changed_since_preview"),
        (written.unchanged, RowAction.UPDATE, RowAction.UNCHANGED, None),
    ):
        if lead_ids:
            yield lead_ids, was, action, reason


async def finish_writing(tx: Transaction, found: StoredImport) -> None:
    """All rows are written: the import is `committed`, its changeset closed, and enrichment queued if requested."""
    actor, changeset_id = found.actor, found.changeset
    await changesets.close_changeset(tx, actor, changeset_id=changeset_id)
    await store.end_phase(tx, found, ImportStatus.COMMITTED)
    changeset = await changeset_queries.get_changeset(tx, actor, changeset_id=changeset_id)
    data = undoable(changesets.changed_leads(changeset), found.id, changeset_id)
    await record(tx, actor, ImportAuditAction.FINISHED, found.id, found.filename, data)
    details = ImportCommittedData(changeset_id=changeset_id, created=changeset.created, updated=changeset.updated)
    await publish(tx, IMPORT_COMMITTED, [Event(found.id, details, actor)])
    if found.options.enrich and found.counts.get(RowAction.CREATE):
        await jobs.enqueue(tx, actor, jobs=[NewJob(ENRICH_IMPORTED, ImportPayload(import_id=found.id), found.id)])


async def enrich_more(tx: Transaction, found: StoredImport) -> int | None:
    """Queue the enrichment of the next new leads, if few jobs wait. Returns their number; None when all are queued."""
    changeset = await changeset_queries.get_changeset(tx, found.actor, changeset_id=found.changeset)
    if changeset.status != ChangesetStatus.APPLIED:
        return None
    room = MAX_WAITING - await commit.count_waiting(tx, found.workspace_id, max_count=MAX_WAITING)
    if room <= 0:
        return 0
    created = await commit.created_after(tx, found, min(room, ENRICH_BATCH))
    if not created:
        return None
    lead_ids: list[UUID] = [lead_id for _, lead_id in created]
    await bulk_write.request_enrichments(tx, found.actor, lead_ids=lead_ids)
    await store.set_enriched(tx, found, through=created[-1][0])
    return len(created)
