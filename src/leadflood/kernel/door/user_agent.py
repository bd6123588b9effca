"""User agent of outgoing requests: an honest name, a page that explains it, and a contact."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from leadflood import __version__
from leadflood.kernel.clock import monotonic
from leadflood.kernel.door.robots import TOKEN

PAGE: Final = "/bot"
"""The page that explains our crawler."""
_KEPT_SECONDS: Final = 300.0


class UserAgent:
    """The value of `User-Agent`, such as `LeadFlood/1.0 (LeadFloodBot; +https://leads.acme.com/bot; ada@acme.com)`.

    It contains the product token of robots.txt, as RFC 9309, 2.2.1 asks.
    """

    def __init__(self, public_url: str, contact: Callable[[], Awaitable[str]]) -> None:
        """Name an installation.

        Args:
            public_url: of this installation, whose page explains the crawler; empty: there is none.
            contact: an email or page of those who run this installation; empty: unknown.
        """
        self._page = f"+{public_url}{PAGE}" if public_url else ""
        self._contact = contact
        self._known = ""
        self._read_at = -_KEPT_SECONDS
        self._reading = asyncio.Lock()

    async def __call__(self) -> str:
        """The value as it is now. The contact is asked for at most every five minutes."""
        async with self._reading:  # requests that come together ask once
            if monotonic() - self._read_at >= _KEPT_SECONDS:
                contact = "".join(char for char in await self._contact() if char.isascii() and char.isprintable())
                about = "; ".join(filter(None, (TOKEN, self._page, contact)))
                self._known = f"LeadFlood/{__version__} ({about})"
                self._read_at = monotonic()
            return self._known
