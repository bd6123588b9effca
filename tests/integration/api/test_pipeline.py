"""One transaction a request: what commits, what does not, and who gets that far."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter

from leadflood.api.context import ApiContext
from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, RouteWithoutAccess, public, requires
from leadflood.bootstrap import SUBSCRIBERS
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from tests.support.api import Caller, Gate, client_of, make_parts, new_caller, toys_made
from tests.support.memory_queue import MemoryCarrier
from tests.support.postgres import Cluster

TOY = {"name": "bear", "size": 3}


async def test_what_a_201_says_is_on_disk(toys: httpx.AsyncClient, caller: Caller, database: Database) -> None:
    answer = await toys.post("/v1/toys", json=TOY, headers=caller.headers)

    assert (answer.status_code, answer.json()) == (201, TOY)
    assert await toys_made(database, caller.workspace_id) == ["bear"]


@pytest.mark.parametrize(
    ("path", "status"), [("conflicts", 409), ("faults", 500), ("absences", 503), ("late-violations", 500)]
)
async def test_a_refused_request_changes_nothing(
    toys: httpx.AsyncClient, caller: Caller, database: Database, path: str, status: int
) -> None:
    answer = await toys.post(f"/v1/toys/{path}", headers=caller.headers)

    assert answer.status_code == status
    assert await toys_made(database, caller.workspace_id) == []


async def test_a_cancelled_request_rolls_back_and_frees_its_connection(
    toys: httpx.AsyncClient, caller: Caller, database: Database, gate: Gate, parts: ApiContext
) -> None:
    for _ in range(parts.settings.database_pool_size * 3):
        gate.entered.clear()
        request = asyncio.create_task(toys.post("/v1/toys/waits", headers=caller.headers))
        await gate.entered.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request

    assert await toys_made(database, caller.workspace_id) == []
    assert (await toys.post("/v1/toys", json=TOY, headers=caller.headers)).status_code == 201


async def test_a_read_cannot_write(toys: httpx.AsyncClient, caller: Caller, parts: ApiContext) -> None:
    router = APIRouter(route_class=EdgeRoute)

    @router.get("/v1/writes")
    @requires(LEADS_READ)
    async def write(unit: UnitOfWorkDep) -> None:
        await audit.record(unit.tx, unit.actor, action="toy.made", subject_type="toy")

    toys._transport.app.router.routes.extend(router.routes)  # type: ignore[attr-defined]
    assert (await toys.get("/v1/writes", headers=caller.headers)).status_code == 500


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer nonsense", "Basic YTpi", "Bearer lf_live_" + "0" * 38]
)
async def test_missing_and_wrong_credentials_get_equal_answers(
    toys: httpx.AsyncClient, authorization: str | None
) -> None:
    headers = {"X-Request-Id": "same"} | ({"Authorization": authorization} if authorization is not None else {})
    expected = await toys.get("/v1/toys", headers={"X-Request-Id": "same"})

    answer = await toys.get("/v1/toys", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="leadflood"'
    assert (answer.content, dict(answer.headers)) == (expected.content, dict(expected.headers))


async def test_a_key_without_the_permission_is_told_which_one(toys: httpx.AsyncClient, database: Database) -> None:
    reader = await new_caller(database, [LEADS_READ])

    refused = await toys.post("/v1/toys", json=TOY, headers=reader.headers)
    allowed = await toys.get("/v1/toys", headers=reader.headers)

    assert (refused.status_code, refused.json()["requiredPermission"]) == (403, "leads:write")
    assert allowed.status_code == 200


def test_a_route_that_does_not_say_who_may_call_it_cannot_be_made() -> None:
    router = APIRouter(route_class=EdgeRoute)

    async def nobody_knows() -> None:
        """An endpoint."""

    async def nobody_checks() -> None:
        """An endpoint without a unit."""

    with pytest.raises(RouteWithoutAccess):
        router.add_api_route("/v1/open", nobody_knows)
    with pytest.raises(RouteWithoutAccess):
        router.add_api_route("/v1/open", requires(LEADS_READ)(nobody_checks))
    with pytest.raises(RouteWithoutAccess):
        public("")(nobody_knows)
    assert router.routes == []


@pytest.fixture
async def broken_database(cluster: Cluster) -> AsyncIterator[Database]:
    """A database whose server cannot be reached."""
    url = cluster.url("leadflood", APP_ROLE).replace(".s.PGSQL", "nowhere")
    pool = ConnectionPool(
        url.replace("host=", "host=/nonexistent"), application_name="gone", size=1, statement_timeout=1
    )
    opened = Database(pool, None, SUBSCRIBERS)
    yield opened
    await opened.close()


async def test_without_the_database_requests_get_503_and_when_to_come_back(
    settings: Settings, broken_database: Database, registry: JobRegistry, secret_box: SecretBox, caller: Caller
) -> None:
    gone = make_parts(settings, broken_database, MemoryCarrier(), registry, secret_box)
    async with client_of(gone) as client:
        answer = await client.get("/v1/toys", headers=caller.headers)
        alive = await client.get("/health")
        ready = await client.get("/ready")

    assert answer.status_code == 503
    assert (answer.json()["code"], answer.headers["Retry-After"]) == ("unavailable", "1")
    assert alive.status_code == 200
    assert ready.status_code == 503
    assert [check["name"] for check in ready.json()["checks"] if not check["ok"]] == [
        "database",
        "migrations",
        "writes",
    ]
