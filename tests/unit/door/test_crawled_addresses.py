"""Addresses of a site are looked up once for the pages that are read one after the other."""

from dataclasses import replace

from leadflood.kernel.door.addresses import IPAddress, parse_address
from leadflood.kernel.door.connections import KEPT_SECONDS
from leadflood.kernel.door.crawled_addresses import CrawledAddresses
from leadflood.kernel.door.targets import RequestTarget

TARGET = RequestTarget("https", "acme.com", 443, "/")


class Resolving:
    """Finds another address each time."""

    def __init__(self) -> None:
        self.asked: list[RequestTarget] = []

    async def __call__(self, target: RequestTarget) -> tuple[IPAddress, ...]:
        self.asked.append(target)
        address = parse_address(f"25.0.0.{len(self.asked)}")
        assert address is not None
        return (address,)


async def test_an_address_is_kept_as_long_as_connections_are() -> None:
    now, find = [0.0], Resolving()
    crawled = CrawledAddresses(find, clock=lambda: now[0])

    first = await crawled.addresses(TARGET)
    assert await crawled.addresses(replace(TARGET, path="/about")) == first
    assert await crawled.addresses(replace(TARGET, host="www.acme.com")) != first
    now[0] += KEPT_SECONDS

    assert await crawled.addresses(TARGET) != first


async def test_unchecked_addresses_of_an_internal_host_serve_no_other_target() -> None:
    crawled = CrawledAddresses(Resolving())

    internal = await crawled.addresses(replace(TARGET, internal=True))

    assert await crawled.addresses(TARGET) != internal
