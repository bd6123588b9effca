"""SQL that writes saved views."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.leads.columns import SAVED_VIEW
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import Sql, assemble, assignments, sql
from leadflood.kernel.db.transaction import Transaction

# Concurrent additions and moves of a user's views are serialized on the membership.
_LOCK_OWN = sql("""
WITH person AS (
    SELECT user_id FROM memberships WHERE workspace_id = :workspace_id AND user_id = :user_id FOR NO KEY UPDATE
)
SELECT (SELECT count(*) FROM person) AS people
""")

# A person's views, in their order.
_OWN = sql("""
SELECT id FROM saved_views
WHERE workspace_id = :workspace_id AND user_id = :user_id AND NOT of_workspace AND deleted_at IS NULL
ORDER BY position, id
""")

# Read by the previous release instead of the tree, and used by the database to distinguish them: empty.
_NO_LEAD = {"createdUntil": "1970-01-01T00:00:00+00:00"}

# Insert a view.
_INSERT = sql("""
INSERT INTO saved_views (workspace_id, id, user_id, name, shared, filter, tree, sort, columns, widths, layout,
                         position, version, created_at, updated_at)
VALUES (:workspace_id, :id, :user_id, :name, :shared, :filter, :tree, :sort, :columns, :widths, :layout, :position, 1,
        now(), now())
""")

# A view of any owner, locked: one that is deleted only where that is asked for.
_LOCK = assemble(
    sql("""
SELECT {columns} FROM saved_views
WHERE workspace_id = :workspace_id AND id = :view_id AND (deleted_at IS NOT NULL) = :deleted FOR UPDATE
"""),
    columns=SAVED_VIEW,
)

# Update some columns of a view.
_UPDATE = sql("""
UPDATE saved_views SET {assignments}, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :view_id AND version = :expected_version
""")

_FIELDS: Mapping[str, Sql] = {
    "name": sql("name = :name"),
    "shared": sql("shared = :shared"),
    "filter": sql("filter = :filter"),
    "tree": sql("tree = :tree"),
    "sort": sql("sort = :sort"),
    "columns": sql("columns = :columns"),
    "widths": sql("widths = :widths"),
    "layout": sql("layout = :layout"),
    "version": sql("version = :version"),
}
"""The columns that a change can set."""

# Hide a view, or show it again.
_SET_DELETED = sql("""
UPDATE saved_views SET deleted_at = CASE WHEN :deleted THEN now() END, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :view_id AND (deleted_at IS NULL) = :deleted
""")

# Views that were deleted longer ago than they can be restored.
_PURGE = sql("DELETE FROM saved_views WHERE deleted_at < now() - make_interval(days => :days)")

# Set the positions of views.
_ORDER = sql("""
UPDATE saved_views v SET position = n.position - 1
FROM unnest(:view_ids::uuid[]) WITH ORDINALITY AS n (id, position)
WHERE v.workspace_id = :workspace_id AND v.id = n.id AND v.position <> n.position - 1
""")


# Set the view with which a person opens the list.
_SET_DEFAULT = sql("""
INSERT INTO default_views (workspace_id, user_id, view_id, built_in)
VALUES (:workspace_id, :user_id, :view_id, :built_in)
ON CONFLICT (workspace_id, user_id) DO UPDATE SET view_id = excluded.view_id, built_in = excluded.built_in
""")

# All leads again.
_CLEAR_DEFAULT = sql("DELETE FROM default_views WHERE workspace_id = :workspace_id AND user_id = :user_id")

# Transferred to an owner of the workspace: a view is deleted with the membership that it references.
_PASS_ON = sql("""
UPDATE saved_views v SET of_workspace = true, version = version + 1, updated_at = now(), user_id = heir.user_id
FROM (SELECT m.user_id FROM memberships m
      WHERE m.workspace_id = :workspace_id AND m.role = 'owner' AND m.user_id <> :user_id AND m.leaving_at IS NULL
      ORDER BY m.created_at, m.user_id LIMIT 1) AS heir
WHERE v.workspace_id = :workspace_id AND v.user_id = :user_id AND (v.shared OR v.of_workspace) AND v.deleted_at IS NULL
""")


async def pass_on(tx: Transaction, workspace_id: UUID, user_id: UUID) -> int:
    """Transfer a member's shared views to the workspace. Returns the number."""
    return await tx.changed(_PASS_ON, {"workspace_id": workspace_id, "user_id": user_id})


async def set_default(
    tx: Transaction, workspace_id: UUID, user_id: UUID, *, view_id: UUID | None, built_in: str | None
) -> None:
    """Set the view with which a person opens the list: a saved one or a built-in one."""
    given = {"workspace_id": workspace_id, "user_id": user_id, "view_id": view_id, "built_in": built_in}
    await tx.execute(_SET_DEFAULT, given)


async def clear_default(tx: Transaction, workspace_id: UUID, user_id: UUID) -> bool:
    """Remove it. Returns whether there was one."""
    return await tx.changed(_CLEAR_DEFAULT, {"workspace_id": workspace_id, "user_id": user_id}) == 1


async def lock_own(tx: Transaction, actor: Actor) -> list[UUID]:
    """The ids of the actor's views in their order, locked until the transaction ends."""
    await tx.execute(_LOCK_OWN, {"workspace_id": actor.workspace_id, "user_id": actor.user_id})
    rows = await tx.all(_OWN, {"workspace_id": actor.workspace_id, "user_id": actor.user_id})
    return [row.id for row in rows]


async def insert_view(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Insert a view. `tree`: its filter."""
    await tx.execute(_INSERT, _as_json(values))


async def lock_view(tx: Transaction, workspace_id: UUID, view_id: UUID, *, deleted: bool = False) -> Row | None:
    """A view of any owner, locked for this transaction."""
    return await tx.first(_LOCK, {"workspace_id": workspace_id, "view_id": view_id, "deleted": deleted})


async def update_view(
    tx: Transaction, workspace_id: UUID, view_id: UUID, *, expected_version: int, values: Mapping[str, Any]
) -> bool:
    """Update a view at the expected version."""
    keys = {"workspace_id": workspace_id, "view_id": view_id, "expected_version": expected_version}
    written = {**_as_json(values), "version": expected_version + 1}
    return await tx.changed(assemble(_UPDATE, assignments=assignments(_FIELDS, written)), {**written, **keys}) == 1


async def order_views(tx: Transaction, workspace_id: UUID, view_ids: Sequence[UUID]) -> None:
    """Set the positions of views, in this order from 0."""
    await tx.execute(_ORDER, {"workspace_id": workspace_id, "view_ids": list(view_ids)})


async def set_deleted(tx: Transaction, workspace_id: UUID, view_id: UUID, *, deleted: bool) -> bool:
    """Delete a locked view."""
    keys = {"workspace_id": workspace_id, "view_id": view_id, "deleted": deleted}
    return await tx.changed(_SET_DELETED, keys) == 1


async def purge_deleted(tx: Transaction, *, days: int) -> int:
    """Purge the views of all workspaces that were deleted longer ago. Returns how many."""
    return await tx.changed(_PURGE, {"days": days})


def _as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are stored. The release before this one reads a filter in the place of the tree."""
    stored = {**values, **{name: json.dumps(values[name]) for name in ("tree", "widths") if name in values}}
    return {**stored, "filter": json.dumps(_NO_LEAD)} if "tree" in values else stored
