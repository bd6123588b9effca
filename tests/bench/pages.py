"""Server time of each page of a workspace with many leads, and its number of database statements."""

import asyncio
import http.client

from rich.table import Table

from leadflood.bootstrap import build_change_subscriber, build_site, open_platform
from leadflood.domains.identity.contracts import MembershipView
from leadflood.domains.identity.models import Client as Origin
from leadflood.domains.identity.service import sessions
from leadflood.kernel.actor import Role
from leadflood.kernel.clock import monotonic
from leadflood.kernel.config import Settings
from leadflood.web.cookies import SESSION
from tests.bench.contestant import Contestant
from tests.bench.crowded import WORKSPACE, settings_of
from tests.bench.machine import Snapshot
from tests.bench.measure import Failed, Figures, Measured, Sizes, postmaster, rank
from tests.bench.rounds import Results
from tests.support.addresses import pages
from tests.support.crowd import numbered
from tests.support.statements import counted
from tests.support.web import browser_of

LABEL = "pages"
USER, LEAD, FAILED = numbered(2, 1), numbered(3, 42), numbered(3, 7)

WITH_PARAMETERS = (
    "/leads?q=schmidt",
    "/leads?status=failed",
    "/leads?sort=-updatedAt",
    "/leads?country=DE&source=api",
    "/leads?q=anna&status=enriched",
    f"/leads/{LEAD}",
    f"/jobs/{FAILED}",
    "/jobs?status=failed",
)
"""Beside every page that needs no parameter."""

ELSEWHERE = frozenset({"/mail", "/sign-in"})
"""Of development, and of strangers."""


def addresses() -> list[str]:
    """Paths to measure."""
    return [*(rule.path for rule in pages() if "{" not in rule.path and rule.path not in ELSEWHERE), *WITH_PARAMETERS]


def measure(ours: Contestant, sizes: Sizes) -> Measured:
    """Every page one after the other over one connection: p50 and p95 in milliseconds, bytes, statements."""
    settings = settings_of(ours)
    token = asyncio.run(open_session(settings))
    figures: Figures = {}
    with ours.api() as api:
        named = {"api": api, "pg": postmaster(ours.cluster)}
        connection = http.client.HTTPConnection("127.0.0.1", ours.port, timeout=60)
        for address in addresses():
            _get(connection, address, token)
        before = Snapshot.take(named)
        for address in addresses():
            figures |= {f"{address} {name}": value for name, value in _timed(connection, address, token, sizes).items()}
        used = Snapshot.take(named).cores_since(before)
        connection.close()
    figures |= {f"{address} statements": count for address, count in asyncio.run(_statements(settings, token)).items()}
    return figures, used


def table(results: Results, leads: int) -> list[Table]:
    """The results."""
    if not results.has(LABEL):
        return []
    columns = {"p50_ms": "p50 ms", "p95_ms": "p95 ms", "bytes": "bytes", "statements": "statements"}
    found = Table("page", *columns.values(), title=f"Pages of a workspace with {leads:,} leads, one visitor")
    for address in addresses():
        found.add_row(address, *(f"{results.median(LABEL, f'{address} {figure}'):g}" for figure in columns))
    return [found]


async def open_session(settings: Settings) -> str:
    """The token of a browser in which the owner of the large workspace is signed in."""
    membership = MembershipView(id=WORKSPACE, name="Crowd", role=Role.OWNER)
    origin = Origin(ip="127.0.0.1", user_agent="bench", request_id=None)
    async with open_platform(settings, process="bench") as platform, platform.database.system() as tx:
        return (await sessions.start_browser(tx, settings, user_id=USER, workspace=membership, client=origin)).token


def _timed(connection: http.client.HTTPConnection, address: str, token: str, sizes: Sizes) -> Figures:
    times: list[float] = []
    size = 0
    for _ in range(sizes.page_contexts):
        started = monotonic()
        size = _get(connection, address, token)
        times.append((monotonic() - started) * 1000)
    return {"p50_ms": rank(times, 0.5), "p95_ms": rank(times, 0.95), "bytes": size}


def _get(connection: http.client.HTTPConnection, address: str, token: str) -> int:
    """Bytes of the answer. Raises: Failed."""
    connection.request("GET", address, headers={"Cookie": f"{SESSION}={token}", "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status not in {200, 303}:
        raise Failed(f"GET {address} answered {answer.status}.")
    return len(content)


async def _statements(settings: Settings, token: str) -> dict[str, int]:
    """Number of statements of each page, in this process on the same database."""
    found: dict[str, int] = {}
    async with open_platform(settings, process="bench") as platform:
        changes = build_change_subscriber(platform, process="bench")
        async with browser_of(build_site(platform, changes, asyncio.Event())) as browser:
            browser.enter(token)
            for address in addresses():
                with counted(platform.database.pool) as statements:
                    await browser.get(address)
                found[address] = len(statements)
        await changes.close()
    return found
