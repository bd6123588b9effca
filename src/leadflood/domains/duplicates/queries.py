"""SQL that reads duplicates."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select, tuple_

from leadflood.domains.duplicates.contracts import (
    DuplicateView,
    KeptView,
    MergeView,
    MovedView,
    ReasonView,
    ScanView,
)
from leadflood.domains.duplicates.errors import DuplicateNotFound, MergeNotFound
from leadflood.domains.duplicates.models import CandidateStatus, MergeStatus, ReasonKind, ScanStatus
from leadflood.domains.duplicates.tables import duplicate_candidates, duplicate_scans, lead_merges, merge_references
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.queries import lead_view
from leadflood.domains.leads.tables import lead_changes, leads
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut

_A, _B = leads.alias("a"), leads.alias("b")
_PAIR = (
    select(duplicate_candidates)
    .join(_A, (_A.c.workspace_id == duplicate_candidates.c.workspace_id) & (_A.c.id == duplicate_candidates.c.lead_a))
    .join(_B, (_B.c.workspace_id == duplicate_candidates.c.workspace_id) & (_B.c.id == duplicate_candidates.c.lead_b))
)


async def list_duplicates(
    tx: Transaction,
    actor: Actor,
    *,
    status: CandidateStatus = CandidateStatus.OPEN,
    after: Position | None = None,
    limit: int,
) -> Page[DuplicateView]:
    """Pairs of living leads, the likeliest first."""
    pairs = duplicate_candidates.c
    query = _PAIR.where(
        pairs.workspace_id == actor.workspace_id,
        pairs.status == status,
        _A.c.deleted_at.is_(None),
        _B.c.deleted_at.is_(None),
    )
    if after is not None:
        query = query.where(tuple_(pairs.score, pairs.id) < (after.number, after.id))
    rows = await tx.all(query.order_by(pairs.score.desc(), pairs.id.desc()).limit(limit + 1))
    page = cut(rows, limit, lambda row: Position.at(row.score, row.id))
    known = await _leads(tx, actor, [lead_id for row in page.items for lead_id in (row.lead_a, row.lead_b)])
    return page.map(lambda row: _duplicate_view(row, known))


async def get_duplicate(tx: Transaction, actor: Actor, *, duplicate_id: UUID) -> DuplicateView:
    """Raises: DuplicateNotFound: also when one of its leads is deleted."""
    pairs = duplicate_candidates.c
    row = await tx.first(
        select(duplicate_candidates).where(pairs.workspace_id == actor.workspace_id, pairs.id == duplicate_id)
    )
    known = {} if row is None else await _leads(tx, actor, [row.lead_a, row.lead_b])
    if row is None or len(known) < 2:  # noqa: PLR2004  a pair
        raise DuplicateNotFound
    return _duplicate_view(row, known)


async def find_scan(tx: Transaction, actor: Actor) -> ScanView | None:
    """The last scan that was asked for, if any was."""
    scans = duplicate_scans.c
    query = select(duplicate_scans).where(scans.workspace_id == actor.workspace_id).order_by(scans.id.desc()).limit(1)
    row = await tx.first(query)
    return None if row is None else _scan_view(row)


async def get_merge(tx: Transaction, actor: Actor, *, merge_id: UUID) -> MergeView:
    """Raises: MergeNotFound."""
    page = await _merges(tx, actor, merge_id=merge_id, after=None, limit=1)
    if not page.items:
        raise MergeNotFound
    return page.items[0]


async def list_merges(tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int) -> Page[MergeView]:
    """Merges, newest first."""
    return await _merges(tx, actor, merge_id=None, after=after, limit=limit)


async def _merges(
    tx: Transaction, actor: Actor, *, merge_id: UUID | None, after: Position | None, limit: int
) -> Page[MergeView]:
    merges = lead_merges.c
    query = (
        select(
            lead_merges,
            leads.c.email.label("other_email"),
            leads.c.deleted_at.is_not(None).label("other_deleted"),
        )
        .join(leads, (leads.c.workspace_id == merges.workspace_id) & (leads.c.id == merges.other_id))
        .where(merges.workspace_id == actor.workspace_id)
    )
    if merge_id is not None:
        query = query.where(merges.id == merge_id)
    if after is not None:
        query = query.where(merges.id < after.id)
    rows = await tx.all(query.order_by(merges.id.desc()).limit(limit + 1))
    page = cut(rows, limit, lambda row: Position.at(row.created_at, row.id))
    moved = await _moved(tx, actor, [row.id for row in page.items])
    kept = await _kept(tx, actor, [row.changeset_id for row in page.items])
    return page.map(lambda row: _merge_view(row, moved.get(row.id, {}), kept.get(row.changeset_id, [])))


async def _moved(tx: Transaction, actor: Actor, merge_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    references = merge_references.c
    query = (
        select(references.merge_id, references.kind, func.count().label("n"))
        .where(references.workspace_id == actor.workspace_id, references.merge_id.in_(merge_ids))
        .group_by(references.merge_id, references.kind)
    )
    found: dict[UUID, dict[str, int]] = {}
    for row in await tx.all(query):
        found.setdefault(row.merge_id, {})[row.kind] = row.n
    return found


async def _kept(tx: Transaction, actor: Actor, changeset_ids: Sequence[UUID]) -> dict[UUID, list[KeptView]]:
    query = select(lead_changes.c.changeset_id, lead_changes.c.lead_id, lead_changes.c.kept).where(
        lead_changes.c.workspace_id == actor.workspace_id,
        lead_changes.c.changeset_id.in_(changeset_ids),
        lead_changes.c.kept.is_not(None),
    )
    found: dict[UUID, list[KeptView]] = {}
    for row in await tx.all(query):
        found.setdefault(row.changeset_id, []).append(KeptView(lead_id=row.lead_id, fields=row.kept))
    return found


async def _leads(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> dict[UUID, Row]:
    query = select(leads).where(
        leads.c.workspace_id == actor.workspace_id, leads.c.id.in_(lead_ids), leads.c.deleted_at.is_(None)
    )
    return {row.id: row for row in await tx.all(query)}


def _duplicate_view(row: Row, known: Mapping[UUID, Row]) -> DuplicateView:
    kinds = set(ReasonKind)  # a newer release may have found others
    pair = sorted((known[row.lead_a], known[row.lead_b]), key=lambda lead: (lead.created_at, lead.id))
    return DuplicateView(
        id=row.id,
        score=row.score,
        reasons=[
            ReasonView(kind=ReasonKind(each["kind"]), similarity=each["similarity"])
            for each in row.reasons
            if each["kind"] in kinds
        ],
        status=CandidateStatus(row.status),
        leads=[lead_view(lead) for lead in pair],
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _scan_view(row: Row) -> ScanView:
    return ScanView(
        id=row.id,
        status=ScanStatus(row.status),
        job_id=row.job_id,
        scanned=row.scanned,
        found=row.found,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def _merge_view(row: Row, moved: Mapping[str, int], kept: list[KeptView]) -> MergeView:
    undone_by = ActorView(kind=ActorKind(row.undone_by_kind), id=row.undone_by) if row.undone_by_kind else None
    return MergeView(
        id=row.id,
        survivor_id=row.survivor_id,
        other_id=row.other_id,
        other_email=row.other_email,
        other_deleted=row.other_deleted,
        status=MergeStatus(row.status),
        changeset_id=row.changeset_id,
        taken=row.taken,
        moved=MovedView(
            runs=moved.get("run", 0),
            values=moved.get("value", 0),
            jobs=moved.get("job", 0),
            duplicates=moved.get("candidate", 0),
        ),
        kept=kept,
        actor=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        undone_by=undone_by,
        created_at=row.created_at,
        undone_at=row.undone_at,
    )
