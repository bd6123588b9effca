"""The HTTP server: uvicorn with our limits, logs and shutdown."""

import asyncio
import resource
import signal
import socket
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from leadflood.api.errors import PROBLEM_TYPE, BadRequest, problem_body
from leadflood.cli.garbage import keep_all_objects
from leadflood.kernel.crypto import trace_hex
from leadflood.kernel.public_url import url_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 100
HEAD_SECONDS = 20.0
KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 25
DRAIN_SECONDS = 5.0
"""How long the rest of a body is read after the response, so that the client can read that response."""
DRAIN_BYTES = 32 * 1024 * 1024
"""Size limit for that: twice the default body limit. If the connection is closed earlier, the response is lost."""
READ_SECONDS = 30.0
"""Seconds for which a client may stop reading its response before the connection is closed."""
MAX_CONNECTIONS = 4000
"""Per process. With 64 KiB of unfinished headers each, they take 256 MB."""
SPARE_FILES = 200
"""File descriptors reserved for everything other than connections."""

_log = structlog.get_logger()


class _Nothing(list[tuple[bytes, bytes]]):
    """Trailers, which are ignored."""

    def append(self, _: tuple[bytes, bytes]) -> None:
        """Discard the header."""


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol, with an end to everything that a client may leave unfinished.

    - A head is complete within 20 s of its connection, or of its first byte. So are blank lines before it.
    - A head, and what surrounds the body in chunked coding (sizes, extensions, trailers), has at most 64 KiB without a
      byte of the body in between. Over the limits the connection ends with 400.
    - The rest of a body is read for a few seconds after its answer, then the connection ends.
    - A client that stops reading its answer for 30 s loses the connection.
    - Where all connections are taken, a new one displaces the longest idle one of the address that has most.

    How long a body may take is the business of what reads it: `kernel.request_bodies`.
    """

    connection_limit = 0
    """Maximum connections of this process; 0: no limit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  uvicorn's own
        super().__init__(*args, **kwargs)
        self._unfinished = 0
        self._in_body = False
        self._to_drain = DRAIN_BYTES
        self.idle_since = 0.0
        self._deadline: asyncio.TimerHandle | None = None
        self._read_deadline: asyncio.TimerHandle | None = None

    @property
    def address(self) -> str:
        """Address of the client, or of the proxy in front of it."""
        return self.client[0] if self.client else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        """Start the timeout for the first request."""
        super().connection_made(transport)
        self.idle_since = self.loop.time()
        if 0 < self.connection_limit < len(self.connections):
            self._close_longest_idle()
        self._start_clock(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timeout."""
        self._stop_clock()
        self._stop_read_clock()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Start of a request's headers."""
        super().on_message_begin()
        self._start_clock(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """End of a request's headers."""
        self._stop_clock()
        self._unfinished, self._in_body, self._to_drain = 0, True, DRAIN_BYTES
        if len(self.headers) > MAX_HEADERS:
            raise ValueError("too many headers")  # the parser then ends the request with 400
        super().on_headers_complete()
        self.headers = _Nothing()  # trailers, which are ignored

    def on_body(self, body: bytes) -> None:
        """A piece of a request's body."""
        super().on_body(body)
        self._unfinished = 0
        if self.cycle.response_complete:
            self._to_drain -= len(body)
            if self._to_drain < 0:
                self.transport.close()

    def on_message_complete(self) -> None:
        """End of a request."""
        super().on_message_complete()
        self._stop_clock()
        self._unfinished, self._in_body = 0, False

    def on_response_complete(self) -> None:
        """End of a response."""
        super().on_response_complete()
        self.idle_since = self.loop.time()
        if self._in_body and self.cycle.response_complete and not self.transport.is_closing():
            self._start_clock(DRAIN_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Process bytes from the client."""
        self._unfinished += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._unfinished > MAX_HEAD_BYTES:
            self.send_400_response("The request's head is too large.")
        elif self._deadline is None and self.idle:
            self._start_clock(HEAD_SECONDS)  # only blank lines arrived, and they stopped uvicorn's own timeout

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        super().pause_writing()
        self._read_deadline = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._stop_read_clock()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer invalid HTTP with a problem document, like every error, and close the connection."""
        if self.cycle is None or not (self._in_body and self.cycle.response_started):
            request_id = trace_hex(16)
            body = problem_body(BadRequest(msg), instance="", request_id=request_id)
            head = (
                f"HTTP/1.1 400 Bad Request\r\nContent-Type: {PROBLEM_TYPE}\r\nContent-Length: {len(body)}\r\n"
                f"X-Content-Type-Options: nosniff\r\nX-Request-Id: {request_id}\r\nConnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()

    @property
    def idle(self) -> bool:
        """Whether the connection is idle."""
        return self.cycle is None or self.cycle.response_complete

    def _close_longest_idle(self) -> None:
        ours = [connection for connection in self.connections if isinstance(connection, BoundedHttp)]
        [(address, _)] = Counter(item.address for item in ours).most_common(1)
        idle = [item for item in ours if item.idle]
        of_most = [item for item in idle if item.address == address]
        longest = min(of_most or idle, key=lambda item: item.idle_since, default=self)
        longest.transport.abort()

    def _start_clock(self, seconds: float) -> None:
        self._stop_clock()
        self._deadline = self.loop.call_later(seconds, self.transport.close)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_read_clock(self) -> None:
        if self._read_deadline is not None:
            self._read_deadline.cancel()
            self._read_deadline = None


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # uvicorn would raise the signal again after a clean stop, which must end with exit code 0.
        yield

    def stop(self) -> None:
        """Finish in-flight requests; the second call drops them."""
        self._on_stop()
        self.force_exit = self.should_exit
        self.should_exit = True


def raise_file_limit() -> int:
    """Raise the limit of open files as far as needed and allowed. Returns the limit."""
    needed = MAX_CONNECTIONS + SPARE_FILES
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = needed if hard_limit == resource.RLIM_INFINITY else min(hard_limit, needed)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard_limit))
    return allowed


async def serve(app: "ASGIApp", listener: socket.socket, *, on_stop: Callable[[], None]) -> None:
    """Serve requests until SIGINT or SIGTERM; in-flight requests then have up to 25 seconds.

    Args: on_stop: called at the signal, to end what does not end by itself, such as live streams.
    """
    config = uvicorn.Config(
        app,
        http=BoundedHttp,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    BoundedHttp.connection_limit = raise_file_limit() - SPARE_FILES
    keep_all_objects()
    server = _Server(config, on_stop)
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, server.stop)
    host, port = listener.getsockname()[:2]
    _log.info("api.started", url=url_of(host, port))
    await server.serve(sockets=[listener])
    _log.info("api.stopped")
