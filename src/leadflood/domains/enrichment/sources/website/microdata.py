"""Microdata of a page, in the form of JSON-LD.

The HTML Living Standard, 5.5 (converting to JSON), with one rule of search engines: a `content` attribute counts on any
element. A library for it, extruct, would bring lxml and rdflib; the pages are parsed by lexbor already.
"""

from collections.abc import Callable
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_PROPERTIES: Final = 3000
"""Elements with a property that are read."""
MAX_DEPTH: Final = 300
"""Elements between a property and its item."""
_MAX_TEXT: Final = 5000
_URLS: Final = {
    **dict.fromkeys(("a", "area", "link"), "href"),
    **dict.fromkeys(("audio", "embed", "iframe", "img", "source", "track", "video"), "src"),
    "object": "data",
}
"""Elements whose value is an address."""
_VALUES: Final = {"data": "value", "meter": "value", "time": "datetime", "meta": "content"}


Absolute = Callable[[str], str | None]
"""Turns an address of the page into an absolute one; None where it is none."""


def microdata_in(tree: LexborHTMLParser, absolute: Absolute) -> list[dict[str, Any]]:
    """The items of a page that are no property of another one, their addresses absolute."""
    if not tree.css_matches("[itemscope]"):
        return []
    items: dict[int, dict[str, Any]] = {}
    referring: dict[str, dict[str, Any]] = {}
    top: list[dict[str, Any]] = []
    for element in tree.css("[itemscope]")[:MAX_PROPERTIES]:
        attributes = element.attributes
        item: dict[str, Any] = {}
        if types := (attributes.get("itemtype") or "").split():
            item["@type"] = types if len(types) > 1 else types[0]
        if attributes.get("itemid"):
            item["@id"] = attributes["itemid"]
        items[element.mem_id] = item
        for name in (attributes.get("itemref") or "").split()[:20]:
            referring.setdefault(name, item)
        if not attributes.get("itemprop"):
            top.append(item)
    for element in tree.css("[itemprop]")[:MAX_PROPERTIES]:
        _add(element, items, referring, absolute)
    return top


def _add(
    element: LexborNode,
    items: dict[int, dict[str, Any]],
    referring: dict[str, dict[str, Any]],
    absolute: Absolute,
) -> None:
    owner = _owner(element, items, referring)
    if owner is None:
        return
    own = items.get(element.mem_id)
    value = own if own is not None else _value(element, absolute)
    if value is owner:
        return
    for name in (element.attributes.get("itemprop") or "").split():
        key = name.rpartition("/")[2]
        if key not in owner:
            owner[key] = value
        elif isinstance(owner[key], list):
            owner[key].append(value)
        else:
            owner[key] = [owner[key], value]


def _owner(
    element: LexborNode, items: dict[int, dict[str, Any]], referring: dict[str, dict[str, Any]]
) -> dict[str, Any] | None:
    """The item of a property: of the nearest element around it, or the one that refers to an element around it."""
    if referring and (own_id := element.attributes.get("id")) in referring:
        return referring[own_id]
    around = element.parent
    for _ in range(MAX_DEPTH):
        if around is None or not around.is_element_node:
            return None
        if (item := items.get(around.mem_id)) is not None:
            return item
        if referring and (around_id := around.attributes.get("id")) in referring:
            return referring[around_id]
        around = around.parent
    return None


def _value(element: LexborNode, absolute: Absolute) -> str:
    attributes, tag = element.attributes, element.tag or ""
    for name in ("content", _VALUES.get(tag, "")):
        if name and (value := attributes.get(name)) is not None:
            return value.strip()[:_MAX_TEXT]
    if tag in _URLS and (address := attributes.get(_URLS[tag])) is not None:
        return absolute(address) or address.strip()[:_MAX_TEXT]
    return " ".join(element.text()[: 4 * _MAX_TEXT].split())[:_MAX_TEXT]
