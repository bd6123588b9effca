"""Reading the values of structured data: texts, addresses of images, numbers, whatever form a page gives them."""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from leadflood.domains.enrichment.sources.website.page import MAX_VALUE, one_line

_TAG: Final = re.compile(r"<[^<>]{1,200}>")
_YEAR: Final = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")
_NUMBER: Final = re.compile(r"\d{1,3}(?:[,.' \u00a0]\d{3})+|\d{1,7}")


def texts_of(value: Any) -> Iterator[str]:  # noqa: ANN401  JSON
    """The texts of a property: a string, several, language-tagged ones, or the name of an object."""
    if isinstance(value, str):
        text = one_line(_TAG.sub(" ", html.unescape(value)) if "<" in value or "&" in value else value)
        if text and len(text) <= MAX_VALUE:
            yield text
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield f"{value:g}"
    elif isinstance(value, list):
        for item in value[:100]:
            yield from texts_of(item)
    elif isinstance(value, dict):
        yield from texts_of(value.get("@value") or value.get("name") or value.get("value"))


def text_of(value: Any) -> str | None:  # noqa: ANN401  JSON
    """The first text of a property."""
    return next(texts_of(value), None)


def url_of(value: Any) -> str | None:  # noqa: ANN401  JSON
    """The address that a property names: a string, or the `url`, `contentUrl` or `@id` of an object."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        return next(filter(None, map(url_of, value[:20])), None)
    if isinstance(value, dict):
        return next((found for key in ("url", "contentUrl", "@id") if (found := url_of(value.get(key)))), None)
    return None


def urls_of(value: Any) -> Iterator[str]:  # noqa: ANN401  JSON
    """All addresses that a property names."""
    for item in value[:100] if isinstance(value, list) else [value]:
        if found := url_of(item):
            yield found


def year_of(value: Any) -> int | None:  # noqa: ANN401  JSON
    """The year of a date or text, from 1500 to 2099."""
    text = text_of(value)
    found = _YEAR.search(text) if text else None
    return int(found[1]) if found else None


def count_of(value: Any) -> int | None:  # noqa: ANN401  JSON
    """A number of people: a number, a text with one, or a QuantitativeValue (of a range, the lower end)."""
    if isinstance(value, dict):
        given: Mapping[str, Any] = value
        return next((n for key in ("value", "minValue") if (n := count_of(given.get(key))) is not None), None)
    text = text_of(value)
    found = _NUMBER.search(text) if text else None
    return int(re.sub(r"\D", "", found[0])) if found else None
