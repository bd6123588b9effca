"""Hundreds of connections that send their requests byte by byte, over real HTTP, and what others notice of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from leadflood.api.context import ApiContext
from leadflood.cli import server
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id
from tests.support.api import Caller, new_caller
from tests.support.served import Parts, Served, served
from tests.support.site import machine, own_parts
from tests.support.waiting import soon, turns

__all__ = ["machine", "own_parts"]

CONNECTIONS = 500
EVERY = 0.05
PIECE, PIECES = b"x" * 62_500, 320
"""A body of 20 MB, without ever being in memory as a whole."""

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def parts_with(own_parts: Parts) -> Parts:
    async def make() -> ApiContext:
        return replace(await own_parts(), body_timeout=server.HEAD_SECONDS)

    return make


@asynccontextmanager
async def dripping(served_: Served, caller: Caller, count: int) -> AsyncIterator[list[Connection]]:
    """Open connections that send bytes one by one: half of them never end their headers, half their body."""
    url = httpx.URL(served_.url)
    head = f"POST /v1/leads HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nAuthorization: Bearer {caller.token}\r\n"
    body = "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
    opened = [await asyncio.open_connection(url.host, url.port) for _ in range(count)]
    for number, (_, writer) in enumerate(opened):
        writer.write((head + body * (number % 2)).encode())

    async def drip() -> None:
        while True:
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=EVERY)
            for reader, writer in opened:
                if not (reader.at_eof() or reader.exception()):
                    writer.write(b"x")

    going_on = asyncio.create_task(drip())
    try:
        yield opened
    finally:
        going_on.cancel()
        for _, writer in opened:
            writer.transport.abort()
        await turns(2)  # until they are closed: whoever stops the server waits without this loop


async def test_others_are_answered_while_five_hundred_connections_drip(
    parts_with: Parts, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.raise_file_limit()
    monkeypatch.setattr(server, "HEAD_SECONDS", 3600.0)
    slow, other = [await new_caller(database, [LEADS_READ, LEADS_WRITE]) for _ in range(2)]
    with served(parts_with) as started:
        async with dripping(started, slow, CONNECTIONS) as opened, httpx.AsyncClient(base_url=started.url) as client:
            for _ in range(20):
                lead = {"email": f"{new_id().hex}@acme.com"}
                created = await client.post("/v1/leads", json=lead, headers=other.headers)
                assert created.status_code == 201, created.text
                assert (await client.get("/v1/leads", headers=other.headers)).status_code == 200
            assert not [1 for reader, _ in opened if reader.at_eof()]


async def test_a_refusal_reaches_whoever_sends_too_much(parts_with: Parts, database: Database) -> None:
    sender = await new_caller(database, [LEADS_WRITE])

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(PIECES):
            yield PIECE

    with served(parts_with) as started:
        async with httpx.AsyncClient(base_url=started.url) as client:
            for path, headers, status in (
                ("/v1/leads", {}, 401),
                ("/v1/leads", sender.headers, 413),
                ("/v1/leads/batch", sender.headers, 413),
                ("/sign-in", {"Content-Type": "application/x-www-form-urlencoded"}, 404),
            ):
                kind = {"Content-Type": "application/json", "Content-Length": str(PIECES * len(PIECE)), **headers}
                assert (await client.post(path, content=pieces(), headers=kind)).status_code == status


async def test_each_that_drips_is_cut_off(
    parts_with: Parts, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(server, "DRAIN_SECONDS", 0.3)
    slow = await new_caller(database, [LEADS_WRITE])

    async def answer(connection: Connection) -> bytes:
        received = b""
        try:
            while piece := await connection[0].read(65_536):
                received += piece
        except ConnectionError:
            pass
        return received

    with served(parts_with) as started:
        async with dripping(started, slow, 40) as opened:
            answers = await soon(asyncio.gather(*map(answer, opened)))

    assert [item.partition(b"\r\n")[0] for item in answers[1::2]] == [b"HTTP/1.1 408 Request Timeout"] * 20
    assert set(answers[::2]) == {b""}
