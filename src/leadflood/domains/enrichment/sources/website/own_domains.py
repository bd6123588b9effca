"""Domains that a page states as its own: of its address, of its versions for other countries, and of its mailboxes."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from leadflood.domains.enrichment.sources.website.organizations import organizations_in
from leadflood.domains.enrichment.sources.website.page import MAX_ELEMENTS, WebPage, domain_of

_MAILTO: Final = "mailto:"


def stated_domains(page: WebPage) -> Sequence[str]:
    """The domains of the address that the page gives itself: canonical link, OpenGraph, and its organization's URL."""
    canonical = [element.attributes.get("href") or "" for element in page.tree.css("link[rel=canonical]")[:1]]
    shared = page.meta.get("og:url", ())[:1]
    organizations = [one.url for one in organizations_in(page) if one.url]
    return _domains(page, [*canonical, *shared, *organizations])


def country_domains(page: WebPage) -> Sequence[str]:
    """The domains of its versions in other languages or for other countries (`hreflang`)."""
    links = page.tree.css("link[rel=alternate][hreflang]")[:MAX_ELEMENTS]
    return _domains(page, [element.attributes.get("href") or "" for element in links])


def mailbox_domains(page: WebPage) -> Sequence[str]:
    """The domains of the email addresses to which it links."""
    addresses = [target[len(_MAILTO) :].partition("?")[0] for target, _ in page.links if target.startswith(_MAILTO)]
    hosts = {unquote(address).rpartition("@")[2].strip().lower() for address in addresses}
    return sorted({domain for host in hosts if host and (domain := domain_of(f"https://{host}/"))})


def _domains(page: WebPage, addresses: Sequence[str]) -> Sequence[str]:
    urls = [page.absolute(address) for address in addresses if address.strip()]
    return sorted({domain for url in urls if url and (domain := domain_of(url))})
