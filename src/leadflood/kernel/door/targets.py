"""URLs, parsed once, and refused where they name what must not be contacted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import ada_url

from leadflood.kernel.door.addresses import IPAddress, parse_address, refusal_of
from leadflood.kernel.door.errors import TargetRefused
from leadflood.kernel.door.features import Feature, Limits

_MAX_URL: Final = 2048
_SHOWN: Final = 60
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_INTERNAL_SUFFIXES: Final = ("local", "internal", "localhost", "arpa", "onion", "home", "lan", "corp", "intranet")
"""Top-level domains that do not exist in the public DNS, or that name machines (RFC 6761, 6762, 8375, 7686)."""


@dataclass(frozen=True, slots=True)
class InternalHosts:
    """Hosts of the operator's own network that may be contacted, by feature: name or address, and port or any."""

    allowed: Mapping[Feature, Collection[tuple[str, int | None]]] = field(default_factory=dict)

    def allow(self, feature: Feature, host: str, port: int) -> bool:
        """Whether the operator has allowed this host and port for the feature."""
        known = self.allowed.get(feature, ())
        return (host, port) in known or (host, None) in known


@dataclass(frozen=True, slots=True)
class RequestTarget:
    """Destination of a request.

    Attributes:
        scheme: `http` or `https`.
        host: a name in lower-case ASCII without a dot at the end, or an address without brackets.
        port: of the server.
        path: with the query, percent-encoded.
        address: the address, where the URL has one instead of a name.
        internal: whether the operator has allowed this host, so that its addresses are not checked.
    """

    scheme: str
    host: str
    port: int
    path: str
    address: IPAddress | None = None
    internal: bool = False

    @property
    def authority(self) -> str:
        """Host and, unless it is the usual one, port, as the header `Host` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        """The whole URL, without a fragment."""
        return self.origin + self.path

    @property
    def shown(self) -> str:
        """The URL without its query, which may have secrets."""
        return self.origin + self.path.partition("?")[0]


def parse_internal_hosts(text: str) -> InternalHosts:
    """The hosts of a setting such as `model=ollama.internal:11434, webhook=10.0.0.5`. Raises: ValueError."""
    allowed: dict[Feature, set[tuple[str, int | None]]] = {}
    for item in (item.strip() for item in text.split(",")):
        if not item:
            continue
        name, _, place = (part.strip() for part in item.partition("="))
        if name not in set(Feature):
            message = f"{item!r} does not begin with a feature and `=`. Features: {', '.join(Feature)}."
            raise ValueError(message)
        try:
            url = ada_url.URL(f"https://{place}/")
        except ValueError:
            url = None
        if url is None or url.href != f"https://{url.host}/" or not url.hostname:
            message = f"{item!r} does not name a host, such as {name}=service.internal:8080."
            raise ValueError(message)
        port = int(url.port) if url.port else (443 if place.endswith(":443") else None)
        allowed.setdefault(Feature(name), set()).add((_host(url.hostname), port))
    return InternalHosts(allowed)


def parse_target(
    url: str, feature: Feature, limits: Limits, internal: InternalHosts, *, base: str = ""
) -> RequestTarget:
    """Parse a URL as browsers do (WHATWG URL Standard), and check it.

    Args:
        url: absolute, or relative to `base`.
        feature: what the request is for.
        limits: of the request.
        internal: hosts that the operator has allowed.
        base: the URL of the page that redirected.

    Raises: TargetRefused.
    """
    if len(url) > _MAX_URL:
        raise TargetRefused(f"The address is longer than {_MAX_URL} characters.")
    try:
        parsed = ada_url.URL(url, base or None)
    except ValueError:
        raise TargetRefused(f"{_cut(url)} is not a valid web address.") from None
    scheme = parsed.protocol.removesuffix(":")
    if scheme not in _DEFAULT_PORTS:
        raise TargetRefused(f"{_cut(url)} does not begin with http:// or https://.")
    if parsed.username or parsed.password:
        raise TargetRefused("The address has a user name or password in it.")
    host = _host(parsed.hostname)
    port = int(parsed.port) if parsed.port else _DEFAULT_PORTS[scheme]
    path = (parsed.pathname or "/") + parsed.search
    return _checked(RequestTarget(scheme, host, port, path, parse_address(host)), feature, limits, internal)


def parse_host(host: str, port: int, feature: Feature, limits: Limits, internal: InternalHosts) -> RequestTarget:
    """A server that is not reached by HTTP, such as a mail server. Raises: TargetRefused."""
    target = parse_target(f"http://{host}:{port}/", feature, limits, internal)
    if target.path != "/":
        raise TargetRefused(f"{_cut(host)} is not a host name.")
    return target


def parse_name(name: str) -> str:
    """A domain to look up in the DNS, in lower-case ASCII. Labels may begin with an underscore.

    Raises: TargetRefused: it is no domain, or one of an internal network.
    """
    try:
        parsed = ada_url.URL(f"http://{name}/")
    except ValueError:
        raise TargetRefused(f"{_cut(name)} is not a valid domain.") from None
    host = _host(parsed.hostname)
    if ":" in name or parsed.href != f"http://{parsed.hostname}/":
        raise TargetRefused(f"{_cut(name)} is not a valid domain.")
    if parse_address(host) is not None:
        raise TargetRefused(f"{_cut(name)} is an address, not a domain.")
    _refuse_internal_name(host)
    return host


def _checked(target: RequestTarget, feature: Feature, limits: Limits, internal: InternalHosts) -> RequestTarget:
    if internal.allow(feature, target.host, target.port):
        return RequestTarget(target.scheme, target.host, target.port, target.path, target.address, internal=True)
    if target.port not in limits.ports:
        raise TargetRefused(f"Port {target.port} of {_cut(target.host)} may not be contacted.")
    if target.address is None:
        _refuse_internal_name(target.host)
    elif (why := refusal_of(target.address)) is not None:
        raise TargetRefused(f"{target.host} may not be contacted: its address is {why}.")
    return target


def _host(hostname: str) -> str:
    return hostname.removeprefix("[").removesuffix("]").removesuffix(".").lower()


def _refuse_internal_name(host: str) -> None:
    last = host.rpartition(".")[2]
    if "." not in host or host.startswith(".") or ".." in host:
        raise TargetRefused(f"{_cut(host)} is not a full domain, such as acme.com.")
    if last in _INTERNAL_SUFFIXES or last.isdigit():
        raise TargetRefused(f"{_cut(host)} is a name of an internal network.")


def _cut(text: str) -> str:
    plain = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[: _SHOWN + 1])
    return plain if len(text) <= _SHOWN else f"{plain[:_SHOWN]}…"
