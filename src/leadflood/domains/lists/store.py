"""SQL that writes lists and who is on them."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.lists.models import name_key
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# Lets one transaction at a time create lists in a workspace, so that the limit holds.
_LOCK_LISTS = sql("SELECT pg_advisory_xact_lock(hashtextextended('lists ' || :workspace_id::uuid::text, 0))")

# A list, locked.
_LOCK = sql("""
SELECT id, name, description, version, deleted_at FROM lists WHERE workspace_id = :workspace_id AND id = :list_id
FOR NO KEY UPDATE
""")

# Create a list.
_INSERT = sql("""
INSERT INTO lists (workspace_id, id, name, name_key, description)
VALUES (:workspace_id, :list_id, :name, :name_key, :description)
""")

# Change name and description of a list.
_UPDATE = sql("""
UPDATE lists SET name = :name, name_key = :name_key, description = :description, version = version + 1,
       updated_at = now()
WHERE workspace_id = :workspace_id AND id = :list_id AND version = :expected_version AND deleted_at IS NULL
""")

# Delete a list, or restore it.
_SET_DELETED = sql("""
UPDATE lists SET deleted_at = CASE WHEN :deleted THEN now() END, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :list_id AND (deleted_at IS NOT NULL) <> :deleted
""")

# Put leads on a list. Returns those that were not on it.
_ADD = sql("""
INSERT INTO list_leads (workspace_id, list_id, lead_id)
SELECT l.workspace_id, l.id, lead_id
FROM unnest(:lead_ids::uuid[]) AS n (lead_id)
JOIN lists l ON l.workspace_id = :workspace_id AND l.id = :list_id
ON CONFLICT DO NOTHING RETURNING lead_id
""")

# Take leads off a list. Returns those that were on it.
_REMOVE = sql("""
DELETE FROM list_leads
WHERE workspace_id = :workspace_id AND list_id = :list_id AND lead_id = ANY (:lead_ids::uuid[]) RETURNING lead_id
""")

# Put one lead on the lists of another. Returns those that it was not on.
_COPY = sql("""
INSERT INTO list_leads (workspace_id, list_id, lead_id)
SELECT workspace_id, list_id, :to_lead::uuid FROM list_leads
WHERE workspace_id = :workspace_id AND lead_id = :from_lead
ON CONFLICT DO NOTHING RETURNING list_id
""")

# Take leads off several lists.
_REMOVE_FROM_LISTS = sql("""
DELETE FROM list_leads
WHERE workspace_id = :workspace_id AND list_id = ANY (:list_ids::uuid[]) AND lead_id = ANY (:lead_ids::uuid[])
""")

# Take leads off lists that can no longer be restored.
_PURGE_LEADS = sql("""
DELETE FROM list_leads WHERE (workspace_id, list_id, lead_id) IN (
    SELECT m.workspace_id, m.list_id, m.lead_id
    FROM lists l JOIN list_leads m ON m.workspace_id = l.workspace_id AND m.list_id = l.id
    WHERE l.deleted_at < now() - make_interval(days => :days) LIMIT :batch
)
""")

# Remove such lists.
_PURGE = sql("DELETE FROM lists WHERE deleted_at < now() - make_interval(days => :days)")


async def lock_lists(tx: Transaction, workspace_id: UUID) -> None:
    """Let one transaction at a time create lists."""
    await tx.execute(_LOCK_LISTS, {"workspace_id": workspace_id})


async def lock_list(tx: Transaction, workspace_id: UUID, list_id: UUID) -> Row | None:
    """A list, deleted or not, locked for this transaction."""
    return await tx.first(_LOCK, {"workspace_id": workspace_id, "list_id": list_id})


async def insert_list(tx: Transaction, workspace_id: UUID, *, name: str, description: str | None) -> UUID:
    """Create a list. Returns its id. Raises: leadflood.kernel.db.errors.IntegrityError: the name is taken."""
    list_id = new_id()
    values = {"list_id": list_id, "name": name, "name_key": name_key(name), "description": description}
    await tx.execute(_INSERT, {"workspace_id": workspace_id, **values})
    return list_id


async def update_list(
    tx: Transaction,
    workspace_id: UUID,
    list_id: UUID,
    *,
    expected_version: int,
    name: str,
    description: str | None,
) -> bool:
    """Change a list at the version expected. Raises: leadflood.kernel.db.errors.IntegrityError: the name is taken."""
    values = {"name": name, "name_key": name_key(name), "description": description}
    keys = {"workspace_id": workspace_id, "list_id": list_id, "expected_version": expected_version}
    return await tx.changed(_UPDATE, {**keys, **values}) == 1


async def set_deleted(tx: Transaction, workspace_id: UUID, list_id: UUID, *, deleted: bool) -> bool:
    """Delete a list that is not deleted, or restore one that is."""
    values = {"workspace_id": workspace_id, "list_id": list_id, "deleted": deleted}
    return await tx.changed(_SET_DELETED, values) == 1


async def add(tx: Transaction, workspace_id: UUID, list_id: UUID, lead_ids: Sequence[UUID]) -> list[UUID]:
    """Put leads on a list, unless it has been purged. Returns those that were not on it."""
    values = {"workspace_id": workspace_id, "list_id": list_id, "lead_ids": list(lead_ids)}
    return [row.lead_id for row in await tx.all(_ADD, values)]


async def remove(tx: Transaction, workspace_id: UUID, list_id: UUID, lead_ids: Sequence[UUID]) -> list[UUID]:
    """Take leads off a list. Returns those that were on it."""
    values = {"workspace_id": workspace_id, "list_id": list_id, "lead_ids": list(lead_ids)}
    return [row.lead_id for row in await tx.all(_REMOVE, values)]


async def copy(tx: Transaction, workspace_id: UUID, from_lead: UUID, to_lead: UUID) -> list[UUID]:
    """Put one lead on the lists of another. Returns the lists that it was not on."""
    values = {"workspace_id": workspace_id, "from_lead": from_lead, "to_lead": to_lead}
    return [row.list_id for row in await tx.all(_COPY, values)]


async def remove_from_lists(
    tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID], list_ids: Sequence[UUID]
) -> None:
    """Take leads off several lists."""
    values = {"workspace_id": workspace_id, "lead_ids": list(lead_ids), "list_ids": list(list_ids)}
    await tx.execute(_REMOVE_FROM_LISTS, values)


async def purge(tx: Transaction, batch: int, *, days: int) -> int:
    """Take up to `batch` leads off lists that were deleted more than `days` ago, and remove such lists without leads.

    Returns how many leads, over all workspaces.
    """
    removed = await tx.changed(_PURGE_LEADS, {"days": days, "batch": batch})
    if removed < batch:
        await tx.execute(_PURGE, {"days": days})
    return removed
