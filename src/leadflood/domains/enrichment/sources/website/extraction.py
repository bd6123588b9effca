"""Everything that a page states about its company, as JSON: the task of the child processes that parse pages."""

from collections.abc import Iterator
from typing import IO, Any, Final

from leadflood.domains.enrichment.models.read_pages import MAX_TEXT
from leadflood.domains.enrichment.sources.website.contacts import emails_in, phones_in
from leadflood.domains.enrichment.sources.website.identifiers import identifiers_in
from leadflood.domains.enrichment.sources.website.links import links_in
from leadflood.domains.enrichment.sources.website.metadata import metadata_of
from leadflood.domains.enrichment.sources.website.naming import names_on
from leadflood.domains.enrichment.sources.website.organizations import facts_of, organizations_in, owner_of
from leadflood.domains.enrichment.sources.website.own_domains import country_domains, mailbox_domains, stated_domains
from leadflood.domains.enrichment.sources.website.page import PageFact, PageField, WebPage
from leadflood.domains.enrichment.sources.website.parking import parking_sign
from leadflood.domains.enrichment.sources.website.places import country_hint
from leadflood.domains.enrichment.sources.website.postal import described_address, written_address
from leadflood.domains.enrichment.sources.website.profiles import profiles_in
from leadflood.domains.enrichment.sources.website.sayings import founding_years_in, logo_of
from leadflood.domains.enrichment.technologies import PageSigns, technologies_of_page, technology_index
from leadflood.kernel.parsing import sources_in

_HOME: Final = "home"
KIND: Final = ":kind"
"""Name of the note that says what kind of page it is; no header has this name."""
MAX_FACTS: Final = 300
"""Facts of a page that are kept."""


def extract(page: WebPage, *, kind: str = _HOME) -> list[PageFact]:
    """The facts of a page.

    Args: kind: `home`, or the kind of link that leads to it (`links.LinkKind`).
    """
    signs = PageSigns.of(page.tree, page.headers)
    organizations = organizations_in(page)
    owner = owner_of(page, organizations)
    facts = [*metadata_of(page)]
    method, same_as, sure = "link", tuple[str, ...](), 0.0
    if owner is not None:
        one, sure = owner
        method, same_as = one.method, one.same_as
        facts += [*facts_of(one, sure), *described_address(one, sure)]
    facts += profiles_in(page, same_as, method, sure)
    facts += identifiers_in(page.lines)
    facts += names_on(page, is_imprint=kind == "imprint")
    country = country_hint(page, facts)
    if country is not None and not any(fact.field is PageField.COUNTRY for fact in facts):
        facts.append(country)
    code = str(country.value) if country else None
    organization = owner[0] if owner else None
    if not any(fact.field is PageField.STREET for fact in facts):
        facts += written_address(page, code)
    facts += [*emails_in(page, organization), *phones_in(page, organization, code)]
    facts += founding_years_in(page)
    if (logo := logo_of(page)) is not None:
        facts.append(logo)
    facts += [
        PageFact(PageField.TECHNOLOGY, one.name, one.confidence, f"technology_{one.kind}", one.quote)
        for one in technologies_of_page(signs, technology_index())
    ]
    return facts[:MAX_FACTS]


def extracted(page: WebPage, *, kind: str = _HOME) -> dict[str, Any]:
    """Facts and links of a page as a JSON value; of a home page also the domains that it states as its own."""
    own = _own_domains(page) if kind == _HOME else {}
    facts = extract(page, kind=kind)
    return {
        **own,
        "facts": [[fact.field.value, fact.value, fact.confidence, fact.method, fact.quote] for fact in facts],
        "links": [[link.url, link.kind.value, link.score, link.label] for link in links_in(page)],
        "title": next((str(fact.value) for fact in facts if fact.field is PageField.TITLE), ""),
        "text": page.text[:MAX_TEXT],
        "words": sum(len(line.split()) for line in page.lines[:2000]),
    }


def _own_domains(page: WebPage) -> dict[str, Any]:
    return {"stated": stated_domains(page), "countries": country_domains(page), "mailboxes": mailbox_domains(page)}


def facts_in(result: Any) -> list[PageFact]:  # noqa: ANN401  JSON
    """The facts of an extracted page, as a child process has returned them."""
    return [
        PageFact(PageField(name), value, confidence, method, quote)
        for name, value, confidence, method, quote in result["facts"]
    ]


def extract_pages(file: IO[bytes], request: list[int]) -> Iterator[dict[str, Any]]:
    """The task: `extracted` of each page of `sources_in`, and the sign of parking of a home page.

    Its notes are `KIND` and the headers of the response.
    """
    for source in sources_in(file, request):
        kind = source.notes.get(KIND, _HOME)
        headers = {name: value for name, value in source.notes.items() if name != KIND}
        page = extracted(WebPage.of(source.url, source.text, headers), kind=kind)
        yield {**page, "parking": parking_sign(source.url, source.text, page["words"])} if kind == _HOME else page
