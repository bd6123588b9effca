"""SQL that reads changesets."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.leads.columns import CHANGESET
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.contracts.changesets import ChangesetView, KeptLeadView, KeptReason
from leadflood.domains.leads.errors import ChangesetNotFound
from leadflood.domains.leads.models import Change, ChangesetKind, ChangesetStatus
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut

# A changeset whose images are still stored.
_CHANGESET = assemble(
    sql("""
SELECT {columns} FROM lead_changesets WHERE workspace_id = :workspace_id AND id = :changeset_id AND forgotten_at IS NULL
"""),
    columns=CHANGESET,
)

# Changesets, newest first.
_CHANGESETS = assemble(
    sql("""
SELECT {columns} FROM lead_changesets
WHERE workspace_id = :workspace_id AND forgotten_at IS NULL AND (:after_id::uuid IS NULL OR id < :after_id)
ORDER BY id DESC LIMIT :limit
"""),
    columns=CHANGESET,
)

# The leads that an undo kept.
_KEPT = sql("""
SELECT c.lead_id, c.change, c.kept, l.email
FROM lead_changes c JOIN leads l ON l.workspace_id = c.workspace_id AND l.id = c.lead_id
WHERE c.workspace_id = :workspace_id AND c.changeset_id = :changeset_id AND c.kept IS NOT NULL
  AND (:after_id::uuid IS NULL OR c.lead_id > :after_id)
ORDER BY c.lead_id LIMIT :limit
""")

# Those of the changesets that can be undone now.
_UNDOABLE = sql("""
SELECT id FROM lead_changesets
WHERE workspace_id = :workspace_id AND id = ANY(:changeset_ids) AND status = 'applied' AND forgotten_at IS NULL
  AND created + updated + deleted + restored > 0
""")


async def get_changeset(tx: Transaction, actor: Actor, *, changeset_id: UUID) -> ChangesetView:
    """Raises: ChangesetNotFound: also after the undo period, when its images are deleted."""
    row = await tx.first(_CHANGESET, {"workspace_id": actor.workspace_id, "changeset_id": changeset_id})
    if row is None:
        raise ChangesetNotFound
    return changeset_view(row)


async def list_changesets(
    tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[ChangesetView]:
    """Changesets, newest first."""
    keys = {"workspace_id": actor.workspace_id, "after_id": after.id if after else None}
    rows = await tx.all(_CHANGESETS, {**keys, "limit": limit + 1})
    return cut(rows, limit, lambda row: Position.at(row.created_at, row.id)).map(changeset_view)


async def list_kept(
    tx: Transaction, actor: Actor, *, changeset_id: UUID, after: Position | None = None, limit: int
) -> Page[KeptLeadView]:
    """The leads and fields that an undo kept. Raises: ChangesetNotFound."""
    await get_changeset(tx, actor, changeset_id=changeset_id)
    keys = {"workspace_id": actor.workspace_id, "changeset_id": changeset_id}
    rows = await tx.all(_KEPT, {**keys, "after_id": after.id if after else None, "limit": limit + 1})
    return cut(rows, limit, lambda row: Position.at("", row.lead_id)).map(_kept_view)


def changeset_of(data: Mapping[str, JsonValue]) -> UUID | None:
    """The changeset whose undo reverts an audit event with this data."""
    given = data.get("changesetId")
    return UUID(given) if isinstance(given, str) else None


async def undoable_among(tx: Transaction, actor: Actor, events: Iterable[Mapping[str, JsonValue]]) -> set[UUID]:
    """Those of the changesets in the data of audit events that can be undone now."""
    wanted = {changeset_id for data in events if (changeset_id := changeset_of(data)) is not None}
    if not wanted:
        return set()
    rows = await tx.all(_UNDOABLE, {"workspace_id": actor.workspace_id, "changeset_ids": list(wanted)})
    return {row.id for row in rows}


def changeset_view(row: Row) -> ChangesetView:
    """The view of a row of `lead_changesets`."""
    undone_by = ActorView(kind=ActorKind(row.undone_by_kind), id=row.undone_by) if row.undone_by_kind else None
    return ChangesetView(
        id=row.id,
        kind=ChangesetKind(row.kind),
        subject=row.subject_kind,
        label=row.label,
        status=ChangesetStatus(row.status),
        actor=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        job_id=row.job_id,
        total=row.wanted,
        processed=row.done,
        created=row.created,
        updated=row.updated,
        deleted=row.deleted,
        restored=row.restored,
        reverted=row.undone,
        kept_fields=row.kept,
        kept_leads=row.kept_leads,
        undone_by=undone_by,
        created_at=row.created_at,
        applied_at=row.applied_at,
        undone_at=row.undone_at,
        import_id=_id(row.request.get("importId")),
        merge_id=_id(row.request.get("mergeId")),
    )


def _id(stored: str | None) -> UUID | None:
    return UUID(stored) if stored else None


def _kept_view(row: Row) -> KeptLeadView:
    change = Change(row.change)
    reason = KeptReason.of(change, row.kept)
    fields = [name for name in row.kept if name not in set(KeptReason)]
    return KeptLeadView(lead_id=row.lead_id, email=row.email, change=change, reason=reason, fields=fields)
