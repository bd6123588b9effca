"""A proxy between API and PostgreSQL that knows one thing of the protocol: when a COMMIT is in doubt.

It stands in front of the server's Unix socket and passes everything on, but for the transactions whose parameters hold
a marker: there the server's reply to COMMIT is cut off (the server has committed, the API never hears of it), or held
back until the test lets it go. What lies between commit and answer can so be hit every time.
"""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

Mode = Literal["pass", "cut", "hold"]

_PORT = 5432
_CHUNK = 65_536


class CommitProxy:
    """`url` is the address to give to the API. `mode` may change at any time; `cuts` counts."""

    def __init__(self, folder: Path, upstream: Path, marker: bytes) -> None:
        """Args: folder: where to make the socket. upstream: the folder of the server's own. marker: see above."""
        self.folder = folder
        self.mode: Mode = "pass"
        self.cuts = 0
        self.held = threading.Semaphore(0)
        """Released once for each reply that is held back."""
        self.let_go = threading.Event()
        self.sent = b""
        """Bytes of the API in the marked transaction that it committed last."""
        self._upstream = str(upstream / f".s.PGSQL.{_PORT}")
        self._marker = marker
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = [self._listener]

    def url(self, user: str, database: str) -> str:
        """The server's address through this proxy."""
        return f"postgresql://{user}@/{database}?host={self.folder}&port={_PORT}"

    def __enter__(self) -> Self:
        self._listener.bind(str(self.folder / f".s.PGSQL.{_PORT}"))
        self._listener.listen(100)
        self._start(self._accept)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.let_go.set()
        for item in self._sockets:
            _close(item)
        for thread in self._threads:
            thread.join()

    def _start(self, target: "object", *args: object) -> None:
        thread = threading.Thread(target=target, args=args)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._sockets += [client, server]
                try:
                    server.connect(self._upstream)
                except OSError:
                    _close(client)
                    continue
                in_doubt = threading.Event()
                self._start(self._ask, client, server, in_doubt)
                self._start(self._answer, client, server, in_doubt)

    def _ask(self, client: socket.socket, server: socket.socket, in_doubt: threading.Event) -> None:
        """Pass on what the API sends, and see when it commits a marked transaction (a simple query, `Q`)."""
        sent = b""
        with suppress(OSError):
            while data := client.recv(_CHUNK):
                if sent or self._marker in data:
                    sent += data
                if sent and data.startswith(b"Q") and b"COMMIT;" in data:
                    self.sent, sent = sent, b""
                    if self.mode != "pass":
                        in_doubt.set()
                server.sendall(data)
        _close(server)

    def _answer(self, client: socket.socket, server: socket.socket, in_doubt: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(_CHUNK):
                if in_doubt.is_set():
                    if self.mode == "cut":
                        self.cuts += 1
                        break
                    self.held.release()
                    self.let_go.wait()
                    in_doubt.clear()
                client.sendall(data)
        _close(client)
        _close(server)


def _close(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
