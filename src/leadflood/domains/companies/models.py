"""Companies: their states, and the domain by which a lead belongs to one."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from leadflood.kernel.disposable_domains import disposable_provider
from leadflood.kernel.email_domains import free_mail_provider, public_suffixes, registrable_domain
from leadflood.kernel.mail_hosts import mail_provider
from leadflood.kernel.shared_websites import is_shared_website
from leadflood.kernel.text import InvalidValue, search_key
from leadflood.kernel.web_address import normalise_website

MAX_DOMAINS: Final = 100
"""Domains of a company."""
MAX_NAME: Final = 200
MAX_IMPORTED: Final = 1000
"""Companies that one request creates."""
_CACHED: Final = 20_000
"""Domains whose company is remembered: leads of one company are many."""


class CompanyStatus(StrEnum):
    """Knowledge of a company: `provisional → known → gone`, and back to `known` if its domain is in use again.

    Stored: the values never change their meaning.
    """

    PROVISIONAL = "provisional"
    """Only its domain is known."""

    KNOWN = "known"
    GONE = "gone"
    """Its domain no longer exists, or is for sale."""


class MergeKind(StrEnum):
    """Kind of a change of which domains belong together. Stored."""

    MERGE = "merge"
    SPLIT = "split"


class CompanySort(StrEnum):
    """Order of the list of companies; `-` is descending."""

    NAME = "name"
    NAME_DESCENDING = "-name"
    NEWEST = "-createdAt"
    OLDEST = "createdAt"


class CompanySource(StrEnum):
    """Origin of a company, or of one of its domains."""

    LEAD = "lead"
    PERSON = "person"
    IMPORT = "import"
    SPLIT = "split"
    EVIDENCE = "evidence"


class LinkSource(StrEnum):
    """Part of a lead that names its company."""

    WEBSITE = "website"
    EMAIL = "email"
    MANUAL = "manual"
    """A person chose the company."""


@dataclass(frozen=True, slots=True)
class CompanyKey:
    """The domain by which a lead belongs to a company."""

    domain: str
    source: LinkSource


def company_key(*, website: str | None, email_norm: str) -> CompanyKey | None:
    """The domain of a lead's company: of its website, otherwise of its email.

    None for mailboxes of the public, disposable ones, and websites that many share.

    Args:
        website: normalized URL.
        email_norm: normalized address.
    """
    host = urlsplit(website).hostname if website else None
    if host and (domain := website_domain(host)):
        return CompanyKey(domain, LinkSource.WEBSITE)
    domain = mail_domain(email_norm.rpartition("@")[2])
    return CompanyKey(domain, LinkSource.EMAIL) if domain else None


@lru_cache(_CACHED)
def website_domain(host: str) -> str | None:
    """The domain of the company whose website is at a host; None if the host says nothing about it."""
    return None if is_shared_website(host) else own_domain(host)


@lru_cache(_CACHED)
def mail_domain(domain: str) -> str | None:
    """The domain of the company whose people have addresses at `domain`; None if everyone can have one there."""
    if free_mail_provider(domain) or disposable_provider(domain):
        return None
    provider = mail_provider(domain)
    return None if provider and (provider.public or provider.disposable) else own_domain(domain)


def own_domain(host: str) -> str | None:
    """The registrable domain of a host; None for a public suffix.

    Below a suffix that the public suffix list does not have, such as `.internal`, the last two labels.
    """
    if (found := registrable_domain(host)) or public_suffixes().publicsuffix(host):
        return found
    labels = host.split(".")
    return ".".join(labels[-2:]) if len(labels) > 1 else None


def company_domain(text: str) -> str:
    """The domain of a company from a domain, a URL or an email address, as a person writes it.

    Raises: InvalidValue: it is none, or one that does not belong to one company.
    """
    plain = text.strip()
    host = plain.rpartition("@")[2] if "@" in plain and "/" not in plain else plain
    found = urlsplit(normalise_website(host)).hostname or ""
    domain = website_domain(found)
    if domain is None or mail_domain(domain) is None:
        message = f"{found[:100]} doesn't belong to one company. Enter the company's own domain, e.g. acme.com."
        raise InvalidValue(message, "not_allowed")
    return domain


def company_sort_key(name: str | None, domain: str) -> str:
    """The key by which companies are sorted and found: of their name, otherwise of their main domain."""
    return (search_key(name) if name else "") or domain
