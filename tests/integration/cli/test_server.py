import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from leadflood.cli import server
from leadflood.cli.listener import PortInUse, listen
from leadflood.cli.server import MAX_HEAD_BYTES, MAX_HEADERS, BoundedHttp, serve
from tests.support.waiting import soon, turns


async def hello(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
    if scope["path"] == "/endless":
        await endless(receive, send)
        return
    if scope["path"] == "/patient":
        while (await receive()).get("more_body"):
            pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


endless_ended = asyncio.Event()


async def endless(receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
    await receive()
    gone = asyncio.ensure_future(receive())
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while not gone.done():
        await send({"type": "http.response.body", "body": bytes(65_536), "more_body": True})
        await turns(1)
    endless_ended.set()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listener = listen("127.0.0.1", 0)
    number: int = listener.getsockname()[1]
    serving = asyncio.create_task(serve(hello, listener, on_stop=lambda: None))
    yield number
    os.kill(os.getpid(), signal.SIGTERM)  # as an operator stops it; it ends in peace and does not die of it
    await serving


async def answer(port: int, *parts: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    writer.write_eof()
    received = await reader.read()
    writer.close()
    return received


async def test_a_request_of_ordinary_size_is_answered_without_naming_the_server(port: int) -> None:
    received = await answer(port, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 200")
    assert b"server:" not in received.lower()


async def test_a_head_that_does_not_end_is_refused(port: int) -> None:
    received = await answer(port, b"GET / HTTP/1.1\r\nhost: a\r\nx: ", b"y" * (MAX_HEAD_BYTES + 1))

    assert received.startswith(b"HTTP/1.1 400")


async def test_too_many_headers_are_refused(port: int) -> None:
    received = await answer(port, b"GET / HTTP/1.1\r\n", b"x: y\r\n" * (MAX_HEADERS + 1), b"\r\n")

    assert received.startswith(b"HTTP/1.1 400")


GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
CHUNKED = b"POST /patient HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"


async def drip(port: int, start: bytes, piece: bytes) -> bytes:
    """Send a piece again and again until the connection ends; what was answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(start)
    received, more = b"", b"."
    while more:
        try:
            async with asyncio.timeout(0.01):
                more = await reader.read(65_536)
                received += more
        except TimeoutError:
            writer.write(piece)
        except ConnectionError:
            more = b""
    writer.close()
    return received


async def test_a_head_that_drips_ends_at_its_deadline_whatever_came_before(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.1)
    for start, piece, answers in (
        (b"", b"", 0),
        (b"", b"\r\n", 0),
        (b"GET / HTTP/1.1\r\n", b"x: y\r\n", 0),
        (GET, b"\r\n", 1),
        (GET + b"GET / HTTP/1.1\r\n", b"x: y\r\n", 1),
        (GET + GET, b"\r\n", 2),
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n", b"\r\n", 1),
    ):
        received = await soon(drip(port, start, piece))
        assert (received.count(b"HTTP/1.1 200"), received.count(b"HTTP/1.1")) == (answers, answers), (start, piece)


async def test_what_surrounds_a_body_has_an_end(port: int) -> None:
    for start, piece in (
        (CHUNKED + b"1;", b"extension" * 1000),
        (CHUNKED + b"0\r\n", b"x: trailer\r\n" * 1000),
        (CHUNKED + b"0\r\nx: ", b"trailer" * 1000),
        (b"", b"\r\n" * 4000),
    ):
        received = await soon(drip(port, start, piece))
        assert received == b"" or received.startswith(b"HTTP/1.1 400"), start
    received = await answer(port, CHUNKED + b"1;ext=1\r\na\r\n0\r\nx: trailer\r\nconnection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200")


async def test_a_client_that_does_not_read_its_answer_loses_the_connection(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "READ_SECONDS", 0.1)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET.replace(b"/ ", b"/endless ", 1))

    await soon(endless_ended.wait())
    writer.close()


async def test_only_processes_that_both_say_so_share_a_port() -> None:
    with listen("127.0.0.1", 0, shared=True) as first:
        port = first.getsockname()[1]
        with listen("127.0.0.1", port, shared=True) as second:
            assert second.getsockname() == first.getsockname()
        with pytest.raises(PortInUse):
            listen("127.0.0.1", port)


async def test_the_rest_of_a_body_is_not_read_for_ever_after_its_answer(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000000\r\n\r\n"
    monkeypatch.setattr(server, "DRAIN_SECONDS", 0.05)
    reader, dripping = await asyncio.open_connection("127.0.0.1", port)
    dripping.write(head)
    assert (await reader.read()).startswith(b"HTTP/1.1 200")  # and then the end of the connection
    dripping.close()

    monkeypatch.setattr(server, "DRAIN_SECONDS", 3600)
    reader, flooding = await asyncio.open_connection("127.0.0.1", port)
    flooding.write(head)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")

    async def flood() -> None:
        while True:
            flooding.write(b"x" * 65_536)
            await flooding.drain()

    with pytest.raises(ConnectionError):
        await flood()
    flooding.close()


async def test_the_answer_to_a_large_body_that_nobody_read_reaches_its_sender(port: int) -> None:
    size = 20_000_000
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % size)
    for _ in range(size // 100_000):
        writer.write(bytes(100_000))
        await writer.drain()
    writer.write(GET)

    for _ in range(2):
        assert (await soon(reader.readuntil(b"\r\n\r\n"))).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_a_connection_goes_on_after_a_body_that_nobody_read(port: int) -> None:
    request = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(request)
        assert await reader.readuntil(b"\r\n\r\n")
        writer.write(b"abc")
    writer.close()


async def test_new_connections_displace_those_that_send_nothing(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedHttp, "connection_limit", 5)
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
    received = await answer(port, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 200")
    assert await silent[0][0].read() == b""
    for _, writer in silent:
        writer.close()


async def test_an_address_with_many_connections_displaces_its_own(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedHttp, "connection_limit", 5)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
    greedy = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]

    for displaced, _ in greedy[:4]:
        assert await soon(displaced.read()) == b""
    writer.write(GET)

    assert (await soon(reader.readline())).startswith(b"HTTP/1.1 200")
    for _, item in [(reader, writer), *greedy]:
        item.close()
