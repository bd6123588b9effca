"""Invariants of jobs and the outbox: for `doctor`, and for the end of each chaos test."""

from leadflood.domains.jobs.models import LOST_IN_QUEUE_AFTER
from leadflood.kernel.db.sql import sql_file
from leadflood.kernel.db.transaction import Transaction

NOT_RESCUED_AFTER = 60.0
"""Seconds past the end of a lease: a rescue takes far less."""

STRANDED_AFTER = 2 * LOST_IN_QUEUE_AFTER
"""Seconds overdue: by then a lost message has been replaced, and a stale event claimed again."""

_LISTED = 100

_VIOLATIONS = sql_file("leadflood.domains.jobs.sql", "violations")


async def violations(tx: Transaction) -> list[str]:
    """One sentence per violation, up to 100 of a kind; empty if there are none.

    Requires a transaction across workspaces (`Database.system`).
    """
    limits = {"not_rescued": NOT_RESCUED_AFTER, "stranded": STRANDED_AFTER, "listed": _LISTED}
    return [row.violation for row in await tx.all(_VIOLATIONS, limits)]
