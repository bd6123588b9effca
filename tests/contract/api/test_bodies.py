"""Bodies of every bad kind get a 4xx problem, never a 5xx, and take no more than their share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from leadflood.api.context import ApiContext
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.queue.ports import QueueBackend
from tests.support.api import Caller, client_of, make_parts

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b" ", "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"a":' * 100_000, "invalid_json"),
        (b"[" * 100_000 + b"]" * 100_000, "invalid_json"),
        (b'{"name": "bear", "size": NaN}', "invalid_json"),
        (b'{"name": "bear", "size": Infinity}', "invalid_json"),
        (b'{"name": "bear", "size": 1, "size": 2}', "invalid_json"),
        (b'{"name": "bear", "size": {"n": 1, "\\u006e": 2}}', "invalid_json"),
        (b'{"name": "\\ud800", "size": 1}', "invalid_json"),
        (b'{"name": "\xff", "size": 1}', "invalid_json"),
        (b'{"name": "\x00", "size": 1}', "invalid_json"),
        (b'\xef\xbb\xbf{"name": "bear", "size": 1}', "invalid_json"),
        (b"9" * 10_000, "invalid_json"),
        (b"null", "wrong_type"),
        (b"[]", "wrong_type"),
        (b'"text"', "wrong_type"),
        (b"{}", "required"),
        (b'{"name": "bear", "size": 1e999}', "wrong_type"),
        (b'{"name": "bear", "size": 1.5}', "wrong_type"),
        (b'{"name": "bear", "size": true}', "wrong_type"),
    ],
)
async def test_a_bad_body_is_invalid_input(toys: httpx.AsyncClient, caller: Caller, body: bytes, code: str) -> None:
    answer = await toys.post("/v1/toys", content=body, headers={**caller.headers, **JSON})

    assert answer.status_code == 400, answer.text
    assert code in {error["code"] for error in answer.json()["errors"]}


async def test_colons_and_quotes_inside_strings_are_no_fields(toys: httpx.AsyncClient, caller: Caller) -> None:
    name = 'a: "b": \\ {c: d} 🐻'

    answer = await toys.post("/v1/toys", json={"name": name, "size": 1}, headers=caller.headers)

    assert (answer.status_code, answer.json()["name"]) == (201, name)


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/toy+json"]
)
async def test_json_goes_by_several_names(toys: httpx.AsyncClient, caller: Caller, media_type: str) -> None:
    headers = {**caller.headers, "Content-Type": media_type}

    answer = await toys.post("/v1/toys", content=b'{"name": "bear", "size": 1}', headers=headers)

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "text/json", "application/x-www-form-urlencoded", "json", "application/jsonx"]
)
async def test_what_is_not_declared_as_json_is_refused(
    toys: httpx.AsyncClient, caller: Caller, media_type: str
) -> None:
    headers = {**caller.headers, "Content-Type": media_type}

    answer = await toys.post("/v1/toys", content=b'{"name": "bear", "size": 1}', headers=headers)

    assert (answer.status_code, answer.headers["Accept"]) == (415, "application/json")


async def endless(stopped: asyncio.Event) -> AsyncIterator[bytes]:
    try:
        while True:
            yield b" " * 65_536
    finally:
        stopped.set()


async def test_an_endless_body_is_cut_off(toys: httpx.AsyncClient, caller: Caller) -> None:
    stopped = asyncio.Event()

    answer = await toys.post("/v1/toys", content=endless(stopped), headers={**caller.headers, **JSON})

    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")


async def test_a_body_of_ten_megabytes_is_refused_unread(toys: httpx.AsyncClient, caller: Caller) -> None:
    answer = await toys.post("/v1/toys", content=b"x" * 10_000_000, headers={**caller.headers, **JSON})

    assert answer.status_code == 413


async def test_a_body_may_have_all_that_is_allowed(toys: httpx.AsyncClient, caller: Caller, parts: ApiContext) -> None:
    body = b'{"name": "bear", "size": 1}'.ljust(parts.settings.max_body_bytes)

    answer = await toys.post("/v1/toys", content=body, headers={**caller.headers, **JSON})

    assert answer.status_code == 201


async def test_a_body_that_does_not_arrive_is_not_waited_for(
    settings: Settings,
    database: Database,
    queue_backend: QueueBackend,
    registry: JobRegistry,
    secret_box: SecretBox,
    caller: Caller,
) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    hasty = make_parts(settings, database, queue_backend, registry, secret_box, body_timeout=0.05)
    async with client_of(hasty) as client:
        answer = await client.post("/v1/toys", content=stuck(), headers={**caller.headers, **JSON})

    assert (answer.status_code, answer.json()["code"]) == (408, "request_timeout")


async def test_strangers_meet_the_same_limits(toys: httpx.AsyncClient) -> None:
    send: Callable[[bytes], Awaitable[httpx.Response]] = lambda body: toys.post(  # noqa: E731
        "/v1/toys/strangers", content=body, headers=JSON
    )

    assert (await send(b'{"name": "bear", "size": 1}')).status_code == 200
    assert (await send(b"[" * 100_000)).status_code == 400
    assert (await send(b" " * 2_000_000)).status_code == 413
