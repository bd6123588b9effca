"""The load of a fixed rate, against a server that answers late."""

import asyncio

from tests.bench.latency import PER_SECOND, Load

HELD = 100


class LateServer:
    """Answers nobody until `HELD` requests are there, then all: every tenth with 503."""

    def __init__(self) -> None:
        self.seen = 0
        self._enough = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            await reader.readexactly(int(head.partition(b"Content-Length: ")[2].split()[0]))
            self.seen += 1
            status = b"503 Service Unavailable" if self.seen % 10 == 0 else b"201 Created"
            if self.seen == HELD:
                self._enough.set()
            await self._enough.wait()
            writer.write(b"HTTP/1.1 %b\r\ncontent-length: 2\r\n\r\n{}" % status)
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


async def test_requests_are_sent_when_they_are_due_and_count_from_then() -> None:
    late = LateServer()
    async with await asyncio.start_server(late.serve, "127.0.0.1", 0) as server:
        load = Load(server.sockets[0].getsockname()[1], b"POST / HTTP/1.1\r\n")
        await load.run(1)
        await load.close()

    assert (late.seen, len(load.times), load.refused) == (PER_SECOND, PER_SECOND, PER_SECOND // 10)
    waited = sorted(load.times, reverse=True)[:HELD]
    milliseconds_between = 1000 / PER_SECOND
    for place, each in enumerate(waited):
        assert each >= (HELD - 1 - place) * milliseconds_between - 1
