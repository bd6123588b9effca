"""SQL that writes saved views."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from leadflood.domains.leads.tables import saved_views
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The person's membership is what two tabs that add or move a view at the same time wait for each other at.
_LOCK_OWN = sql("""
WITH person AS (
    SELECT user_id FROM memberships WHERE workspace_id = :workspace_id AND user_id = :user_id FOR NO KEY UPDATE
)
SELECT (SELECT count(*) FROM person) AS people
""")

_ORDER = sql("""
UPDATE saved_views v SET position = n.position - 1
FROM unnest(:view_ids::uuid[]) WITH ORDINALITY AS n (id, position)
WHERE v.workspace_id = :workspace_id AND v.id = n.id AND v.position <> n.position - 1
""")


# Kept by an owner of the workspace: a view goes with the membership that it refers to.
_PASS_ON = sql("""
UPDATE saved_views v SET of_workspace = true, version = version + 1, updated_at = now(), user_id = heir.user_id
FROM (SELECT m.user_id FROM memberships m
      WHERE m.workspace_id = :workspace_id AND m.role = 'owner' AND m.user_id <> :user_id AND m.leaving_at IS NULL
      ORDER BY m.created_at, m.user_id LIMIT 1) AS heir
WHERE v.workspace_id = :workspace_id AND v.user_id = :user_id AND (v.shared OR v.of_workspace)
""")


async def pass_on(tx: Transaction, workspace_id: UUID, user_id: UUID) -> int:
    """Let the workspace have what a member shares. Returns how many views."""
    return await tx.changed(_PASS_ON, {"workspace_id": workspace_id, "user_id": user_id})


async def lock_own(tx: Transaction, actor: Actor) -> list[UUID]:
    """The ids of the actor's views in their order; nobody else adds or moves one until the transaction ends."""
    await tx.execute(_LOCK_OWN, {"workspace_id": actor.workspace_id, "user_id": actor.user_id})
    views = saved_views.c
    query = select(views.id).where(
        views.workspace_id == actor.workspace_id, views.user_id == actor.user_id, ~views.of_workspace
    )
    return [row.id for row in await tx.all(query.order_by(views.position, views.id))]


async def insert_view(tx: Transaction, values: Mapping[str, Any]) -> None:
    """A new view."""
    await tx.execute(insert(saved_views).values(**values, version=1, created_at=func.now(), updated_at=func.now()))


async def lock_view(tx: Transaction, workspace_id: UUID, view_id: UUID) -> Row | None:
    """A view, whoever owns it, locked for this transaction."""
    query = select(saved_views).where(saved_views.c.workspace_id == workspace_id, saved_views.c.id == view_id)
    return await tx.first(query.with_for_update())


async def update_view(
    tx: Transaction, workspace_id: UUID, view_id: UUID, *, expected_version: int, values: Mapping[str, Any]
) -> bool:
    """Change a view at the version expected."""
    statement = (
        update(saved_views)
        .where(
            saved_views.c.workspace_id == workspace_id,
            saved_views.c.id == view_id,
            saved_views.c.version == expected_version,
        )
        .values(**values, version=saved_views.c.version + 1, updated_at=func.now())
    )
    return await tx.changed(statement) == 1


async def order_views(tx: Transaction, workspace_id: UUID, view_ids: Sequence[UUID]) -> None:
    """Give views their places, in this order from 0."""
    await tx.execute(_ORDER, {"workspace_id": workspace_id, "view_ids": list(view_ids)})


async def delete_view(tx: Transaction, workspace_id: UUID, view_id: UUID) -> None:
    """Remove a view that is locked."""
    await tx.execute(delete(saved_views).where(saved_views.c.workspace_id == workspace_id, saved_views.c.id == view_id))
