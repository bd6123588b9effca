"""The door with its real dialer, in a network namespace: `unshare -rn python -m tests.support.namespace_door`.

The public-looking addresses are those of the namespace's loopback interface, and so are a private one and listeners on
127.0.0.1 and ::1, which nothing may reach. Prints what happened as JSON.
"""

import asyncio
import fcntl
import json
import socket
import struct
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote

from leadflood.demo.internet.authority import Authority
from leadflood.demo.internet.dns_server import DnsServer
from leadflood.demo.internet.faults import ADDRESS, DOMAIN, serve_fault, zone_of_faults
from leadflood.demo.internet.http_server import HttpServer
from leadflood.kernel.door.certificates import new_ssl_context
from leadflood.kernel.door.door import Door, DoorParts
from leadflood.kernel.door.errors import DoorError, TargetRefused
from leadflood.kernel.door.features import LIMITS, Feature
from leadflood.kernel.door.resolver import Resolver

# Requests and flags of netdevice(7).
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, IFF_UP = 0x8913, 0x8914, 0x8916, 1
PRIVATE = "10.1.2.3"
HOSTS = ("127.0.0.1", "::1", PRIVATE)
URLS = [
    *(
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://[::1]/",
        "http://localhost/",
        f"http://{PRIVATE}/",
    ),
    *("http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://0177.0.0.1/"),
    *(
        f"http://{name}.{DOMAIN}/"
        for name in ("loopback", "private", "private-ipv6", "mapped", "half-private", "nat64")
    ),
]


def prepare_loopback(addresses: Sequence[str]) -> None:
    """Bring the loopback interface up, and add addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14s", b"lo", 0, b"")
        (_, flags, _) = struct.unpack("16sH14s", fcntl.ioctl(control, SIOCGIFFLAGS, request))
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", flags | IFF_UP, b""))
        for number, address in enumerate(addresses):
            name = f"lo:{number + 1}".encode()
            packed = struct.pack("16sH2s4s8s", name, socket.AF_INET, b"", socket.inet_aton(address), b"")
            fcntl.ioctl(control, SIOCSIFADDR, packed)


async def _catch(caught: list[str], at: str, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    caught.append(at)
    writer.close()


async def user_agent() -> str:
    return "LeadFlood/0"


async def attack(door: Door) -> tuple[int, int]:
    """Numbers of requests that were refused and that were not."""
    refused = let_through = 0
    for feature in Feature:
        for url in URLS:
            wanted = url.replace("http:", "https:") if LIMITS[feature].ports == {443} else url
            starts = [wanted]
            if feature is Feature.WEBSITE:
                starts += [f"http://redirect-to.{DOMAIN}/?to={quote(url, safe='')}&status={s}" for s in (302, 307, 308)]
            for start in starts:
                try:
                    await door.request(feature, "GET", start, seconds=5)
                except TargetRefused:
                    refused += 1
                else:
                    let_through += 1
    return refused, let_through


async def main() -> None:
    """Run the attacks."""
    prepare_loopback([ADDRESS, PRIVATE])
    caught: list[str] = []
    for host in HOSTS:
        for port in (80, 443, 25):
            await asyncio.start_server(partial(_catch, caught, f"{host} {port}"), host, port)
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        async with (
            DnsServer(zone_of_faults()) as names,
            HttpServer(serve_fault, authority.context_of, host=ADDRESS, ports=(80, 443)),
        ):
            door = Door(
                DoorParts(
                    user_agent,
                    gate=None,
                    hosts=None,
                    resolver=Resolver([("127.0.0.1", names.port)]),
                    ssl_context=lambda: new_ssl_context(authority.certificates),
                )
            )
            page = await door.request(Feature.WEBSITE, "GET", f"https://good.{DOMAIN}/")
            refused, let_through = await attack(door)
            try:
                await door.request(Feature.WEBSITE, "GET", f"http://rebinding.{DOMAIN}/")
                await door.request(Feature.WEBHOOK, "GET", f"http://rebinding.{DOMAIN}/")
                let_through += 1
            except DoorError:
                refused += 1
            await door.aclose()
    answered = {"status": page.status, "address": str(page.address)}
    print(json.dumps({"page": answered, "refused": refused, "letThrough": let_through, "caught": caught}))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
