"""Postal addresses of a page: from structured data, and from the lines of an imprint or contact page."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadflood.domains.enrichment.sources.website.data_values import text_of
from leadflood.domains.enrichment.sources.website.digits import DIGIT
from leadflood.domains.enrichment.sources.website.organizations import DescribedOrganization
from leadflood.domains.enrichment.sources.website.page import PageFact, PageField, WebPage, quote_of
from leadflood.kernel.country_names import normalise_country
from leadflood.kernel.text import InvalidValue

_MAX_LINE: Final = 400
_SEPARATOR: Final = re.compile("[\u00b7|\u2022\u25cf\u2013\u2014]")
_SEPARATED: Final = re.compile(r"\s+[\u00b7|\u2022\u25cf\u2013\u2014]\s+|\s*[\u2022\u00b7|]\s*")
_PARTS: Final = {
    PageField.STREET: "streetAddress",
    PageField.POSTAL_CODE: "postalCode",
    PageField.CITY: "addressLocality",
    PageField.REGION: "addressRegion",
}
_CITY: Final = r"([A-Z\u00c0-\u024f][\w\u00c0-\u024f'\u2019.()/-]*(?:[ -][A-Za-z\u00c0-\u024f'\u2019.()/-]+){0,4})"
_STATES: Final = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
)
_STREET_WORDS: Final = re.compile(
    r"(?:stra(?:ß|ss)e|str\.|gasse|weg|platz|allee|ring|ufer|damm|chaussee|rue|avenue|av\.|boulevard|bd\.?|chemin|place|"
    r"calle|c/|avda?\.?|paseo|plaza|carrer|via|viale|piazza|corso|largo|straat|laan|gracht|plein|kade|gatan|v[äa]gen|"
    r"street|st\.?|road|rd\.?|lane|drive|dr\.?|way|square|court|close|house|floor|suite|ul\.|ulica|aleja|al\.|os\.|"
    r"vej|gade|gate|veien|katu|tie|rua|travessa|utca|út)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PostalFormat:
    """A country's line with postal code and city: the pattern has a code and a city group, in the given order."""

    country: str
    pattern: re.Pattern[str]
    city_first: bool = False


def _format(country: str, code: str, *, prefix: str = "", city_first: bool = False) -> PostalFormat:
    lead = rf"(?:(?:{prefix})[- ]{{0,2}})?" if prefix else ""
    pattern = rf"{_CITY},?\s+({code})" if city_first else rf"{lead}({code})\s+{_CITY}"
    return PostalFormat(country, re.compile(pattern), city_first)


_FORMATS: Final[Mapping[str, PostalFormat]] = {
    one.country: one
    for one in (
        _format("DE", r"\d{5}", prefix="DE?"),
        _format("AT", r"\d{4,5}", prefix="AT?"),
        _format("CH", r"\d{4}", prefix="CH"),
        _format("FR", r"\d{5}", prefix="FR?"),
        _format("ES", r"\d{5}", prefix="ES?"),
        _format("IT", r"\d{5}", prefix="IT?"),
        _format("NL", r"\d{4} ?[A-Z]{2}|\d{5}", prefix="NL"),
        _format("BE", r"\d{4}", prefix="BE?"),
        _format("SE", r"\d{3} ?\d{2}", prefix="SE?"),
        _format("DK", r"\d{4}", prefix="DK"),
        _format("NO", r"\d{4}", prefix="NO?"),
        _format("FI", r"\d{5}", prefix="FIN?"),
        _format("PL", r"\d{2}-?\d{3}", prefix="PL"),
        _format("PT", r"\d{4}-\d{3}", prefix="PT?"),
        _format("CZ", r"\d{3} ?\d{2}", prefix="CZ"),
        _format("GB", r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", city_first=True),
        _format("US", rf"(?:{_STATES}),? \d{{5}}(?:-\d{{4}})?", city_first=True),
        _format("CA", r"[A-Z]{2},? [A-Z]\d[A-Z] ?\d[A-Z]\d", city_first=True),
        _format("AU", r"(?:NSW|VIC|QLD|WA|SA|TAS|ACT|NT),? \d{4}", city_first=True),
    )
}

_UNMISTAKABLE: Final = tuple(_FORMATS[country] for country in ("US", "CA", "GB"))


def described_address(one: DescribedOrganization, confidence: float) -> Iterator[PageFact]:
    """The address of an organization in structured data; the first if there are several."""
    given: Any = one.data.get("address") or one.data.get("location")
    if isinstance(given, list):
        given = next((item for item in given if isinstance(item, dict)), None)
    if isinstance(given, dict) and isinstance(given.get("address"), dict):
        given = given["address"]
    if not isinstance(given, dict):
        return
    for field, key in _PARTS.items():
        if text := text_of(given.get(key)):
            yield PageFact(field, text, confidence, one.method, quote_of(text))
    if (text := text_of(given.get("addressCountry"))) and (code := country_code(text)):
        yield PageFact(PageField.COUNTRY, code, confidence, one.method, quote_of(text))


def written_address(page: WebPage, country: str | None) -> Iterator[PageFact]:
    """The address on an imprint or contact page: a street, then a line with postal code and city.

    Args: country: where the site is likely to be, so that a line can be recognized; ISO 3166-1 alpha-2. If it is
        unknown, only the lines of countries whose form no other country has are recognized.
    """
    parts = [part for line in page.lines for part in _separated(line[:_MAX_LINE]) if part]
    known = () if country is None else (_FORMATS[country],) if country in _FORMATS else ()
    for format_ in _UNMISTAKABLE if country is None else known:
        if found := list(_written(parts, format_)):
            yield from found
            return


def _separated(line: str) -> Sequence[str]:
    return _SEPARATED.split(line) if _SEPARATOR.search(line) else (line,)


def _written(parts: Sequence[str], format_: PostalFormat) -> Iterator[PageFact]:
    for place, part in enumerate(parts):
        if DIGIT.for_text(part).search(part) is None:  # every postal code has one
            continue
        found = format_.pattern.fullmatch(part.strip(" ,;"))
        street = None if found is None else _street_before(parts, place)
        if found is None and (tail := _tail(part, format_)) is not None:
            street, found = tail
        if found is None or street is None:
            continue
        code, city = (found[2], found[1]) if format_.city_first else (found[1], found[2])
        quote = quote_of(part)
        yield PageFact(PageField.STREET, street, 0.75, "postal_address", quote_of(street))
        yield from _code_and_region(code, quote)
        yield PageFact(PageField.CITY, city.strip(" ,"), 0.75, "postal_address", quote)
        yield PageFact(PageField.COUNTRY, format_.country, 0.7, "postal_address", quote)
        return


def _code_and_region(code: str, quote: str) -> Iterator[PageFact]:
    region, _, number = code.replace(",", "").partition(" ")
    if region.isalpha() and number:
        yield PageFact(PageField.REGION, region, 0.7, "postal_address", quote)
        yield PageFact(PageField.POSTAL_CODE, number, 0.75, "postal_address", quote)
    else:
        yield PageFact(PageField.POSTAL_CODE, code, 0.75, "postal_address", quote)


def _street_before(parts: Sequence[str], place: int) -> str | None:
    for before in reversed(parts[max(0, place - 2) : place]):
        text = before.strip(" ,;:")
        if len(text) <= 100 and _is_street(text):  # noqa: PLR2004  longer texts are sentences
            return text
    return None


def _is_street(text: str) -> bool:
    return any(char.isdigit() for char in text) and any(char.isalpha() for char in text) and not text.startswith("+")


def _tail(part: str, format_: PostalFormat) -> tuple[str, re.Match[str]] | None:
    """Street and city on one line: `Hauptstraße 1, 10115 Berlin`."""
    if (comma := part.find(",")) < 0 or DIGIT.for_text(part).search(part, comma) is None:
        return None
    pieces = [piece.strip() for piece in part.split(",")]
    for place in range(1, len(pieces)):
        street = pieces[place - 1].rpartition(":")[2].strip()
        if not _is_street(street) or (len(street) > 40 and not _STREET_WORDS.search(street)):  # noqa: PLR2004
            continue
        for end in (len(pieces), place + 2, place + 1):
            if found := format_.pattern.fullmatch(", ".join(pieces[place:end]).strip(" .")):
                return street, found
    return None


def country_code(text: str) -> str | None:
    """The ISO 3166-1 alpha-2 code of a country that a page names; None if it names none."""
    try:
        return normalise_country(text)
    except (InvalidValue, ValueError):
        return None
