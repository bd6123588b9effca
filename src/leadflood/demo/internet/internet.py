"""The small internet as a whole: name server, web server and authority, started together."""

import asyncio
import ssl
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from leadflood.demo.internet import registers
from leadflood.demo.internet.authority import Authority
from leadflood.demo.internet.dialer import LoopbackDialer
from leadflood.demo.internet.dns_server import DnsServer, Zone
from leadflood.demo.internet.faults import CERTIFICATES, DOMAIN, serve_fault, zone_of_faults
from leadflood.demo.internet.http_server import Handler, HttpServer, Received, SitePage
from leadflood.demo.internet.place import HTTP, HTTPS, DemoPlace
from leadflood.demo.internet.sites import page_of, zone_of_companies
from leadflood.kernel.door.certificates import new_ssl_context
from leadflood.kernel.door.resolver import Resolver


class Internet:
    """Servers on the loopback interface. Use as an asynchronous context manager."""

    def __init__(
        self, zone: Zone | None = None, handler: Handler | None = None, *, place: DemoPlace | None = None
    ) -> None:
        """Args: zone: more names than those of the faults. handler: serves their hosts. place: for other processes."""
        self._place = place
        self.zone = zone_of_faults() if zone is None else zone.joined(zone_of_faults())
        self._handler = handler or _not_found
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        place = self._place
        if place is None:
            folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="leadflood-internet-"))
            place = DemoPlace(0, 0, 0, Path(folder))
        self.authority = Authority(place.folder)
        self.dns = await self._stack.enter_async_context(DnsServer(self.zone, port=place.dns))
        self.http = await self._stack.enter_async_context(
            HttpServer(self._serve, self._context_of, ports=(place.http, place.https))
        )
        self.dialer = LoopbackDialer({HTTP: self.http.port, HTTPS: self.http.tls_port})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    @property
    def resolver(self) -> Resolver:
        """Resolver that asks the name server."""
        return Resolver([("127.0.0.1", self.dns.port)])

    @property
    def ssl_context(self) -> Callable[[], ssl.SSLContext]:
        """Factory of TLS contexts that trust the authority, and no other."""
        return lambda: new_ssl_context(self.authority.certificates)

    async def _serve(self, request: Received, writer: asyncio.StreamWriter) -> SitePage | None:
        name = request.host.partition(":")[0]
        if name.endswith(f".{DOMAIN}"):
            return await serve_fault(request, writer)
        return await self._handler(request, writer)

    def _context_of(self, name: str) -> ssl.SSLContext:
        if name not in self._contexts:
            self._contexts[name] = self.authority.context_of(name, CERTIFICATES.get(name))
        return self._contexts[name]


async def _not_found(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(b"Not found", 404, content_type="text/plain")


MAIL_PROVIDERS: Final = {
    "gmail.com": "gmail-smtp-in.l.google.com",
    "gmx.de": "mx00.gmx.net",
    "outlook.com": "outlook-com.olc.protection.outlook.com",
    "yahoo.com": "mta5.am0.yahoodns.net",
}
"""Providers of mailboxes for the public, with their mail servers."""


def demo_zone() -> Zone:
    """Names of the demo's companies and registers, and of providers of mailboxes."""
    records: dict[tuple[str, str], tuple[str, ...]] = {(host, "A"): (registers.ADDRESS,) for host in registers.HOSTS}
    records |= {(name, "MX"): (f"10 {server}.",) for name, server in MAIL_PROVIDERS.items()}
    return zone_of_companies().joined(Zone(records))


async def demo_handler(request: Received, writer: asyncio.StreamWriter) -> SitePage:
    """Response of a company's website or of a register."""
    return registers.register_page(request) or page_of(request) or await _not_found(request, writer)
