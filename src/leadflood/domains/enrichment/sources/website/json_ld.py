"""JSON-LD of a page, also where it is not quite JSON."""

import html
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser

MAX_BLOCKS: Final = 50
"""Script elements of a page that are read."""
MAX_BLOCK: Final = 1_000_000
"""Characters of a script element."""
_DECODER: Final = json.JSONDecoder(strict=False)
"""Accepts control characters in strings, which many pages have."""
_WRAPPERS: Final = ("<!--", "-->", "//<![CDATA[", "//]]>", "<![CDATA[", "]]>")


def json_ld_in(tree: LexborHTMLParser) -> list[Any]:
    """The values of all `application/ld+json` elements, in order. What cannot be repaired is left out."""
    found: list[Any] = []
    for element in tree.css("script[type]")[: MAX_BLOCKS * 4]:
        kind = (element.attributes.get("type") or "").partition(";")[0].strip().lower()
        if kind == "application/ld+json" and len(found) < MAX_BLOCKS:
            found += values_in(element.text())
    return found


def values_in(text: str) -> list[Any]:
    """The JSON values of a script element: usually one, several where objects follow each other.

    Repaired are comments, HTML comments and CDATA marks around the text, commas before a closing bracket, a semicolon
    at the end, control characters in strings, and entities instead of quotation marks.
    """
    if len(text) > MAX_BLOCK:
        return []
    try:
        return [_DECODER.decode(text)]
    except (ValueError, RecursionError):
        pass
    cleaned = without_comments(_unwrapped(text))
    values = list(_concatenated(cleaned))
    return values or list(_concatenated(without_comments(html.unescape(cleaned))))


def _unwrapped(text: str) -> str:
    stripped = text.strip().removeprefix("\ufeff")
    changed = True
    while changed:
        changed = False
        for mark in _WRAPPERS:
            if stripped.startswith(mark) or stripped.endswith(mark):
                stripped, changed = stripped.removeprefix(mark).removesuffix(mark).strip(), True
    return stripped


def _concatenated(text: str) -> Iterator[Any]:
    """The values that follow each other, up to the first that cannot be read."""
    place = 0
    while place < len(text):
        if text[place] not in "[{":
            place += 1
            continue
        try:
            value, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            return
        yield value


def without_comments(text: str) -> str:
    """JSON without comments and without commas before a closing bracket. Strings stay as they are."""
    kept: list[str] = []
    place, end = 0, len(text)
    while place < end:
        char = text[place]
        if char == '"':
            close = _string_end(text, place)
            kept.append(text[place:close])
            place = close
        elif text.startswith("/*", place):
            close = text.find("*/", place + 2)
            place = end if close < 0 else close + 2
        elif text.startswith("//", place):
            close = text.find("\n", place)
            place = end if close < 0 else close
        else:
            if char in "]}":
                _drop_comma(kept)
            kept.append(char)
            place += 1
    return "".join(kept)


def _string_end(text: str, start: int) -> int:
    place = start + 1
    while place < len(text):
        if text[place] == "\\":
            place += 2
        elif text[place] == '"':
            return place + 1
        else:
            place += 1
    return len(text)


def _drop_comma(kept: list[str]) -> None:
    place = len(kept) - 1
    while place >= 0 and kept[place].isspace():
        place -= 1
    if place >= 0 and kept[place] == ",":
        del kept[place]


def nodes_in(values: Sequence[Any], *, most: int = 2000) -> Iterator[dict[str, Any]]:
    """All objects of JSON-LD or microdata, the outer before the inner ones. Args: most: objects."""
    waiting: list[Any] = list(reversed(values))
    seen = 0
    while waiting and seen < most:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            seen += 1
            yield value
            waiting.extend(reversed([item for item in value.values() if isinstance(item, (dict, list))]))
