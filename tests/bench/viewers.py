"""API latency of one workspace while people watch leads of another one change."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from rich.table import Table

from leadflood.bootstrap import open_platform
from leadflood.domains.identity.contracts import CreateApiKey
from leadflood.domains.identity.service import administration, api_keys
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import monotonic
from leadflood.kernel.config import Settings
from leadflood.web.cookies import SESSION
from tests.bench.client import Client, repeated
from tests.bench.contestant import Contestant
from tests.bench.crowded import copied, settings_of
from tests.bench.machine import Snapshot
from tests.bench.measure import Figures, Measured, Sizes, postmaster, rank
from tests.bench.pages import open_session
from tests.bench.rounds import Results
from tests.support.identity import CLI

LABEL = "viewers"
VIEWERS = (0, 50)
WRITES_PER_SECOND = 10
_PER_VISIT = 0.02
_LIMITS = {"LEADFLOOD_LIVE_STREAMS_PER_PERSON": "1000"}


def measure(crowd: Contestant, sizes: Sizes) -> Measured:
    """One request after the other in a workspace of its own, beside writes and viewers in the large one: ms."""
    figures: Figures = {}
    with copied(crowd) as copy:
        ours = copy.called(copy.name, **_LIMITS)
        settings = settings_of(ours)
        session, key = asyncio.run(open_session(settings)), asyncio.run(_elsewhere(settings))
        with ours.api() as api:
            before = Snapshot.take(named := {"api": api, "pg": postmaster(ours.cluster)})
            for count in VIEWERS:
                with _viewers(ours.port, session, count), _writes(ours):
                    times = _timed(ours.port, key, sizes)
                figures |= {f"{count} p50_ms": rank(times, 0.5), f"{count} p95_ms": rank(times, 0.95)}
            used = Snapshot.take(named).cores_since(before)
    figures["ratio_p50"] = round(figures[f"{VIEWERS[-1]} p50_ms"] / figures["0 p50_ms"], 2)
    return figures, used


def table(results: Results) -> list[Table]:
    """The results."""
    if not results.has(LABEL):
        return []
    title = f"GET /v1/leads of one workspace beside {WRITES_PER_SECOND} writes a second in another with viewers (ms)"
    found = Table("viewers", "p50", "p95", title=title)
    for count in VIEWERS:
        figures = (results.median(LABEL, f"{count} {name}_ms") for name in ("p50", "p95"))
        found.add_row(str(count), *(f"{figure:g}" for figure in figures))
    return [found]


def _timed(port: int, key: str, sizes: Sizes) -> list[float]:
    with closing(Client(port, key)) as client:

        def visit() -> tuple[float]:
            started = monotonic()
            client.call("GET", "/v1/leads?limit=20")
            return ((monotonic() - started) * 1000,)

        return repeated(visit, seconds=sizes.latency_seconds, pause=_PER_VISIT)


@contextmanager
def _viewers(port: int, session: str, count: int) -> Iterator[None]:
    """Open pages, each of which has shown its leads once, read by threads until the end."""
    head = (
        f"GET /leads HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n"
        f"Cookie: {SESSION}={session}\r\n\r\n"
    )
    with ExitStack() as stack:
        for _ in range(count):
            opened = socket.create_connection(("127.0.0.1", port), timeout=60)
            stack.callback(opened.close)
            stack.callback(opened.shutdown, socket.SHUT_RDWR)
            opened.sendall(head.encode())
            seen = b""
            while b"event: parts" not in seen:
                if not (data := opened.recv(65_536)):
                    raise http.client.RemoteDisconnected(seen.decode(errors="replace"))
                seen += data
            threading.Thread(target=_drain, args=(opened,), daemon=True).start()
        yield


def _drain(opened: socket.socket) -> None:
    opened.settimeout(None)
    try:
        while opened.recv(1_000_000):
            pass
    except OSError:
        return  # closed while this thread waited


@contextmanager
def _writes(ours: Contestant) -> Iterator[None]:
    """New leads in the workspace that is watched."""
    stop = threading.Event()

    def write() -> None:
        with closing(Client(ours.port, ours.token)) as client:
            while not stop.wait(1 / WRITES_PER_SECOND):
                client.create_lead()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


async def _elsewhere(settings: Settings) -> str:
    """A key of another workspace."""
    wanted = CreateApiKey.model_validate({"name": "bench", "scopes": [LEADS_READ]})
    async with open_platform(settings, process="bench") as platform:
        database = platform.database
        await administration.create_user(
            database, CLI, email="ada@elsewhere.test", name="Ada", password="nine purple walruses"
        )
        made = await administration.create_workspace(database, CLI, name="Elsewhere", owner_email="ada@elsewhere.test")
        async with database.transaction(made.id) as tx:
            return (await api_keys.create_api_key(tx, Actor.cli(made.id), key=wanted)).token
