"""Invariants of spending: for `doctor`, and for the end of each chaos test."""

from leadflood.kernel.db.sql import sql_file
from leadflood.kernel.db.transaction import Transaction

_LISTED = 100

_VIOLATIONS = sql_file("leadflood.domains.spending.sql", "violations")


async def violations(tx: Transaction) -> list[str]:
    """One sentence for each sum that contradicts the entries, up to 100. Requires `Database.system`."""
    return [row.violation for row in await tx.all(_VIOLATIONS, {"listed": _LISTED})]
