"""Facts of a page of HTML that a test has written down."""

from leadflood.domains.enrichment.sources.website.extraction import extract
from leadflood.domains.enrichment.sources.website.page import PageFact, PageField, WebPage

URL = "https://www.acme.de/"


def facts(html: str, *, url: str = URL, kind: str = "home", **headers: str) -> list[PageFact]:
    return extract(WebPage.of(url, html, headers), kind=kind)


def values(found: list[PageFact], field: PageField) -> list[object]:
    """The values of a field, the surest first."""
    return [fact.value for fact in sorted(found, key=lambda fact: -fact.confidence) if fact.field is field]
