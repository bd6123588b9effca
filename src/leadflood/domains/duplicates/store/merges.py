"""SQL that writes candidates, merges, and what they moved."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.duplicates.models import CandidateStatus, MergeStatus
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Reference

# Change the state of a pair from the expected one.
_DECIDE = sql("""
UPDATE duplicate_candidates
SET status = :status, updated_at = now(), decided_at = now(), decided_by_kind = :actor_kind, decided_by = :actor_id
WHERE workspace_id = :workspace_id AND id = :duplicate_id AND status = :expected
""")

# Lock all pairs of one of the leads, in a common order.
_LOCK_PAIRS = sql("""
SELECT id, lead_a, lead_b, status FROM duplicate_candidates
WHERE workspace_id = :workspace_id AND (lead_a = ANY(:lead_ids) OR lead_b = ANY(:lead_ids))
ORDER BY lead_a, lead_b FOR UPDATE
""")

# Set the leads and states of pairs.
_MOVE = sql("""
UPDATE duplicate_candidates c
SET lead_a = n.lead_a, lead_b = n.lead_b, status = n.status, updated_at = now()
FROM unnest(:ids::uuid[], :lead_as::uuid[], :lead_bs::uuid[], :statuses::text[]) AS n (id, lead_a, lead_b, status)
WHERE c.workspace_id = :workspace_id AND c.id = n.id
""")

# Insert a merge.
_INSERT = sql("""
INSERT INTO lead_merges (workspace_id, id, survivor_id, other_id, changeset_id, taken, actor_kind, actor_id)
VALUES (:workspace_id, :id, :survivor_id, :other_id, :changeset_id, :taken, :actor_kind, :actor_id)
""")

# Store the references that a merge moved.
_INSERT_REFERENCES = sql("""
INSERT INTO merge_references (workspace_id, merge_id, kind, reference_id, before)
SELECT :workspace_id, :merge_id, n.kind, n.reference_id, n.before::jsonb
FROM unnest(:kinds::text[], :reference_ids::uuid[], :befores::text[]) AS n (kind, reference_id, before)
""")

# The references that a merge moved.
_REFERENCES = sql("""
SELECT kind, reference_id, before FROM merge_references WHERE workspace_id = :workspace_id AND merge_id = :merge_id
""")

# A merge.
_MERGE = sql("SELECT id, survivor_id, other_id, changeset_id, status FROM lead_merges WHERE {condition}")

# Lock a merge.
_LOCK = assemble(_MERGE, condition=sql("workspace_id = :workspace_id AND id = :merge_id FOR NO KEY UPDATE"))

# The latest merge that merged one of these leads into another.
_MERGE_OF = assemble(
    _MERGE,
    condition=sql("""
workspace_id = :workspace_id AND other_id = ANY(:lead_ids) AND status = 'merged' ORDER BY id DESC LIMIT 1
"""),
)

# Leads that are part of a merge that is not undone. For one in both roles, the role of survivor comes last.
_MERGED_AMONG = sql("""
SELECT other_id AS lead_id, 'merged_into' AS reason FROM lead_merges
WHERE workspace_id = :workspace_id AND other_id = ANY (:lead_ids::uuid[]) AND status = 'merged'
UNION ALL
SELECT survivor_id, 'merged' FROM lead_merges
WHERE workspace_id = :workspace_id AND survivor_id = ANY (:lead_ids::uuid[]) AND status = 'merged'
""")

# The leads that are merged with one of these.
_MERGED_WITH = sql("""
SELECT survivor_id AS lead_id FROM lead_merges
WHERE workspace_id = :workspace_id AND other_id = ANY (:lead_ids::uuid[]) AND status = 'merged'
UNION
SELECT other_id FROM lead_merges
WHERE workspace_id = :workspace_id AND survivor_id = ANY (:lead_ids::uuid[]) AND status = 'merged'
""")

# The changesets of later merges into the same survivor that are not undone.
_LATER = sql("""
SELECT changeset_id FROM lead_merges
WHERE workspace_id = :workspace_id AND survivor_id = :survivor_id AND status = 'merged' AND id > :merge_id
""")

# The lead that this one was merged into, the lead that that was merged into, and so on.
_CHAIN = sql("""
WITH RECURSIVE chain (lead_id, depth) AS (
    SELECT :lead_id::uuid, 0
    UNION
    SELECT m.survivor_id, chain.depth + 1
    FROM chain JOIN lead_merges m ON m.workspace_id = :workspace_id AND m.other_id = chain.lead_id
    WHERE m.status = 'merged' AND chain.depth < 1000
)
SELECT lead_id FROM chain ORDER BY depth
""")

# Mark a merge as `undone`.
_UNDONE = sql("""
UPDATE lead_merges
SET status = 'undone', undone_at = now(), undone_by_kind = :actor_kind, undone_by = :actor_id
WHERE workspace_id = :workspace_id AND id = :merge_id AND status = 'merged'
""")


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """A candidate: its leads and state."""

    id: UUID
    lead_a: UUID
    lead_b: UUID
    status: CandidateStatus

    @property
    def leads(self) -> frozenset[UUID]:
        """Both leads."""
        return frozenset((self.lead_a, self.lead_b))


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge: its two leads, its changeset, and its state."""

    id: UUID
    survivor_id: UUID
    other_id: UUID
    changeset_id: UUID
    status: MergeStatus


async def decide(
    tx: Transaction, actor: Actor, duplicate_id: UUID, *, expected: CandidateStatus, status: CandidateStatus
) -> bool:
    """Change the state of a candidate from the expected one."""
    values = {"workspace_id": actor.workspace_id, "duplicate_id": duplicate_id, "expected": expected, "status": status}
    values |= {"actor_kind": actor.kind, "actor_id": actor.id}
    return await tx.changed(_DECIDE, values) == 1


async def lock_pairs(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> list[DuplicatePair]:
    """All candidates of one of the leads, locked for this transaction."""
    rows = await tx.all(_LOCK_PAIRS, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return [DuplicatePair(row.id, row.lead_a, row.lead_b, CandidateStatus(row.status)) for row in rows]


async def move_pairs(tx: Transaction, workspace_id: UUID, moved: Sequence[DuplicatePair]) -> None:
    """Set leads and state of locked candidates. No two resulting candidates have the same leads."""
    values = {
        "ids": [pair.id for pair in moved],
        "lead_as": [pair.lead_a for pair in moved],
        "lead_bs": [pair.lead_b for pair in moved],
        "statuses": [pair.status.value for pair in moved],
    }
    await tx.execute(_MOVE, {"workspace_id": workspace_id, **values})


async def insert_merge(tx: Transaction, actor: Actor, merge: Merge, *, taken: Sequence[str]) -> None:
    """Insert a merge. `taken`: the fields whose values came from the other lead."""
    values = {"id": merge.id, "survivor_id": merge.survivor_id, "other_id": merge.other_id, "taken": list(taken)}
    values |= {"changeset_id": merge.changeset_id, "actor_kind": actor.kind, "actor_id": actor.id}
    await tx.execute(_INSERT, {"workspace_id": actor.workspace_id, **values})


async def insert_references(tx: Transaction, workspace_id: UUID, merge_id: UUID, moved: Sequence[Reference]) -> None:
    """Store the references that a merge moved."""
    values = {
        "kinds": [item.kind for item in moved],
        "reference_ids": [item.id for item in moved],
        "befores": [json.dumps(dict(item.before)) for item in moved],
    }
    await tx.execute(_INSERT_REFERENCES, {"workspace_id": workspace_id, "merge_id": merge_id, **values})


async def references(tx: Transaction, workspace_id: UUID, merge_id: UUID) -> list[Reference]:
    """The references that a merge moved."""
    rows = await tx.all(_REFERENCES, {"workspace_id": workspace_id, "merge_id": merge_id})
    return [Reference(row.kind, row.reference_id, row.before) for row in rows]


async def merged_among(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Those of the leads that are part of a merge: `merged` for a survivor, `merged_into` for the other lead."""
    rows = await tx.all(_MERGED_AMONG, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return {row.lead_id: row.reason for row in rows}


async def merged_with(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> set[UUID]:
    """The leads that are merged with one of these."""
    rows = await tx.all(_MERGED_WITH, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return {row.lead_id for row in rows}


async def lock_merge(tx: Transaction, workspace_id: UUID, merge_id: UUID) -> Merge | None:
    """A merge, locked for this transaction."""
    return _merge(await tx.first(_LOCK, {"workspace_id": workspace_id, "merge_id": merge_id}))


async def find_merge_of(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> Merge | None:
    """The merge that merged one of the leads into another, or None."""
    return _merge(await tx.first(_MERGE_OF, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)}))


async def changesets_after(tx: Transaction, workspace_id: UUID, merge: Merge) -> list[UUID]:
    """The changesets of later merges into the same survivor that are not undone."""
    values = {"workspace_id": workspace_id, "survivor_id": merge.survivor_id, "merge_id": merge.id}
    return [row.changeset_id for row in await tx.all(_LATER, values)]


async def chain(tx: Transaction, workspace_id: UUID, lead_id: UUID) -> list[UUID]:
    """The lead, the lead it was merged into, and so on."""
    return [row.lead_id for row in await tx.all(_CHAIN, {"workspace_id": workspace_id, "lead_id": lead_id})]


async def set_undone(tx: Transaction, actor: Actor, merge_id: UUID) -> bool:
    """Mark a merge as `undone`; False if it already is."""
    values = {"merge_id": merge_id, "actor_kind": actor.kind, "actor_id": actor.id}
    return await tx.changed(_UNDONE, {"workspace_id": actor.workspace_id, **values}) == 1


def _merge(row: Row | None) -> Merge | None:
    return None if row is None else Merge(**{**row, "status": MergeStatus(row.status)})
