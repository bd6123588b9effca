"""Staged rows become leads and changes of leads, a chunk at a time, each chunk complete in its transaction."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func

from leadflood.domains.imports import store
from leadflood.domains.imports.contracts import options_of
from leadflood.domains.imports.events import ENRICH_IMPORTED
from leadflood.domains.imports.models.states import ImportStatus, RowAction
from leadflood.domains.imports.store import writing
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads.models import ChangesetStatus
from leadflood.domains.leads.queries import changesets as changeset_queries
from leadflood.domains.leads.service import changesets, incoming
from leadflood.kernel.actor import Actor, ActorKind, Permission
from leadflood.kernel.db.database import Transaction

BATCH = 10_000
"""Rows of one transaction."""
MOST_WAITING = 2000
"""Jobs of a workspace that may wait before an import adds no more."""
ENRICH_AT_ONCE = 500


def importer(row: Row[Any]) -> Actor:
    """Whoever started the import: in the timeline of leads it is they who did it."""
    return Actor(ActorKind(row.actor_kind), row.workspace_id, frozenset(Permission), user_id=row.actor_id)


async def write_chunk(tx: Transaction, row: Row[Any]) -> bool:
    """Write the next rows of an import that this transaction holds. Returns whether there may be more."""
    actor = importer(row)
    await incoming.make_room(tx)
    chunk = await writing.hand_over(tx, actor.workspace_id, row.id, row.committed_through, BATCH)
    if chunk is None:
        return False
    written = await incoming.write_incoming(
        tx,
        actor,
        changeset_id=row.changeset_id,
        import_id=row.id,
        creates=chunk.creates,
        updates=chunk.updates,
    )
    counts = dict(row.counts)
    rows = (row.committed_through, chunk.until)
    for lead_ids, was, action, reason in (
        (written.taken, RowAction.CREATE, RowAction.CONFLICT, "created_since_preview"),
        (written.gone, RowAction.UPDATE, RowAction.CONFLICT, "deleted_since_preview"),
        (written.edited, RowAction.UPDATE, RowAction.CONFLICT, "changed_since_preview"),
        (written.same, RowAction.UPDATE, RowAction.UNCHANGED, None),
    ):
        if lead_ids:
            await writing.mark(
                tx, actor.workspace_id, row.id, rows=rows, lead_ids=lead_ids, action=action, reason=reason
            )
            counts[was] -= len(lead_ids)
            counts[action] = counts.get(action, 0) + len(lead_ids)
    await store.set_fields(tx, actor.workspace_id, row.id, committed_through=chunk.until, counts=counts)
    return True


async def finish_writing(tx: Transaction, row: Row[Any]) -> None:
    """All rows are written: the import is `committed`, its changeset closed, and enrichment on its way if wanted."""
    actor = importer(row)
    await changesets.close_changeset(tx, actor, changeset_id=row.changeset_id)
    committing, committed = ImportStatus.COMMITTING, ImportStatus.COMMITTED
    await store.move(tx, actor.workspace_id, row.id, expected=[committing], status=committed, finished_at=func.now())
    if options_of(row.options).enrich and row.counts.get(RowAction.CREATE):
        await jobs.enqueue(tx, actor, jobs=[NewJob(ENRICH_IMPORTED, {"importId": str(row.id)}, row.id)])


async def enrich_more(tx: Transaction, row: Row[Any]) -> int | None:
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
