"""SQL of persons who objected to being looked up. Rows are added and read: nothing changes or deletes them."""

from collections.abc import Collection
from uuid import UUID

from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Add the names under which a person is known.
ADD = sql("""
INSERT INTO lookup_objections (workspace_id, person, source)
SELECT :workspace_id, unnest(:persons::bytea[]), :source ON CONFLICT DO NOTHING
""")

# Whether a person is known under one of the names.
FIND = sql("""
SELECT 1 FROM lookup_objections WHERE workspace_id = :workspace_id AND person = ANY (:persons::bytea[]) LIMIT 1
""")


async def add(tx: Transaction, workspace_id: UUID, persons: Collection[bytes], source: str) -> None:
    """Record that a person objected, known under these hashes. Args: source: which reported it."""
    await tx.execute(ADD, {"workspace_id": workspace_id, "persons": [*persons], "source": source})


async def objected(tx: Transaction, workspace_id: UUID, persons: Collection[bytes]) -> bool:
    """Whether the person with one of these hashes objected."""
    return await tx.scalar(FIND, {"workspace_id": workspace_id, "persons": [*persons]}) is not None
