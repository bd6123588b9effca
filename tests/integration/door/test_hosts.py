"""Both stores of hosts keep the same promises: one for all workers, one for a command without a database."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from leadflood.demo.internet.internet import Internet
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.door.door import Door, DoorParts
from leadflood.kernel.door.errors import BrokenResponse, DoorError, NameNotFound, RobotsRefused, RobotsUnknown
from leadflood.kernel.door.features import Feature
from leadflood.kernel.door.hosts import (
    KEPT_SECONDS,
    MAX_WAIT_SECONDS,
    Hosts,
    KnownSite,
    MemoryHosts,
    Spacing,
    StoredRobots,
    host_of,
)
from leadflood.kernel.door.postgres_hosts import PostgresHosts
from leadflood.kernel.door.resolver import RecordType
from leadflood.kernel.hold import EffectsOnHold
from leadflood.kernel.ids import new_id
from tests.support.small_internet import open_door, parts_to, user_agent

D = "faults.example"
BLOCK = sql("INSERT INTO door_blocked_hosts (host) VALUES (:host)")


@pytest.fixture(params=["memory", "postgres"])
def hosts(request: pytest.FixtureRequest) -> Hosts:
    if request.param == "memory":
        return MemoryHosts(blocked=frozenset({"opted-out.example"}))
    return PostgresHosts(request.getfixturevalue("database"))


async def test_requests_to_a_host_are_spaced_and_too_many_are_refused(hosts: Hosts) -> None:
    busy, free = Spacing(f"{new_id().hex}.example", 4.0), Spacing(f"{new_id().hex}.example", 1.0)

    waits = [await hosts.reserve([busy]) for _ in range(3)]
    full = await hosts.reserve([busy, free])
    assert waits[0] == 0
    assert waits[1] == pytest.approx(4, abs=1)
    assert waits[2] == pytest.approx(8, abs=1)
    assert full > MAX_WAIT_SECONDS
    assert await hosts.reserve([busy]) == pytest.approx(full, abs=2)


async def test_workers_that_ask_together_get_a_place_each(database: Database) -> None:
    hosts, spacing = PostgresHosts(database), Spacing(f"{new_id().hex}.example", 1.0)

    waits = sorted(await asyncio.gather(*(hosts.reserve([spacing]) for _ in range(8))))

    assert all(later - earlier > 0.5 for earlier, later in pairwise(waits))


async def test_calls_that_come_together_for_one_address_get_a_place_each(database: Database) -> None:
    hosts, address = PostgresHosts(database), Spacing(f"address {new_id().hex}", 1.0)

    waits = sorted(
        await asyncio.gather(*(hosts.reserve([Spacing(f"{new_id().hex}.example", 1.0), address]) for _ in range(6)))
    )

    assert all(later - earlier > 0.5 for earlier, later in pairwise(waits))


async def test_a_process_reads_a_site_once_in_half_a_minute(database: Database) -> None:
    now, origin = [0.0], f"https://{new_id().hex}.example"
    hosts, other = PostgresHosts(database, clock=lambda: now[0]), PostgresHosts(database)
    await hosts.site(origin)
    await hosts.store_robots(origin, StoredRobots("User-agent: *", reachable=True))
    await other.store_robots(origin, StoredRobots("", reachable=True))
    async with database.system() as tx:
        await tx.execute(BLOCK, {"host": host_of(origin)})

    kept = await hosts.site(origin)
    now[0] += KEPT_SECONDS + 1

    assert kept == KnownSite(blocked=False, robots=StoredRobots("User-agent: *", reachable=True))
    assert await hosts.site(origin) == KnownSite(blocked=True, robots=StoredRobots("", reachable=True))


async def test_a_robots_txt_that_another_process_has_read_is_not_read_again(database: Database) -> None:
    hosts, other, origin = PostgresHosts(database), PostgresHosts(database), f"https://{new_id().hex}.example"
    await hosts.site(origin)
    await other.store_robots(origin, StoredRobots("", reachable=True))

    assert (await hosts.site(origin)).robots == StoredRobots("", reachable=True)


async def test_a_robots_txt_is_kept(hosts: Hosts) -> None:
    origin = f"https://{new_id().hex}.example"
    assert (await hosts.site(origin)).robots is None

    for robots in (StoredRobots("User-agent: *", reachable=True), StoredRobots("", reachable=False)):
        await hosts.store_robots(origin, robots)
        assert (await hosts.site(origin)).robots == robots


async def test_the_owner_of_a_domain_opts_out_for_all_of_its_hosts(hosts: Hosts, database: Database) -> None:
    if isinstance(hosts, PostgresHosts):
        async with database.system() as tx:
            await tx.execute(BLOCK, {"host": "opted-out.example"})

    assert (await hosts.site("https://www.opted-out.example")).blocked
    assert not (await hosts.site("https://not-opted-out.example:8443")).blocked


@pytest.fixture
async def crawler(internet: Internet) -> AsyncIterator[Door]:
    internet.http.received.clear()
    internet.dialer.dialed.clear()
    hosts = MemoryHosts(blocked=frozenset({f"close.{D}"}))
    async with open_door(internet, hosts=hosts) as opened:
        yield opened


async def test_robots_txt_is_read_first_and_obeyed(crawler: Door, internet: Internet) -> None:
    base = f"http://robots-refuse.{D}"
    with pytest.raises(RobotsRefused):
        await crawler.request(Feature.WEBSITE, "GET", f"{base}/private/x")
    assert [item.path for item in internet.http.received] == ["/robots.txt"]

    assert (await crawler.request(Feature.WEBSITE, "GET", f"{base}/private/open")).ok
    assert [item.path for item in internet.http.received] == ["/robots.txt", "/private/open"]
    assert (await crawler.crawl_rules(f"{base}/")).delay == 2


@pytest.mark.parametrize(
    ("host", "first", "then"),
    [
        ("robots-error", RobotsUnknown, RobotsUnknown),
        ("close", RobotsRefused, RobotsRefused),
        ("silent-name", NameNotFound, RobotsUnknown),
        ("no-http", BrokenResponse, RobotsUnknown),
    ],
)
async def test_a_site_whose_robots_txt_fails_or_whose_owner_opted_out_is_left(
    crawler: Door, internet: Internet, host: str, first: type[DoorError], then: type[DoorError]
) -> None:
    with pytest.raises(first):
        await crawler.request(Feature.WEBSITE, "GET", f"http://{host}.{D}/")
    internet.http.received.clear()
    with pytest.raises(then):
        await crawler.request(Feature.WEBSITE, "GET", f"http://{host}.{D}/")
    assert not internet.http.received


async def test_a_redirect_to_a_page_that_robots_txt_excludes_is_refused(crawler: Door) -> None:
    with pytest.raises(RobotsRefused):
        await crawler.request(Feature.WEBSITE, "GET", f"http://redirect-to.{D}/?to=http://robots-refuse.{D}/private/x")


class Closed:
    """A hold that is closed, and how often it was asked."""

    def __init__(self, *, closed: bool) -> None:
        self.closed, self.asked = closed, 0

    async def require_open(self) -> None:
        self.asked += 1
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(answered.set_result, None)
        await answered
        if self.closed:
            raise EffectsOnHold


@pytest.mark.parametrize("closed", [True, False])
async def test_the_hold_is_asked_before_anything_leaves(internet: Internet, closed: bool) -> None:
    internet.dialer.dialed.clear()
    gate = Closed(closed=closed)
    door = Door(parts_to(internet, gate=gate))
    for feature in (Feature.WEBSITE, Feature.WEBSITE, Feature.WEBHOOK, Feature.WEBHOOK):
        if closed:
            with pytest.raises(EffectsOnHold):
                await door.request(feature, "GET", f"http://good.{D}/")
        else:
            await door.request(feature, "GET", f"http://good.{D}/")
    await door.aclose()

    assert gate.asked == (4 if closed else 3)
    assert (internet.dialer.dialed == []) is closed


async def test_calls_that_come_together_ask_the_hold_once(internet: Internet) -> None:
    gate = Closed(closed=False)
    door = Door(DoorParts(user_agent, gate=gate, hosts=None, resolver=internet.resolver, dialer=internet.dialer))

    await asyncio.gather(*(door.lookup(f"good.{D}", RecordType.A) for _ in range(5)))
    await door.aclose()

    assert gate.asked == 1
