"""Facts that a page states in sentences or pictures: the year of founding, and the logo."""

import re
from collections.abc import Iterator
from typing import Final

from selectolax.lexbor import LexborNode

from leadflood.domains.enrichment.sources.website.page import PageFact, PageField, WebPage, one_line, quote_of

_FOUNDED: Final = re.compile(
    r"\b(?:founded|established|est\.?|gegr[üu]ndet|gr[üu]ndung|gr[üu]ndungsjahr|fond[ée]e?s?|cr[ée]{2}e?|fundada|fundado|"
    r"fondata|fondato|opgericht|grundat|grundades|grundlagt|stiftet|perustettu|za[łl]o[żz]on[aey]?|zalo[žz]en[ao]?|"
    r"fundação|creada|creado)\b[^.\d\n]{0,25}$",
    re.IGNORECASE,
)
_SINCE: Final = re.compile(
    r"\b(?:since|seit|depuis|desde|dal|sinds|sedan|siden|od(?: roku)?|vuodesta|de[sz]de)\s(?:dem jahr\s)?$",
    re.IGNORECASE,
)
# Begins with a set of characters, to which `re` skips: three times as fast as with the look behind before it.
_YEAR: Final = re.compile(r"([12](?<![\w.,/-].)(?:(?<=1)[6-9]\d|(?<=2)0[0-4])\d)(?![\w/-])")
_MAX_IMAGES: Final = 60


def founding_years_in(page: WebPage) -> Iterator[PageFact]:
    """The years in which the company says that it was founded: said outright, then "since"; at most one of each."""
    text, seen = page.text, set[float]()
    for found in _YEAR.finditer(text):
        start = found.start()
        line = text.rfind("\n", 0, start) + 1
        before = text[max(line, start - 60) : start]
        for pattern, confidence in ((_FOUNDED, 0.75), (_SINCE, 0.6)):
            if confidence not in seen and pattern.search(before):
                seen.add(confidence)
                quote = quote_of(text[line : text.find("\n", start)], around=(start - line, 0))
                yield PageFact(PageField.FOUNDED, int(found[1]), confidence, "sentence", quote)


def logo_of(page: WebPage) -> PageFact | None:
    """The image that the page marks as its logo."""
    best: tuple[float, str, str] | None = None
    for element in page.tree.css("img")[:_MAX_IMAGES]:
        source = (element.attributes.get("src") or element.attributes.get("data-src") or "").strip()
        url = page.absolute(source) if source and not source.startswith("data:") else None
        score = _logo_score(element, source)
        if url and score > 0 and (best is None or score > best[0]):
            best = score, url, source
    return (
        None if best is None else PageFact(PageField.LOGO, best[1], min(0.8, best[0]), "logo_image", quote_of(best[2]))
    )


def _logo_score(element: LexborNode, source: str) -> float:
    attributes = element.attributes
    parent = element.parent
    own = " ".join(filter(None, (attributes.get("class"), attributes.get("id"), attributes.get("alt")))).lower()
    around, climbed = "", parent
    for _ in range(3):
        if climbed is not None and climbed.is_element_node:
            around += (
                " ".join(filter(None, (climbed.attributes.get("class"), climbed.attributes.get("id")))).lower() + " "
            )
            climbed = climbed.parent
    score = 0.0
    if "logo" in own or "brand" in own:
        score += 0.4
    if "logo" in around or "brand" in around:
        score += 0.3
    if "logo" in source.lower():
        score += 0.25
    if parent is not None and parent.tag == "a" and (parent.attributes.get("href") or "") in {"/", "./", "#"}:
        score += 0.2
    partner = any(
        word in one_line(own + around) for word in ("partner", "client", "customer", "payment", "badge", "award")
    )
    return 0.0 if partner else score
