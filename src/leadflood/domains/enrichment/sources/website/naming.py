"""The company's name and legal name on its pages, beyond structured data."""

import re
from collections.abc import Iterator
from typing import Final

from rapidfuzz import fuzz

from leadflood.domains.enrichment.sources.website.metadata import publisher_of
from leadflood.domains.enrichment.sources.website.page import PageFact, PageField, WebPage, quote_of
from leadflood.kernel.company_name import company_key, has_legal_form, without_legal_form

_MAX_NAME: Final = 80
_SEPARATORS: Final = re.compile(
    r"\s+[|\u2013\u2014\u00b7\u2022\u00bb\u00ab:/-]\s+|\s*[|\u2022\u00b7\u00bb\u00ab]\s*|:\s+"
)
_COPYRIGHT: Final = re.compile(
    r"(?:©|\(c\)|copyright|\u24d2)[\s:]{0,3}(?:©|\(c\))?\s{0,3}(?:\d{4}(?:\s?[-\u2013\u2014]\s?\d{2,4})?)?[\s,.|-]{0,4}"
    r"(?:by\s)?([^|\u00b7\u2022\u2013\u2014©]{2,80})",
    re.IGNORECASE,
)
_AFTER_NAME: Final = re.compile(
    r"[\s,.]*(?:\b(?:all rights|alle rechte|tous droits|todos los derechos|tutti i diritti|alle rechten|"
    r"todos os direitos|alla r[äa]ttigheter|alle rettigheder|wszelkie prawa|"
    r"v[šs]echna pr[áa]va|kaikki oikeudet|inc\.? all)\b.*"
    r"|\d{4}(?:\s?[-\u2013]\s?\d{2,4})?\s*)$",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(
    r"^(?:firma|company|company name|unternehmen|anbieter|betreiber|verantwortlich|name|raison sociale|d[ée]nomination|"
    r"raz[óo]n social|denominaci[óo]n social|ragione sociale|titular|angaben gem[äa]ß [^:]{0,30}|legal name|editeur|"
    r"[ée]diteur|herausgeber|bedrijfsnaam|nazwa|f[öo]retag)\s{0,2}:\s*",
    re.IGNORECASE,
)
_PARTS: Final = re.compile(r"\s[\u00b7|\u2022]\s|\s{2,}")
_CLOSE: Final = 80.0


def names_on(page: WebPage, *, is_imprint: bool) -> Iterator[PageFact]:
    """Names that the page gives its owner, without those of structured data about organizations.

    Args: is_imprint: whether the page is an imprint, whose first line with a legal form is the company.
    """
    if (publisher := publisher_of(page)) is not None:
        yield publisher
    if (titled := _in_title(page)) is not None:
        yield titled
    yield from _legal_names(page, is_imprint=is_imprint)


def resembles_domain(name: str, domain: str) -> float:
    """Similarity of a name and the first label of a domain, 0 to 100: letters alone, also as initials."""
    label = re.sub(r"[^a-z0-9]", "", domain.partition(".")[0])
    words = [re.sub(r"[^a-z0-9]", "", word) for word in company_key(name).split()]
    joined = "".join(words)
    if not label or not joined:
        return 0.0
    initials = "".join(word[0] for word in words if word)
    if len(words) > 1 and initials == label:
        return 95.0
    if len(label) >= 4 and (joined.startswith(label) or label.startswith(joined)):  # noqa: PLR2004  shorter ones are chance
        return max(85.0, fuzz.ratio(joined, label))
    return fuzz.ratio(joined, label)


def _in_title(page: WebPage) -> PageFact | None:
    """The part of the title that resembles the domain."""
    title = page.title
    parts = [part.strip() for part in _SEPARATORS.split(title) if part.strip()]
    scored = [(resembles_domain(part, page.domain), part) for part in parts if len(part) <= _MAX_NAME]
    score, name = max(scored, default=(0.0, ""))
    if score < _CLOSE:
        return None
    return PageFact(PageField.COMPANY_NAME, name, 0.75 if len(parts) > 1 else 0.7, "title", quote_of(title))


def _legal_names(page: WebPage, *, is_imprint: bool) -> Iterator[PageFact]:
    found: dict[str, PageFact] = {}
    for line in page.lines:
        for text, confidence, method in _candidates(line, is_imprint=is_imprint):
            name = _AFTER_NAME.sub("", text).strip(" ,;:|-")
            if not 2 < len(name) <= _MAX_NAME or not has_legal_form(name):  # noqa: PLR2004
                continue
            close = resembles_domain(without_legal_form(name), page.domain) >= _CLOSE
            weight = confidence + (0.15 if close else 0.0)
            fact = PageFact(PageField.LEGAL_NAME, name, round(weight, 2), method, quote_of(line))
            if name not in found or found[name].confidence < fact.confidence:
                found[name] = fact
    best = sorted(found.values(), key=lambda fact: -fact.confidence)[:3]
    yield from best
    for fact in best[:1]:
        short = without_legal_form(str(fact.value))
        if fact.confidence >= 0.7:  # noqa: PLR2004  the site's owner, not a partner that it mentions
            yield PageFact(PageField.COMPANY_NAME, short, round(fact.confidence - 0.1, 2), fact.method, fact.quote)


def _candidates(line: str, *, is_imprint: bool) -> Iterator[tuple[str, float, str]]:
    if ("©" in line or "opyright" in line or "(c)" in line.lower()) and (found := _COPYRIGHT.search(line[:300])):
        yield found[1].strip(), 0.65, "copyright"
    if is_imprint:
        for part in _PARTS.split(line[:600]):
            text = _LABEL.sub("", part.strip())
            yield text, 0.75 if text != part.strip() else 0.65, "imprint"
