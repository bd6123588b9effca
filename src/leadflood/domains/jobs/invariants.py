"""What must hold of jobs and the outbox at any moment: for `doctor`, and for the end of each chaos test."""

from leadflood.domains.jobs.models import LOST_IN_QUEUE_AFTER
from leadflood.kernel.db.sql import sql_file
from leadflood.kernel.db.transaction import Transaction

NOT_RESCUED_AFTER = 60.0
"""Seconds past the end of a lease: a rescue takes far less."""

STRANDED_AFTER = 2 * LOST_IN_QUEUE_AFTER
"""Seconds overdue: by then a lost ticket has been replaced, and a stale event taken again."""

_LISTED = 100

_VIOLATIONS = sql_file("leadflood.domains.jobs.sql", "violations")


async def violations(tx: Transaction) -> list[str]:
    """One sentence for each thing that is wrong, up to 100 of a sort; empty when all is well.

    Needs a transaction across workspaces (`Database.system`).
    """
    limits = {"not_rescued": NOT_RESCUED_AFTER, "stranded": STRANDED_AFTER, "listed": _LISTED}
    return [row.violation for row in await tx.all(_VIOLATIONS, limits)]
