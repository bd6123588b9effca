"""Transactions that write, by their numbers: for jobs that wait for those which began before something was decided."""

from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# A number above those of all transactions that have begun to write.
_HORIZON = sql("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
# The lowest number of a transaction that writes and has not ended.
_OLDEST = sql("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")


async def horizon(tx: Transaction) -> int:
    """A number above those of all transactions that have begun to write."""
    return int(await tx.scalar(_HORIZON))


async def oldest_writer(tx: Transaction) -> int:
    """The lowest number of a transaction that writes and has not ended."""
    return int(await tx.scalar(_OLDEST))
