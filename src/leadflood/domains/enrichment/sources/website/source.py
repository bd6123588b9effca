"""The website source: up to four pages of a company's own site, read politely."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from leadflood.domains.enrichment.models import (
    Answer,
    Fact,
    FactField,
    FetchedPage,
    Fetcher,
    Found,
    Missed,
    Question,
    Refused,
    SourceFailure,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.models.aliases import JOINING, RedirectSign
from leadflood.domains.enrichment.models.read_pages import ReadPage
from leadflood.domains.enrichment.sources.collected_facts import CollectedFacts, wanted_only
from leadflood.domains.enrichment.sources.website.extraction import KIND, extract_pages, facts_in
from leadflood.domains.enrichment.sources.website.links import LinkKind, ScoredLink, pages_to_read
from leadflood.domains.enrichment.sources.website.page import PageFact, PageField, domain_of
from leadflood.kernel.door.errors import ConnectFailed, DoorError, NameNotFound
from leadflood.kernel.parsing import PageSource
from leadflood.kernel.shared_websites import is_shared_website

MAX_PAGES: Final = 4
"""Pages of a site that are read."""
_MAX_BYTES: Final = 5 * 1024 * 1024
"""Characters of all pages of a site together."""
_RESERVE: Final = timedelta(seconds=4)
"""Time that is left for parsing when the last page has been fetched."""
_OK: Final = range(200, 300)
_PERMANENT: Final = frozenset({301, 308})
_MISSING: Final = frozenset({404, 410})
_CHALLENGE_KEPT: Final = timedelta(days=7)
_OTHER_DOMAIN: Final = 0.85
"""Factor of confidence for a site that another domain redirects to."""
_MAX, _MAX_OF_MANY = 3, 25

_FIELDS: Final = {
    PageField.COMPANY_NAME: fields.NAME,
    PageField.LEGAL_NAME: fields.LEGAL_NAME,
    PageField.LOGO: fields.LOGO,
    PageField.LANGUAGE: fields.LANGUAGE,
    PageField.LANGUAGES: fields.LANGUAGE,
    PageField.KEYWORDS: fields.KEYWORD,
    PageField.INDUSTRY: fields.INDUSTRY,
    PageField.STREET: fields.STREET,
    PageField.POSTAL_CODE: fields.POSTAL_CODE,
    PageField.CITY: fields.CITY,
    PageField.REGION: fields.REGION,
    PageField.COUNTRY: fields.COUNTRY,
    PageField.PHONE: fields.PHONE,
    PageField.EMAIL: fields.EMAIL,
    PageField.PROFILE: fields.PROFILE,
    PageField.VAT_ID: fields.VAT_ID,
    PageField.REGISTER_NUMBER: fields.REGISTER_NUMBER,
    PageField.COMPANY_NUMBER: fields.COMPANY_NUMBER,
    PageField.LEI: fields.LEI,
    PageField.SIREN: fields.SIREN,
    PageField.CIK: fields.CIK,
    PageField.FOUNDED: fields.FOUNDED,
    PageField.EMPLOYEES: fields.EMPLOYEES,
    PageField.TECHNOLOGY: fields.TECHNOLOGY,
}
_OF_HOME: Final = {
    PageField.DESCRIPTION: fields.DESCRIPTION,
    PageField.IMAGE: fields.IMAGE,
    PageField.FAVICON: fields.FAVICON,
}
"""Fields that only the home page states about the company; on other pages they describe the page."""
_PAGES: Final = {
    LinkKind.ABOUT: fields.ABOUT_PAGE,
    LinkKind.IMPRINT: fields.LEGAL_PAGE,
    LinkKind.CONTACT: fields.CONTACT_PAGE,
    LinkKind.PRICING: fields.PRICING_PAGE,
    LinkKind.CAREERS: fields.CAREERS_PAGE,
}
_DETAILS: Final = "The page states it in its details for search engines."
_CHECKED: Final = "It is written on the page, and has no typo as far as its digits show."
_EVIDENCE: Final = {
    "json_ld": _DETAILS,
    "microdata": _DETAILS,
    "opengraph": "The page states it in its preview for social networks.",
    "meta": "The page states it in its summary for search engines.",
    "title": "It is in the title of the page.",
    "heading": "It is the heading of the page.",
    "link": "The page links to it.",
    "mailto_link": "The page has a link for writing to this address.",
    "tel_link": "The page has a link for calling this number.",
    "visible_text": "It is written on the page.",
    "spelled_email": "The address is spelled out on the page.",
    "protected_email": "It is on the page, hidden from programs that send spam.",
    "postal_address": "It is part of an address on the page.",
    "copyright": "It is in the copyright notice of the page.",
    "imprint": "It is in the legal notice of the website.",
    "sentence": "A sentence on the page says so.",
    "vat_id": _CHECKED,
    "lei": _CHECKED,
    "siren": _CHECKED,
    "siret": _CHECKED,
    "wrong_check_digit": "It is written on the page, but seems to have a typo.",
    "register_number": "It is written on the page, next to the name of the register.",
    "company_number": "It is written on the page, next to its name.",
    "cik": "It is written on the page, next to its name.",
    "domain_suffix": "The ending of the domain belongs to this country.",
    "vat_country": "The VAT number on the page is of this country.",
    "phone_code": "The phone numbers on the page are of this country.",
    "language": "The page is in the language of this country.",
    "language_region": "The page says that it is for readers in this country.",
    "html_lang": "The page says which language it is in.",
    "logo_image": "The page shows this image as its logo.",
}
_DEFAULT_EVIDENCE: Final = "It is on the page."


@dataclass(slots=True)
class _Site:
    """Pages of a site that were read, and what went wrong with others."""

    home: FetchedPage
    pages: list[tuple[FetchedPage, str]] = field(default_factory=list)
    read: list[ReadPage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Website:
    """Reads the home page, then the pages that say most about a company: imprint, about, contact."""

    spec = SourceSpec(
        name="website",
        version="1",
        label="Website",
        subject=SubjectKind.COMPANY,
        speed=Speed.NETWORK,
        needs=(frozenset({fields.DOMAIN}),),
        gives=frozenset(
            {
                *_FIELDS.values(),
                *_OF_HOME.values(),
                *_PAGES.values(),
                fields.WEBSITE,
                fields.PARKED,
                fields.REDIRECTS_TO,
            }
        ),
        family="website",
        ttl_hit=timedelta(days=30),
        ttl_miss=timedelta(days=7),
        concurrency=64,  # spaced by host, a call takes seconds and little work
        one_service=False,
        seconds=40.0,
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The facts of a company's website. Raises: DoorError, SourceFailure: its home page cannot be read."""
        domain = str(question.best(fields.DOMAIN))
        home = await _home(domain, fetcher)
        if (refusal := _unreadable(domain, home)) is not None:
            return refusal
        read = await fetcher.parsed(extract_pages, [_source(home, "home")])
        result = read[0].result
        if result is None:
            raise Refused(f"The home page of {domain} could not be read: it is too large or damaged.", _CHALLENGE_KEPT)
        if result["parking"] is not None:
            return _parked(domain, home, result["parking"])
        links = [ScoredLink(url, LinkKind(kind), score, label) for url, kind, score, label in result["links"]]
        site = _Site(home, read=_read_pages(home, result))
        await self._read_more(site, links, question, fetcher)
        same = domain_of(home.url) == domain_of(f"https://{domain}/")
        facts = [*_facts(home, facts_in(result), "home"), *_page_facts(home, links), *_address(domain, home, same=same)]
        facts += await _facts_of_others(site, fetcher)
        if not same:
            facts = [*map(_less_sure, facts), *_redirect(domain, home, result)]
            site.notes.insert(0, f"{domain} redirects to {urlsplit(home.url).hostname}.")
        kept = wanted_only(facts, self.spec.gives, most=_MAX, most_of_many=_MAX_OF_MANY)
        if not result["words"]:
            site.notes.append(f"{domain} shows its text only in a browser, so little could be read.")
        if not kept:
            return Missed(f"{domain} says nothing about its company.")
        return Found(kept, " ".join(site.notes), pages=site.read)

    async def _read_more(self, site: _Site, links: Sequence[ScoredLink], question: Question, fetcher: Fetcher) -> None:
        """Fetch further pages one after the other, as long as there is time and space."""
        wanted = {link.url: link.kind.value for link in links}
        left = (question.deadline - site.home.fetched_at - _RESERVE).total_seconds()
        length = len(site.home.text)
        try:
            async with asyncio.timeout(max(0.0, min(left, self.spec.seconds - 2 * _RESERVE.total_seconds()))):
                for url in pages_to_read(links, site.home.url, most=MAX_PAGES - 1):
                    page = await _page(url, site, fetcher)
                    if page is not None and length + len(page.text) <= _MAX_BYTES:
                        length += len(page.text)
                        site.pages.append((page, wanted[url]))
        except TimeoutError:
            site.notes.append("There was no time for its other pages.")


async def _home(domain: str, fetcher: Fetcher) -> FetchedPage:
    """The home page at the first address that answers: secure, with `www.`, then without encryption.

    Raises: DoorError, SourceFailure: of the first address.
    """
    failure: DoorError | None = None
    for url in (f"https://{domain}/", f"https://www.{domain}/", f"http://{domain}/"):
        try:
            return await fetcher.page(url)
        except (NameNotFound, ConnectFailed) as error:
            failure = failure or error
    raise failure or NameNotFound(f"{domain} does not exist.")


async def _page(url: str, site: _Site, fetcher: Fetcher) -> FetchedPage | None:
    """A further page; None, with a note, if it cannot be read."""
    try:
        page = await fetcher.page(url)
    except (DoorError, SourceFailure) as error:
        site.notes.append(f"{urlsplit(url).path} could not be read: {error.sentence}")
        return None
    return page if page.status in _OK and domain_of(page.url) == domain_of(site.home.url) else None


def _unreadable(domain: str, home: FetchedPage) -> Answer | None:
    """The answer if the home page is none. Raises: Refused: programs are not let in."""
    if home.status in _OK:
        return None
    if home.status in _MISSING:
        return Missed(f"{domain} has no home page (error {home.status}).")
    raise Refused(f"{domain} does not let programs read its pages (error {home.status}).", _CHALLENGE_KEPT)


def _parked(domain: str, home: FetchedPage, sign: str) -> Answer:
    collected = CollectedFacts(home.fetched_at, home.url)
    collected.add(fields.PARKED, value=True, confidence=0.9, method="parking", evidence=sign, quote=None)
    return Found(collected.facts, f"{domain} is parked: {sign}")


def _source(page: FetchedPage, kind: str) -> PageSource:
    return PageSource(page.url, page.text, {**page.headers, KIND: kind})


async def _facts_of_others(site: _Site, fetcher: Fetcher) -> list[Fact]:
    if not site.pages:
        return []
    read = await fetcher.parsed(extract_pages, [_source(page, kind) for page, kind in site.pages])
    facts: list[Fact] = []
    for (page, kind), parsed in zip(site.pages, read, strict=True):
        if parsed.readable:
            facts += _facts(page, facts_in(parsed.result), kind)
            site.read += _read_pages(page, parsed.result)
        else:
            site.notes.append(f"{urlsplit(page.url).path} could not be read: it is too large or damaged.")
    return facts


def _read_pages(page: FetchedPage, result: Any) -> list[ReadPage]:  # noqa: ANN401  JSON
    """The text of a page, unless it has none, or the site reserves it from text and data mining."""
    text = result["text"]
    return [] if page.reserved_from_models or not text else [ReadPage(page.url, text, page.fetched_at)]


def _facts(page: FetchedPage, found: Sequence[PageFact], kind: str) -> list[Fact]:
    collected = CollectedFacts(page.fetched_at, page.url)
    for one in found:
        target: FactField | None = _FIELDS.get(one.field) or (_OF_HOME.get(one.field) if kind == "home" else None)
        value: str | int = one.value
        if one.field is PageField.SIRET:
            target, value = fields.SIREN, str(one.value)[:9]
        if target is not None:
            evidence = _EVIDENCE.get(one.method) or _technology_evidence(one.method)
            collected.add(target, value, one.confidence, one.method, evidence, quote=one.quote)
    return collected.facts


def _technology_evidence(method: str) -> str:
    kind = method.removeprefix("technology_")
    if kind == method:
        return _DEFAULT_EVIDENCE
    if kind == "implied":
        return "Something else that the website uses needs it."
    return "The website loads it, or names it."


def _page_facts(home: FetchedPage, links: Sequence[ScoredLink]) -> list[Fact]:
    collected = CollectedFacts(home.fetched_at, home.url)
    for link in links:
        evidence = f"The home page links to it{f' as “{link.label}”' if link.label else ''}."
        collected.add(_PAGES[link.kind], link.url, min(0.95, link.score), "link", evidence, quote=link.label)
    return collected.facts


def _address(domain: str, home: FetchedPage, *, same: bool) -> list[Fact]:
    """The address of the website itself. Args: same: whether it is below the domain."""
    collected = CollectedFacts(home.fetched_at, home.url)
    parts = urlsplit(home.url)
    evidence = "The website is at this address." if same else f"{domain} redirects there."
    collected.add(fields.WEBSITE, f"{parts.scheme}://{parts.netloc}", 0.95 if same else 0.8, "answer", evidence)
    return collected.facts


def _redirect(domain: str, home: FetchedPage, page: Mapping[str, Any]) -> list[Fact]:
    """The other domain to which the home page redirects permanently. Args: page: extracted home page."""
    target = domain_of(home.url) or ""
    leaving = [hop for hop in home.redirects if domain_of(hop.url) == domain and domain_of(hop.location) != domain]
    if not leaving or leaving[-1].status not in _PERMANENT or is_shared_website(urlsplit(home.url).hostname or ""):
        return []
    collected = CollectedFacts(home.fetched_at, home.url)
    reason = f"{domain} redirects there permanently"
    if domain in page["countries"]:
        sign, why = RedirectSign.NAMED, f", and the page names {domain} as its version for another country."
    elif domain in page["mailboxes"]:
        sign, why = RedirectSign.NAMED, f", and the page has an email address at {domain}."
    elif target in page["stated"] and target.partition(".")[0] == domain.partition(".")[0]:
        sign, why = RedirectSign.SAME_NAME, ", and the page says that it is its address."
    else:
        sign, why = RedirectSign.ALONE, "."
    collected.add(fields.REDIRECTS_TO, target, 0.95 if sign in JOINING else 0.8, sign, f"{reason}{why}")
    return collected.facts


def _less_sure(fact: Fact) -> Fact:
    """A fact of a site that another domain redirects to."""
    return replace(fact, confidence=round(fact.confidence * _OTHER_DOMAIN, 2))
