"""The real API behind the real HTTP server, in a thread with an event loop of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import uvicorn

from leadflood.api.app import create_app
from leadflood.api.parts import ApiParts
from leadflood.cli.server import BoundedHttp

T = TypeVar("T")
Parts = Callable[[], Coroutine[Any, Any, ApiParts]]


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@dataclass(frozen=True)
class Served:
    """A server that answers at `url`."""

    url: str
    parts: ApiParts
    _loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the server's own loop and connections, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@contextmanager
def served(make_parts: Parts) -> Iterator[Served]:
    """Serve until leaving. `make_parts` runs on the server's loop; its database and carrier are closed at the end."""
    started: Future[tuple[_Server, ApiParts, asyncio.AbstractEventLoop]] = Future()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(_serve(make_parts, listener, started)))
        thread.start()
        server, parts, loop = started.result()
        server.ready.wait()
        try:
            yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", parts, loop)
        finally:
            server.should_exit = True
            thread.join()


async def _serve(
    make_parts: Parts,
    listener: socket.socket,
    started: "Future[tuple[_Server, ApiParts, asyncio.AbstractEventLoop]]",
) -> None:
    parts = await make_parts()
    options: dict[str, Any] = {"http": BoundedHttp, "ws": "none", "lifespan": "off", "log_config": None}
    server = _Server(uvicorn.Config(create_app(parts), access_log=False, log_level="error", **options))
    started.set_result((server, parts, asyncio.get_running_loop()))
    try:
        await server.serve(sockets=[listener])
    finally:
        await parts.carrier.close()
        await parts.database.close()
