"""Deletion of old records by jobs: in batches, each in a transaction of its own."""

from collections.abc import Awaitable, Callable

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction

_BATCH = 5000


async def delete_old(database: Database, delete: Callable[[Transaction, int], Awaitable[int]]) -> None:
    """Call `delete` with the size of a batch, in separate system transactions, until it deletes fewer."""
    deleted = _BATCH
    while deleted == _BATCH:
        async with database.system() as tx:
            deleted = await delete(tx, _BATCH)
