"""`python -m tests.bench.scanning --leads 1000000`: a first scan for duplicates, in a workspace nothing is known of.

Prints, for each tenth of the leads, how many a second were compared, the processor seconds of PostgreSQL and of this
process, and its memory: rates that fall or memory that grows would show here.
"""

import argparse
import asyncio
import os
import sys

import psutil

from leadflood.domains.duplicates.service import scanning
from leadflood.domains.duplicates.store import scanning as store
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import monotonic
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.ids import new_id
from tests.bench.machine import Snapshot
from tests.bench.measure import postmaster
from tests.support import crowd
from tests.support.crowd import numbered
from tests.support.deployment import prepare
from tests.support.postgres import Cluster, temporary_cluster

_MIB = 1024 * 1024
_WORKSPACE = numbered(1, 1)


def main(argv: list[str]) -> None:
    """Fill a database, scan it, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000)
    options = parser.parse_args(argv)
    with temporary_cluster({"shared_buffers": "256MB"}) as cluster:
        prepare(cluster)
        database = "scanning"
        cluster.create_database(database, template="leadflood")
        crowd.fill(cluster, cluster.url(database), leads=options.leads, history=False)
        asyncio.run(_scan(cluster, database, options.leads))


async def _scan(cluster: Cluster, name: str, leads: int) -> None:
    pool = ConnectionPool(cluster.url(name, APP_ROLE), application_name="bench", size=1, statement_timeout=60)
    database = Database(pool, None)
    started = monotonic()
    named = {"postgresql": postmaster(cluster), "scan": os.getpid()}
    actor, scan_id = Actor.system(_WORKSPACE), new_id()
    async with database.transaction(_WORKSPACE) as tx:
        await store.insert_scan(tx, _WORKSPACE, scan_id)
        scan = await store.begin(tx, _WORKSPACE, scan_id)
        if scan is None:
            message = "The scan was not stored."
            raise RuntimeError(message)
        weights = await scanning.prepare(tx, actor, scan=scan)
    _say(f"prepared in {monotonic() - started:.1f} s; keys {list(weights.keys)}")
    done, mark, since, used = 0, leads // 10, monotonic(), Snapshot.take(named)
    more = True
    while more:
        async with database.transaction(_WORKSPACE) as tx:
            part = await scanning.scan_more(tx, actor, scan_id=scan_id, weights=weights)
        done, more = done + part, part > 0
        if done >= mark:
            seconds, now = monotonic() - since, Snapshot.take(named)
            cpu = now.seconds_since(used)
            memory = psutil.Process().memory_info().rss / _MIB
            _say(
                f"{done:>9,} leads · {leads / 10 / seconds:6.0f} leads/s · PostgreSQL {cpu['postgresql']:6.1f} s"
                f" · scan {cpu['scan']:6.1f} s · {memory:5.0f} MiB"
            )
            mark, since, used = mark + leads // 10, monotonic(), now
    _say(f"{done:,} leads in {monotonic() - started:.0f} s")
    _say(cluster.run("SELECT count(*), avg(score)::int FROM leadflood.duplicate_candidates", name))
    _say(
        cluster.run(
            "SELECT count(*) / 1.0 / (SELECT count(*) FROM leadflood.leads) FROM leadflood.duplicate_keys", name
        )
    )
    await database.close()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
