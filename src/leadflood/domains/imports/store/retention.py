"""SQL that deletes expired parts of imports over all workspaces, in small steps."""

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql

_BATCH = 20_000
_CHUNKS = 64

_STATEMENTS = (
    # Files, which are no longer needed once their rows are committed.
    sql("""
DELETE FROM import_chunks WHERE (workspace_id, import_id, number) IN (
    SELECT c.workspace_id, c.import_id, c.number FROM imports i
    JOIN import_chunks c ON c.workspace_id = i.workspace_id AND c.import_id = i.id
    WHERE i.updated_at < now() - CASE WHEN i.status IN ('uploading', 'committed') THEN interval '1 day'
                                      ELSE make_interval(days => :days) END
      AND i.status NOT IN ('staging', 'committing', 'paused')
    LIMIT :chunks)
"""),
    # Rows, which are kept as long as the effect of an import can be asked for.
    sql("""
DELETE FROM import_rows WHERE (workspace_id, import_id, row_no) IN (
    SELECT r.workspace_id, r.import_id, r.row_no FROM imports i
    JOIN import_rows r ON r.workspace_id = i.workspace_id AND r.import_id = i.id
    WHERE i.updated_at < now() - make_interval(days => :days)
      AND i.status NOT IN ('staging', 'committing', 'paused')
    LIMIT :batch)
"""),
    # Unfinished uploads.
    sql("""
DELETE FROM imports WHERE (workspace_id, id) IN (
    SELECT i.workspace_id, i.id FROM imports i
    WHERE i.status = 'uploading' AND i.updated_at < now() - interval '1 day'
      AND NOT EXISTS (SELECT FROM import_chunks c WHERE c.workspace_id = i.workspace_id AND c.import_id = i.id)
    LIMIT 100)
"""),
)


async def purge_expired(database: Database, *, days: int) -> bool:
    """Delete some expired data. Returns whether there may be more."""
    removed = 0
    for statement in _STATEMENTS:
        async with database.system() as tx:
            values = {"days": days, "chunks": _CHUNKS, "batch": _BATCH}
            removed += await tx.changed(statement, values)
    return removed > 0
