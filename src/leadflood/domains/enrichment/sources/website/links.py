"""Links of a page that lead to what says most about a company: about, imprint, contact, pricing and careers."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final
from urllib.parse import unquote

from leadflood.domains.enrichment.sources.website.page import WebPage, domain_of
from leadflood.kernel.text import search_key

_MAX_LABEL: Final = 60
_MAX_PATH: Final = 200
_WORDS: Final = re.compile(r"[^a-z0-9]+")
_ENDING: Final = re.compile(r"\.(?:html?|php|aspx?|jsp|cfm)$")
_FILES: Final = re.compile(r"\.(?:pdf|docx?|xlsx?|zip|png|jpe?g|gif|svg|mp4|xml|json|ics|vcf|rss)$", re.IGNORECASE)
_LANGUAGE: Final = re.compile(r"[a-z]{2}(?:[-_][a-z]{2})?")
_ORDER_OF_KINDS: Final = ("imprint", "about", "contact", "careers", "pricing")


class LinkKind(StrEnum):
    """Kind of page that a link leads to."""

    ABOUT = "about"
    IMPRINT = "imprint"
    CONTACT = "contact"
    PRICING = "pricing"
    CAREERS = "careers"


@dataclass(frozen=True, slots=True)
class ScoredLink:
    """A link with the kind of page that it leads to.

    Attributes:
        url: absolute, without fragment.
        kind: of the page.
        score: how sure the kind is, 0 to 1.
        label: the text of the link.
    """

    url: str
    kind: LinkKind
    score: float
    label: str


def links_in(page: WebPage) -> list[ScoredLink]:
    """The best link of each kind, the surest first; only links within the company's domain.

    Links with a query are left out: they may be searches or actions. Of those that are equally sure, the one with the
    shorter path wins.
    """
    best: dict[LinkKind, tuple[tuple[float, int], ScoredLink]] = {}
    for url, label in page.links:
        if not _is_own_page(url, page):
            continue
        for kind, score in _kinds(url, label):
            rank = score, -len(url)
            if kind not in best or rank > best[kind][0]:
                best[kind] = rank, ScoredLink(url, kind, score, label[:_MAX_LABEL])
    chosen = [link for _, link in best.values()]
    return sorted(chosen, key=lambda link: (-link.score, _ORDER_OF_KINDS.index(link.kind)))


def pages_to_read(links: Sequence[ScoredLink], home: str, *, most: int) -> list[str]:
    """Addresses of the pages to read after the home page: imprint, about and contact first. Args: most: pages."""
    order = sorted(links, key=lambda link: (_ORDER_OF_KINDS.index(link.kind), -link.score))
    wanted = [link.url for link in order if link.score >= 0.5 and _plain(link.url) != _plain(home)]  # noqa: PLR2004
    return list(dict.fromkeys(wanted))[:most]


def _plain(url: str) -> str:
    return url.rstrip("/").removeprefix("https://").removeprefix("http://").removeprefix("www.")


def _is_own_page(url: str, page: WebPage) -> bool:
    if "?" in url or not url.startswith("http") or _FILES.search(url):
        return False
    return domain_of(url) == page.domain


def _kinds(url: str, label: str) -> Iterator[tuple[LinkKind, float]]:
    """The kinds that a link's text and path name, with a score for each: both 1, the text 0.8, the path 0.7."""
    by_label = _named(label) if len(label) <= _MAX_LABEL else {}
    path = url.partition("://")[2].partition("/")[2]
    segments = [part for part in path.lower().split("/") if part and not _LANGUAGE.fullmatch(part)]
    by_path: Mapping[LinkKind, float] = {}
    if segments and len(path) <= _MAX_PATH:
        depth = 0.1 * (len(segments) - 1)
        last = unquote(_ENDING.sub("", segments[-1]))
        if named := _named(last):
            by_path = {kind: max(0.0, weight - depth) for kind, weight in named.items()}
    for kind in {*by_label, *by_path} if by_label or by_path else ():
        yield kind, round(min(1.0, 0.8 * by_label.get(kind, 0.0) + 0.7 * by_path.get(kind, 0.0)), 2)


@lru_cache(maxsize=4096)
def _named(text: str) -> Mapping[LinkKind, float]:
    """The kinds that a text names: 1 where it is one of the words, less where it only begins or ends with one."""
    words = _WORDS.sub(" ", search_key(text)).split()
    if not words or len(words) > 6:  # noqa: PLR2004  a longer text is a sentence
        return {}
    known = _vocabulary()
    found = dict.fromkeys(known.get(" ".join(words), known.get("".join(words), ())), 1.0)
    for length in range(1, min(3, len(words) - 1) + 1):
        for part in (words[:length], words[-length:]):
            for kind in known.get(" ".join(part), ()):
                found.setdefault(kind, 0.6)
    return found


@cache
def _vocabulary() -> Mapping[str, tuple[LinkKind, ...]]:
    """The kinds that a word stands for; words of several parts also without their separators."""
    listed = tomllib.loads(files(__package__).joinpath("link_words.toml").read_text(encoding="utf-8"))
    kinds: dict[str, tuple[LinkKind, ...]] = {}
    for kind in LinkKind:
        for word in listed[kind]["words"]:
            spaced = _WORDS.sub(" ", word)
            for spelling in {spaced, spaced.replace(" ", "")}:
                kinds[spelling] = (*kinds.get(spelling, ()), kind)
    return kinds
