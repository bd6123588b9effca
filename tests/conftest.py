"""Fixtures for everything that needs a PostgreSQL: one cluster a test process, one migrated database in it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from leadflood.bootstrap import SUBSCRIBERS, build_registry
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox, new_secret_key
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.embedded import EmbeddedPostgres
from leadflood.kernel.db.migrate import install_queue
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from leadflood.kernel.observability import configure_logging
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.support.deployment import prepare
from tests.support.jobs import Elsewhere, Jobs, Workers, workers_on
from tests.support.loopback import stay_on_loopback
from tests.support.postgres import NOT_DURABLE, Cluster, temporary_cluster, temporary_home
from tests.support.processes import INSTANCE, OFFLINE_SOURCES
from tests.support.sandbox import shared_sandbox
from tests.support.suite import (
    pytest_collection,
    pytest_collection_modifyitems,
    pytest_runtest_teardown,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

__all__ = [
    "pytest_collection",
    "pytest_collection_modifyitems",
    "pytest_runtest_teardown",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]

DATABASE = "leadflood"
_OPERATOR = """
INSERT INTO leadflood.users (id, email, email_norm, name, password_hash, is_operator)
VALUES (gen_random_uuid(), 'operator@example.test', 'operator@example.test', 'Operator', '-', true)
"""
"""There is one already, so that no owner whom a test makes becomes one by being the first."""
TEMPLATE = "leadflood_template"
QUEUE_DATABASE = "leadflood_queue_elsewhere"


@dataclass(frozen=True)
class Workspace:
    """A fresh workspace for one test."""

    id: UUID

    @property
    def actor(self) -> Actor:
        """Somebody who may do everything in it."""
        return Actor.cli(self.id)


def pytest_configure() -> None:
    """No test reaches another machine."""
    stay_on_loopback()


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> None:
    """Logs as in production: structlog's own default draws each traceback with all local variables, in seconds."""
    configure_logging("info", "json")


@pytest.fixture(scope="session")
def prepared_home() -> Iterator[Path]:
    """A data folder with a migrated database, to copy: its first `up` has only the first owner to make."""
    with temporary_home() as folder:
        server = EmbeddedPostgres(folder / "home", settings=NOT_DURABLE)
        server.start()
        prepare(Cluster(server))
        server.stop()
        with server._lock:  # in use, as far as other runs can tell
            yield folder / "home"


@pytest.fixture(scope="session")
def cluster(prepared_home: Path) -> Iterator[Cluster]:
    """A PostgreSQL with a migrated database `leadflood` and a copy of it to clone from."""
    with temporary_cluster(copy_of=prepared_home) as started:
        started.create_database(TEMPLATE, template=DATABASE)
        started.run(_OPERATOR, DATABASE)
        yield started


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Settings as a test wants them: quick leases, sources that ask nobody, nothing from the environment's `.env`."""
    return Settings(
        _env_file=None,
        secret_key=new_secret_key(),
        instance_id=INSTANCE,
        job_lease_seconds=3,
        poll_interval_seconds=0.5,
        drain_timeout_seconds=5,
        enrichment_sources=OFFLINE_SOURCES,
        simulated_latency_seconds=0,
        request_timeout_seconds=60,
        log_level="error",
    )


@pytest.fixture(scope="session")
def secret_box(settings: Settings) -> SecretBox:
    """The keyed hashing of these settings."""
    assert settings.secret_key is not None
    return SecretBox(settings.secret_key.get_secret_value())


@pytest.fixture(scope="session")
def application_url(cluster: Cluster) -> str:
    """The address of the migrated database for the application's role."""
    return cluster.url(DATABASE, APP_ROLE)


@pytest.fixture(scope="session")
async def queue_backend(application_url: str) -> AsyncIterator[PostgresQueueBackend]:
    """The queue in the migrated database."""
    opened = PostgresQueueBackend(application_url, role=APP_ROLE)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
async def database(application_url: str, queue_backend: PostgresQueueBackend) -> AsyncIterator[Database]:
    """The migrated database as the application's role, with the queue in it."""
    pool = ConnectionPool(application_url, application_name="tests", size=20, statement_timeout=30)
    opened = Database(pool, queue_backend, SUBSCRIBERS)
    yield opened
    await opened.close()


@pytest.fixture
def registry(settings: Settings, database: Database) -> JobRegistry:
    """All kinds of jobs."""
    return build_registry(settings, database, shared_sandbox())


@pytest.fixture
async def workspace(database: Database) -> Workspace:
    """A workspace of the test's own."""
    return Workspace(await new_workspace(database))


async def new_workspace(database: Database) -> UUID:
    """Make a workspace."""
    workspace_id = new_id()
    async with database.transaction(workspace_id) as tx:
        await tx.execute(sql("INSERT INTO workspaces (id, name) VALUES (:id, 'Test')"), {"id": workspace_id})
    return workspace_id


@pytest.fixture
def jobs(database: Database, workspace: Workspace) -> Jobs:
    """Jobs of the test's own kind, with the queue in the same database."""
    return Jobs(database, workspace.id)


@pytest.fixture
async def workers(application_url: str, settings: Settings) -> AsyncIterator[Workers]:
    """Real workers, stopped at the end of the test."""
    async with workers_on(application_url, settings) as started:
        yield started


@pytest.fixture(scope="session")
async def elsewhere(cluster: Cluster, application_url: str) -> AsyncIterator[Elsewhere]:
    """The migrated database with its queue in another one: jobs reach it through the relay."""
    cluster.create_database(QUEUE_DATABASE)
    await install_queue(cluster.url(QUEUE_DATABASE))
    queue_backend = PostgresQueueBackend(cluster.url(QUEUE_DATABASE, APP_ROLE), role=APP_ROLE)
    await queue_backend.open()
    pool = ConnectionPool(application_url, application_name="tests", size=20, statement_timeout=30)
    relayed = Database(pool, None, SUBSCRIBERS)
    yield Elsewhere(relayed, queue_backend, cluster.url(QUEUE_DATABASE, APP_ROLE))
    await relayed.close()
    await queue_backend.close()
