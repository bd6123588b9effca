"""DNS lookups: addresses of a name, which are checked before use, and other records by name."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdata
import dns.rdatatype
import dns.resolver

from leadflood.kernel.clock import monotonic
from leadflood.kernel.door.addresses import IPAddress
from leadflood.kernel.door.errors import LookupFailed, NameNotFound, NoInternet
from leadflood.kernel.email_domains import public_suffixes

LOOKUP_SECONDS: Final = 5.0
"""For one lookup with all of its retries."""
_CHECK_SECONDS: Final = 2.0
"""For the lookup of a top-level domain, which name servers with a connection have at hand."""
_ONLINE_SECONDS: Final = 300.0
_OFFLINE_SECONDS: Final = 15.0
"""Time for which the connection to the internet is not checked again, after it was there, and after it was not."""
MAX_RECORDS: Final = 100
"""Of an answer; more are left out."""
_MAX_TEXT: Final = 4096


class RecordType(StrEnum):
    """Supported record types."""

    A = "A"
    AAAA = "AAAA"
    CAA = "CAA"
    CNAME = "CNAME"
    MX = "MX"
    NS = "NS"
    SOA = "SOA"
    TXT = "TXT"


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """The records of a name.

    Attributes:
        name: that was looked up.
        type: of the records.
        records: in the presentation format of RFC 1035, names in lower case without the last dot; a TXT record is its
            joined text. At most 100, none where the name has no such records.
        canonical: the name at the end of a chain of aliases.
        ttl: seconds that the answer may be kept.
    """

    name: str
    type: RecordType
    records: tuple[str, ...]
    canonical: str
    ttl: int


class Resolver:
    """Asks name servers: those of the system, or given ones.

    Without a connection to the internet, some name servers answer nothing, and others that no name exists. So a failure
    counts as that of the domain only if they know its top-level domain.
    """

    def __init__(self, nameservers: Sequence[tuple[str, int]] = ()) -> None:
        """Args: nameservers: address and port of each; none: those of the system (/etc/resolv.conf)."""
        self._given = tuple(nameservers)
        self._asked: dns.asyncresolver.Resolver | None = None
        self._online_until: dict[str, float] = {}
        self._offline_until = -_OFFLINE_SECONDS

    async def addresses(self, name: str) -> tuple[IPAddress, ...]:
        """All IPv6 and IPv4 addresses of a name, in the order of the answers.

        Raises: NameNotFound: it does not exist, or has no address. LookupFailed.
        """
        both = await asyncio.gather(self.lookup(name, RecordType.AAAA), self.lookup(name, RecordType.A))
        found = tuple(ip_address(text) for answer in both for text in answer.records)
        if not found:
            raise NameNotFound(f"{name} has no web server: its domain has no address.")
        return found

    async def lookup(self, name: str, type_: RecordType) -> DnsAnswer:
        """The records of a name. Raises: NameNotFound, LookupFailed; NoInternet: nothing can be looked up."""
        if monotonic() < self._offline_until:
            raise NoInternet
        try:
            return await self._answer(name, type_)
        except (NameNotFound, LookupFailed):
            if await self._knows_top_level(name.rpartition(".")[2]):
                raise
        self._offline_until = monotonic() + _OFFLINE_SECONDS
        raise NoInternet

    async def _knows_top_level(self, name: str) -> bool:
        """Whether the name servers know a top-level domain; True for one that the internet does not have."""
        if monotonic() < self._online_until.get(name, -_ONLINE_SECONDS) or public_suffixes().publicsuffix(name) is None:
            return True
        try:
            await self._resolver().resolve(
                f"{name}.", RecordType.NS.value, search=False, lifetime=_CHECK_SECONDS, raise_on_no_answer=False
            )
        except (dns.exception.DNSException, OSError, LookupFailed):
            return False
        self._online_until[name] = monotonic() + _ONLINE_SECONDS
        return True

    async def _answer(self, name: str, type_: RecordType) -> DnsAnswer:
        try:
            answer = await self._resolver().resolve(
                f"{name}.", type_.value, search=False, lifetime=LOOKUP_SECONDS, raise_on_no_answer=False
            )
        except dns.resolver.NXDOMAIN:
            raise NameNotFound(f"{name} does not exist.") from None
        except (dns.resolver.YXDOMAIN, dns.exception.SyntaxError, dns.exception.FormError):
            raise LookupFailed(f"The name servers of {name} gave an answer that cannot be read.") from None
        except dns.exception.Timeout:
            raise LookupFailed(f"The name servers of {name} did not answer.") from None
        except (dns.exception.DNSException, OSError) as error:
            raise LookupFailed(f"{name} could not be looked up.") from error
        records = () if answer.rrset is None else tuple(answer.rrset)[:MAX_RECORDS]
        ttl = 0 if answer.rrset is None else int(answer.rrset.ttl)
        canonical = answer.canonical_name.to_text(omit_final_dot=True).lower()
        return DnsAnswer(name, type_, tuple(map(_text, records)), canonical, ttl)

    def _resolver(self) -> dns.asyncresolver.Resolver:
        if self._asked is None:
            try:
                self._asked = dns.asyncresolver.Resolver(configure=not self._given)
            except dns.resolver.NoResolverConfiguration as error:
                raise LookupFailed("This server has no name servers in /etc/resolv.conf.") from error
            if self._given:
                self._asked.nameservers = [dns.nameserver.Do53Nameserver(*server) for server in self._given]
        return self._asked


def _text(record: dns.rdata.Rdata) -> str:
    if record.rdtype == dns.rdatatype.TXT:
        strings: tuple[bytes, ...] = record.strings  # type: ignore[attr-defined]  # of the subclass for TXT
        return b"".join(strings)[:_MAX_TEXT].decode("utf-8", "replace")
    words = record.to_text().split(" ")
    return " ".join(word.removesuffix(".").lower() if word.endswith(".") else word for word in words)
