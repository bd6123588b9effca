"""LEAD-FLOOD as it runs in production: API and workers apart, in any number, on a PostgreSQL that somebody else runs.

with deployed(cluster, "some_database", folder, simulated_latency="1") as deployment:
    deployment.start_api()
    deployment.start_worker()
    lead = add_lead(deployment.client(), "ada@acme.com")
    assert deployment.violations() == []
"""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from leadflood.bootstrap import SUBSCRIBERS, open_platform
from leadflood.domains.companies import invariants as company_invariants
from leadflood.domains.duplicates import invariants as merge_invariants
from leadflood.domains.enrichment import invariants as lead_invariants
from leadflood.domains.enrichment.queries import outdated
from leadflood.domains.identity.contracts import CreateApiKey
from leadflood.domains.identity.models import FirstRun
from leadflood.domains.identity.service import administration, api_keys
from leadflood.domains.jobs import invariants as job_invariants
from leadflood.domains.jobs.permissions import JOBS_READ, JOBS_WRITE, OUTBOX_READ
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import new_secret_key
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.migrate import install_queue, migrate
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.provision import DATABASE, OWNER, provision
from leadflood.kernel.db.roles import APP_ROLE
from tests.support.journeys import wait_until
from tests.support.launcher import LAUNCHER
from tests.support.postgres import Cluster
from tests.support.processes import Installation, Running

QUICK = {
    "job_lease_seconds": "3",
    "poll_interval_seconds": "1",
    "drain_timeout_seconds": "5",
    "simulated_latency_seconds": "0",
    "enrichment_sources": "email_insight,simulated",
    "rate_limit_per_minute": "1000000",
}
"""Settings under which nothing waits longer than a test wants to."""

_IN_TRANSACTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'leadflood worker%' AND xact_start IS NOT NULL
"""


def prepare(cluster: Cluster) -> None:
    """Bring a new server to a migrated database `leadflood` with the queue in it."""

    async def migrated() -> None:
        owner_url = cluster.url(DATABASE, OWNER)
        await provision(cluster.url())
        await migrate(owner_url)
        await install_queue(owner_url)

    asyncio.run(migrated())


def violations(url: str) -> list[str]:
    """Violated invariants of the database at `url`, as reported by `leadflood doctor`."""

    async def look() -> list[str]:
        pool = ConnectionPool(url, application_name="judge", size=1, statement_timeout=60)
        database = Database(pool, None, SUBSCRIBERS)
        try:
            async with database.system(read_only=True) as tx:
                return [
                    *await job_invariants.violations(tx),
                    *await lead_invariants.violations(tx),
                    *await outdated.violations(tx),
                    *await merge_invariants.violations(tx),
                    *await company_invariants.violations(tx),
                ]
        finally:
            await database.close()

    return asyncio.run(look())


def left_over(home: Path) -> list[int]:
    """The processes that belong to a data folder: by their settings, or because they work in it or beside it."""
    found = [item.pid for item in LAUNCHER.started if item.home == str(home) and item.poll() is None]
    for process in psutil.process_iter():
        try:
            named = process.environ().get("LEADFLOOD_HOME") == str(home)
            if named or Path(process.cwd()).is_relative_to(home.parent):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


@dataclass(frozen=True)
class Credentials:
    """Credentials to sign in with."""

    email: str
    password: str


class Deployment:
    """One migrated database, an API key for it, and the processes that a test starts."""

    def __init__(
        self, cluster: Cluster, database: str, installation: Installation, first: FirstRun, token: str
    ) -> None:
        """`first`: the first workspace and its owner. `token`: an API key of that workspace."""
        self.cluster = cluster
        self.database = database
        self.installation = installation
        self.workspace_id = first.workspace_id
        self.owner = Credentials(first.email, first.password)
        self.token = token

    @property
    def url(self) -> str:
        """The address of the database for the application's role."""
        return self.cluster.url(self.database, APP_ROLE)

    def start_api(self, port: int | None = None, **settings: str) -> Running:
        """Start an API, by default on the port of `client`. Returns when it listens."""
        running = self.installation.start("serve", "--port", str(port or self.installation.port), **settings)
        running.wait_for("api.started")
        return running

    def start_worker(self, **settings: str) -> Running:
        """Start a worker. Returns when it works."""
        running = self.installation.start("worker", **settings)
        running.wait_for("worker.started")
        return running

    def freeze(self, worker: Running) -> None:
        """Stop the only worker with SIGSTOP between its transactions, so that it holds no locks."""

        def frozen() -> bool:
            os.kill(worker.pid, signal.SIGSTOP)
            if self.count(_IN_TRANSACTIONS) == 0:
                return True
            os.kill(worker.pid, signal.SIGCONT)
            return False

        wait_until(frozen)

    def client(self, port: int | None = None) -> httpx.Client:
        """A client of the API, with the key."""
        client = self.installation.http(self.token)
        if port is not None:
            client.base_url = httpx.URL(f"http://127.0.0.1:{port}")
        return client

    def sql(self, sql: str, **values: str) -> str:
        """Run SQL as superuser; `:'name'` in it stands for a value. Rows, columns parted by `|`."""
        return self.cluster.run(f"SET search_path TO leadflood, public; {sql}", self.database, **values)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Rows of a query."""
        return [json.loads(line) for line in self.sql(f"SELECT to_jsonb(r) FROM ({query}) r").splitlines()]  # noqa: S608  a test's own query

    def count(self, query: str, **values: str) -> int:
        """The single number that a query finds."""
        return int(self.sql(query, **values))

    def violations(self) -> list[str]:
        """Violated invariants of the database."""
        return violations(self.url)

    def assert_sound(self) -> None:
        """All invariants hold. Call it when no fault is going on any more."""
        assert self.violations() == []

    def assert_nothing_left(self) -> None:
        """Every process that ever belonged to the data folder has ended."""
        assert left_over(self.installation.home) == []


@contextmanager
def deployed(cluster: Cluster, database: str, folder: Path, **settings: str) -> Iterator[Deployment]:
    """A deployment on a migrated database, with its first workspace. Settings are strings, as in the environment."""
    own = {**QUICK, "secret_key": new_secret_key(), "database_url": cluster.url(database, APP_ROLE), **settings}
    with Installation(folder / "home", **own) as installation:
        first, token = asyncio.run(_first_key(Settings(_env_file=None, home=folder / "home", **own)))  # type: ignore[arg-type]  # text, as in the environment
        yield Deployment(cluster, database, installation, first, token)


async def _first_key(settings: Settings) -> tuple[FirstRun, str]:
    async with open_platform(settings, process="tests") as platform:
        first = await administration.first_run(platform.database)
        assert first is not None
        scopes = [
            *(LEADS_READ, LEADS_WRITE),
            *(JOBS_READ, JOBS_WRITE),
            OUTBOX_READ,
        ]
        wanted = CreateApiKey.model_validate({"name": "tests", "scopes": scopes})
        async with platform.database.transaction(first.workspace_id) as tx:
            created = await api_keys.create_api_key(tx, Actor.cli(first.workspace_id), key=wanted)
    return first, created.token
