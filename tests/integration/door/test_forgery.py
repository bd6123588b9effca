"""Nothing that users or web pages supply leads to this machine or its neighbors."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import quote

import pytest

from leadflood.demo.internet.dns_server import DnsServer, Zone
from leadflood.demo.internet.internet import Internet
from leadflood.kernel.door.dialer import InternetDialer
from leadflood.kernel.door.door import Door, DoorParts
from leadflood.kernel.door.errors import DoorError, TargetRefused
from leadflood.kernel.door.features import LIMITS, Feature
from leadflood.kernel.door.resolver import Resolver
from tests.support.samples import rows
from tests.support.small_internet import user_agent

D = "faults.example"
URLS = [
    *(
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::1]/",
        "http://localhost/",
    ),
    *("http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/", "http://10.1.2.3/", "http://169.254.169.254/"),
    *(f"http://{name}.{D}/" for name in ("loopback", "private", "half-private", "private-ipv6", "mapped", "nat64")),
    *("file:///etc/passwd", f"http://good.{D}:6379/", f"http://user@good.{D}/", f"http://alias-to-loopback.{D}/"),
    "http://metadata.google.internal/",
]


@pytest.mark.parametrize("feature", Feature)
async def test_no_feature_contacts_this_machine(door: Door, internet: Internet, feature: Feature) -> None:
    for url in URLS:
        with pytest.raises(TargetRefused):
            await door.request(
                feature, "GET", url.replace("http:", "https:") if LIMITS[feature].ports == {443} else url
            )

    assert internet.dialer.dialed == []


@pytest.mark.parametrize("url", URLS)
async def test_no_redirect_leads_to_this_machine(door: Door, internet: Internet, url: str) -> None:
    for status in (301, 302, 303, 307, 308):
        start = f"http://redirect-to.{D}/?to={quote(url, safe='')}&status={status}"
        with pytest.raises(TargetRefused):
            await door.request(Feature.WEBSITE, "GET", start)

    assert {str(address) for address, _ in internet.dialer.dialed} == {"25.200.0.1"}


async def test_a_name_whose_address_changes_is_checked_for_each_connection(door: Door, internet: Internet) -> None:
    first = await door.request(Feature.WEBSITE, "GET", f"http://rebinding.{D}/")
    with pytest.raises(TargetRefused):
        await door.request(Feature.WEBHOOK, "GET", f"http://rebinding.{D}/")

    assert first.ok
    assert {str(address) for address, _ in internet.dialer.dialed} == {"25.200.0.1"}


@contextlib.asynccontextmanager
async def traps() -> AsyncIterator[list[str]]:
    """Listeners on loopback; the list gets an entry for each connection."""
    caught: list[str] = []
    servers = []
    for host in ("127.0.0.1", "::1"):
        for port in (80, 443, 25):
            with contextlib.suppress(OSError):  # not root, or in use: the other ones are enough
                servers.append(await asyncio.start_server(partial(_catch, caught, f"{host} {port}"), host, port))
    yield caught
    for server in servers:
        server.close()


async def _catch(caught: list[str], at: str, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    caught.append(at)
    writer.close()


@pytest.mark.samples
async def test_sample_urls_never_reach_a_listener_of_this_machine() -> None:
    known = {}
    for row in rows("ssrf/urls.jsonl"):
        answer = row["expected"].get("dns")
        if answer and row["expected"]["block"]:
            host = row["expected"]["whatwg"][1]
            known[host.lower(), "A"] = (answer,)
    async with DnsServer(Zone(known)) as server, traps() as caught:
        parts = DoorParts(
            user_agent, gate=None, hosts=None, resolver=Resolver([("127.0.0.1", server.port)]), dialer=InternetDialer()
        )
        door = Door(parts)
        refused = 0
        for row in rows("ssrf/urls.jsonl"):
            if not row["expected"]["block"]:
                continue
            for feature in (Feature.WEBSITE, Feature.WEBHOOK, Feature.OIDC):
                with pytest.raises(DoorError):
                    await door.request(feature, "GET", row["input"], seconds=2)
                refused += 1
        await door.aclose()

    assert caught == []
    assert refused > 700


@pytest.mark.samples
async def test_sample_urls_of_companies_are_allowed(internet: Internet) -> None:
    allowed = [row["input"] for row in rows("ssrf/urls.jsonl") if not row["expected"]["block"]]
    known = {}
    for url in allowed:
        host = url.partition("://")[2].partition("/")[0].partition("?")[0]
        known[host, "A"] = ("25.200.0.1",)
    async with DnsServer(Zone(known)) as server:
        parts = DoorParts(
            user_agent,
            gate=None,
            hosts=None,
            resolver=Resolver([("127.0.0.1", server.port)]),
            dialer=internet.dialer,
            ssl_context=internet.ssl_context,
        )
        door = Door(parts)
        replies = [await door.request(Feature.WEBSITE, "GET", url) for url in allowed]
        await door.aclose()

    assert len(replies) > 50
    assert {reply.status for reply in replies} == {404}
