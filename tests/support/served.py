"""The real API, or API and pages, behind the real HTTP server, in a thread with an event loop of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import uvicorn

from leadflood.api.app import create_app
from leadflood.api.context import ApiContext
from leadflood.cli.server import BoundedHttp
from leadflood.web.app import WebContext, create_web
from leadflood.web.pipeline import Pages

T = TypeVar("T")
Parts = Callable[[], Coroutine[Any, Any, ApiContext]]
MakeWeb = Callable[[ApiContext], WebContext]


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, web: WebContext | None) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._web = web

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._web is not None:
            self._web.closing.set()  # live streams would never end by themselves
        await super().shutdown(sockets)


@dataclass(frozen=True)
class Served:
    """A server that answers at `url`."""

    url: str
    parts: ApiContext
    _loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the server's own loop and connections, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@contextmanager
def served(make_parts: Parts, make_web: MakeWeb | None = None, *, pages: Sequence[Pages] = ()) -> Iterator[Served]:
    """Serve until leaving. `make_parts` runs on the server's loop; its database and carrier are closed at the end.

    Args:
        make_parts: of the API.
        make_web: of the pages, where they are to be served beside it; their `changes` are closed at the end, too.
        pages: more of them.
    """
    started: Future[tuple[_Server, ApiContext, asyncio.AbstractEventLoop]] = Future()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = _serve(make_parts, make_web, pages, listener, started)
        thread = threading.Thread(target=lambda: asyncio.run(serving))
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
    make_web: MakeWeb | None,
    pages: Sequence[Pages],
    listener: socket.socket,
    started: "Future[tuple[_Server, ApiContext, asyncio.AbstractEventLoop]]",
) -> None:
    parts = await make_parts()
    web = make_web(parts) if make_web else None
    app = create_app(parts, pages=create_web(web, pages) if web else None)
    options: dict[str, Any] = {"http": BoundedHttp, "ws": "none", "lifespan": "off", "log_config": None}
    server = _Server(uvicorn.Config(app, access_log=False, log_level="error", **options), web)
    started.set_result((server, parts, asyncio.get_running_loop()))
    try:
        await server.serve(sockets=[listener])
    finally:
        if web:
            await web.changes.close()
        await parts.queue_backend.close()
        await parts.database.close()
