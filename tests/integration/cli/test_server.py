import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from leadflood.cli import server
from leadflood.cli.address import PortTaken, listen
from leadflood.cli.server import MAX_HEAD_BYTES, MAX_HEADERS, BoundedHttp, serve


async def hello(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


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


async def test_only_processes_that_both_say_so_share_a_port() -> None:
    with listen("127.0.0.1", 0, shared=True) as first:
        port = first.getsockname()[1]
        with listen("127.0.0.1", port, shared=True) as second:
            assert second.getsockname() == first.getsockname()
        with pytest.raises(PortTaken):
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
