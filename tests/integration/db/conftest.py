"""Fixtures of the database's own tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from leadflood.bootstrap import SUBSCRIBERS
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.queue.ports import Publisher
from tests.conftest import TEMPLATE
from tests.integration.db.tenants import Tenant, new_tenant
from tests.support.explained import READ, TOLD, Plans
from tests.support.identity import Identity
from tests.support.postgres import Cluster
from tests.support.statements import while_borrowed

_NO_STATISTICS = r"""
SELECT format('ALTER TABLE leadflood.%I SET (autovacuum_enabled = off)', tablename)
FROM pg_tables WHERE schemaname = 'leadflood' \gexec
"""
Opened = Callable[..., AbstractAsyncContextManager[Database]]


@asynccontextmanager
async def opened(
    url: str,
    *,
    role: str = "leadflood_app",
    pool_size: int = 2,
    statement_timeout: float = 30,
    publisher: Publisher | None = None,
) -> AsyncIterator[Database]:
    """A pool of its own."""
    pool = ConnectionPool(url, application_name="tests", size=pool_size, statement_timeout=statement_timeout, role=role)
    database = Database(pool, publisher, SUBSCRIBERS)
    yield database
    await database.close()


@asynccontextmanager
async def listening(cluster: Cluster, name: str, *settings: str, pool_size: int = 1) -> AsyncIterator[Plans]:
    """The application's role in a database, on connections that tell their plans. `settings`: more of auto_explain."""
    for setting in (*TOLD, *settings):
        cluster.run(f'ALTER ROLE leadflood_app IN DATABASE :"name" SET {setting}', name=name)
    async with opened(cluster.url(name, APP_ROLE), pool_size=pool_size) as database:
        plans = Plans(database)
        with while_borrowed(
            database.pool,
            lambda item: item.add_log_listener(plans.hear),
            lambda item: item.remove_log_listener(plans.hear),
        ):
            yield plans


@asynccontextmanager
async def without_statistics(cluster: Cluster, name: str) -> AsyncIterator[Plans]:
    """A database of its own that never has statistics, on connections that tell their plans and what these read."""
    cluster.create_database(name, template=TEMPLATE)
    cluster.run(_NO_STATISTICS, name)
    async with listening(cluster, name, *READ, pool_size=4) as plans:
        yield plans
    cluster.drop_database(name)


@pytest.fixture(scope="module")
async def tenants(database: Database, settings: Settings, secret_box: SecretBox) -> tuple[Tenant, Tenant]:
    """Ours and theirs."""
    identity = Identity(database, settings, secret_box)
    return await new_tenant(identity), await new_tenant(identity)
