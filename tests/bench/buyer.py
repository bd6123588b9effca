"""A process of the part `purchases`: purchases through one budget, or bare commits of one row.

`python -m tests.bench.buyer URL WORKSPACE COMPANY COUNT WORK`. Prints `ready`, begins with the next line of its input,
and prints a `Report` as JSON.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from uuid import UUID

from leadflood.bootstrap import SUBSCRIBERS
from leadflood.domains.enrichment.engine.postgres import PostgresLookups
from leadflood.domains.enrichment.engine.purchase_groups import PurchaseGroups
from leadflood.domains.enrichment.models import Repeat, SubjectKind
from leadflood.domains.enrichment.models.lookups import LookupClaim, LookupKey, LookupOutcome, LookupState, PaidCall
from leadflood.domains.enrichment.store.lookups import LookupAsker
from leadflood.kernel.clock import monotonic, utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.bench.purchases import BARE, SOURCE, TASKS, UNITS
from tests.support.statements import heard

_CALL = PaidCall(UNITS, Repeat.NEVER)
_HOUR = timedelta(hours=1)
# One durable commit of a row that all processes write.
_COMMIT = sql("UPDATE spending_settings SET time_zone = time_zone WHERE workspace_id = :workspace_id")


@dataclass
class Report:
    """Work of a process: seconds of each purchase, those declined, and statements and transactions of all."""

    took: list[float] = field(default_factory=list)
    declined: int = 0
    statements: int = 0
    transactions: int = 0
    started: float = 0.0
    ended: float = 0.0

    def note(self, statement: str) -> None:
        """Count a statement."""
        self.statements += 1
        self.transactions += statement.startswith("BEGIN")


async def main(url: str, workspace: UUID, company: UUID, count: int, work: str) -> Report:
    """Do `count` pieces of work, some at a time."""
    queue = PostgresQueueBackend(url, role=APP_ROLE)
    await queue.open()
    pool = ConnectionPool(url, application_name="bench-buyer", size=TASKS, statement_timeout=60)
    database, report, left = Database(pool, queue, SUBSCRIBERS), Report(), iter(range(count))
    asker = LookupAsker(workspace, SubjectKind.COMPANY, company)
    piece = _committing(database, workspace) if work == BARE else _buying(database, asker, report)

    async def task() -> None:
        for _ in left:
            started = monotonic()
            if await piece():
                report.took.append(monotonic() - started)

    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    report.started = monotonic()
    try:
        with ExitStack() as stack:
            stack.enter_context(heard(pool, report.note))
            await asyncio.gather(*(task() for _ in range(TASKS)))
    finally:
        report.ended = monotonic()
        await database.close()
        await queue.close()
    return report


def _buying(database: Database, asker: LookupAsker, report: Report) -> Callable[[], Awaitable[bool]]:
    """A purchased call that is answered immediately; False for one that is declined."""
    lookups = PostgresLookups(database, asker, PurchaseGroups(database))

    async def buy() -> bool:
        key, now = LookupKey(SOURCE, new_id().bytes * 2), utc_now()
        claim = await lookups.claim(key, now=now, until=now + _HOUR, paid=_CALL)
        if not isinstance(claim, LookupClaim):
            report.declined += 1
            return False
        now = utc_now()
        return await lookups.answer(key, claim, LookupOutcome(LookupState.MISSED, now, now + _HOUR, units=1))

    return buy


def _committing(database: Database, workspace: UUID) -> Callable[[], Awaitable[bool]]:
    async def commit() -> bool:
        async with database.transaction(workspace) as tx:
            await tx.execute(_COMMIT, {"workspace_id": workspace})
        return True

    return commit


if __name__ == "__main__":
    given = main(sys.argv[1], UUID(sys.argv[2]), UUID(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
    print(json.dumps(asdict(asyncio.run(given))))
