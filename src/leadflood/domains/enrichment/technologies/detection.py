"""Recognizing technologies on a page and in the records of a domain."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from leadflood.domains.enrichment.technologies.signs import SignIndex

MAX_ADDRESSES: Final = 3000
"""Addresses of a page that are looked up."""
MAX_INLINE: Final = 400_000
"""Characters of inline scripts that are read."""
_MAX_ADDRESS: Final = 500
_MAX_QUOTE: Final = 200
_MAX_WORDS: Final = 8
_ADDRESS_TAGS: Final = "script[src],link[href],iframe[src],form[action],img[src],source[src],amp-ad,amp-analytics"
_LINKS: Final = frozenset(
    {"stylesheet", "preload", "modulepreload", "prefetch", "icon", "preconnect", "shortcut", "import"}
)
_HOST_END: Final = re.compile(r"[^a-z0-9.-]")
_PATH_END: Final = re.compile(r"[\"'`\s\\<>)?#;,]")
_VERSION: Final = re.compile(r"v?\d[\w.]*|[0-9a-f]{6,}")
_PART: Final = re.compile(r"[-_.@]")
_ENDINGS: Final = (".js", ".css", ".mjs")
_NOISE: Final = frozenset({
    "min", "slim", "pack", "packed", "bundle", "umd", "prod", "production", "development", "dev", "esm", "full",
    "pkgd", "all", "core", "rtl", "lite", "iife", "compat", "combined",
})  # fmt: skip
_CONFIDENCE: Final[Mapping[str, float]] = {
    "hosts": 0.95,
    "inline": 0.85,
    "files": 0.85,
    "segments": 0.9,
    "headers": 0.95,
    "cookies": 0.9,
    "generator": 0.95,
    "metas": 0.85,
    "ids": 0.95,
    "attributes": 0.9,
    "txt": 0.85,
    "spf": 0.85,
    "mx": 0.95,
    "ns": 0.9,
    "implied": 0.7,
}


@dataclass(frozen=True, slots=True)
class DetectedTechnology:
    """A technology with its sign.

    Attributes:
        name: of the technology.
        category: of the technology.
        kind: kind of the sign: one of `signs.KINDS`, `inline` (an address in an inline script) or `implied`.
        quote: the address, header, record or element that is the sign.
        confidence: probability that the technology is in use.
    """

    name: str
    category: str
    kind: str
    quote: str
    confidence: float


@dataclass(slots=True)
class PageSigns:
    """Possible signs on a page.

    Attributes:
        addresses: of scripts, styles, frames, forms and images, as written, in lower case.
        inline: texts of inline scripts.
        generators: contents of the generator elements, in lower case.
        metas: names of meta elements.
        ids: of script elements.
        attributes: names of attributes near the top.
        headers: of the response, names in lower case.
    """

    addresses: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    generators: list[str] = field(default_factory=list)
    metas: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: LexborHTMLParser, headers: Mapping[str, str]) -> "PageSigns":
        """The possible signs of a parsed page."""
        found, length = cls(headers=headers), 0
        for element in tree.css(_ADDRESS_TAGS)[:MAX_ADDRESSES]:
            if address := _address(element):
                found.addresses.append(address[:_MAX_ADDRESS].strip().lower())
        for element in tree.css("script")[:MAX_ADDRESSES]:
            attributes = element.attributes
            if name := attributes.get("id"):
                found.ids.add(name.lower())
            kind = attributes.get("type") or ""
            if "src" not in attributes and "json" not in kind and length < MAX_INLINE:
                text = element.text()[: MAX_INLINE - length]
                length += len(text)
                found.inline.append(text)
        for element in tree.css("meta[name],meta[property]")[:MAX_ADDRESSES]:
            attributes = element.attributes
            name = (attributes.get("name") or attributes.get("property") or "").lower()
            found.metas.add(name)
            if name == "generator":
                found.generators.append((attributes.get("content") or "").strip().lower()[:_MAX_ADDRESS])
        found.attributes = {name.lower() for element in _near_the_top(tree) for name in element.attributes}
        return found


def technologies_of_page(signs: PageSigns, index: SignIndex) -> list[DetectedTechnology]:
    """The technologies of a page by name, each with its surest sign, and those that they run on."""
    found = _Findings(index)
    for address in dict.fromkeys(signs.addresses):
        _look_up(found, address)
    for host, path in dict.fromkeys(_inline_addresses(signs.inline)):
        for name, sign in index.of_host(host, path):
            found.add(name, "inline", sign)
    for content in signs.generators:
        for name, quote in _of_generator(content, index):
            found.add(name, "generator", quote)
    for kind, values in (("metas", signs.metas), ("ids", signs.ids), ("attributes", signs.attributes)):
        for value in values & index.exact[kind].keys():
            for name in index.of(kind, value):
                found.add(name, kind, value)
    _headers(found, signs.headers)
    return found.with_implied()


def technologies_of_domain(
    index: SignIndex,
    *,
    txt: Sequence[str] = (),
    spf: Sequence[str] = (),
    mx: Sequence[str] = (),
    ns: Sequence[str] = (),
) -> list[DetectedTechnology]:
    """The services that the records of a domain show.

    Args:
        index: of the signs.
        txt: texts of its TXT records.
        spf: domains that its SPF record includes.
        mx: its mail servers.
        ns: its name servers.
    """
    found = _Findings(index)
    for record in txt:
        lowered = record.lower()
        for start, name in index.txt_starts.get(lowered[:4], ()):
            if lowered.startswith(start):
                found.add(name, "txt", record)
    for kind, hosts in (("spf", spf), ("mx", mx), ("ns", ns)):
        for host in hosts:
            names, _ = index.of_domain(kind, host.lower().removesuffix("."))
            for name in names:
                found.add(name, kind, host)
    return found.with_implied()


class _Findings:
    """Technologies by name; the surest sign of each stays."""

    def __init__(self, index: SignIndex) -> None:
        self.index = index
        self._found: dict[str, DetectedTechnology] = {}

    def add(self, name: str, kind: str, quote: str) -> None:
        confidence = _CONFIDENCE[kind]
        if name not in self._found or self._found[name].confidence < confidence:
            category = self.index.technologies[name].category
            self._found[name] = DetectedTechnology(name, category, kind, quote[:_MAX_QUOTE], confidence)

    def with_implied(self) -> list[DetectedTechnology]:
        """All of them, and what they imply, by confidence and name."""
        waiting = list(self._found)
        while waiting:
            one = self._found[waiting.pop()]
            for name in self.index.technologies[one.name].implies:
                if name not in self._found:
                    self.add(name, "implied", one.quote)
                    waiting.append(name)
        return sorted(self._found.values(), key=lambda one: (-one.confidence, one.name))


def _address(element: LexborNode) -> str | None:
    attributes, tag = element.attributes, element.tag
    if tag == "link":
        rel = set((attributes.get("rel") or "").lower().split())
        return attributes.get("href") if rel & _LINKS else None
    if tag == "form":
        return attributes.get("action")
    return attributes.get("src")


def _near_the_top(tree: LexborHTMLParser) -> Iterator[LexborNode]:
    """The root, the body, and the elements one and two levels below it."""
    root, body = tree.css_first("html"), tree.body
    if root is not None:
        yield root
    if body is None:
        return
    yield body
    for count, child in enumerate(body.iter()):
        if count > 100:  # noqa: PLR2004  a page with more is a list
            return
        yield child
        first = child.first_child
        while first is not None and not first.is_element_node:
            first = first.next
        if first is not None:
            yield first


def _look_up(found: _Findings, address: str) -> None:
    """Signs in one address: its host, the segments of its path, and the name of its file."""
    index, rest = found.index, address
    if "//" in address[:8]:
        rest = address.partition("//")[2]
        host, slash, path = rest.partition("/")
        rest = slash + path
        for name, _ in index.of_host(host.partition(":")[0], rest):
            found.add(name, "hosts", address)
    elif address.startswith(("data:", "javascript:", "about:")):
        return
    path = rest.partition("?")[0].partition("#")[0]
    segments = [segment for segment in path.split("/") if segment]
    known = index.exact["segments"]
    for place, segment in enumerate(segments[:30]):
        for length in (1, 2, 3):
            for name in known.get("/".join(segments[place : place + length]) if length > 1 else segment, ()):
                found.add(name, "segments", address)
    if segments and segments[-1].endswith((*_ENDINGS, ".axd")):
        for sign in _file_names(segments[-1]):
            for name in index.of("files", sign):
                found.add(name, "files", address)


def _file_names(name: str) -> Iterable[str]:
    """The name of a file as written without ending, and without what describes only its version or build."""
    stem = next((name.removesuffix(ending) for ending in _ENDINGS if name.endswith(ending)), name)
    yield stem
    parts = _PART.split(stem)
    keep = len(parts)
    while keep > 1 and (parts[keep - 1] in _NOISE or _VERSION.fullmatch(parts[keep - 1])):
        keep -= 1
    if keep < len(parts):
        yield stem[: sum(len(part) + 1 for part in parts[:keep]) - 1]


def _inline_addresses(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Hosts and paths of the addresses in inline scripts: what follows two slashes."""
    for text in texts:
        pieces = text.lower().replace("\\/", "/").split("//")
        for piece in pieces[1:MAX_ADDRESSES]:
            start = piece[:_MAX_ADDRESS]
            ended = _HOST_END.search(start)
            host = start if ended is None else start[: ended.start()]
            if "." not in host:
                continue
            rest = start[len(host) :]
            stop = _PATH_END.search(rest)
            yield host.strip("."), rest if stop is None else rest[: stop.start()]


def _of_generator(content: str, index: SignIndex) -> Iterator[tuple[str, str]]:
    words = content.replace(",", " ").split()
    for length in range(min(5, len(words)), 0, -1):
        for name in index.of("generator", " ".join(words[:length])):
            yield name, content


def _headers(found: _Findings, headers: Mapping[str, str]) -> None:
    for header, value in headers.items():
        key = header.lower()
        if key == "set-cookie":
            _cookies(found, value)
            continue
        for name in found.index.of("headers", key):
            found.add(name, "headers", key)
        words = re.split(r"[/,;()\s]+", value.lower()[:_MAX_ADDRESS])[:_MAX_WORDS]
        spans = (" ".join(words[place : place + length]) for length in (1, 2, 3) for place in range(len(words)))
        for span in spans:
            for name in found.index.of("headers", f"{key}: {span}"):
                found.add(name, "headers", f"{header}: {value}")


def _cookies(found: _Findings, value: str) -> None:
    for cookie in _cookie_names(value):
        starting = (name for start, name in found.index.cookie_starts if cookie.startswith(start))
        for name in (*found.index.of("cookies", cookie), *starting):
            found.add(name, "cookies", cookie)


def _cookie_names(value: str) -> Iterator[str]:
    """Names of cookies in `Set-Cookie` headers that may have been joined by commas."""
    for part in re.split(r",(?=\s*[^;,=\s]+=)", value[:20_000]):
        name = part.partition("=")[0].strip().lower()
        if name:
            yield name
