"""SQL that keeps the files of a workspace within its quota, also with concurrent uploads."""

from dataclasses import dataclass
from uuid import UUID

from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Lock the quota of a workspace until the transaction ends: the second of two uploads sees what the first reserved.
_TURN = sql("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))")

# The uncommitted files of a workspace, largest first. Others are no longer needed, and are deleted within a day.
_STORED = sql("""
SELECT i.id, i.filename, greatest(i.size_bytes, coalesce(i.reserved_bytes, 0)) AS size
FROM imports i
WHERE i.workspace_id = :workspace_id AND i.id <> :import_id AND i.status <> 'committed'
  AND (i.reserved_bytes IS NOT NULL OR EXISTS (
      SELECT FROM import_chunks c WHERE c.workspace_id = i.workspace_id AND c.import_id = i.id))
ORDER BY size DESC, i.id
""")

# Count an upload with a size.
_RESERVE = sql("""
UPDATE imports SET reserved_bytes = :size WHERE workspace_id = :workspace_id AND id = :import_id
""")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of an uncommitted import, with its stored or reserved bytes."""

    id: UUID
    filename: str
    size: int


async def stored_files(tx: Transaction, workspace_id: UUID, *, but: UUID) -> list[StoredFile]:
    """The uncommitted files of a workspace with their sizes, largest first. Others wait until this transaction ends.

    Args: but: an import that is left out.
    """
    await tx.execute(_TURN, {"place": f"imports of {workspace_id}"})
    return [StoredFile(**row) for row in await tx.all(_STORED, {"workspace_id": workspace_id, "import_id": but})]


async def reserve(tx: Transaction, workspace_id: UUID, import_id: UUID, size: int) -> None:
    """Reserve this size for an upload until it is complete."""
    await tx.execute(_RESERVE, {"workspace_id": workspace_id, "import_id": import_id, "size": size})
