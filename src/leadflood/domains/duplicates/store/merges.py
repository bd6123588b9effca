"""SQL that writes candidates, merges, and what they moved."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, insert, select, update

from leadflood.domains.duplicates.models import CandidateStatus, MergeStatus
from leadflood.domains.duplicates.tables import duplicate_candidates, lead_merges, merge_references
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

_WORKSPACE = bindparam("workspace_id", type_=Uuid)
_ACTOR = (bindparam("actor_kind", type_=Text), bindparam("actor_id", type_=Uuid))

# All pairs that either lead is in, in an order that all share.
_HOLD = sql("""
SELECT id, lead_a, lead_b, status FROM duplicate_candidates
WHERE workspace_id = :workspace_id AND (lead_a = ANY(:lead_ids) OR lead_b = ANY(:lead_ids))
ORDER BY lead_a, lead_b FOR UPDATE
""")

_MOVE = sql("""
UPDATE duplicate_candidates c
SET lead_a = n.lead_a, lead_b = n.lead_b, status = n.status, updated_at = now()
FROM unnest(:ids::uuid[], :lead_as::uuid[], :lead_bs::uuid[], :statuses::text[]) AS n (id, lead_a, lead_b, status)
WHERE c.workspace_id = :workspace_id AND c.id = n.id
""")

_REFER = sql("""
INSERT INTO merge_references (workspace_id, merge_id, kind, reference_id, before)
SELECT :workspace_id, :merge_id, n.kind, n.reference_id, n.before::jsonb
FROM unnest(:kinds::text[], :reference_ids::uuid[], :befores::text[]) AS n (kind, reference_id, before)
""")

# The lead that something merged is part of, and the one that that is part of, and so on.
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

_UNDONE = sql("""
UPDATE lead_merges
SET status = 'undone', undone_at = now(), undone_by_kind = :actor_kind, undone_by = :actor_id
WHERE workspace_id = :workspace_id AND id = :merge_id AND status = 'merged'
""")


@dataclass(frozen=True, slots=True)
class Pair:
    """A candidate: which leads, and how it stands."""

    id: UUID
    lead_a: UUID
    lead_b: UUID
    status: CandidateStatus

    @property
    def leads(self) -> frozenset[UUID]:
        """Both."""
        return frozenset((self.lead_a, self.lead_b))


async def decide(
    tx: Transaction, workspace_id: UUID, duplicate_id: UUID, *, expected: CandidateStatus, status: CandidateStatus
) -> bool:
    """Take a candidate from the expected state to another."""
    pairs = duplicate_candidates.c
    statement = (
        update(duplicate_candidates)
        .where(pairs.workspace_id == workspace_id, pairs.id == duplicate_id, pairs.status == expected)
        .values(status=status, updated_at=func.now())
    )
    return await tx.changed(statement) == 1


async def hold_pairs(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> list[Pair]:
    """All candidates that one of the leads is in, locked for this transaction."""
    rows = await tx.all(_HOLD, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return [Pair(row.id, row.lead_a, row.lead_b, CandidateStatus(row.status)) for row in rows]


async def move_pairs(tx: Transaction, workspace_id: UUID, moved: Sequence[Pair]) -> None:
    """Set leads and state of candidates, which are held. No two of them, and none that stays, has the same leads."""
    values = {
        "ids": [pair.id for pair in moved],
        "lead_as": [pair.lead_a for pair in moved],
        "lead_bs": [pair.lead_b for pair in moved],
        "statuses": [pair.status.value for pair in moved],
    }
    await tx.execute(_MOVE, {"workspace_id": workspace_id, **values})


async def insert_merge(tx: Transaction, actor: Actor, values: Mapping[str, Any]) -> None:
    """A new merge, done."""
    row = {"workspace_id": actor.workspace_id, "actor_kind": actor.kind, "actor_id": actor.id, **values}
    await tx.execute(insert(lead_merges).values(row))


async def refer(
    tx: Transaction, workspace_id: UUID, merge_id: UUID, references: Iterable[tuple[str, UUID, Mapping[str, Any]]]
) -> None:
    """Keep what a merge moved: its kind, its id, and what it was like before."""
    moved = list(references)
    values = {
        "kinds": [kind for kind, _, _ in moved],
        "reference_ids": [reference_id for _, reference_id, _ in moved],
        "befores": [json.dumps(before) for _, _, before in moved],
    }
    await tx.execute(_REFER, {"workspace_id": workspace_id, "merge_id": merge_id, **values})


async def references(tx: Transaction, workspace_id: UUID, merge_id: UUID) -> Sequence[Row]:
    """What a merge moved."""
    query = select(merge_references.c.kind, merge_references.c.reference_id, merge_references.c.before)
    return await tx.all(
        query.where(merge_references.c.workspace_id == workspace_id, merge_references.c.merge_id == merge_id)
    )


async def lock_merge(tx: Transaction, workspace_id: UUID, merge_id: UUID) -> Row | None:
    """A merge, locked for this transaction."""
    query = select(lead_merges).where(lead_merges.c.workspace_id == workspace_id, lead_merges.c.id == merge_id)
    return await tx.first(query.with_for_update(key_share=True))


async def find_merge_of(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> Row | None:
    """The merge by which one of the leads is part of another, if one is."""
    query = select(lead_merges).where(
        lead_merges.c.workspace_id == workspace_id,
        lead_merges.c.other_id.in_(lead_ids),
        lead_merges.c.status == MergeStatus.MERGED,
    )
    return await tx.first(query.order_by(lead_merges.c.id.desc()).limit(1))


async def changesets_after(tx: Transaction, workspace_id: UUID, merge: Row) -> list[UUID]:
    """The changesets of later merges into the same survivor that are not undone."""
    query = select(lead_merges.c.changeset_id).where(
        lead_merges.c.workspace_id == workspace_id,
        lead_merges.c.survivor_id == merge.survivor_id,
        lead_merges.c.status == MergeStatus.MERGED,
        lead_merges.c.id > merge.id,
    )
    return [row.changeset_id for row in await tx.all(query)]


async def chain(tx: Transaction, workspace_id: UUID, lead_id: UUID) -> list[UUID]:
    """The lead, the one that it is part of by now, and so on."""
    return [row.lead_id for row in await tx.all(_CHAIN, {"workspace_id": workspace_id, "lead_id": lead_id})]


async def set_undone(tx: Transaction, actor: Actor, merge_id: UUID) -> bool:
    """Take a merge to `undone`; False if it is already."""
    values = {"merge_id": merge_id, "actor_kind": actor.kind, "actor_id": actor.id}
    return await tx.changed(_UNDONE, {"workspace_id": actor.workspace_id, **values}) == 1
