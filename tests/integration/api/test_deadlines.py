"""A request ends by its deadline, whatever it waits for; what has limits of its own goes on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx

from leadflood.api.context import ApiContext
from leadflood.kernel.db.database import Database
from tests.support.api import Caller, Gate, client_of, toys_made

TOY = {"name": "bear", "size": 3}


def hurried(parts: ApiContext, seconds: float) -> ApiContext:
    """An API whose requests have so long."""
    return replace(parts, settings=parts.settings.model_copy(update={"request_timeout_seconds": seconds}))


async def test_a_request_over_its_deadline_has_no_effect_and_can_be_sent_again(
    parts: ApiContext, toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    headers = {**caller.headers, "Idempotency-Key": "k"}
    async with client_of(hurried(parts, 1e-6)) as client:
        answers = [
            await client.post("/v1/toys", json=TOY, headers=headers),
            await client.post("/v1/leads", json={"email": "ada@acme.com"}, headers=headers),
            await client.get("/v1/leads", headers=headers),
        ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(503, "deadline_exceeded")}
    assert {answer.headers["Retry-After"] for answer in answers} == {"2"}
    assert await toys_made(database, caller.workspace_id) == []
    again = await toys.post("/v1/toys", json=TOY, headers=headers)
    assert (again.status_code, await toys_made(database, caller.workspace_id)) == (201, ["bear"])


async def test_streams_and_uploads_go_on_while_a_request_beside_them_ends_by_its_deadline(
    parts: ApiContext, caller: Caller, database: Database
) -> None:
    late: list[httpx.Response] = []

    async def around(client: httpx.AsyncClient, first: bytes, last: bytes) -> AsyncIterator[bytes]:
        """A body that takes longer than another request has."""
        yield first
        late.append(await client.post("/v1/toys/waits", headers=caller.headers))
        yield last

    async with client_of(hurried(parts, 2), Gate()) as client:

        async def send(path: str, kind: str, first: bytes, last: bytes) -> httpx.Response:
            headers = {**caller.headers, "Content-Type": kind}
            return await client.post(path, content=around(client, first, last), headers=headers)

        streamed, imported, created = await asyncio.gather(
            send("/v1/leads/stream", "application/x-ndjson", b'{"email": "a@acme.com"}\n', b'{"email": "b@acme.com"}'),
            send("/v1/imports?filename=a.csv", "text/csv", b"email\nada@acme.com\n", b"grace@acme.com\n"),
            send("/v1/toys", "application/json", b'{"name": "bear", ', b'"size": 3}'),
        )

    assert [answer.status_code for answer in late] == [503] * 3
    assert '"created":2' in streamed.text.splitlines()[-1]
    assert (imported.status_code, created.status_code) == (201, 201)
    assert await toys_made(database, caller.workspace_id) == ["bear"]
