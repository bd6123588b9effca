"""A page as the extraction reads it: parsed once, each kind of markup collected once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from leadflood.domains.enrichment.sources.website.json_ld import json_ld_in, nodes_in
from leadflood.domains.enrichment.sources.website.microdata import microdata_in
from leadflood.kernel.door.links import absolute_link
from leadflood.kernel.email_domains import registrable_domain

MAX_QUOTE: Final = 300
"""Characters of a quote."""
MAX_VALUE: Final = 2000
"""Characters of a value."""
MAX_TEXT: Final = 200_000
"""Characters of visible text that are read."""
MAX_ELEMENTS: Final = 5000
"""Elements of one kind that are read."""
_INVISIBLE: Final = ["script", "style", "noscript", "template", "svg", "head", "select", "textarea", "object", "dialog"]
_BREAKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "br", "button", "dd", "div", "dl", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p",
    "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip
_INLINE_STEPS: Final = 3
_PROTECTED: Final = "/cdn-cgi/l/email-protection#"
"""Links whose fragment is an address that Cloudflare has hidden."""


class PageField(StrEnum):
    """A fact that a page can state."""

    TITLE = "title"
    COMPANY_NAME = "company_name"
    LEGAL_NAME = "legal_name"
    DESCRIPTION = "description"
    IMAGE = "image"
    LOGO = "logo"
    FAVICON = "favicon"
    LANGUAGE = "language"
    KEYWORDS = "keywords"
    INDUSTRY = "industry"
    STREET = "street"
    POSTAL_CODE = "postal_code"
    CITY = "city"
    REGION = "region"
    COUNTRY = "country"
    PHONE = "phone"
    EMAIL = "email"
    PROFILE = "profile"
    VAT_ID = "vat_id"
    REGISTER_NUMBER = "register_number"
    COMPANY_NUMBER = "company_number"
    LEI = "lei"
    SIREN = "siren"
    SIRET = "siret"
    CIK = "cik"
    TAX_ID = "tax_id"
    FOUNDED = "founded"
    EMPLOYEES = "employees"
    CANONICAL_URL = "canonical_url"
    TECHNOLOGY = "technology"
    LANGUAGES = "languages"


@dataclass(frozen=True, slots=True)
class PageFact:
    """A value that a page states.

    Attributes:
        field: of the value.
        value: in the field's normalized form.
        confidence: probability that it is right, 0 to 1.
        method: kind of markup that states it, such as `json_ld`.
        quote: the text of the page that states it, at most 300 characters.
    """

    field: PageField
    value: str | int
    confidence: float
    method: str
    quote: str


@dataclass(frozen=True, slots=True)
class MarkupItem:
    """An object of structured data, and its kind of markup: `json_ld` or `microdata`."""

    data: Mapping[str, Any]
    method: str

    @property
    def types(self) -> frozenset[str]:
        """Names of its types, without the vocabulary."""
        given = self.data.get("@type", ())
        listed = given if isinstance(given, list) else [given]
        return frozenset(str(name).rstrip("/").rpartition("/")[2].rpartition(":")[2] for name in listed if name)


@dataclass
class WebPage:
    """A parsed page. The markup is collected on first use, and the visible text last: that takes elements away."""

    url: str
    tree: LexborHTMLParser
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, url: str, text: str, headers: Mapping[str, str] | None = None) -> "WebPage":
        """The page with this URL and HTML. Args: headers: of the response, names in lower case."""
        return cls(url, LexborHTMLParser(text), headers or {})

    @cached_property
    def address(self) -> str:
        """Address that relative links of the page refer to."""
        element = self.tree.css_first("base[href]")
        given = (element.attributes.get("href") or "").strip() if element else ""
        return absolute_link(given, self.url) or self.url if given else self.url

    @cached_property
    def title(self) -> str:
        """Text of the title element; empty if there is none."""
        element = self.tree.css_first("head > title") or self.tree.css_first("title")
        return one_line(element.text()) if element else ""

    @cached_property
    def domain(self) -> str:
        """The registrable domain of the page, or its host."""
        return domain_of(self.url) or ""

    @cached_property
    def meta(self) -> Mapping[str, Sequence[str]]:
        """Contents of the meta elements by name or property in lower case; empty ones are left out."""
        found: dict[str, list[str]] = {}
        for element in self.tree.css("meta[content]")[:MAX_ELEMENTS]:
            attributes = element.attributes
            content = one_line(attributes.get("content") or "")
            if not content:
                continue
            names = {attributes.get(kind) or "" for kind in ("property", "name", "http-equiv", "itemprop")}
            for name in names:
                if name.strip():
                    found.setdefault(name.strip().lower(), []).append(content)
        return found

    @cached_property
    def items(self) -> Sequence[MarkupItem]:
        """All objects of JSON-LD, then those of microdata; references by `@id` are resolved."""
        linked = [*nodes_in(json_ld_in(self.tree))]
        micro = [*nodes_in(microdata_in(self.tree, self.absolute))]
        return [
            *(MarkupItem(node, "json_ld") for node in _resolved(linked)),
            *(MarkupItem(node, "microdata") for node in micro),
        ]

    @cached_property
    def links(self) -> Sequence[tuple[str, str]]:
        """Targets of links as absolute addresses without fragment, and their texts; other schemes as they are."""
        found: dict[tuple[str, str], None] = {}
        targets: dict[str, str | None] = {}
        for element in self.tree.css("a[href]")[:MAX_ELEMENTS]:
            attributes = element.attributes
            href = (attributes.get("href") or "").strip()
            label = one_line(element.text()[:400]) or attributes.get("title") or attributes.get("aria-label") or ""
            if href not in targets:
                scheme = href[:8].partition(":")[0].lower()
                targets[href] = href if scheme in {"mailto", "tel"} else self.absolute(href)
            if target := targets[href]:
                found[target if _PROTECTED in target else target.partition("#")[0], label] = None
        return list(found)

    @cached_property
    def lines(self) -> Sequence[str]:
        """The visible text by lines, whitespace folded."""
        collect = (self.title, self.meta, self.items, self.links, self.address)
        del collect  # read from the complete tree, before what is not visible is removed
        self.tree.strip_tags(_INVISIBLE)
        parts: list[str] = []
        for node in self._nodes():
            if node.is_text_node:
                if _after_block(node):
                    parts.append("\n")
                parts.append(node.text_content or "")
            elif node.tag in _BREAKS:
                parts.append("\n")
        folded = (one_line(line) for line in "".join(parts)[:MAX_TEXT].replace("\u00ad", "").split("\n"))
        return [line for line in folded if line]

    @cached_property
    def text(self) -> str:
        """The lines, each ended by a line break."""
        return "".join(f"{line}\n" for line in self.lines)

    def absolute(self, address: str) -> str | None:
        """An address of the page as an absolute http or https URL; None if it is none."""
        return absolute_link(address, self.address)

    def first(self, *names: str) -> tuple[str, str] | None:
        """The first content of the first meta element that the page has, and its name."""
        return next(((self.meta[name][0], name) for name in names if name in self.meta), None)

    def _nodes(self) -> Iterator[LexborNode]:
        body = self.tree.body
        return iter(()) if body is None else body.traverse(include_text=True)


def one_line(text: str) -> str:
    """The text with whitespace folded."""
    return " ".join(text.split())


def quote_of(text: str, *, around: tuple[int, int] | None = None) -> str:
    """A quote: the text, or a part around a place, cut to its longest length."""
    if around is None or len(text) <= MAX_QUOTE:
        return text[:MAX_QUOTE].strip()
    start = max(0, min(around[0] - 100, len(text) - MAX_QUOTE))
    return text[start : start + MAX_QUOTE].strip()


def domain_of(url: str) -> str | None:
    """The registrable domain of a normalized http or https URL, or its host where that has none; None without one."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2].partition(":")[0].removesuffix(".").lower()
    return _domain_of_host(host) if host and scheme in {"http", "https"} else None


@lru_cache(maxsize=4096)
def _domain_of_host(host: str) -> str:
    return registrable_domain(host) or host


def _resolved(nodes: Sequence[dict[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Objects whose properties refer to others by `@id` get a copy of what they refer to, one level deep."""
    known: dict[str, dict[str, Any]] = {}
    for node in nodes:
        name = node.get("@id")
        if isinstance(name, str) and len(node) > 1:
            known.setdefault(name, node)
    return [{key: _target(value, known) for key, value in node.items()} for node in nodes if [*node] != ["@id"]]


def _target(value: Any, known: Mapping[str, dict[str, Any]]) -> Any:  # noqa: ANN401  JSON
    if isinstance(value, dict) and len(value) == 1 and isinstance(name := value.get("@id"), str):
        return known.get(name, value)
    if isinstance(value, list):
        return [_target(item, known) if isinstance(item, dict) else item for item in value[:200]]
    return value


def _after_block(node: LexborNode) -> bool:
    """Whether a block ends right before a text: before it, or before inline elements that begin with it."""
    current: LexborNode | None = node
    for _ in range(_INLINE_STEPS):
        if current is None:
            return False
        before = current.prev
        if before is not None:
            return before.tag in _BREAKS
        current = current.parent
    return False
