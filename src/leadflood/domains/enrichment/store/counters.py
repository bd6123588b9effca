"""SQL of usage counters that are read before anything is purchased, after the database was restored."""

from collections.abc import Iterable
from uuid import UUID

from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Those of the sources whose counter was neither read since the database was restored nor known to be unavailable.
UNCOUNTED = sql("""
SELECT s.source FROM effects_hold h CROSS JOIN unnest(:sources::text[]) AS s (source)
WHERE h.restored_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM usage_readings r
                  WHERE r.workspace_id = :workspace_id AND r.source = s.source AND r.read_at > h.restored_at)
  AND NOT EXISTS (SELECT FROM usage_failures f
                  WHERE f.workspace_id = :workspace_id AND f.source = s.source AND f.failed_at > h.restored_at)
""")

# The reason why a counter could not be read, or says nothing.
STORE_FAILURE = sql("""
INSERT INTO usage_failures (workspace_id, source, sentence) VALUES (:workspace_id, :source, :sentence)
ON CONFLICT (workspace_id, source) DO UPDATE SET sentence = excluded.sentence, failed_at = now()
""")


async def uncounted(tx: Transaction, workspace_id: UUID, sources: Iterable[str]) -> set[str]:
    """Those of the sources whose counter has to be read before anything is purchased from them."""
    rows = await tx.all(UNCOUNTED, {"workspace_id": workspace_id, "sources": sorted(set(sources))})
    return {row.source for row in rows}


async def store_failure(tx: Transaction, workspace_id: UUID, source: str, sentence: str) -> None:
    """Record why the counter of a source could not be read, or says nothing."""
    await tx.execute(STORE_FAILURE, {"workspace_id": workspace_id, "source": source, "sentence": sentence})
