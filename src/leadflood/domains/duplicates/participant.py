"""Data that duplicates has about leads: comparison keys, pairs, and merges."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from leadflood.domains.duplicates.models import CandidateStatus
from leadflood.domains.duplicates.store import merges as store
from leadflood.domains.duplicates.store.merges import DuplicatePair
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Participant, Place, Reference, Unmerging

_PAIR = "candidate"
_PLACES = (
    Place(name="duplicateKeys", table=sql("duplicate_keys"), found=sql("t.lead_id = ANY (:ids::uuid[])"), record=None),
    Place(
        name="duplicates",
        table=sql("duplicate_candidates"),
        found=sql("t.lead_a = ANY (:ids::uuid[]) OR t.lead_b = ANY (:ids::uuid[])"),
    ),
    Place(
        name="mergeReferences",
        table=sql("merge_references"),
        found=sql("""
t.merge_id IN (SELECT m.id FROM lead_merges m
               WHERE m.workspace_id = :workspace_id
                 AND (m.survivor_id = ANY (:ids::uuid[]) OR m.other_id = ANY (:ids::uuid[])))
"""),
        record=None,
    ),
    Place(
        name="merges",
        table=sql("lead_merges"),
        found=sql("t.survivor_id = ANY (:ids::uuid[]) OR t.other_id = ANY (:ids::uuid[])"),
    ),
)


async def _merge(tx: Transaction, actor: Actor, from_id: UUID, to_id: UUID) -> list[Reference]:
    pairs = await store.lock_pairs(tx, actor.workspace_id, [to_id, from_id])
    moved = _pairs_after(pairs, to_id, from_id)
    await store.move_pairs(tx, actor.workspace_id, moved)
    before = {pair.id: pair for pair in pairs}
    return [Reference(_PAIR, pair.id, _remembered(before[pair.id])) for pair in moved]


async def _unmerge(tx: Transaction, actor: Actor, unmerging: Unmerging) -> None:
    remembered = {reference.id: reference.before for reference in unmerging.references}
    pairs = await store.lock_pairs(tx, actor.workspace_id, [*unmerging.holders, unmerging.to_id])
    await store.move_pairs(tx, actor.workspace_id, _pairs_before(pairs, remembered, unmerging.holders, unmerging.to_id))


async def _conflicts(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """A merge is an edit of both leads: of the survivor (`merged`) and of the other (`merged_into`)."""
    return await store.merged_among(tx, actor.workspace_id, lead_ids)


async def _related(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> Iterable[UUID]:
    """Merged leads are one person."""
    return await store.merged_with(tx, actor.workspace_id, lead_ids)


def _pairs_after(pairs: Iterable[DuplicatePair], survivor_id: UUID, other_id: UUID) -> list[DuplicatePair]:
    """The pairs that a merge changes: the pair itself is merged, and the other lead's pairs become the survivor's.

    If the survivor already has a pair with the same lead, the other's stays with it, hidden.
    """
    pairs = list(pairs)
    taken = {pair.leads for pair in pairs}
    after = []
    for pair in pairs:
        if pair.leads == {survivor_id, other_id}:
            after.append(replace(pair, status=CandidateStatus.MERGED))
        elif other_id in pair.leads and pair.status is not CandidateStatus.MERGED:
            (third,) = pair.leads - {other_id}
            if frozenset((survivor_id, third)) not in taken:
                lead_a, lead_b = sorted((survivor_id, third))
                after.append(replace(pair, lead_a=lead_a, lead_b=lead_b))
    return after


def _remembered(pair: DuplicatePair) -> dict[str, str]:
    return {"a": str(pair.lead_a), "b": str(pair.lead_b), "status": pair.status}


def _pairs_before(
    pairs: Iterable[DuplicatePair],
    remembered: Mapping[UUID, Mapping[str, str]],
    holders: Sequence[UUID],
    other_id: UUID,
) -> list[DuplicatePair]:
    """The pairs that an undo changes. A pair that was reviewed meanwhile keeps its decision."""
    pairs = list(pairs)
    taken = {pair.leads for pair in pairs}
    after = []
    for pair in pairs:
        before = remembered.get(pair.id)
        if before is None:
            continue
        lead_a, lead_b = UUID(before["a"]), UUID(before["b"])
        if pair.leads == {lead_a, lead_b}:
            if pair.status is CandidateStatus.MERGED:
                after.append(replace(pair, status=CandidateStatus(before["status"])))
        elif pair.leads & set(holders) and other_id in (lead_a, lead_b) and frozenset((lead_a, lead_b)) not in taken:
            after.append(replace(pair, lead_a=lead_a, lead_b=lead_b))
    return after


PARTICIPANT = Participant(
    name="duplicates",
    subject=LEAD,
    places=_PLACES,
    kinds={_PAIR: "duplicates"},
    merge=_merge,
    unmerge=_unmerge,
    conflicts=_conflicts,
    related=_related,
)
