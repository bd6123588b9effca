"""SQL that writes notes."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# A note of an active lead, deleted or not, locked.
_LOCK = sql("""
SELECT n.id, n.lead_id, n.text, n.author_kind, n.author_id, n.version, n.deleted_at
FROM lead_notes n JOIN leads l ON l.workspace_id = n.workspace_id AND l.id = n.lead_id
WHERE n.workspace_id = :workspace_id AND n.id = :note_id AND l.deleted_at IS NULL
FOR NO KEY UPDATE OF n
""")

# Insert a note.
_INSERT = sql("""
INSERT INTO lead_notes (workspace_id, id, lead_id, text, author_kind, author_id)
VALUES (:workspace_id, :note_id, :lead_id, :text, :author_kind, :author_id)
""")

# Replace the text of a note.
_UPDATE = sql("""
UPDATE lead_notes SET text = :text, version = version + 1, edited_at = now()
WHERE workspace_id = :workspace_id AND id = :note_id AND version = :expected_version AND deleted_at IS NULL
""")

# Delete a note, or restore it.
_SET_DELETED = sql("""
UPDATE lead_notes SET deleted_at = CASE WHEN :deleted THEN now() END, version = version + 1
WHERE workspace_id = :workspace_id AND id = :note_id AND (deleted_at IS NOT NULL) <> :deleted
""")

# Move the notes of a lead to another one.
_MOVE_ALL = sql("""
UPDATE lead_notes SET lead_id = :to_lead::uuid WHERE workspace_id = :workspace_id AND lead_id = :from_lead RETURNING id
""")

# Move notes back that one of the holders still has.
_MOVE_BACK = sql("""
UPDATE lead_notes SET lead_id = :to_lead::uuid
WHERE workspace_id = :workspace_id AND id = ANY (:note_ids::uuid[]) AND lead_id = ANY (:holders::uuid[])
""")

# Remove notes that can no longer be restored.
_PURGE = sql("""
DELETE FROM lead_notes WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM lead_notes WHERE deleted_at < now() - make_interval(days => :days) LIMIT :batch
)
""")


async def lock_note(tx: Transaction, workspace_id: UUID, note_id: UUID) -> Row | None:
    """A note of an active lead, deleted or not, locked for this transaction."""
    return await tx.first(_LOCK, {"workspace_id": workspace_id, "note_id": note_id})


async def insert_note(tx: Transaction, actor: Actor, note_id: UUID, lead_id: UUID, text: str) -> None:
    """Insert a note of the actor."""
    values = {"note_id": note_id, "lead_id": lead_id, "text": text, "author_kind": actor.kind, "author_id": actor.id}
    await tx.execute(_INSERT, {"workspace_id": actor.workspace_id, **values})


async def update_note(tx: Transaction, workspace_id: UUID, note_id: UUID, *, expected_version: int, text: str) -> int:
    """Replace the text at the version expected. Returns the number of changed rows."""
    values = {"note_id": note_id, "expected_version": expected_version, "text": text}
    return await tx.changed(_UPDATE, {"workspace_id": workspace_id, **values})


async def set_deleted(tx: Transaction, workspace_id: UUID, note_id: UUID, *, deleted: bool) -> int:
    """Delete a note that is not deleted, or restore one that is. Returns the number of changed rows."""
    return await tx.changed(_SET_DELETED, {"workspace_id": workspace_id, "note_id": note_id, "deleted": deleted})


async def move_all(tx: Transaction, workspace_id: UUID, from_lead: UUID, to_lead: UUID) -> list[UUID]:
    """Move all notes of a lead, deleted ones too. Returns their IDs."""
    values = {"workspace_id": workspace_id, "from_lead": from_lead, "to_lead": to_lead}
    return [row.id for row in await tx.all(_MOVE_ALL, values)]


async def move_back(
    tx: Transaction, workspace_id: UUID, note_ids: Sequence[UUID], *, holders: Sequence[UUID], to_lead: UUID
) -> None:
    """Move notes that one of the holders has."""
    values = {"note_ids": list(note_ids), "holders": list(holders), "to_lead": to_lead}
    await tx.execute(_MOVE_BACK, {"workspace_id": workspace_id, **values})


async def purge(tx: Transaction, batch: int, *, days: int) -> int:
    """Remove up to `batch` notes that were deleted more than `days` ago, over all workspaces. Returns how many."""
    return await tx.changed(_PURGE, {"days": days, "batch": batch})
