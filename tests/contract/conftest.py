"""The whole API in this process, and two workspaces that must not see each other."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from leadflood.api.app import create_app
from leadflood.api.context import ApiContext
from leadflood.bootstrap import build_registry
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.queue.ports import QueueBackend
from tests.support.api import make_parts, parts_maker
from tests.support.sandbox import shared_sandbox
from tests.support.served import Served, served
from tests.support.tenants import Tenant, new_tenant


@pytest.fixture(scope="session")
def api_parts(settings: Settings, database: Database, queue_backend: QueueBackend, secret_box: SecretBox) -> ApiContext:
    """The parts of the real API. Logins are not throttled: some tests fail at them on purpose, over and over."""
    settings = settings.model_copy(update={"max_login_attempts": 1_000_000})
    return make_parts(
        settings, database, queue_backend, build_registry(settings, database, shared_sandbox()), secret_box
    )


@pytest.fixture(scope="session")
async def api(api_parts: ApiContext) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the real API, without a credential."""
    transport = httpx.ASGITransport(app=create_app(api_parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture(scope="module")
async def theirs(api_parts: ApiContext) -> Tenant:
    """A workspace that others ask for."""
    return await new_tenant(api_parts.database, api_parts.registry)


@pytest.fixture(scope="module")
async def ours(api_parts: ApiContext) -> Tenant:
    """The workspace of those who ask."""
    return await new_tenant(api_parts.database, api_parts.registry)


@pytest.fixture(scope="module")
def server(application_url: str, settings: Settings, secret_box: SecretBox) -> Iterator[Served]:
    """The real API behind the real HTTP server."""
    with served(parts_maker(application_url, settings, secret_box)) as started:
        yield started
