"""Providers of mail by the hosts of their mail servers (MX records)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from leadflood.kernel.email_domains import registrable_domain


@dataclass(frozen=True, slots=True)
class MailProvider:
    """A provider of mail.

    Attributes:
        key: stable name; `self` for a domain's own servers.
        title: name for people.
        public: whether anyone can have a mailbox there, so that the address says nothing about an employer.
        disposable: whether its mailboxes are for one use.
        filters: whether it only filters mail for servers that the records do not show.
    """

    key: str
    title: str
    public: bool = False
    disposable: bool = False
    filters: bool = False


OWN: MailProvider = MailProvider("self", "Own mail server")


def mail_provider(host: str, domain: str = "") -> MailProvider | None:
    """The provider whose mail server a host is, by the longest known end of its name; None if it is unknown.

    Args:
        host: of an MX record.
        domain: whose record it is; a host below the same registrable domain is its own server.
    """
    name = host.lower().strip().removesuffix(".")
    while name:
        if found := _providers().get(name):
            return found
        name = name.partition(".")[2]
    own = registrable_domain(domain) if domain else None
    return OWN if own is not None and registrable_domain(host.lower().removesuffix(".")) == own else None


def provider_of_servers(hosts: Sequence[str], domain: str = "") -> tuple[MailProvider, str] | None:
    """The provider of the first mail server that is known, and that server. Args: hosts: most preferred first."""
    return next(((found, host) for host in hosts if (found := mail_provider(host, domain))), None)


@cache
def _providers() -> Mapping[str, MailProvider]:
    """Providers by the end of their hosts, from `mail_hosts.txt`."""
    listed: dict[str, MailProvider] = {}
    for line in files(__package__).joinpath("data", "mail_hosts.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        key, title, flags, hosts = (part.strip() for part in line.split("|"))
        provider = MailProvider(key, title, "p" in flags, "d" in flags, "f" in flags)
        listed |= dict.fromkeys(hosts.split(), provider)
    return listed
