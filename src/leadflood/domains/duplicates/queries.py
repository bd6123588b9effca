"""SQL that reads duplicates."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from leadflood.domains.duplicates.contracts import (
    DuplicateView,
    KeptView,
    MergeView,
    ReasonView,
    ScanView,
)
from leadflood.domains.duplicates.errors import DuplicateNotFound, MergeNotFound
from leadflood.domains.duplicates.models import CandidateStatus, MergeStatus, ReasonKind, ScanStatus
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts import ActorView, LeadView
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut
from leadflood.kernel.subjects import Participants

# Pairs of active leads, highest score first.
_DUPLICATES = sql("""
SELECT d.id, d.lead_a, d.lead_b, d.score, d.reasons, d.status, d.created_at, d.updated_at
FROM duplicate_candidates d
JOIN leads a ON a.workspace_id = d.workspace_id AND a.id = d.lead_a AND a.deleted_at IS NULL
JOIN leads b ON b.workspace_id = d.workspace_id AND b.id = d.lead_b AND b.deleted_at IS NULL
WHERE d.workspace_id = :workspace_id AND d.status = :status
  AND (:after_id::uuid IS NULL OR (d.score, d.id) < (:after_score, :after_id))
ORDER BY d.score DESC, d.id DESC LIMIT :rows
""")

# Pairs of active leads to review.
OPEN_PAIRS = sql("""
SELECT FROM duplicate_candidates d
JOIN leads a ON a.workspace_id = d.workspace_id AND a.id = d.lead_a AND a.deleted_at IS NULL
JOIN leads b ON b.workspace_id = d.workspace_id AND b.id = d.lead_b AND b.deleted_at IS NULL
WHERE d.workspace_id = :workspace_id AND d.status = 'open'
""")
"""Without columns."""

# A pair, with active or deleted leads.
_DUPLICATE = sql("""
SELECT id, lead_a, lead_b, score, reasons, status, created_at, updated_at
FROM duplicate_candidates WHERE workspace_id = :workspace_id AND id = :duplicate_id
""")

# The last requested scan.
_SCAN = sql("""
SELECT id, status, job_id, scanned, found, created_at, finished_at
FROM duplicate_scans WHERE workspace_id = :workspace_id ORDER BY id DESC LIMIT 1
""")

_MERGES = sql_file("leadflood.domains.duplicates.sql", "merges")

# Number of moved references per kind.
_MOVED = sql("""
SELECT merge_id, kind, count(*) AS n FROM merge_references
WHERE workspace_id = :workspace_id AND merge_id = ANY(:merge_ids) GROUP BY merge_id, kind
""")

# Fields that the undo of merges kept.
_KEPT = sql("""
SELECT changeset_id, lead_id, kept FROM lead_changes
WHERE workspace_id = :workspace_id AND changeset_id = ANY(:changeset_ids) AND kept IS NOT NULL
""")


async def list_duplicates(
    tx: Transaction,
    actor: Actor,
    *,
    status: CandidateStatus = CandidateStatus.OPEN,
    after: Position | None = None,
    limit: int,
) -> Page[DuplicateView]:
    """Pairs of active leads, highest score first."""
    values = {
        "workspace_id": actor.workspace_id,
        "status": status,
        "after_id": after and after.id,
        "after_score": after and after.number,
        "rows": limit + 1,
    }
    rows = await tx.all(_DUPLICATES, values)
    page = cut(rows, limit, lambda row: Position.at(row.score, row.id))
    lead_ids = [lead_id for row in page.items for lead_id in (row.lead_a, row.lead_b)]
    known = await leads.leads_by_id(tx, actor, lead_ids=lead_ids)
    return page.map(lambda row: _duplicate_view(row, known))


async def get_duplicate(tx: Transaction, actor: Actor, *, duplicate_id: UUID) -> DuplicateView:
    """Raises: DuplicateNotFound: also if one of its leads is deleted."""
    row = await tx.first(_DUPLICATE, {"workspace_id": actor.workspace_id, "duplicate_id": duplicate_id})
    known = {} if row is None else await leads.leads_by_id(tx, actor, lead_ids=[row.lead_a, row.lead_b])
    if row is None or len(known) < 2:  # noqa: PLR2004  a pair
        raise DuplicateNotFound
    return _duplicate_view(row, known)


async def find_scan(tx: Transaction, actor: Actor) -> ScanView | None:
    """The last requested scan, or None."""
    row = await tx.first(_SCAN, {"workspace_id": actor.workspace_id})
    return None if row is None else _scan_view(row)


async def get_merge(tx: Transaction, actor: Actor, participants: Participants, *, merge_id: UUID) -> MergeView:
    """Raises: MergeNotFound."""
    page = await _merges(tx, actor, participants, merge_id=merge_id, after=None, limit=1)
    if not page.items:
        raise MergeNotFound
    return page.items[0]


async def list_merges(
    tx: Transaction, actor: Actor, participants: Participants, *, after: Position | None = None, limit: int
) -> Page[MergeView]:
    """Merges, newest first."""
    return await _merges(tx, actor, participants, merge_id=None, after=after, limit=limit)


async def _merges(
    tx: Transaction,
    actor: Actor,
    participants: Participants,
    *,
    merge_id: UUID | None,
    after: Position | None,
    limit: int,
) -> Page[MergeView]:
    values = {"merge_id": merge_id, "before_id": after and after.id, "rows": limit + 1}
    rows = await tx.all(_MERGES, {"workspace_id": actor.workspace_id, **values})
    page = cut(rows, limit, lambda row: Position.at(row.created_at, row.id))
    moved = await _moved(tx, actor, [row.id for row in page.items])
    kept = await _kept(tx, actor, [row.changeset_id for row in page.items])
    return page.map(
        lambda row: _merge_view(
            row,
            {name: moved.get(row.id, {}).get(kind, 0) for kind, name in participants.kinds.items()},
            kept.get(row.changeset_id, []),
        )
    )


async def _moved(tx: Transaction, actor: Actor, merge_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    found: dict[UUID, dict[str, int]] = {}
    for row in await tx.all(_MOVED, {"workspace_id": actor.workspace_id, "merge_ids": list(merge_ids)}):
        found.setdefault(row.merge_id, {})[row.kind] = row.n
    return found


async def _kept(tx: Transaction, actor: Actor, changeset_ids: Sequence[UUID]) -> dict[UUID, list[KeptView]]:
    found: dict[UUID, list[KeptView]] = {}
    for row in await tx.all(_KEPT, {"workspace_id": actor.workspace_id, "changeset_ids": list(changeset_ids)}):
        found.setdefault(row.changeset_id, []).append(KeptView(lead_id=row.lead_id, fields=row.kept))
    return found


def _duplicate_view(row: Row, known: Mapping[UUID, LeadView]) -> DuplicateView:
    kinds = set(ReasonKind)  # a newer release may have found other kinds
    pair = sorted((known[row.lead_a], known[row.lead_b]), key=lambda lead: (lead.created_at, lead.id))
    return DuplicateView(
        id=row.id,
        score=row.score,
        reasons=[
            ReasonView(kind=ReasonKind(reason["kind"]), similarity=reason["similarity"], field=reason.get("field"))
            for reason in row.reasons
            if reason["kind"] in kinds
        ],
        status=CandidateStatus(row.status),
        leads=pair,
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


def _merge_view(row: Row, moved: dict[str, int], kept: list[KeptView]) -> MergeView:
    undone_by = ActorView(kind=ActorKind(row.undone_by_kind), id=row.undone_by) if row.undone_by_kind else None
    return MergeView(
        id=row.id,
        survivor_id=row.survivor_id,
        other_id=row.other_id,
        other_email=row.other_email,
        other_deleted=row.other_deleted,
        status=MergeStatus(row.status),
        changeset_id=row.changeset_id,
        fields_from_other=row.taken,
        moved=moved,
        kept_fields=kept,
        actor=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        undone_by=undone_by,
        created_at=row.created_at,
        undone_at=row.undone_at,
    )
