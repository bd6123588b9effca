"""`POST /v1/leads` at a fixed rate, however slow the answers are: how long they take from when they were due.

A client that waits for one answer before it asks again asks less of a slow server, and so leaves out what is worst
("coordinated omission"). Here every request has its time, and time that it waits for a free connection counts.
"""

import asyncio
import gc
import json
from dataclasses import dataclass, field

from leadflood.kernel.ids import new_id
from tests.bench.contestant import Contestant
from tests.bench.machine import Snapshot
from tests.bench.measure import Figures, Measured, Sizes, postmaster, rank

LABEL = "latency"
PER_SECOND = 500
AIM_P99_MS = 25
MAX_CONNECTIONS = 256
"""More than are ever used at once while the server keeps up."""
_WARM_UP_SECONDS = 2


@dataclass
class Load:
    """Requests at their times, over as many connections as are needed."""

    port: int
    head: bytes
    times: list[float] = field(default_factory=list)
    refused: int = 0
    _free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def run(self, seconds: int) -> None:
        """Send `PER_SECOND` requests a second, for so long, and wait for the last answer."""
        gc.collect()
        gc.disable()  # a pause of ours would count as one of the server's
        try:
            await self._send(seconds * PER_SECOND)
        finally:
            gc.enable()

    async def close(self) -> None:
        """Close all connections."""
        for _, writer in self._free:
            writer.close()
            await writer.wait_closed()

    async def _send(self, requests: int) -> None:
        room = asyncio.Semaphore(MAX_CONNECTIONS)
        begin = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as tasks:
            for number in range(requests):
                due = begin + number / PER_SECOND
                await _until(due)
                tasks.create_task(self._post(due, room))

    async def _post(self, due: float, room: asyncio.Semaphore) -> None:
        lead = {
            "firstName": "Ada",
            "lastName": "Lovelace",
            "email": f"bench-{new_id().hex}@example.com",
            "source": "bench",
        }
        body = json.dumps(lead).encode()
        async with room:
            reader, writer = self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"%bContent-Length: %d\r\n\r\n%b" % (self.head, len(body), body))
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
            self._free.append((reader, writer))
        self.times.append((asyncio.get_running_loop().time() - due) * 1000)
        self.refused += not head.startswith(b"HTTP/1.1 201")


def measure(contestant: Contestant, sizes: Sizes) -> Measured:
    """500 requests a second: p50, p95 and p99 in milliseconds, and how many were not answered with 201."""
    contestant.clean()
    with contestant.api() as api:
        named = {"api": api, "pg": postmaster(contestant.cluster)}
        asyncio.run(_load(contestant, _WARM_UP_SECONDS))
        before = Snapshot.take(named)
        load = asyncio.run(_load(contestant, sizes.latency_seconds))
        used = Snapshot.take(named).cores_since(before)
    figures: Figures = {f"p{share}_ms": rank(load.times, share / 100) for share in (50, 95, 99)}
    figures |= {"max_ms": round(max(load.times), 2), "requests": len(load.times), "non_2xx": load.refused}
    return figures, used


async def _load(contestant: Contestant, seconds: int) -> Load:
    head = (
        f"POST /v1/leads HTTP/1.1\r\nHost: 127.0.0.1:{contestant.port}\r\nAuthorization: Bearer {contestant.token}\r\n"
        "Content-Type: application/json\r\n"
    )
    load = Load(contestant.port, head.encode())
    await load.run(seconds)
    await load.close()
    return load


async def _until(due: float) -> None:
    """Wait until a time of the running loop."""
    loop = asyncio.get_running_loop()
    if due > loop.time():
        reached = loop.create_future()
        loop.call_at(due, reached.set_result, None)
        await reached
