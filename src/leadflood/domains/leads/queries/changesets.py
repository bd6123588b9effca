"""SQL that reads changesets."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import select

from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.contracts.changesets import ChangesetView, KeptLeadView, KeptReason
from leadflood.domains.leads.errors import ChangesetNotFound
from leadflood.domains.leads.models import Change, ChangesetKind, ChangesetStatus
from leadflood.domains.leads.tables import lead_changes, lead_changesets, leads
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut


async def get_changeset(tx: Transaction, actor: Actor, *, changeset_id: UUID) -> ChangesetView:
    """Raises: ChangesetNotFound: also for one whose time is over, whose images are gone."""
    row = await tx.first(
        select(lead_changesets).where(
            lead_changesets.c.workspace_id == actor.workspace_id,
            lead_changesets.c.id == changeset_id,
            lead_changesets.c.forgotten_at.is_(None),
        )
    )
    if row is None:
        raise ChangesetNotFound
    return changeset_view(row)


async def list_changesets(
    tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[ChangesetView]:
    """Changesets, newest first."""
    query = select(lead_changesets).where(
        lead_changesets.c.workspace_id == actor.workspace_id, lead_changesets.c.forgotten_at.is_(None)
    )
    if after is not None:
        query = query.where(lead_changesets.c.id < after.id)
    rows = await tx.all(query.order_by(lead_changesets.c.id.desc()).limit(limit + 1))
    return cut(rows, limit, lambda row: Position.at(row.created_at, row.id)).map(changeset_view)


async def list_kept(
    tx: Transaction, actor: Actor, *, changeset_id: UUID, after: Position | None = None, limit: int
) -> Page[KeptLeadView]:
    """What an undo kept, lead by lead. Raises: ChangesetNotFound."""
    await get_changeset(tx, actor, changeset_id=changeset_id)
    query = (
        select(lead_changes.c.lead_id, lead_changes.c.change, lead_changes.c.kept, leads.c.email)
        .join(leads, (leads.c.workspace_id == lead_changes.c.workspace_id) & (leads.c.id == lead_changes.c.lead_id))
        .where(
            lead_changes.c.workspace_id == actor.workspace_id,
            lead_changes.c.changeset_id == changeset_id,
            lead_changes.c.kept.is_not(None),
        )
    )
    if after is not None:
        query = query.where(lead_changes.c.lead_id > after.id)
    rows = await tx.all(query.order_by(lead_changes.c.lead_id).limit(limit + 1))
    return cut(rows, limit, lambda row: Position.at("", row.lead_id)).map(_kept_view)


def changeset_of(data: Mapping[str, JsonValue]) -> UUID | None:
    """The changeset that undoes what an audit event with this data tells of."""
    given = data.get("changesetId")
    return UUID(given) if isinstance(given, str) else None


async def undoable_among(tx: Transaction, actor: Actor, events: Iterable[Mapping[str, JsonValue]]) -> set[UUID]:
    """Which of the changesets in the data of audit events can be undone now."""
    wanted = {changeset_id for data in events if (changeset_id := changeset_of(data)) is not None}
    if not wanted:
        return set()
    sets = lead_changesets.c
    query = select(sets.id).where(
        sets.workspace_id == actor.workspace_id,
        sets.id.in_(wanted),
        sets.status == ChangesetStatus.APPLIED,
        sets.forgotten_at.is_(None),
        sets.created + sets.updated + sets.deleted + sets.restored > 0,
    )
    return {row.id for row in await tx.all(query)}


def changeset_view(row: Row) -> ChangesetView:
    """The view of a row of `lead_changesets`."""
    undone_by = ActorView(kind=ActorKind(row.undone_by_kind), id=row.undone_by) if row.undone_by_kind else None
    return ChangesetView(
        id=row.id,
        kind=ChangesetKind(row.kind),
        label=row.label,
        status=ChangesetStatus(row.status),
        actor=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        job_id=row.job_id,
        wanted=row.wanted,
        done=row.done,
        created=row.created,
        updated=row.updated,
        deleted=row.deleted,
        restored=row.restored,
        undone=row.undone,
        kept=row.kept,
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
