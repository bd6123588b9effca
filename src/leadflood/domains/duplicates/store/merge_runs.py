"""SQL that writes merges of all certain pairs. Every state change names the expected state."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadflood.domains.duplicates.models import CERTAIN, MergeRunStatus
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Insert a run.
_INSERT = sql("""
INSERT INTO merge_runs (workspace_id, id, status, job_id, actor_kind, actor_id, total)
VALUES (:workspace_id, :run_id, 'merging', :job_id, :actor_kind, :actor_id, :total)
""")

# Lock a run in a state.
_LOCK = sql("""
SELECT id, actor_kind, actor_id, total, merged, skipped, undone, kept, position, created_at FROM merge_runs
WHERE workspace_id = :workspace_id AND id = :run_id AND status = :expected FOR NO KEY UPDATE
""")

# The next certain pair that was found before the run. IDs are in the order in which pairs were found.
_NEXT_PAIR = sql("""
SELECT d.id, a.id AS lead_a, b.id AS lead_b, a.created_at <= b.created_at AS a_is_older
FROM duplicate_candidates d
JOIN leads a ON a.workspace_id = d.workspace_id AND a.id = d.lead_a AND a.deleted_at IS NULL
JOIN leads b ON b.workspace_id = d.workspace_id AND b.id = d.lead_b AND b.deleted_at IS NULL
WHERE d.workspace_id = :workspace_id AND d.status = 'open' AND d.score = :certain AND d.id < :before_id
  AND d.created_at <= :found_until
ORDER BY d.id DESC LIMIT 1
""")

# Count a pair, and remember its position.
_ADVANCE = sql("""
UPDATE merge_runs SET merged = merged + :merged, skipped = skipped + :skipped, position = :position
WHERE workspace_id = :workspace_id AND id = :run_id
""")

# The latest merge of a run before another one that is not undone.
_NEXT_MERGE = sql("""
SELECT id FROM lead_merges
WHERE workspace_id = :workspace_id AND run_id = :run_id AND status = 'merged' AND id < :before_id
ORDER BY id DESC LIMIT 1
""")

# Count an undone or kept merge, and remember its position.
_ADVANCE_UNDO = sql("""
UPDATE merge_runs SET undone = undone + :undone, kept = kept + :kept, position = :position
WHERE workspace_id = :workspace_id AND id = :run_id
""")

# Start the undo of a run.
_START_UNDO = sql("""
UPDATE merge_runs SET status = 'undoing', job_id = :job_id, position = NULL, error = NULL, undone = 0, kept = 0,
       finished_at = NULL
WHERE workspace_id = :workspace_id AND id = :run_id AND status = 'merged'
""")

# End a run or its undo.
_END = sql("""
UPDATE merge_runs
SET status = CASE status WHEN 'merging' THEN 'merged' WHEN :undone THEN 'undone' ELSE 'merged' END, error = :error,
    finished_at = now()
WHERE workspace_id = :workspace_id AND id = :run_id AND status IN ('merging', 'undoing')
""")

# Make a merge part of a run.
_ADD = sql("UPDATE lead_merges SET run_id = :run_id WHERE workspace_id = :workspace_id AND id = :merge_id")


@dataclass(frozen=True, slots=True)
class MergeRun:
    """A run, locked for this transaction. `position`: the last pair or merge that it tried."""

    workspace_id: UUID
    id: UUID
    actor_kind: ActorKind
    actor_id: UUID | None
    total: int
    done: int
    position: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CertainPair:
    """A pair to merge: the older lead survives."""

    id: UUID
    survivor_id: UUID
    other_id: UUID


_LAST = UUID(int=2**128 - 1)


async def insert(tx: Transaction, actor: Actor, *, run_id: UUID, job_id: UUID, total: int) -> None:
    """Insert a run. Raises: leadflood.kernel.db.errors.IntegrityError: another one is active."""
    values = {"run_id": run_id, "job_id": job_id, "total": total, "actor_kind": actor.kind, "actor_id": actor.id}
    await tx.execute(_INSERT, {"workspace_id": actor.workspace_id, **values})


async def lock(tx: Transaction, workspace_id: UUID, run_id: UUID, expected: MergeRunStatus) -> MergeRun | None:
    """The run if it is in that state."""
    row = await tx.first(_LOCK, {"workspace_id": workspace_id, "run_id": run_id, "expected": expected})
    if row is None:
        return None
    done = row.merged + row.skipped if expected is MergeRunStatus.MERGING else row.undone + row.kept
    total = row.total if expected is MergeRunStatus.MERGING else row.merged
    place = row.position or _LAST
    return MergeRun(workspace_id, row.id, ActorKind(row.actor_kind), row.actor_id, total, done, place, row.created_at)


async def next_pair(tx: Transaction, run: MergeRun) -> CertainPair | None:
    """The next pair to merge, or None."""
    values = {"certain": CERTAIN, "before_id": run.position, "found_until": run.created_at}
    row = await tx.first(_NEXT_PAIR, {"workspace_id": run.workspace_id, **values})
    if row is None:
        return None
    older, younger = (row.lead_a, row.lead_b) if row.a_is_older else (row.lead_b, row.lead_a)
    return CertainPair(row.id, older, younger)


async def count_pair(tx: Transaction, run: MergeRun, pair: CertainPair, *, merge_id: UUID | None) -> None:
    """Count a pair as merged, or as skipped without a merge."""
    key = {"workspace_id": run.workspace_id, "run_id": run.id}
    if merge_id is not None:
        await tx.execute(_ADD, {**key, "merge_id": merge_id})
    counted = {"merged": int(merge_id is not None), "skipped": int(merge_id is None), "position": pair.id}
    await tx.execute(_ADVANCE, {**key, **counted})


async def next_merge(tx: Transaction, run: MergeRun) -> UUID | None:
    """The next merge to undo, latest first."""
    values = {"workspace_id": run.workspace_id, "run_id": run.id, "before_id": run.position}
    found: UUID | None = await tx.scalar(_NEXT_MERGE, values)
    return found


async def count_undo(tx: Transaction, run: MergeRun, merge_id: UUID, *, undone: bool) -> None:
    """Count a merge as undone or kept."""
    values = {"undone": int(undone), "kept": int(not undone), "position": merge_id}
    await tx.execute(_ADVANCE_UNDO, {"workspace_id": run.workspace_id, "run_id": run.id, **values})


async def start_undo(tx: Transaction, workspace_id: UUID, run_id: UUID, *, job_id: UUID) -> bool:
    """Start the undo of a run that is merged."""
    return await tx.changed(_START_UNDO, {"workspace_id": workspace_id, "run_id": run_id, "job_id": job_id}) == 1


async def end(tx: Transaction, workspace_id: UUID, run_id: UUID, *, error: str | None = None) -> None:
    """End a run, or its undo. After an error, what was done stays, and the rest can be tried again."""
    undone = "undoing" if error is None else "failed"
    await tx.execute(_END, {"workspace_id": workspace_id, "run_id": run_id, "undone": undone, "error": error})
