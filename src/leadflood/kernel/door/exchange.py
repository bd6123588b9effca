"""One HTTP request to one target: addresses are checked, the connection goes to them, the answer is read in limits."""

import ssl
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import httpcore2
import httpx2

from leadflood.kernel.door.addresses import IPAddress, refusal_of
from leadflood.kernel.door.certificates import certificate_error, verification_error
from leadflood.kernel.door.connections import IdleConnections, OutgoingConnection
from leadflood.kernel.door.dialer import Dialer
from leadflood.kernel.door.errors import BrokenResponse, ConnectFailed, ConnectionLost, TargetRefused
from leadflood.kernel.door.features import Feature, Limits
from leadflood.kernel.door.replies import ACCEPT_ENCODING, checked_headers, read_body
from leadflood.kernel.door.resolver import Resolver
from leadflood.kernel.door.targets import RequestTarget

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD: Final = frozenset({307, 308})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
_OF_THE_BODY: Final = frozenset({"content-type", "content-encoding", "content-language"})


@dataclass(frozen=True, slots=True)
class Message:
    """A request without its target. Names of headers are in lower case."""

    method: str
    headers: Mapping[str, str]
    content: bytes = b""

    def redirected(self, status: int, *, other_host: bool) -> Self:
        """The request after a redirect: without credentials for another host, with the method that browsers use."""
        headers = {name: value for name, value in self.headers.items() if not (other_host and name in _CREDENTIALS)}
        if status in _KEEPS_METHOD or self.method in _SAFE_METHODS:
            return type(self)(self.method, headers, self.content)
        return type(self)("GET", {name: value for name, value in headers.items() if name not in _OF_THE_BODY})


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one target. The body of a redirect is not read."""

    status: int
    headers: httpx2.Headers
    body: bytes
    cut: bool
    address: IPAddress | None


class Exchanges:
    """Sends requests over connections that only ever go to checked addresses."""

    def __init__(
        self,
        resolver: Resolver,
        dialer: Dialer,
        own_addresses: Callable[[], Awaitable[frozenset[IPAddress]]],
        ssl_context: Callable[[], ssl.SSLContext],
    ) -> None:
        """Args: own_addresses: of this machine and of the database. ssl_context: made when it is first needed."""
        self._resolver = resolver
        self._dialer = dialer
        self._own_addresses = own_addresses
        self._ssl_context = ssl_context
        self._idle = IdleConnections()

    async def aclose(self) -> None:
        """Close kept connections."""
        await self._idle.aclose()

    async def addresses(self, target: RequestTarget) -> tuple[IPAddress, ...]:
        """The addresses of a target, all of which may be contacted; one that may not refuses the target.

        Raises: TargetRefused, NameNotFound, LookupFailed.
        """
        if target.address is not None:
            found: tuple[IPAddress, ...] = (target.address,)
        else:
            found = await self._resolver.addresses(target.host)
        if target.internal:
            return found
        own = await self._own_addresses()
        for address in found:
            why = "of this installation" if address in own else refusal_of(address)
            if why is not None:
                raise TargetRefused(f"{target.host} may not be contacted: its address {address} is {why}.")
        return found

    async def send(
        self,
        feature: Feature,
        target: RequestTarget,
        message: Message,
        limits: Limits,
        addresses: tuple[IPAddress, ...] = (),
    ) -> Answer:
        """Send one request and read the answer. A kept connection that turns out to be closed is replaced once.

        A request that has effects is sent once at most, over a connection of its own: on a kept one, it is unknown
        whether it was received.

        Args: addresses: of the target, if they have been checked already.

        Raises: DoorError.
        """
        key = (feature, target.origin)
        kept = None if limits.effects else self._idle.take(key)
        if kept is not None:
            try:
                return await self._exchanged(key, kept, target, message, limits)
            except (BrokenResponse, ConnectFailed):
                if message.method not in _SAFE_METHODS:
                    raise
        checked = addresses or await self.addresses(target)
        fresh = OutgoingConnection(self._dialer, target, checked, self._ssl_context())
        try:
            return await self._exchanged(key, fresh, target, message, limits)
        except ConnectFailed as error:
            refused = verification_error(error)
            if refused is None:
                raise
            raise await certificate_error(refused, self._dialer, target, checked) from error

    async def _exchanged(
        self, key: Hashable, connection: OutgoingConnection, target: RequestTarget, message: Message, limits: Limits
    ) -> Answer:
        async with self._idle.closed(connection) if limits.effects else self._idle.kept(key, connection):
            try:
                return await self._read(connection, target, message, limits)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                raise ConnectFailed(f"No secure connection to {target.host} could be opened.") from error
            except (httpcore2.RemoteProtocolError, httpcore2.ConnectionNotAvailable) as error:
                raise BrokenResponse(f"{target.host} gave an answer that is not valid HTTP.") from error
            except httpcore2.NetworkError as error:
                raise ConnectionLost(f"{target.host} broke off the connection.") from error

    async def _read(
        self, connection: OutgoingConnection, target: RequestTarget, message: Message, limits: Limits
    ) -> Answer:
        headers = {
            "host": target.authority,
            "accept": "*/*",
            "accept-encoding": ACCEPT_ENCODING,
            **message.headers,
            **({"content-length": str(len(message.content))} if message.content or message.method == "POST" else {}),
        }
        request = httpcore2.Request(
            message.method.encode("ascii"),
            httpcore2.URL(
                scheme=connection.origin.scheme,
                host=connection.origin.host,
                port=connection.origin.port,
                target=target.path.encode("ascii"),
            ),
            headers=[(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()],
            content=message.content,
        )
        response = await connection.http.handle_async_request(request)
        try:
            received = checked_headers(target, response.headers)
            if response.status in REDIRECTS:
                return Answer(response.status, received, b"", cut=False, address=connection.address)
            body, cut = await read_body(target, response, received, limits)
        finally:
            await response.aclose()
        return Answer(response.status, received, body, cut, connection.address)
