"""A web server on the loopback interface for all websites, with and without TLS, that can also misbehave."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Self

_LOOPBACK: Final = "127.0.0.1"
_MAX_HEAD: Final = 64 * 1024
_MAX_BODY: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """A received request. Header names are lower case; `path` includes the query."""

    method: str
    scheme: str
    host: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def url(self) -> str:
        """URL of the request."""
        return f"{self.scheme}://{self.host}{self.path}"


@dataclass(frozen=True, slots=True)
class SitePage:
    """Response of a website."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "text/html; charset=utf-8"

    def encoded(self, *, head_only: bool = False) -> bytes:
        """The response as sent over the connection."""
        headers = {"content-type": self.content_type, **self.headers, "content-length": str(len(self.body))}
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (b"" if head_only else self.body)


Handler = Callable[[Received, asyncio.StreamWriter], Awaitable[SitePage | None]]
"""Returns the response, or None after writing to the connection itself, which is then closed."""


class HttpServer:
    """Serves a handler on two ports. Use as an asynchronous context manager."""

    def __init__(
        self,
        handler: Handler,
        certificate_of: Callable[[str], ssl.SSLContext],
        *,
        host: str = _LOOPBACK,
        ports: tuple[int, int] = (0, 0),
    ) -> None:
        """Args: certificate_of: returns the TLS context for a server name. ports: plain and TLS; 0: any free port."""
        self._handler = handler
        self._certificate_of = certificate_of
        self._host = host
        self.port, self.tls_port = ports
        self.received: list[Received] = []
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        context = self._certificate_of("localhost")
        context.sni_callback = self._choose
        self._plain = await asyncio.start_server(self._plainly, self._host, self.port, limit=_MAX_HEAD)
        self._tls = await asyncio.start_server(
            self._securely, self._host, self.tls_port, limit=_MAX_HEAD, ssl=context, ssl_handshake_timeout=5
        )
        self.port = self._plain.sockets[0].getsockname()[1]
        self.tls_port = self._tls.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._plain.close()
        self._tls.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _choose(self, connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
        connection.context = self._certificate_of((name or "localhost").lower())
        return None

    async def _plainly(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, "http")

    async def _securely(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, "https")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, scheme: str) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            while (request := await _read(reader, scheme)) is not None:
                self.received.append(request)
                page = await self._handler(request, writer)
                if page is None:
                    return
                writer.write(page.encoded(head_only=request.method == "HEAD"))
                await writer.drain()
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        except asyncio.CancelledError:
            return  # the server ends. Before Python 3.12, asyncio reports a cancelled connection as an error.
        finally:
            with contextlib.suppress(ConnectionError):
                writer.close()


async def _read(reader: asyncio.StreamReader, scheme: str) -> Received | None:
    """The next request of a connection; None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    fields = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
    length = min(int(headers.get("content-length", "0") or 0), _MAX_BODY)
    body = await reader.readexactly(length) if length else b""
    return Received(method, scheme, headers.get("host", "").lower(), path, headers, body)
