"""Cost of noisy neighbors to other tenants: a locked job row, jobs that kill their process, a hung database."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from uuid import UUID

import httpx
from rich.table import Table

from leadflood.domains.jobs import service
from leadflood.domains.jobs.models import NewJob, NoPayload
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import monotonic
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.bench.client import create_leads
from tests.bench.contestant import Contestant
from tests.bench.labels import OURS
from tests.bench.machine import Snapshot
from tests.bench.measure import Figures, Measured, Sizes, postmaster
from tests.bench.rounds import Results
from tests.bench.twins import open_transaction
from tests.support.launcher import ROOT
from tests.support.poison_worker import POISON
from tests.support.processes import gone, until

LABEL = f"neighbours: {OURS}"
HEALTHY = 60
POISONS = 3
_LOCK = "SELECT FROM leadflood.job_executions WHERE status = 'queued' FOR UPDATE"
_DONE = "SELECT count(*) FROM leadflood.leads WHERE status = 'enriched'"
_FAILED = "SELECT count(*) FROM leadflood.leads WHERE status = 'failed'"
_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name IN ('leadflood api', 'leadflood serve')"
_SECONDS = 30.0


def measure(ours: Contestant, _sizes: Sizes) -> Measured:
    """Seconds until 60 leads are enriched, without and beside a bad neighbour; seconds until requests are answered."""
    named = {"pg": postmaster(ours.cluster)}
    before = Snapshot.take(named)
    figures = {**_locked(ours, 0), **_locked(ours, 1), **_poisoned(ours, 0), **_poisoned(ours, POISONS), **_hung(ours)}
    return figures, Snapshot.take(named).cores_since(before)


def table(results: Results) -> list[Table]:
    """The results."""
    if not results.has(LABEL):
        return []
    found = Table("", "seconds", title="Beside bad neighbours")
    for name, key in (
        (f"{HEALTHY} leads enriched", "0 locked s"),
        ("… beside a locked job row", "1 locked s"),
        (f"{HEALTHY} leads enriched by a worker with a lease of 2 s", "0 poison s"),
        (f"… beside {POISONS} jobs that kill their process", f"{POISONS} poison s"),
        ("a request answered while the database hangs", "hung s"),
        ("… `/ready`", "ready s"),
        ("the first lead created after it", "again s"),
    ):
        found.add_row(name, f"{results.median(LABEL, key):g}")
    failed = results.median(LABEL, f"{POISONS} poison failed")
    found.add_row("healthy leads failed", f"{failed:g}")
    return [found]


def _locked(ours: Contestant, locks: int) -> Figures:
    """The worker is up, and the row of another job locked, before the leads come."""
    ours.clean()
    with ours.api():
        create_leads(ours.port, ours.token, leads=locks, connections=1)
        with open_transaction(ours, _LOCK), ours.worker():
            started = monotonic()
            create_leads(ours.port, ours.token, leads=HEALTHY, connections=8)
            until(lambda: int(ours.sql(_DONE)) >= HEALTHY)
            return {f"{locks} locked s": round(monotonic() - started, 2)}


def _poisoned(ours: Contestant, poisons: int) -> Figures:
    """All jobs are queued, then one worker starts, and another one whenever it was killed."""
    ours.clean()
    work = [sys.executable, "-m", "tests.support.poison_worker"]
    environment = {**ours.environment, "PYTHONPATH": str(ROOT), "LEADFLOOD_JOB_LEASE_SECONDS": "2"}
    poisoned = replace(ours, work=work, environment=environment)
    with ours.api():
        create_leads(ours.port, ours.token, leads=HEALTHY, connections=8)
    asyncio.run(_enqueue_poison(ours, poisons))
    started = monotonic()
    while not _is_over(ours):
        with poisoned.starting_worker() as worker:
            until(partial(_is_over_or_gone, ours, worker))
    figures = {f"{poisons} poison s": round(monotonic() - started, 2)}
    return figures | {f"{poisons} poison failed": float(ours.sql(_FAILED))}


def _is_over(ours: Contestant) -> bool:
    return int(ours.sql(_DONE)) + int(ours.sql(_FAILED)) >= HEALTHY


def _is_over_or_gone(ours: Contestant, worker: int) -> bool:
    return _is_over(ours) or gone(worker)


async def _enqueue_poison(ours: Contestant, count: int) -> None:
    workspace_id = UUID(ours.sql("SELECT workspace_id FROM leadflood.api_keys LIMIT 1"))
    url = ours.environment["LEADFLOOD_DATABASE_URL"]
    queue = PostgresQueueBackend(url, role=APP_ROLE)
    await queue.open()
    database = Database(ConnectionPool(url, application_name="bench", size=1, statement_timeout=10), queue)
    try:
        async with database.transaction(workspace_id) as tx:
            await service.enqueue(tx, Actor.cli(workspace_id), jobs=[NewJob(POISON, NoPayload())] * count)
    finally:
        await queue.close()
        await database.close()


def _hung(ours: Contestant) -> Figures:
    """The server processes of the API stop where they are; those that it gets later run."""
    ours.clean()
    headers = {"Authorization": f"Bearer {ours.token}"}
    with ours.api(), httpx.Client(base_url=ours.address, headers=headers, timeout=_SECONDS) as client:

        def seconds(method: str, path: str, body: object = None) -> float:
            started = monotonic()
            client.request(method, path, json=body)
            return round(monotonic() - started, 2)

        seconds("POST", "/v1/leads", {"email": "before@example.com"})
        with _frozen(ours):
            figures = {"ready s": seconds("GET", "/ready"), "hung s": seconds("GET", "/v1/members")}
        return figures | {"again s": seconds("POST", "/v1/leads", {"email": "after@example.com"})}


@contextmanager
def _frozen(ours: Contestant) -> Iterator[None]:
    pids = [int(pid) for pid in ours.sql(_BACKENDS).split()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
