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
from tests.integration.db.tenants import Tenant, new_tenant
from tests.support.explained import TOLD, Plans
from tests.support.identity import Identity
from tests.support.postgres import Cluster
from tests.support.statements import while_borrowed

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


@pytest.fixture(scope="module")
async def tenants(database: Database, settings: Settings, secret_box: SecretBox) -> tuple[Tenant, Tenant]:
    """Ours and theirs."""
    identity = Identity(database, settings, secret_box)
    return await new_tenant(identity), await new_tenant(identity)
