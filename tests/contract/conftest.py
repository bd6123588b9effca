"""The whole API in this process, and two workspaces that must not see each other."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from leadflood.api.app import create_app
from leadflood.api.parts import ApiParts
from leadflood.bootstrap import build_registry
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import Sealer
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.queue.ports import Carrier
from leadflood.kernel.queue.postgres import PostgresCarrier
from tests.support.api import make_parts
from tests.support.sandbox import shared_sandbox
from tests.support.served import Served, served
from tests.support.tenants import Tenant, new_tenant


@pytest.fixture(scope="session")
def api_parts(settings: Settings, database: Database, carrier: Carrier, sealer: Sealer) -> ApiParts:
    """The parts of the real API. Logins are not throttled: some tests fail at them on purpose, over and over."""
    settings = settings.model_copy(update={"login_attempts": 1_000_000})
    return make_parts(settings, database, carrier, build_registry(settings, database, shared_sandbox()), sealer)


@pytest.fixture(scope="session")
async def api(api_parts: ApiParts) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the real API, without a credential."""
    transport = httpx.ASGITransport(app=create_app(api_parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture(scope="module")
async def theirs(api_parts: ApiParts) -> Tenant:
    """A workspace that others ask for."""
    return await new_tenant(api_parts.database, api_parts.registry)


@pytest.fixture(scope="module")
async def ours(api_parts: ApiParts) -> Tenant:
    """The workspace of those who ask."""
    return await new_tenant(api_parts.database, api_parts.registry)


@pytest.fixture(scope="module")
def server(application_url: str, settings: Settings, sealer: Sealer) -> Iterator[Served]:
    """The real API behind the real HTTP server."""

    async def parts() -> ApiParts:
        carrier = PostgresCarrier(application_url, role=APP_ROLE)
        await carrier.open()
        pool = ConnectionPool(application_url, application_name="served", size=5, statement_timeout=30)
        database = Database(pool, carrier)
        return make_parts(settings, database, carrier, build_registry(settings, database, shared_sandbox()), sealer)

    with served(parts) as started:
        yield started
