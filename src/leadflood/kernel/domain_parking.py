"""Hosts at which parked domains point: web servers, name servers and mail servers of parking services."""

from collections.abc import Iterable
from typing import Final

from leadflood.kernel.email_domains import with_parents

_HOSTS: Final = frozenset({
    "sedoparking.com", "sedo.com", "parkingcrew.net", "bodis.com", "above.com", "dan.com", "afternic.com",
    "hugedomains.com", "undeveloped.com", "uniregistry.com", "uniregistrymarket.link", "parklogic.com", "skenzo.com",
    "cashparking.com", "domainparking.ru", "namebrightdns.com", "parked.com", "voodoo.com", "domainnamesales.com",
    "efty.com", "brandbucket.com", "squadhelp.com", "atom.com", "dynadot.com", "domain-for-sale.at", "nameprovider.net",
    "parking.reg.ru", "parkpage.foundationapi.com", "ztomy.com", "internettraffic.com", "smartname.com",
    "fabulous.com", "trafficz.com", "rookdns.com", "dsredirection.com", "mydomaincontact.com", "park-mx.above.com",
    "h-email.net", "mailhostbox-parking.com", "perfectdomain.com", "epik.com", "domainmarket.com", "nicsell.com",
})  # fmt: skip
"""Domains of parking services; hosts below them count as well."""
_ALSO_REGISTRARS: Final = frozenset({"dynadot.com", "epik.com", "sedo.com", "atom.com", "uniregistry.com"})
"""Services that real websites use, too: their name servers say nothing."""


def is_parking_host(host: str) -> bool:
    """Whether a web or mail server is one of a parking service."""
    return not _HOSTS.isdisjoint(with_parents(host.lower().removesuffix(".")))


def parking_server(hosts: Iterable[str]) -> str | None:
    """The first name server of a parking service; registrars' own ones do not count."""
    services = _HOSTS - _ALSO_REGISTRARS
    return next((host for host in hosts if not services.isdisjoint(with_parents(host.lower().removesuffix(".")))), None)
