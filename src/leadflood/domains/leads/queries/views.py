"""SQL that reads saved views."""

from uuid import UUID

from sqlalchemy import and_, func, or_, select

from leadflood.domains.leads.contracts.filters import LeadQuery, LeadSort
from leadflood.domains.leads.contracts.views import MAX_VIEWS, SavedView
from leadflood.domains.leads.errors import ViewNotFound
from leadflood.domains.leads.tables import saved_views
from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction

_MOST_SHARED = 200


def may_change(actor: Actor, row: Row) -> bool:
    """Whether a view is the actor's to change: the workspace's views are those of its owners and admins."""
    if row.of_workspace:
        return Permission.WORKSPACE_WRITE in actor.permissions
    return bool(row.user_id == actor.user_id)


async def get_view(tx: Transaction, actor: Actor, *, view_id: UUID) -> SavedView:
    """A view of one's own, or one that is shared. Raises: ViewNotFound."""
    row = await tx.first(
        select(saved_views).where(
            saved_views.c.workspace_id == actor.workspace_id,
            saved_views.c.id == view_id,
            or_(saved_views.c.user_id == actor.user_id, saved_views.c.shared),
        )
    )
    if row is None:
        raise ViewNotFound
    return _saved_view(actor, row)


async def count_shared(tx: Transaction, actor: Actor, *, user_id: UUID) -> int:
    """How many views a member shares."""
    views = saved_views.c
    query = select(func.count()).where(
        views.workspace_id == actor.workspace_id, views.user_id == user_id, or_(views.shared, views.of_workspace)
    )
    return int(await tx.scalar(query))


async def list_views(tx: Transaction, actor: Actor) -> list[SavedView]:
    """One's own views in one's own order, then those that others share, by name."""
    views = saved_views.c
    mine = and_(views.user_id == actor.user_id, ~views.of_workspace)
    own = select(saved_views).where(views.workspace_id == actor.workspace_id, mine)
    others = select(saved_views).where(
        views.workspace_id == actor.workspace_id,
        views.shared,
        or_(views.user_id.is_distinct_from(actor.user_id), views.of_workspace),
    )
    rows = [
        *await tx.all(own.order_by(views.position, views.id).limit(MAX_VIEWS)),
        *await tx.all(others.order_by(views.name, views.id).limit(_MOST_SHARED)),
    ]
    return [_saved_view(actor, row) for row in rows]


def _saved_view(actor: Actor, row: Row) -> SavedView:
    return SavedView(
        id=row.id,
        name=row.name,
        shared=row.shared,
        user_id=None if row.of_workspace else row.user_id,
        mine=may_change(actor, row),
        filter=LeadQuery.model_validate(row.filter),
        sort=LeadSort(row.sort),
        columns=row.columns,
        position=row.position,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
