"""The API in this process on a real database, with a few toy endpoints that go through the whole pipeline."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Query
from starlette.responses import Response

from leadflood.api.app import create_app
from leadflood.api.context import ApiContext
from leadflood.api.deps import ExpectedVersion, InPages, Listing, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, public, requires
from leadflood.bootstrap import LEAD_PARTICIPANTS, SUBSCRIBERS, api_routers, build_hold, build_registry
from leadflood.domains.identity.contracts import CreateApiKey
from leadflood.domains.identity.service import api_keys, audit
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.actor import SCOPES, Actor, ActorKind, Permission, Role
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import Conflict, Unavailable
from leadflood.kernel.ids import new_id
from leadflood.kernel.observability import Metrics
from leadflood.kernel.pagination import Cursors, Page, Position, cut
from leadflood.kernel.queue.ports import QueueBackend
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from leadflood.kernel.rate_limit import RateLimiter
from leadflood.kernel.schema import Schema, View
from tests.conftest import new_workspace
from tests.support.sandbox import shared_sandbox

TOY_COUNT = 7


class Toy(Schema):
    """A body."""

    name: Annotated[str, Query(min_length=1, max_length=50)]
    size: int


class ToyView(View):
    """An answer."""

    name: str
    size: int


@asynccontextmanager
async def api_on(
    pool: ConnectionPool, queue_backend: QueueBackend, parts: ApiContext
) -> AsyncIterator[tuple[httpx.AsyncClient, Any]]:
    """A client of an API of its own on this pool, which is closed at the end, and the application."""
    database = Database(pool, queue_backend, SUBSCRIBERS)
    app = create_app(make_parts(parts.settings, database, parts.queue_backend, parts.registry, parts.secret_box))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        yield client, app
    await database.close()


def parts_maker(url: str, settings: Settings, secret_box: SecretBox) -> Callable[[], Coroutine[Any, Any, ApiContext]]:
    """Makes the parts of an API on connections of its own, for a server with a loop of its own."""

    async def parts() -> ApiContext:
        queue_backend = PostgresQueueBackend(url, role=APP_ROLE)
        await queue_backend.open()
        pool = ConnectionPool(url, application_name="served", size=5, statement_timeout=30)
        database = Database(pool, queue_backend, SUBSCRIBERS)
        registry = build_registry(settings, database, shared_sandbox())
        return make_parts(settings, database, queue_backend, registry, secret_box)

    return parts


@dataclass
class Gate:
    """Holds an endpoint until the test lets it go on."""

    entered: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


def toy_router(gate: Gate) -> APIRouter:
    """Endpoints whose effect is an audit event."""
    router = APIRouter(prefix="/v1/toys", tags=["toys"], route_class=EdgeRoute)
    _add_sound(router)
    _add_broken(router, gate)
    return router


def _add_sound(router: APIRouter) -> None:

    @router.post("", status_code=201)
    @requires(LEADS_WRITE)
    async def create_toy(unit: UnitOfWorkDep, command: Toy, response: Response) -> ToyView:
        await _make(unit, command.name)
        response.headers["Location"] = "/v1/toys/1"
        return ToyView(name=command.name, size=command.size)

    @router.get("")
    @requires(LEADS_READ)
    async def list_toys(unit: UnitOfWorkDep, paging: InPages, colour: str | None = None) -> Listing[ToyView]:
        first = int(paging.after.value) + 1 if paging.after else 0
        numbers = list(range(first, min(first + paging.limit + 1, TOY_COUNT)))
        page: Page[int] = cut(numbers, paging.limit, lambda number: Position(str(number), UUID(int=number)))
        return paging.answer(page.map(lambda number: ToyView(name=colour or "toy", size=number)))

    @router.get("/{id}")
    @requires(LEADS_READ)
    async def get_toy(unit: UnitOfWorkDep, toy_id: ResourceId, response: Response) -> ToyView:
        response.headers["ETag"] = etag(3)
        return ToyView(name=str(toy_id), size=3)

    @router.patch("/{id}")
    @requires(LEADS_WRITE)
    async def change_toy(unit: UnitOfWorkDep, toy_id: ResourceId, version: ExpectedVersion) -> ToyView:
        return ToyView(name=str(toy_id), size=version)

    @router.post("/strangers")
    @public("a test of what strangers may do")
    async def greet(command: Toy) -> ToyView:
        return ToyView(name=command.name, size=command.size)


def _add_broken(router: APIRouter, gate: Gate) -> None:
    @router.post("/conflicts")
    @requires(LEADS_WRITE)
    async def conflict(unit: UnitOfWorkDep) -> ToyView:
        await _make(unit, "conflicting")
        raise Conflict("There is one already.", extra={"existingId": "7"})

    @router.post("/faults")
    @requires(LEADS_WRITE)
    async def broken(unit: UnitOfWorkDep) -> ToyView:
        await _make(unit, "faulty")
        message = "secret inside"
        raise RuntimeError(message)

    @router.post("/absences")
    @requires(LEADS_WRITE)
    async def absent(unit: UnitOfWorkDep) -> ToyView:
        await _make(unit, "absent")
        raise Unavailable("The shop is closed.", retry_after=7)

    @router.post("/late-violations")
    @requires(LEADS_WRITE)
    async def violate_at_commit(unit: UnitOfWorkDep) -> ToyView:
        await _make(unit, "violating")
        await unit.tx.execute(sql("CREATE TEMP TABLE late (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
        await unit.tx.execute(sql("INSERT INTO late VALUES (1), (1)"))
        return ToyView(name="violating", size=1)

    @router.post("/waits")
    @requires(LEADS_WRITE)
    async def wait(unit: UnitOfWorkDep) -> ToyView:
        await _make(unit, "waiting")
        gate.entered.set()
        await gate.released.wait()
        return ToyView(name="waiting", size=1)


async def _make(unit: UnitOfWorkDep, name: str) -> None:
    await audit.record(unit.tx, unit.actor, action="toy.made", subject_type="toy", data={"name": name})


@dataclass(frozen=True)
class Caller:
    """Somebody with an API key."""

    workspace_id: UUID
    user_id: UUID
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """The credential."""
        return {"Authorization": f"Bearer {self.token}"}


async def new_caller(
    database: Database, permissions: Sequence[Permission], *, workspace_id: UUID | None = None
) -> Caller:
    """An API key with these permissions, of an owner, in a fresh workspace unless one is given."""
    workspace_id = workspace_id or await new_workspace(database)
    user_id = new_id()
    async with database.system() as tx:
        await tx.execute(
            sql(
                "INSERT INTO users (id, email, email_norm, name, password_hash)"
                " VALUES (:id, :email, :email, 'Ada', '-')"
            ),
            {"id": user_id, "email": f"{user_id}@example.test"},
        )
        await tx.execute(
            sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES (:workspace_id, :user_id, 'owner')"),
            {"workspace_id": workspace_id, "user_id": user_id},
        )
    maker = Actor(ActorKind.USER, workspace_id, frozenset(Permission), user_id=user_id, role=Role.OWNER)
    wanted = CreateApiKey.model_validate({"name": "test", "scopes": [permission.value for permission in permissions]})
    async with database.transaction(workspace_id) as tx:
        created = await api_keys.create_api_key(tx, maker, key=wanted)
    return Caller(workspace_id, user_id, created.token)


async def toys_made(database: Database, workspace_id: UUID) -> list[str]:
    """The names of the toys that were made and committed."""
    async with database.transaction(workspace_id, read_only=True) as tx:
        rows = await tx.all(sql("SELECT data FROM audit_events WHERE action = 'toy.made' ORDER BY id"))
    return [row.data["name"] for row in rows]


def make_parts(
    settings: Settings,
    database: Database,
    queue_backend: QueueBackend,
    registry: JobRegistry,
    secret_box: SecretBox,
    **changes: Any,  # noqa: ANN401  any part
) -> ApiContext:
    """The parts of an API for a test."""
    chosen: dict[str, Any] = {
        "routers": api_routers(),
        "settings": settings,
        "database": database,
        "queue_backend": queue_backend,
        "registry": registry,
        "secret_box": secret_box,
        "cursors": Cursors(secret_box),
        "sandbox": shared_sandbox(),
        "participants": LEAD_PARTICIPANTS,
        "hold": build_hold(settings, database),
        "metrics": Metrics(),
        "rate_limiter": RateLimiter(settings.rate_limit_per_minute),
        "strangers": RateLimiter(100_000, name="anonymous", subject="address"),
    }
    return ApiContext(**{**chosen, **changes})


@asynccontextmanager
async def client_of(
    parts: ApiContext,
    gate: Gate | None = None,
    **options: Any,  # noqa: ANN401  of the transport
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole API and the toys, in this process."""
    app = create_app(parts, [toy_router(gate or Gate())])
    transport = httpx.ASGITransport(app=app, **options)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
def parts(
    settings: Settings, database: Database, queue_backend: QueueBackend, registry: JobRegistry, secret_box: SecretBox
) -> ApiContext:
    """The parts of an API. Other tests fail to sign in from the same address, over and over."""
    patient = settings.model_copy(update={"max_login_attempts": 1_000_000})
    return make_parts(patient, database, queue_backend, registry, secret_box)


@pytest.fixture
def gate() -> Gate:
    """The gate that `/v1/toys/waits` waits for."""
    return Gate()


@pytest.fixture
async def toys(parts: ApiContext, gate: Gate) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a credential."""
    async with client_of(parts, gate) as client:
        yield client


@pytest.fixture
async def caller(database: Database) -> Caller:
    """Somebody who may do everything that a key can, in a workspace of its own."""
    return await new_caller(database, sorted(SCOPES))
