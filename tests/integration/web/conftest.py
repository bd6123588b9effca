"""The pages in this process, and people of a workspace in front of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from starlette.types import ASGIApp

from leadflood.api.context import ApiContext
from leadflood.bootstrap import build_registry
from leadflood.domains.identity import store
from leadflood.domains.identity.contracts import MembershipView
from leadflood.domains.identity.models import Client
from leadflood.domains.identity.service import sessions
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import CreateLead
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.queue.ports import QueueBackend
from leadflood.web.context import WebContext
from tests.conftest import new_workspace
from tests.support.api import make_parts
from tests.support.desk import Desk
from tests.support.identity import make_operator
from tests.support.sandbox import shared_sandbox
from tests.support.site import machine, own_parts, server
from tests.support.tenants import new_user
from tests.support.web import Browser, browser_of, site, web_parts

__all__ = ["machine", "own_parts", "server"]


@dataclass
class House:
    """A workspace, and browsers of people in it."""

    app: ASGIApp
    parts: ApiContext
    web: WebContext
    workspace_id: UUID
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def actor(self) -> Actor:
        """The operator, for what a test sets up."""
        return Actor.cli(self.workspace_id)

    async def stranger(self) -> Browser:
        """Somebody who is not signed in."""
        return await self.stack.enter_async_context(browser_of(self.app))

    async def member(self, role: Role) -> tuple[UUID, str]:
        """A new member with this role and the password `PASSWORD`. Returns id and address."""
        user_id, email = await new_user(self.parts.database)
        async with self.parts.database.transaction(self.workspace_id) as tx:
            await store.insert_member(tx, self.workspace_id, user_id, role)
        return user_id, email

    async def signed_in(self, role: Role, *, operator: bool = False) -> Browser:
        """A new member with this role, signed in."""
        user_id, _ = await self.member(role)
        if operator:
            await make_operator(self.parts.database, user_id)
        return await self.enter(user_id, role)

    async def enter(self, user_id: UUID, role: Role) -> Browser:
        """A further browser of a member."""
        here = MembershipView(id=self.workspace_id, name="Test", role=role)
        async with self.parts.database.system() as tx:
            session = await sessions.start_browser(
                tx, self.parts.settings, user_id=user_id, workspace=here, client=Client()
            )
        browser = await self.stranger()
        browser.enter(session.token)
        return browser

    async def lead(self, email: str, **fields: object) -> UUID:
        """A lead in the workspace."""
        command = CreateLead.model_validate({"email": email, **fields})
        async with self.parts.database.transaction(self.workspace_id) as tx:
            return (await leads.create_lead(tx, self.actor, command=command, trace={})).lead_id


NewHouse = Callable[[], Awaitable[House]]


@pytest.fixture(scope="session")
def site_parts(
    settings: Settings, database: Database, queue_backend: QueueBackend, secret_box: SecretBox
) -> ApiContext:
    """The parts of the API beside the pages. Logins are not throttled: tests share an address."""
    settings = settings.model_copy(update={"max_login_attempts": 1_000_000})
    return make_parts(
        settings, database, queue_backend, build_registry(settings, database, shared_sandbox()), secret_box
    )


@pytest.fixture(scope="session")
async def pages_parts(site_parts: ApiContext, application_url: str) -> AsyncIterator[WebContext]:
    """The parts of the pages."""
    parts = web_parts(site_parts, application_url)
    yield parts
    await parts.changes.close()


@pytest.fixture(scope="session")
def pages_app(site_parts: ApiContext, pages_parts: WebContext) -> ASGIApp:
    """API and pages. It keeps nothing of a workspace, so that all tests share it."""
    return site(site_parts, pages_parts)


@pytest.fixture
async def new_house(site_parts: ApiContext, pages_parts: WebContext, pages_app: ASGIApp) -> AsyncIterator[NewHouse]:
    """Makes workspaces, where one is not enough."""
    async with AsyncExitStack() as stack:

        async def make() -> House:
            workspace_id = await new_workspace(site_parts.database)
            return House(pages_app, site_parts, pages_parts, workspace_id, stack)

        yield make


@pytest.fixture
async def house(new_house: NewHouse) -> House:
    """A workspace of the test's own."""
    return await new_house()


@pytest.fixture
def desk(house: House) -> Desk:
    """A user who imports behind the pages, and runs the jobs."""
    return Desk(house.parts.database, house.parts.registry, house.actor)


@pytest.fixture
async def owner(house: House) -> Browser:
    """An owner of the workspace, signed in."""
    return await house.signed_in(Role.OWNER)


@pytest.fixture
async def viewer(house: House) -> Browser:
    """Somebody who may only look."""
    return await house.signed_in(Role.VIEWER)


@pytest.fixture
async def stranger(house: House) -> Browser:
    """Somebody who is not signed in."""
    return await house.stranger()
