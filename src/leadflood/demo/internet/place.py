"""Place of the small internet that `leadflood up --demo` runs in a process of its own, and the way to it."""

import asyncio
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from leadflood.demo.internet.dialer import DemoInternetRefused, demo_dialer
from leadflood.kernel.config import Settings
from leadflood.kernel.door.certificates import new_ssl_context
from leadflood.kernel.door.dialer import Dialer
from leadflood.kernel.door.door import DoorParts
from leadflood.kernel.door.resolver import Resolver

HTTP: Final = 80
HTTPS: Final = 443
_LOOPBACK: Final = "127.0.0.1"
_PAUSE: Final = 0.05
_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class DemoPlace:
    """Ports on 127.0.0.1, and the folder with the certificate of the authority."""

    http: int
    https: int
    dns: int
    folder: Path

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The place that settings name. Raises: DemoInternetRefused: in production, or they name none."""
        demo_dialer(settings, {})
        parts = settings.demo_internet.split(",")
        if len(parts) != _PARTS or not all(part.strip().isdigit() for part in parts):
            raise DemoInternetRefused("LEADFLOOD_DEMO_INTERNET needs three ports: of HTTP, HTTPS and DNS.")
        http, https, dns = map(int, parts)
        return cls(http, https, dns, settings.home / "demo-internet")

    @property
    def certificates(self) -> Path:
        """The certificate of the authority."""
        return self.folder / "authority.pem"

    @property
    def resolver(self) -> Resolver:
        """Resolver that asks the name server."""
        return Resolver([(_LOOPBACK, self.dns)])

    def dialer(self, settings: Settings) -> Dialer:
        """Dialer to the web server. Raises: DemoInternetRefused: in production."""
        return demo_dialer(settings, {HTTP: self.http, HTTPS: self.https})

    def ssl_context(self) -> ssl.SSLContext:
        """TLS context that trusts the authority, and no other."""
        return new_ssl_context(self.certificates)

    async def wait(self, seconds: float) -> bool:
        """Wait until the servers listen, up to that time. Returns whether they do."""
        try:
            async with asyncio.timeout(seconds):
                while not await self._listens():  # noqa: ASYNC110  another process sends no event
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            return False
        return True

    async def _listens(self) -> bool:
        if not self.certificates.exists():
            return False
        try:
            for port in (self.dns, self.https):
                _, writer = await asyncio.open_connection(_LOOPBACK, port)
                writer.close()
        except OSError:
            return False
        return True


def demo_parts(settings: Settings, parts: DoorParts) -> DoorParts:
    """Parts of a door to the small internet instead of the real one. Raises: DemoInternetRefused: in production."""
    place = DemoPlace.of(settings)
    return replace(parts, resolver=place.resolver, dialer=place.dialer(settings), ssl_context=place.ssl_context)
