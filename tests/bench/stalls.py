"""Stalls of an event loop while 100 hostile websites are read, from the small internet in a process of its own."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from rich.table import Table

from leadflood.demo.internet.faults import DOMAIN
from leadflood.demo.internet.place import demo_parts
from leadflood.domains.enrichment.engine.fetching import DoorFetcher
from leadflood.domains.enrichment.models import Fetcher, Question, SourceFailure, SubjectKind
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.questions import KnownFact
from leadflood.domains.enrichment.registry import PARSER_MODULES
from leadflood.domains.enrichment.sources.website.source import Website
from leadflood.kernel.clock import utc_now
from leadflood.kernel.config import Settings
from leadflood.kernel.door.door import Door, DoorParts
from leadflood.kernel.door.errors import DoorError
from leadflood.kernel.sandbox.pool import Sandbox
from tests.bench.machine import Snapshot
from tests.bench.measure import Figures, Measured, rank
from tests.bench.rounds import Results
from tests.support.processes import Installation, free_port
from tests.support.unspaced import UnspacedHosts

LABEL = "stalls"
WEBSITES = 100
AT_ONCE = 16
FAULTS: Final = ("deep-html", "long-script", "wrong-charset", "gzip-bomb", "deflate-bomb", "broken-gzip", "file",
                 "endless-body", "endless-nothing", "thirty-redirects", "unknown-encoding", "wrong-length")  # fmt: skip
"""Those that send something to read, or to unpack."""
_TICK = 0.002
_SECONDS = 40


def measure(folder: Path) -> Measured:
    """Lateness of the timers of an event loop meanwhile, in milliseconds: p50, p99 and the most."""
    ports = ",".join(str(free_port()) for _ in range(3))
    with Installation(folder / "stalls", demo_internet=ports) as installation:
        server = installation.start("demo-internet")
        server.wait_for("demo_internet.started")
        settings = Settings(home=installation.home, demo_internet=ports)
        before = Snapshot.take(named := {"loop": os.getpid(), "sites": server.pid})
        late = asyncio.run(_read_all(settings))
        used = Snapshot.take(named).cores_since(before)
    figures: Figures = {"p50_ms": rank(late, 0.5), "p99_ms": rank(late, 0.99), "most_ms": round(max(late), 1)}
    return figures, used


def table(results: Results) -> list[Table]:
    """The results."""
    if not results.has(LABEL):
        return []
    title = f"Lateness of timers while {WEBSITES} hostile websites are read, {AT_ONCE} at a time (ms)"
    found = Table("p50", "p99", "most", title=title)
    found.add_row(*(f"{results.median(LABEL, name):g}" for name in ("p50_ms", "p99_ms", "most_ms")))
    return [found]


async def _read_all(settings: Settings) -> Sequence[float]:
    late: list[float] = []
    async with _fetcher(settings) as fetcher:
        places = asyncio.Semaphore(AT_ONCE)

        async def read(number: int) -> None:
            async with places:
                await _read(f"{FAULTS[number % len(FAULTS)]}.{DOMAIN}", fetcher)

        _record(late, asyncio.get_running_loop())
        async with asyncio.TaskGroup() as group:
            for number in range(WEBSITES):
                group.create_task(read(number))
    return late


def _record(late: list[float], loop: asyncio.AbstractEventLoop) -> None:
    """Record how late this timer is, again and again."""
    due = loop.time() + _TICK

    def ring() -> None:
        late.append((loop.time() - due) * 1000)
        _record(late, loop)

    loop.call_at(due, ring)


async def _read(host: str, fetcher: Fetcher) -> None:
    now = utc_now()
    known = {company.DOMAIN: [KnownFact(host, 1.0, host)]}
    wanted = frozenset({company.NAME})
    question = Question(SubjectKind.COMPANY, known, wanted, now, now + timedelta(seconds=_SECONDS))
    with suppress(DoorError, SourceFailure):  # each fault ends in its own
        await Website().ask(question, fetcher)


@asynccontextmanager
async def _fetcher(settings: Settings) -> AsyncIterator[Fetcher]:
    async def user_agent() -> str:
        return "LeadFlood/0 (LeadFloodBot; bench@example.test)"

    parts = demo_parts(settings, DoorParts(user_agent, gate=None, hosts=UnspacedHosts()))
    async with aclosing(Sandbox(processes=2, preload=PARSER_MODULES)) as sandbox, aclosing(Door(parts)) as door:
        yield DoorFetcher(door, sandbox, "bench")
