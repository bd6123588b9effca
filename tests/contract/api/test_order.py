"""Order of checks: no body is read of a caller without the permission to send it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import httpx

from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.queue.ports import QueueBackend
from leadflood.kernel.rate_limit import RateLimiter
from leadflood.kernel.request_bodies import BodyBudget
from tests.support.api import Caller, client_of, make_parts, new_caller

JSON = {"Content-Type": "application/json"}


@dataclass
class Body:
    """A body that notes whether somebody began to read it, and never ends."""

    reading: asyncio.Event

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.reading.set()
        yield b'{"leads": ['
        await asyncio.Event().wait()


async def test_no_body_is_read_before_credential_permission_and_rate_limit(
    settings: Settings,
    database: Database,
    queue_backend: QueueBackend,
    registry: JobRegistry,
    secret_box: SecretBox,
    caller: Caller,
) -> None:
    reader = await new_caller(database, [LEADS_READ])
    limiter = RateLimiter(1)
    parts = make_parts(settings, database, queue_backend, registry, secret_box, rate_limiter=limiter)
    async with client_of(parts) as client:
        await client.get("/v1/leads", headers=caller.headers)

        async def refusal(path: str, headers: Mapping[str, str], media_type: str) -> int:
            body = Body(asyncio.Event())
            answer = await client.post(path, content=body, headers={**headers, "Content-Type": media_type})
            assert not body.reading.is_set(), path
            return answer.status_code

        for path, media_type in (
            ("/v1/leads", "application/json"),
            ("/v1/leads/batch", "application/json"),
            ("/v1/leads/stream", "application/x-ndjson"),
            ("/v1/imports?filename=a.csv", "text/csv"),
            ("/v1/toys", "application/json"),
        ):
            assert await refusal(path, {}, media_type) == 401
            assert await refusal(path, {"Authorization": "Bearer lf_wrong"}, media_type) == 401
            assert await refusal(path, caller.headers, media_type) == 429
            assert await refusal(path, reader.headers, media_type) == 403
        for path in ("/v1/leads", "/v1/leads/batch", "/v1/leads/stream"):
            other = await new_caller(database, [LEADS_WRITE])
            assert await refusal(path, other.headers, "text/plain") == 415


async def test_bodies_beyond_the_budget_of_the_process_wait_outside(
    settings: Settings,
    database: Database,
    queue_backend: QueueBackend,
    registry: JobRegistry,
    secret_box: SecretBox,
    caller: Caller,
) -> None:
    budget = BodyBudget(100)
    parts = make_parts(settings, database, queue_backend, registry, secret_box, body_budget=budget)
    slow, go_on = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b'{"name": "bear",'.ljust(60)
        slow.set()
        await go_on.wait()
        yield b'"size": 1}'

    async with client_of(parts) as client:

        async def post(content: bytes | AsyncIterator[bytes]) -> httpx.Response:
            return await client.post("/v1/toys", content=content, headers={**caller.headers, **JSON})

        first = asyncio.create_task(post(body()))
        await slow.wait()
        second = await post(b'{"name": "bear", "size": 1}'.ljust(50))
        go_on.set()
        third_after_first = [(await first).status_code, (await post(b'{"name": "bear", "size": 1}')).status_code]

    assert (second.status_code, second.headers["Retry-After"]) == (503, "2")
    assert third_after_first == [201, 201]
    assert budget.used == 0


async def test_bad_tokens_of_an_address_are_limited_and_good_ones_are_not(
    settings: Settings,
    database: Database,
    queue_backend: QueueBackend,
    registry: JobRegistry,
    secret_box: SecretBox,
    caller: Caller,
) -> None:
    strangers = RateLimiter(2, name="anonymous", subject="address")
    parts = make_parts(settings, database, queue_backend, registry, secret_box, strangers=strangers)
    wrong = {"Authorization": f"Bearer {caller.token[:-1]}x"}
    async with client_of(parts, client=("2001:db8::1", 1)) as client:
        answers = [await client.get("/v1/leads", headers=headers) for headers in (wrong, {}, wrong, caller.headers)]
    async with client_of(parts, client=("2001:db8::2:1", 1)) as client:
        neighbour = await client.get("/v1/leads", headers=wrong)
    async with client_of(parts, client=("2001:db8:0:1::1", 1)) as client:
        other = await client.get("/v1/leads", headers=wrong)

    assert [answer.status_code for answer in (*answers, neighbour, other)] == [401, 401, 429, 200, 429, 401]
    assert int(answers[2].headers["Retry-After"]) > 0
    assert answers[2].headers["RateLimit-Policy"] == '"anonymous";q=2;w=60'


async def test_a_request_names_exactly_one_host(toys: httpx.AsyncClient) -> None:
    for hosts in (
        [],
        ["a.example", "b.example"],
        ["a.example", "a.example"],
        ["a/b"],
        ["a b"],
        [""],
        ["a:99x"],
        ["x" * 300],
    ):
        for path in ("/v1/leads", "/health"):
            request = toys.build_request("GET", path)
            request.headers = httpx.Headers([("Host", host) for host in hosts])
            answer = await toys.send(request)
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), hosts
    for host in ("leads.acme.com", "127.0.0.1:5050", "[::1]:5050", "localhost"):
        assert (await toys.get("/health", headers={"Host": host})).status_code == 200
