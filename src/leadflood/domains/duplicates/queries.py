"""SQL that reads duplicates."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from leadflood.domains.duplicates.contracts import (
    DecisionView,
    DuplicateView,
    KeptView,
    MergeRunView,
    MergeView,
    PairCounts,
    ReasonView,
    ScanView,
)
from leadflood.domains.duplicates.errors import DuplicateNotFound, MergeNotFound, MergeRunNotFound
from leadflood.domains.duplicates.models import CERTAIN, CandidateStatus, MergeStatus, ReasonKind, ScanStatus
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts import ActorView, LeadView
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut
from leadflood.kernel.schema import Count
from leadflood.kernel.subjects import Participants

MAX_COUNT = 10_000
_OF_A_LEAD = 100
"""Maximum number of open pairs of a lead that are looked at."""

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

# Open pairs of leads with other active ones, highest score first.
_OF_LEADS = assemble(
    sql("""
SELECT d.id, d.lead_a, d.lead_b, d.score, d.reasons, d.status, d.created_at, d.updated_at
FROM ({open}) o
JOIN duplicate_candidates d ON d.workspace_id = :workspace_id AND d.id = o.id
JOIN leads a ON a.workspace_id = d.workspace_id AND a.id = d.lead_a AND a.deleted_at IS NULL
JOIN leads b ON b.workspace_id = d.workspace_id AND b.id = d.lead_b AND b.deleted_at IS NULL
ORDER BY d.score DESC, d.id DESC LIMIT :rows
"""),
    open=sql_file("leadflood.domains.duplicates.sql", "open_pairs"),
)

_FROM_OPEN = sql("""
FROM duplicate_candidates d
JOIN leads a ON a.workspace_id = d.workspace_id AND a.id = d.lead_a AND a.deleted_at IS NULL
JOIN leads b ON b.workspace_id = d.workspace_id AND b.id = d.lead_b AND b.deleted_at IS NULL
WHERE d.workspace_id = :workspace_id AND d.status = 'open'
""")

# Pairs of active leads to review.
OPEN_PAIRS = assemble(sql("SELECT {open}"), open=_FROM_OPEN)
"""Without columns."""

# Numbers of pairs of active leads to review, and of the certain ones among them, up to a limit each.
_COUNTS = assemble(
    sql("""
SELECT (SELECT count(*) FROM ({open} LIMIT :counted) o) AS open,
       (SELECT count(*) FROM ({open} AND d.score = :certain LIMIT :counted) c) AS certain
"""),
    open=OPEN_PAIRS,
)

# The neighbors of a place in the order of pairs to review.
_NEXT_TO = assemble(
    sql("""
(SELECT 'next' AS which, d.id {open} AND (d.score, d.id) < (:score, :duplicate_id)
 ORDER BY d.score DESC, d.id DESC LIMIT 1)
UNION ALL
(SELECT 'previous', d.id {open} AND (d.score, d.id) > (:score, :duplicate_id)
 ORDER BY d.score, d.id LIMIT 1)
"""),
    open=_FROM_OPEN,
)

# A run, or the latest one.
_RUN = sql("""
SELECT id, status, job_id, actor_kind, actor_id, total, merged, skipped, undone, kept, error, created_at, finished_at
FROM merge_runs WHERE workspace_id = :workspace_id AND (:run_id::uuid IS NULL OR id = :run_id) ORDER BY id DESC LIMIT 1
""")

_DECISIONS = sql_file("leadflood.domains.duplicates.sql", "decisions")

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


async def pairs_of_lead(tx: Transaction, actor: Actor, *, lead_id: UUID, limit: int) -> list[DuplicateView]:
    """Open pairs of a lead, highest score first."""
    values = {"workspace_id": actor.workspace_id, "lead_ids": [lead_id], "most": _OF_A_LEAD, "rows": limit}
    rows = await tx.all(_OF_LEADS, values)
    known = await leads.leads_by_id(tx, actor, lead_ids=[each for row in rows for each in (row.lead_a, row.lead_b)])
    return [_duplicate_view(row, known) for row in rows]


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


async def count_pairs(tx: Transaction, actor: Actor) -> PairCounts:
    """Numbers of pairs to review, counted up to 10,000."""
    values = {"workspace_id": actor.workspace_id, "counted": MAX_COUNT + 1, "certain": CERTAIN}
    row = await tx.first(_COUNTS, values)
    found = (row.open, row.certain) if row is not None else (0, 0)
    return PairCounts(open=Count.up_to(MAX_COUNT, found[0]), certain=Count.up_to(MAX_COUNT, found[1]))


async def neighbors(tx: Transaction, actor: Actor, *, duplicate_id: UUID, score: int) -> dict[str, UUID]:
    """The `next` and the `previous` pair to review, seen from a pair that may be decided already."""
    values = {"workspace_id": actor.workspace_id, "duplicate_id": duplicate_id, "score": score}
    return {row.which: row.id for row in await tx.all(_NEXT_TO, values)}


async def find_merge_run(tx: Transaction, actor: Actor) -> MergeRunView | None:
    """The latest merge of all certain pairs, or None."""
    row = await tx.first(_RUN, {"workspace_id": actor.workspace_id, "run_id": None})
    return None if row is None else _run_view(row)


async def get_merge_run(tx: Transaction, actor: Actor, *, run_id: UUID) -> MergeRunView:
    """Raises: MergeRunNotFound."""
    row = await tx.first(_RUN, {"workspace_id": actor.workspace_id, "run_id": run_id})
    if row is None:
        raise MergeRunNotFound
    return _run_view(row)


async def list_decisions(
    tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[DecisionView]:
    """Decisions of all members, latest first."""
    rows = await tx.all(_DECISIONS, _decisions(actor, after=after, rows=limit + 1))
    return cut(rows, limit, lambda row: Position.at(row.at, row.id)).map(_decision_view)


async def last_decision(tx: Transaction, actor: Actor) -> DecisionView | None:
    """The actor's own latest decision that can be undone, or None."""
    if actor.id is None:
        return None
    row = await tx.first(_DECISIONS, _decisions(actor, mine=actor.id, rows=1))
    return None if row is None or not row.undoable else _decision_view(row)


def _decisions(
    actor: Actor, *, after: Position | None = None, mine: UUID | None = None, rows: int
) -> dict[str, object]:
    return {
        "workspace_id": actor.workspace_id,
        "mine": mine,
        "mine_only": mine is not None,
        "before": after and after.time,
        "before_id": after and after.id,
        "rows": rows,
    }


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


def _run_view(row: Row) -> MergeRunView:
    return MergeRunView(
        actor=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        **{name: row[name] for name in MergeRunView.model_fields if name != "actor"},
    )


def _decision_view(row: Row) -> DecisionView:
    by = ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id) if row.actor_kind else None
    return DecisionView(actor=by, **{name: row[name] for name in DecisionView.model_fields if name != "actor"})


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
