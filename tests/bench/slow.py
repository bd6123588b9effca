"""API latency next to hundreds of connections that send their requests byte by byte, and the cost of those."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psutil
from rich.table import Table

from leadflood.kernel.clock import monotonic
from tests.bench.client import Client, repeated
from tests.bench.contestant import Contestant
from tests.bench.labels import OURS
from tests.bench.machine import Snapshot
from tests.bench.measure import Figures, Measured, Sizes, postmaster, rank
from tests.bench.rounds import Results

LABEL = f"slow: {OURS}"
CONNECTIONS = (0, 500)
_EVERY = 0.5
_PER_REQUEST = 0.02
_MIB = 1024 * 1024


def measure(ours: Contestant, sizes: Sizes) -> Measured:
    """A lead and the read of its job in turn: ms; and the memory of the API process: MiB."""
    ours.clean()
    figures: Figures = {}
    with ours.api() as api:
        before = Snapshot.take(named := {"api": api, "pg": postmaster(ours.cluster)})
        for count in CONNECTIONS:
            with _dripping(ours, count):
                times = _timed(ours, sizes.latency_seconds)
                figures[f"{count} api_mib"] = round(psutil.Process(api).memory_info().rss / _MIB, 1)
            figures |= {f"{count} p50_ms": rank(times, 0.5), f"{count} p95_ms": rank(times, 0.95)}
        used = Snapshot.take(named).cores_since(before)
    figures["ratio_p95"] = round(figures[f"{CONNECTIONS[-1]} p95_ms"] / figures["0 p95_ms"], 2)
    return figures, used


def table(results: Results) -> list[Table]:
    """The results."""
    if not results.has(LABEL):
        return []
    title = "One request after the other beside connections that drip heads and bodies (ms, MiB)"
    found = Table("slow connections", "p50", "p95", "API MiB", title=title)
    for count in CONNECTIONS:
        figures = (results.median(LABEL, f"{count} {name}") for name in ("p50_ms", "p95_ms", "api_mib"))
        found.add_row(str(count), *(f"{figure:g}" for figure in figures))
    return [found]


def _timed(ours: Contestant, seconds: float) -> list[float]:
    with closing(Client(ours.port, ours.token)) as client:

        def visit() -> tuple[float, float]:
            started = monotonic()
            job_id = client.create_lead()
            created = monotonic()
            client.job_status(job_id)
            return (created - started) * 1000, (monotonic() - created) * 1000

        return repeated(visit, seconds=seconds, pause=_PER_REQUEST)


@contextmanager
def _dripping(ours: Contestant, count: int) -> Iterator[None]:
    """Open connections, half of them in a request's headers and half in its body; closed ones are opened again."""
    stop = threading.Event()
    opened = [_open(ours, number) for number in range(count)]

    def drip() -> None:
        while not stop.wait(_EVERY):
            for number, connection in enumerate(opened):
                if not _sent(connection):
                    connection.close()
                    opened[number] = _open(ours, number)

    writer = threading.Thread(target=drip)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()
        for connection in opened:
            connection.close()


def _open(ours: Contestant, number: int) -> socket.socket:
    head = f"POST /v1/leads HTTP/1.1\r\nHost: 127.0.0.1:{ours.port}\r\nAuthorization: Bearer {ours.token}\r\n"
    body = "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
    opened = socket.create_connection(("127.0.0.1", ours.port), timeout=60)
    opened.sendall((head + body * (number % 2)).encode())
    return opened


def _sent(connection: socket.socket) -> bool:
    """Whether the server still waits for more, which it was given."""
    with selectors.DefaultSelector() as ready:
        ready.register(connection, selectors.EVENT_READ)
        if ready.select(0):
            return False
    try:
        connection.sendall(b"x")
    except OSError:
        return False
    return True
