"""SQL that reads the keys of custom fields in use."""

from typing import Final

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import Sql, assemble, sql
from leadflood.kernel.db.transaction import Transaction

MAX_KEYS: Final = 500

# One index probe per key, however many leads have it.
_KEYS: Final = sql("""
WITH RECURSIVE found (key, number) AS (
    (SELECT key, 1 FROM {table} WHERE workspace_id = :workspace_id ORDER BY key LIMIT 1)
    UNION ALL
    SELECT (SELECT v.key FROM {table} v WHERE v.workspace_id = :workspace_id AND v.key > found.key
            ORDER BY v.key LIMIT 1), number + 1
    FROM found WHERE key IS NOT NULL AND number < :most
)
SELECT key FROM found WHERE key IS NOT NULL
""")
_TABLES: Final[tuple[Sql, ...]] = (sql("lead_field_texts"), sql("lead_field_numbers"))


async def keys_in_use(tx: Transaction, actor: Actor) -> list[str]:
    """The keys of custom fields with values, deleted leads included; at most 500 of texts and numbers."""
    keys: set[str] = set()
    for table in _TABLES:
        statement = assemble(_KEYS, table=table)
        rows = await tx.all(statement, {"workspace_id": actor.workspace_id, "most": MAX_KEYS})
        keys |= {row.key for row in rows}
    return sorted(keys)
