"""SQL that writes tags."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.tags.models import name_key
from leadflood.kernel.colors import Color
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# Lets one transaction at a time create tags in a workspace, so that the limit holds.
_LOCK_TAGS = sql("SELECT pg_advisory_xact_lock(hashtextextended('tags ' || :workspace_id::uuid::text, 0))")

# A tag, locked.
_LOCK = sql("""
SELECT id, name, color, version, deleted_at FROM tags WHERE workspace_id = :workspace_id AND id = :tag_id
FOR NO KEY UPDATE
""")

# Create tags whose names are free.
_INSERT = sql("""
INSERT INTO tags (workspace_id, id, name, name_key, color)
SELECT :workspace_id, id, name, name_key, :color
FROM unnest(:ids::uuid[], :names::text[], :keys::text[]) AS new (id, name, name_key)
ON CONFLICT DO NOTHING RETURNING id
""")

# Change name and color of a tag.
_UPDATE = sql("""
UPDATE tags SET name = :name, name_key = :name_key, color = :color, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :tag_id AND version = :expected_version AND deleted_at IS NULL
""")

# Delete tags, or restore them.
_SET_DELETED = sql("""
UPDATE tags SET deleted_at = CASE WHEN :deleted THEN now() END, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = ANY (:tag_ids::uuid[]) AND (deleted_at IS NOT NULL) <> :deleted
""")

# Restore deleted tags whose names are free.
_RESTORE_FREE = sql("""
UPDATE tags t SET deleted_at = NULL, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = ANY (:tag_ids::uuid[]) AND deleted_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM tags other WHERE other.workspace_id = t.workspace_id AND other.name_key = t.name_key
                  AND other.deleted_at IS NULL)
""")

# Add tags to leads. Returns what was added.
_ADD = sql("""
WITH added AS (
    INSERT INTO lead_tags (workspace_id, lead_id, tag_id)
    SELECT :workspace_id, lead_id, tag_id
    FROM unnest(:lead_ids::uuid[]) AS l (lead_id) CROSS JOIN unnest(:tag_ids::uuid[]) AS t (tag_id)
    ON CONFLICT DO NOTHING RETURNING lead_id, tag_id
)
SELECT lead_id, array_agg(tag_id ORDER BY tag_id) AS tag_ids FROM added GROUP BY lead_id
""")

# Remove tags from leads. Returns what was removed.
_REMOVE = sql("""
WITH removed AS (
    DELETE FROM lead_tags
    WHERE workspace_id = :workspace_id AND lead_id = ANY (:lead_ids::uuid[]) AND tag_id = ANY (:tag_ids::uuid[])
    RETURNING lead_id, tag_id
)
SELECT lead_id, array_agg(tag_id ORDER BY tag_id) AS tag_ids FROM removed GROUP BY lead_id
""")

# Remove pairs of a lead and a tag. With IS TRUE, pairs are looked up in a hash table, not in a join of unknown size.
_REMOVE_PAIRS = sql("""
WITH removed AS (
    DELETE FROM lead_tags
    WHERE workspace_id = :workspace_id AND lead_id = ANY (:lead_ids::uuid[]) AND tag_id = ANY (:tag_ids::uuid[])
      AND ((lead_id, tag_id) IN (SELECT * FROM unnest(:lead_ids::uuid[], :tag_ids::uuid[]))) IS TRUE
    RETURNING lead_id, tag_id
)
SELECT lead_id, array_agg(tag_id ORDER BY tag_id) AS tag_ids FROM removed GROUP BY lead_id
""")

# Add removed pairs again, unless the tag has been purged.
_ADD_PAIRS = sql("""
WITH added AS (
    INSERT INTO lead_tags (workspace_id, lead_id, tag_id)
    SELECT :workspace_id, p.lead_id, p.tag_id
    FROM unnest(:lead_ids::uuid[], :tag_ids::uuid[]) AS p (lead_id, tag_id)
    JOIN tags t ON t.workspace_id = :workspace_id AND t.id = p.tag_id
    ON CONFLICT DO NOTHING RETURNING lead_id, tag_id
)
SELECT lead_id, array_agg(tag_id ORDER BY tag_id) AS tag_ids FROM added GROUP BY lead_id
""")

# Add the merged tag to deleted leads. They are hidden, so this needs no undo.
_REPLACE_ON_DELETED = sql("""
INSERT INTO lead_tags (workspace_id, lead_id, tag_id)
SELECT t.workspace_id, t.lead_id, :into_id
FROM lead_tags t JOIN leads l ON l.workspace_id = t.workspace_id AND l.id = t.lead_id
WHERE t.workspace_id = :workspace_id AND t.tag_id = :from_id AND l.deleted_at IS NOT NULL
ON CONFLICT DO NOTHING
""")

# Give the tags of one lead to another. Returns those that it did not have.
_COPY = sql("""
INSERT INTO lead_tags (workspace_id, lead_id, tag_id)
SELECT workspace_id, :to_lead::uuid, tag_id FROM lead_tags WHERE workspace_id = :workspace_id AND lead_id = :from_lead
ON CONFLICT DO NOTHING RETURNING tag_id
""")

# Take leads off tags that can no longer be restored.
_PURGE_LEADS = sql("""
DELETE FROM lead_tags WHERE (workspace_id, lead_id, tag_id) IN (
    SELECT l.workspace_id, l.lead_id, l.tag_id
    FROM tags t JOIN lead_tags l ON l.workspace_id = t.workspace_id AND l.tag_id = t.id
    WHERE t.deleted_at < now() - make_interval(days => :days) LIMIT :batch
)
""")

# Remove such tags.
_PURGE = sql("DELETE FROM tags WHERE deleted_at < now() - make_interval(days => :days)")


async def lock_tags(tx: Transaction, workspace_id: UUID) -> None:
    """Let one transaction at a time create tags."""
    await tx.execute(_LOCK_TAGS, {"workspace_id": workspace_id})


async def lock_tag(tx: Transaction, workspace_id: UUID, tag_id: UUID) -> Row | None:
    """A tag, deleted or not, locked for this transaction."""
    return await tx.first(_LOCK, {"workspace_id": workspace_id, "tag_id": tag_id})


async def insert_tags(tx: Transaction, workspace_id: UUID, names: Sequence[str], color: Color) -> list[UUID]:
    """Create tags. Returns the ids of those whose names were free."""
    values = {"names": list(names), "keys": [name_key(name) for name in names], "ids": [new_id() for _ in names]}
    rows = await tx.all(_INSERT, {"workspace_id": workspace_id, "color": color, **values})
    return [row.id for row in rows]


async def update_tag(
    tx: Transaction, workspace_id: UUID, tag_id: UUID, *, expected_version: int, name: str, color: Color
) -> bool:
    """Change a tag at the version expected. Raises: leadflood.kernel.db.errors.IntegrityError: the name is taken."""
    values = {"name": name, "name_key": name_key(name), "color": color, "expected_version": expected_version}
    return await tx.changed(_UPDATE, {"workspace_id": workspace_id, "tag_id": tag_id, **values}) == 1


async def set_deleted(tx: Transaction, workspace_id: UUID, tag_ids: Sequence[UUID], *, deleted: bool) -> int:
    """Delete tags that are not deleted, or restore those that are. Returns how many.

    Raises: leadflood.kernel.db.errors.IntegrityError: the name of a restored one is taken.
    """
    return await tx.changed(_SET_DELETED, {"workspace_id": workspace_id, "tag_ids": list(tag_ids), "deleted": deleted})


async def restore_free(tx: Transaction, workspace_id: UUID, tag_ids: Sequence[UUID]) -> None:
    """Restore those of the tags that are deleted and whose names no other tag has."""
    await tx.execute(_RESTORE_FREE, {"workspace_id": workspace_id, "tag_ids": list(tag_ids)})


async def add(
    tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID], tag_ids: Sequence[UUID]
) -> dict[UUID, list[UUID]]:
    """Add tags to leads. Returns what was added, by lead."""
    values = {"workspace_id": workspace_id, "lead_ids": list(lead_ids), "tag_ids": list(tag_ids)}
    return _by_lead(await tx.all(_ADD, values))


async def remove(
    tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID], tag_ids: Sequence[UUID]
) -> dict[UUID, list[UUID]]:
    """Remove tags from leads. Returns what was removed, by lead."""
    values = {"workspace_id": workspace_id, "lead_ids": list(lead_ids), "tag_ids": list(tag_ids)}
    return _by_lead(await tx.all(_REMOVE, values))


async def add_pairs(
    tx: Transaction, workspace_id: UUID, pairs: Mapping[UUID, Sequence[UUID]]
) -> dict[UUID, list[UUID]]:
    """Add to each lead its tags. Returns what was added, by lead."""
    return _by_lead(await tx.all(_ADD_PAIRS, _pairs(workspace_id, pairs)))


async def remove_pairs(
    tx: Transaction, workspace_id: UUID, pairs: Mapping[UUID, Sequence[UUID]]
) -> dict[UUID, list[UUID]]:
    """Remove from each lead its tags. Returns what was removed, by lead."""
    return _by_lead(await tx.all(_REMOVE_PAIRS, _pairs(workspace_id, pairs)))


async def replace_on_deleted(tx: Transaction, workspace_id: UUID, *, from_id: UUID, into_id: UUID) -> None:
    """Give deleted leads with the one tag the other one, too."""
    values = {"workspace_id": workspace_id, "from_id": from_id, "into_id": into_id}
    await tx.execute(_REPLACE_ON_DELETED, values)


async def copy(tx: Transaction, workspace_id: UUID, from_lead: UUID, to_lead: UUID) -> list[UUID]:
    """Give the tags of one lead to another. Returns those that it did not have."""
    values = {"workspace_id": workspace_id, "from_lead": from_lead, "to_lead": to_lead}
    return [row.tag_id for row in await tx.all(_COPY, values)]


async def purge(tx: Transaction, batch: int, *, days: int) -> int:
    """Remove up to `batch` leads from tags that were deleted more than `days` ago, and such tags without leads.

    Returns how many leads, over all workspaces.
    """
    removed = await tx.changed(_PURGE_LEADS, {"days": days, "batch": batch})
    if removed < batch:
        await tx.execute(_PURGE, {"days": days})
    return removed


def _pairs(workspace_id: UUID, pairs: Mapping[UUID, Sequence[UUID]]) -> dict[str, Any]:
    flat = [(lead_id, tag_id) for lead_id, tag_ids in pairs.items() for tag_id in tag_ids]
    return {
        "workspace_id": workspace_id,
        "lead_ids": [lead_id for lead_id, _ in flat],
        "tag_ids": [tag_id for _, tag_id in flat],
    }


def _by_lead(rows: Sequence[Row]) -> dict[UUID, list[UUID]]:
    return {row.lead_id: list(row.tag_ids) for row in rows}
