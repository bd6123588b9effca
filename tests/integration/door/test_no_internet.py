"""A server without a connection to the internet says so, and blames no domain for it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from leadflood.demo.internet.dns_server import DnsFault, DnsServer, Zone
from leadflood.domains.enrichment.engine.fetching import NO_INTERNET_WAIT, failure_of
from leadflood.domains.enrichment.models import Busy
from leadflood.kernel.door.dialer import InternetDialer
from leadflood.kernel.door.door import Door, DoorParts
from leadflood.kernel.door.errors import LookupFailed, NameNotFound, NoInternet
from leadflood.kernel.door.features import Feature
from leadflood.kernel.door.hosts import MemoryHosts
from leadflood.kernel.door.resolver import RecordType, Resolver
from tests.support.small_internet import user_agent


@dataclass(slots=True)
class Unconnected(Zone):
    """A zone whose server says that no name exists."""

    def knows(self, name: str) -> bool:
        return False


@pytest.mark.parametrize("faults", [{}, {"acme.com": DnsFault.SERVFAIL, "com": DnsFault.SERVFAIL}])
async def test_name_servers_that_know_no_top_level_domain_have_no_connection(faults: dict[str, DnsFault]) -> None:
    zone = Unconnected({}, faults=faults)
    async with DnsServer(zone) as server:
        resolver = Resolver([("127.0.0.1", server.port)])
        with pytest.raises(NoInternet, match="no connection to the internet"):
            await resolver.lookup("acme.com", RecordType.MX)
        asked = zone.asked.total()
        with pytest.raises(NoInternet):
            await resolver.lookup("other.org", RecordType.A)

    assert zone.asked.total() == asked, "it was not asked again at once"


async def test_a_domain_that_does_not_exist_is_told_from_it() -> None:
    zone = Zone({}, faults={"broken.com": DnsFault.SERVFAIL})
    async with DnsServer(zone) as server:
        resolver = Resolver([("127.0.0.1", server.port)])
        for _ in range(2):
            with pytest.raises(NameNotFound):
                await resolver.lookup("nothing.com", RecordType.MX)
        with pytest.raises(LookupFailed) as failed:
            await resolver.lookup("broken.com", RecordType.MX)

    assert not isinstance(failed.value, NoInternet)
    assert zone.asked["com", "NS"] == 1, "the answer is kept"


async def test_a_top_level_domain_that_the_internet_does_not_have_says_nothing() -> None:
    async with DnsServer(Unconnected({})) as server:
        with pytest.raises(NameNotFound):
            await Resolver([("127.0.0.1", server.port)]).lookup("server.intranet", RecordType.A)


async def test_the_rules_of_a_site_are_not_held_against_it() -> None:
    hosts = MemoryHosts()
    async with DnsServer(Unconnected({})) as server:
        resolver = Resolver([("127.0.0.1", server.port)])
        door = Door(DoorParts(user_agent, gate=None, hosts=hosts, resolver=resolver, dialer=InternetDialer()))
        with pytest.raises(NoInternet):
            await door.request(Feature.WEBSITE, "GET", "https://acme.com/")
        await door.aclose()

    assert (await hosts.site("https://acme.com")).robots is None


def test_it_is_asked_again_later() -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    failure = failure_of(NoInternet(), now)

    assert isinstance(failure, Busy)
    assert failure.until == now + NO_INTERNET_WAIT
