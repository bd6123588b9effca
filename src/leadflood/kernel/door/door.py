"""The door: requests, lookups and connections to servers of others, each within the limits of its feature."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

import httpcore2
import structlog

from leadflood.kernel.clock import monotonic
from leadflood.kernel.door.addresses import IPAddress
from leadflood.kernel.door.certificates import new_ssl_context
from leadflood.kernel.door.crawled_addresses import CrawledAddresses
from leadflood.kernel.door.dialer import Dialer, InternetDialer, dial_first
from leadflood.kernel.door.errors import (
    DoorError,
    HostBusy,
    NoInternet,
    RobotsRefused,
    RobotsUnknown,
    TimedOut,
    TooManyRedirects,
)
from leadflood.kernel.door.exchange import REDIRECTS, Answer, Exchanges, Message
from leadflood.kernel.door.features import LIMITS, ROBOTS, Feature, Limits
from leadflood.kernel.door.hosts import ADDRESS_SECONDS, HOST_SECONDS, MAX_WAIT_SECONDS, Hosts, Spacing, StoredRobots
from leadflood.kernel.door.metrics import call_ended
from leadflood.kernel.door.replies import FollowedRedirect, Reply
from leadflood.kernel.door.resolver import DnsAnswer, RecordType, Resolver
from leadflood.kernel.door.robots import PATH, CrawlRules, robots_in, rules_of
from leadflood.kernel.door.targets import InternalHosts, RequestTarget, parse_host, parse_name, parse_target
from leadflood.kernel.hold import Gate

T = TypeVar("T")

_GATE_SECONDS: Final = 5.0
"""Time for which a call without effects relies on the last state of the hold."""
_NO_ROBOTS: Final = StoredRobots("", reachable=True)

_log = structlog.get_logger()


async def _no_own_addresses() -> frozenset[IPAddress]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class DoorParts:
    """Parts of a door.

    Attributes:
        user_agent: what requests call themselves.
        gate: whether outgoing effects are on hold; None: never.
        resolver: asks name servers.
        dialer: opens connections.
        hosts: spacing, robots.txt and opt-outs of hosts that are crawled; None: nothing is spaced or asked.
        internal: hosts that the operator has allowed.
        own_addresses: of this machine and of the database, which are never contacted.
        ssl_context: verifies certificates; made when it is first needed.
    """

    user_agent: Callable[[], Awaitable[str]]
    gate: Gate | None
    hosts: Hosts | None
    resolver: Resolver = field(default_factory=Resolver)
    dialer: Dialer = field(default_factory=InternetDialer)
    internal: InternalHosts = field(default_factory=InternalHosts)
    own_addresses: Callable[[], Awaitable[frozenset[IPAddress]]] = _no_own_addresses
    ssl_context: Callable[[], ssl.SSLContext] = new_ssl_context


@dataclass(slots=True)
class _Call:
    """Log fields of a call."""

    feature: str
    target: str
    address: IPAddress | None = None
    status: int | None = None
    received: int = 0


class Door:
    """Talks to servers of others. One for a process; close it at the end."""

    def __init__(self, parts: DoorParts) -> None:
        self._parts = parts
        self._context: ssl.SSLContext | None = None
        self._exchanges = Exchanges(parts.resolver, parts.dialer, parts.own_addresses, self._ssl_context)
        self._crawled = CrawledAddresses(self._exchanges.addresses)
        self._hold_read_at = -_GATE_SECONDS
        self._hold_reading = asyncio.Lock()

    async def aclose(self) -> None:
        """Close kept connections."""
        await self._exchanges.aclose()

    async def request(
        self,
        feature: Feature,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        seconds: float | None = None,
    ) -> Reply:
        """Send a request, follow its redirects, and read the answer.

        Args:
            feature: whose limits apply.
            method: of HTTP.
            url: where to.
            headers: beyond `Host`, `User-Agent`, `Accept` and `Accept-Encoding`.
            content: the body.
            seconds: less time than the feature has.

        Raises: DoorError: with a sentence for users. leadflood.kernel.hold.EffectsOnHold: nothing may leave.
            leadflood.kernel.errors.Unavailable.
        """
        limits = LIMITS[feature]
        target = parse_target(url, feature, limits, self._parts.internal)
        given = {name.lower(): value for name, value in (headers or {}).items()}
        message = Message(method.upper(), {"user-agent": await self._parts.user_agent(), **given}, content)
        time = limits.seconds if seconds is None else min(seconds, limits.seconds)

        async def work(call: _Call) -> Reply:
            await self._require_open(effects=limits.effects)
            return await self._followed(feature, limits, target, message, time, call)

        return await self._logged(_Call(feature, target.shown), work)

    async def lookup(self, name: str, type_: RecordType) -> DnsAnswer:
        """Look up the records of a domain. Raises: TargetRefused, NameNotFound, LookupFailed, and as `request`."""
        host = parse_name(name)

        async def work(_call: _Call) -> DnsAnswer:
            await self._require_open(effects=False)
            return await self._parts.resolver.lookup(host, type_)

        return await self._logged(_Call("dns", f"{host} {type_}"), work)

    async def connect(self, feature: Feature, host: str, port: int) -> httpcore2.AsyncNetworkStream:
        """Open a connection for another protocol than HTTP, such as SMTP. The caller limits its time and closes it.

        Raises: as `request`.
        """
        limits = LIMITS[feature]
        target = parse_host(host, port, feature, limits, self._parts.internal)

        async def work(call: _Call) -> httpcore2.AsyncNetworkStream:
            await self._require_open(effects=limits.effects)
            async with self._within(limits.seconds, target):
                addresses = await self._exchanges.addresses(target)
                call.address, stream = await dial_first(self._parts.dialer, addresses, port)
            return stream

        return await self._logged(_Call(feature, f"{target.host}:{port}"), work)

    async def crawl_rules(self, url: str) -> CrawlRules:
        """Crawl rules of a URL's site; its robots.txt is fetched if unknown.

        Raises: DoorError, leadflood.kernel.hold.EffectsOnHold, leadflood.kernel.errors.Unavailable.
        """
        await self._require_open(effects=False)
        target = parse_target(url, Feature.WEBSITE, LIMITS[Feature.WEBSITE], self._parts.internal)
        hosts = self._parts.hosts
        return await self._rules(target, None if hosts is None else (await hosts.site(target.origin)).robots)

    async def _followed(
        self, feature: Feature, limits: Limits, target: RequestTarget, message: Message, seconds: float, call: _Call
    ) -> Reply:
        """Follow redirects. Waiting for a place at a host does not count against the time."""
        redirects: list[FollowedRedirect] = []
        spent, previous = 0.0, ""
        while True:
            addresses = await self._admitted(target, limits, previous)
            start = monotonic()
            async with self._within(max(0.0, seconds - spent), target):
                answer = await self._exchanges.send(feature, target, message, limits, addresses)
            spent += monotonic() - start
            call.address, call.status, call.received = answer.address, answer.status, len(answer.body)
            location = answer.headers.get("location") if answer.status in REDIRECTS else None
            if location is None or limits.redirects == 0:
                return _reply(target, answer, redirects, spent)
            if len(redirects) == limits.redirects:
                raise TooManyRedirects(f"{target.host} redirects too often.")
            following = parse_target(location, feature, limits, self._parts.internal, base=target.url)
            redirects.append(FollowedRedirect(target.url, answer.status, following.url))
            if following.url in {redirect.url for redirect in redirects}:
                raise TooManyRedirects(f"{target.host} redirects in a circle.")
            message = message.redirected(answer.status, other_host=following.origin != target.origin)
            target, previous = following, target.host

    async def _admitted(self, target: RequestTarget, limits: Limits, previous: str) -> tuple[IPAddress, ...]:
        """Wait for a place at a host that is crawled. Returns its checked addresses, if they were needed for that.

        Args: previous: the host before, in a chain of redirects: a second request to the same one does not wait.

        Raises: RobotsRefused, RobotsUnknown, HostBusy, and for the addresses.
        """
        if not limits.crawls or self._parts.hosts is None:
            return ()
        site = await self._parts.hosts.site(target.origin)
        if site.blocked:
            raise RobotsRefused(f"The owner of {target.host} does not want it to be read by programs.")
        rules = await self._rules(target, site.robots)
        if not rules.reachable:
            raise RobotsUnknown(f"{target.host} could not be asked whether programs may read it.")
        if not rules.allows(target.url, target.path):
            raise RobotsRefused(f"{target.host} does not allow programs to read this page.")
        return () if target.host == previous else await self._place(target, max(HOST_SECONDS, rules.delay))

    async def _place(self, target: RequestTarget, seconds: float) -> tuple[IPAddress, ...]:
        if self._parts.hosts is None:
            return ()
        addresses = await self._crawled.addresses(target)
        spacings = [Spacing(target.host, seconds), Spacing(f"address {addresses[0]}", ADDRESS_SECONDS)]
        wait = await self._parts.hosts.reserve(spacings)
        if wait > MAX_WAIT_SECONDS:
            raise HostBusy(f"Other requests to {target.host} are waiting.", wait)
        if wait > 0:
            await asyncio.sleep(wait)
        return addresses

    async def _rules(self, target: RequestTarget, stored: StoredRobots | None) -> CrawlRules:
        """The crawl rules of a site. A robots.txt that is not known is read, as the first request to the host.

        Raises: DoorError: the reason why it cannot be reached, once; after that, its rules say that it could not.
        """
        hosts = self._parts.hosts
        if hosts is None:
            return rules_of(_NO_ROBOTS)
        if stored is None:
            answer = await self._robots_answer(target)
            stored = robots_in(answer)
            await hosts.store_robots(target.origin, stored)
            if isinstance(answer, DoorError):
                raise answer
            if not stored.reachable:
                why = f"{target.host} answered with error {answer.status}"
                raise RobotsUnknown(f"{why} when it was asked whether programs may read it.")
        return rules_of(stored)

    async def _robots_answer(self, target: RequestTarget) -> Reply | DoorError:
        robots = parse_target(target.origin + PATH, Feature.WEBSITE, ROBOTS, self._parts.internal)
        message = Message("GET", {"user-agent": await self._parts.user_agent()})

        async def work(call: _Call) -> Reply:
            await self._place(robots, HOST_SECONDS)
            return await self._followed(Feature.WEBSITE, ROBOTS, robots, message, ROBOTS.seconds, call)

        try:
            return await self._logged(_Call(Feature.WEBSITE, robots.shown), work)
        except (HostBusy, NoInternet):
            raise
        except DoorError as error:
            return error

    @asynccontextmanager
    async def _within(self, seconds: float, target: RequestTarget) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise TimedOut(f"{target.host} did not answer in time.") from None

    async def _require_open(self, *, effects: bool) -> None:
        """Raises: leadflood.kernel.hold.EffectsOnHold."""
        gate = self._parts.gate
        if gate is None or (not effects and self._is_open_lately()):
            return
        if effects:
            await gate.require_open()
            return
        async with self._hold_reading:  # calls that come together read it once
            if not self._is_open_lately():
                now = monotonic()
                await gate.require_open()
                self._hold_read_at = now

    def _is_open_lately(self) -> bool:
        return monotonic() - self._hold_read_at < _GATE_SECONDS

    async def _logged(self, call: _Call, work: Callable[[_Call], Awaitable[T]]) -> T:
        """Do the work of a call, then log and count it once."""
        start, outcome = monotonic(), "cancelled"
        try:
            result = await work(call)
            outcome = "ok" if call.status is None else f"{call.status // 100}xx"
        except DoorError as error:
            outcome = error.code
            raise
        except Exception:
            outcome = "error"
            raise
        else:
            return result
        finally:
            seconds = monotonic() - start
            call_ended(call.feature, outcome, seconds, call.received)
            _log.info(
                "door.call",
                feature=call.feature,
                target=call.target,
                address=None if call.address is None else str(call.address),
                outcome=outcome,
                status=call.status,
                bytes=call.received,
                ms=round(seconds * 1000),
            )

    def _ssl_context(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._parts.ssl_context()
        return self._context


def _reply(target: RequestTarget, answer: Answer, redirects: list[FollowedRedirect], seconds: float) -> Reply:
    return Reply(
        status=answer.status,
        url=target.url,
        headers=answer.headers,
        body=answer.body,
        cut=answer.cut,
        redirects=tuple(redirects),
        address=answer.address,
        seconds=seconds,
    )
