"""SQL that reads saved views."""

from uuid import UUID

from leadflood.domains.identity.permissions import WORKSPACE_WRITE
from leadflood.domains.leads.columns import SAVED_VIEW
from leadflood.domains.leads.contracts.filters import LeadQuery, LeadSort
from leadflood.domains.leads.contracts.views import MAX_VIEWS, BuiltInView, DefaultView, SavedView, ViewLayout
from leadflood.domains.leads.errors import ViewNotFound
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction

_MAX_SHARED = 200

# A user's own view, or a shared one.
_VIEW = assemble(
    sql("""
SELECT {columns} FROM saved_views
WHERE workspace_id = :workspace_id AND id = :view_id AND (user_id = :user_id OR shared) AND deleted_at IS NULL
"""),
    columns=SAVED_VIEW,
)

# Number of views that a member shares.
_COUNT_SHARED = sql("""
SELECT count(*) FROM saved_views
WHERE workspace_id = :workspace_id AND user_id = :user_id AND (shared OR of_workspace) AND deleted_at IS NULL
""")

# A user's own views, in their order.
_OWN = assemble(
    sql("""
SELECT {columns} FROM saved_views
WHERE workspace_id = :workspace_id AND user_id = :user_id AND NOT of_workspace AND deleted_at IS NULL
ORDER BY position, id LIMIT :most
"""),
    columns=SAVED_VIEW,
)

# Shared views of others, by name.
_OTHERS = assemble(
    sql("""
SELECT {columns} FROM saved_views
WHERE workspace_id = :workspace_id AND shared AND (user_id IS DISTINCT FROM :user_id OR of_workspace)
      AND deleted_at IS NULL
ORDER BY name, id LIMIT :most
"""),
    columns=SAVED_VIEW,
)


# The view with which a user opens the list, unless it was deleted or is not shared any more.
_DEFAULT = sql("""
SELECT d.view_id, d.built_in FROM default_views d
LEFT JOIN saved_views v ON v.workspace_id = d.workspace_id AND v.id = d.view_id
WHERE d.workspace_id = :workspace_id AND d.user_id = :user_id
      AND (d.view_id IS NULL OR (v.deleted_at IS NULL AND (v.user_id = :user_id OR v.shared)))
""")


def may_change(actor: Actor, row: Row) -> bool:
    """Whether the actor can change a view: those of the workspace belong to its owners and admins."""
    if row.of_workspace:
        return WORKSPACE_WRITE in actor.permissions
    return bool(row.user_id == actor.user_id)


async def get_view(tx: Transaction, actor: Actor, *, view_id: UUID) -> SavedView:
    """The user's own view, or a shared one. Raises: ViewNotFound."""
    keys = {"workspace_id": actor.workspace_id, "user_id": actor.user_id}
    row = await tx.first(_VIEW, {**keys, "view_id": view_id})
    if row is None:
        raise ViewNotFound
    return _saved_view(actor, row)


async def get_default_view(tx: Transaction, actor: Actor) -> DefaultView:
    """The view with which the user opens the list: none if it was deleted, or is not shared any more."""
    row = await tx.first(_DEFAULT, {"workspace_id": actor.workspace_id, "user_id": actor.user_id})
    if row is None:
        return DefaultView(view_id=None, built_in=None)
    known = row.built_in in set(BuiltInView)  # another release may have more
    return DefaultView(view_id=row.view_id, built_in=BuiltInView(row.built_in) if known else None)


async def count_shared(tx: Transaction, actor: Actor, *, user_id: UUID) -> int:
    """Number of views that a member shares."""
    return int(await tx.scalar(_COUNT_SHARED, {"workspace_id": actor.workspace_id, "user_id": user_id}))


async def list_views(tx: Transaction, actor: Actor) -> list[SavedView]:
    """The user's own views in their order, then shared views of others, by name."""
    keys = {"workspace_id": actor.workspace_id, "user_id": actor.user_id}
    rows = [
        *await tx.all(_OWN, {**keys, "most": MAX_VIEWS}),
        *await tx.all(_OTHERS, {**keys, "most": _MAX_SHARED}),
    ]
    return [_saved_view(actor, row) for row in rows]


def _saved_view(actor: Actor, row: Row) -> SavedView:
    return SavedView(
        id=row.id,
        name=row.name,
        shared=row.shared,
        user_id=None if row.of_workspace else row.user_id,
        mine=may_change(actor, row),
        filter=LeadQuery.model_validate(row.tree),
        sort=LeadSort(row.sort),
        columns=row.columns,
        column_widths=row.widths,
        layout=ViewLayout(row.layout),
        position=row.position,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
