"""The part that all twins have: keys, a counter of charges, and replies that a test forces."""

import asyncio
import json
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from leadflood.demo.internet.http_server import Received, SitePage

_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class TwinCharge:
    """Units that were charged for a question."""

    question: str
    units: int


@dataclass(slots=True)
class TwinCall:
    """A request that has a valid key. `query`: the first value of each parameter."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, object] = field(default_factory=dict)


class Twin:
    """A provider of the small internet.

    Attributes:
        charges: what was charged, in order.
        calls: requests that were received, in order, with or without a valid key.
        forced: replies to the next requests, which are then neither answered nor charged; None breaks the connection.
        lost: number of requests that are answered and charged, but whose connection breaks before the answer is sent.
        credits: units that may still be charged.
    """

    hosts: ClassVar[Sequence[str]]
    key: ClassVar[str]
    """The only key that it accepts."""

    def __init__(self) -> None:
        self.charges: list[TwinCharge] = []
        self.calls: list[Received] = []
        self.forced: deque[SitePage | None] = deque()
        self.lost = 0
        self.credits = 1_000_000

    @property
    def charged(self) -> int:
        """Units that were charged so far."""
        return sum(charge.units for charge in self.charges)

    async def serve(self, request: Received, writer: asyncio.StreamWriter) -> SitePage | None:
        """The reply to a request; None after breaking the connection."""
        self.calls.append(request)
        if self.forced:
            page = self.forced.popleft()
        else:
            page = self.reply(request)
            if self.lost > 0:
                self.lost -= 1
                page = None
        if page is None:
            writer.close()
        return page

    def reply(self, request: Received) -> SitePage:
        """The documented reply to a request."""
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if self.given_key(request, query) != self.key:
            return self.unauthorized()
        body = json.loads(request.body) if request.body else {}
        return self.answer(TwinCall(request.method, parts.path, query, body if isinstance(body, dict) else {}))

    def charge(self, question: str, units: int = 1) -> bool:
        """Charge for a question. False, and nothing is charged, if there are not enough credits."""
        if units > self.credits:
            return False
        self.credits -= units
        self.charges.append(TwinCharge(question, units))
        return True

    @abstractmethod
    def given_key(self, request: Received, query: Mapping[str, str]) -> str:
        """The key of a request; empty if it has none."""

    @abstractmethod
    def unauthorized(self) -> SitePage:
        """The reply to a request with another key."""

    @abstractmethod
    def answer(self, call: TwinCall) -> SitePage:
        """The reply to a request with a valid key."""


def json_page(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> SitePage:
    """A reply in JSON."""
    return SitePage(json.dumps(value).encode(), status, headers or {}, _JSON)
