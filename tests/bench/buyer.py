"""A process of the part `purchases`: reserves and settles purchases through one budget for some seconds.

`python -m tests.bench.buyer URL WORKSPACE SECONDS`. Prints the seconds of each purchase, as JSON.
"""

import asyncio
import json
import sys
from uuid import UUID

from leadflood.bootstrap import SUBSCRIBERS
from leadflood.domains.spending.models import Order, Reserved, Settlement
from leadflood.domains.spending.service import purchases
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import monotonic
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.bench.purchases import SOURCE, TASKS, UNITS


async def main(url: str, workspace: str, seconds: float) -> list[float]:
    """The seconds of each purchase: two transactions, as of a call that answers immediately."""
    queue = PostgresQueueBackend(url, role=APP_ROLE)
    await queue.open()
    database = Database(
        ConnectionPool(url, application_name="bench-buyer", size=TASKS, statement_timeout=30), queue, SUBSCRIBERS
    )
    actor, took, end = Actor.system(UUID(workspace)), list[float](), monotonic() + seconds

    async def buy() -> None:
        while (started := monotonic()) < end:
            order = Order(new_id(), new_id(), SOURCE, UNITS, new_id())
            async with database.transaction(actor.workspace_id) as tx:
                (answer,) = await purchases.reserve(tx, actor, [order])
            if not isinstance(answer, Reserved):
                return
            async with database.transaction(actor.workspace_id) as tx:
                await purchases.settle(tx, actor, [Settlement(order.id, 1, hit=True)])
            took.append(monotonic() - started)

    try:
        await asyncio.gather(*(buy() for _ in range(TASKS)))
    finally:
        await database.close()
        await queue.close()
    return took


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))))
