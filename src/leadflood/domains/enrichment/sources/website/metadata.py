"""Title, description, image, publisher and language of a page, and the icons of its site.

Each has an ordered list of rules; the first that applies wins, as in metascraper.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from leadflood.domains.enrichment.sources.website.data_values import text_of, url_of
from leadflood.domains.enrichment.sources.website.page import (
    MAX_VALUE,
    PageFact,
    PageField,
    WebPage,
    one_line,
    quote_of,
)

_ARTICLES: Final = frozenset({
    "Article", "BlogPosting", "NewsArticle", "ReportageNewsArticle", "TechArticle", "WebPage", "AboutPage",
    "ContactPage", "VideoObject", "Product", "PodcastEpisode", "SocialMediaPosting", "LiveBlogPosting", "ItemPage",
    "ProfilePage", "MusicEvent", "Event",
})  # fmt: skip
"""Types that describe the page itself."""
_TITLE: Final = ("og:title", "twitter:title", "dc.title", "dcterms.title", "sailthru.title", "parsely-title")
_DESCRIPTION: Final = (
    "og:description",
    "twitter:description",
    "description",
    "dc.description",
    "dcterms.description",
    "sailthru.description",
)
_IMAGE: Final = (
    "og:image:secure_url",
    "og:image:url",
    "og:image",
    "twitter:image:src",
    "twitter:image",
    "thumbnail",
    "image",
)
_SITE: Final = ("og:site_name", "application-name", "apple-mobile-web-app-title", "al:iphone:app_name")
_LOCALE: Final = re.compile(r"\s*([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*\s*(?:[,;].*)?")
_SIZE: Final = re.compile(r"(\d{1,4})x(\d{1,4})", re.IGNORECASE)
_ICONS: Final = ("apple-touch-icon", "apple-touch-icon-precomposed", "icon", "shortcut icon", "fluid-icon", "mask-icon")
_MAX_KEYWORDS: Final = 20
_MAX_KEYWORD: Final = 60

Rule = Callable[[WebPage], PageFact | None]


def metadata_of(page: WebPage) -> Iterator[PageFact]:
    """The metadata of a page, at most one fact per field, but for keywords."""
    for rules in (_TITLE_RULES, _DESCRIPTION_RULES, _IMAGE_RULES, _LANGUAGE_RULES):
        fact = next(filter(None, (rule(page) for rule in rules)), None)
        if fact is not None:
            yield fact
    yield from _keywords(page)
    if (icon := favicon_of(page)) is not None:
        yield icon
    if (canonical := canonical_of(page)) is not None:
        yield canonical
    yield from other_languages(page)


def publisher_of(page: WebPage) -> PageFact | None:
    """Name of the site or organization that publishes the page."""
    for item in page.items:
        publisher = item.data.get("publisher") or item.data.get("sourceOrganization")
        if item.types & _ARTICLES and isinstance(publisher, dict) and (name := text_of(publisher.get("name"))):
            return PageFact(PageField.COMPANY_NAME, name, 0.8, item.method, quote_of(name))
    return _meta(PageField.COMPANY_NAME, 0.85, *_SITE)(page)


def canonical_of(page: WebPage) -> PageFact | None:
    """The address that the page calls its own."""
    for element in page.tree.css("link[rel][href]")[:200]:
        if "canonical" in (element.attributes.get("rel") or "").lower().split():
            href = element.attributes.get("href") or ""
            if url := page.absolute(href):
                return PageFact(PageField.CANONICAL_URL, url, 0.95, "link", quote_of(href))
    found = page.first("og:url")
    url = page.absolute(found[0]) if found else None
    return PageFact(PageField.CANONICAL_URL, url, 0.9, "opengraph", quote_of(found[0])) if found and url else None


def favicon_of(page: WebPage) -> PageFact | None:
    """The largest icon that the page declares."""
    best: tuple[tuple[int, int], str, str] | None = None
    for element in page.tree.css("link[rel][href]")[:200]:
        attributes = element.attributes
        rel = one_line((attributes.get("rel") or "").lower())
        href = (attributes.get("href") or "").strip()
        if rel not in _ICONS or not (url := page.absolute(href)):
            continue
        sizes = [int(width) for width, _ in _SIZE.findall(attributes.get("sizes") or "")]
        rank = (max(sizes, default=0), -_ICONS.index(rel))
        if best is None or rank > best[0]:
            best = rank, url, href
    return None if best is None else PageFact(PageField.FAVICON, best[1], 0.9, "link", quote_of(best[2]))


def other_languages(page: WebPage) -> Iterator[PageFact]:
    """Languages of the other versions of the page (`hreflang`)."""
    seen: set[str] = set()
    for element in page.tree.css("link[hreflang]")[:200]:
        given = element.attributes.get("hreflang") or ""
        code = language_code(given)
        if code and code not in seen and given.lower() != "x-default":
            seen.add(code)
            yield PageFact(PageField.LANGUAGES, code, 0.85, "link", quote_of(given))


def language_code(text: str) -> str | None:
    """The ISO 639 code of a language tag or locale, in lower case: `de` of `de-AT` and `de_DE`."""
    found = _LOCALE.fullmatch(text)
    return found[1].lower() if found else None


def _meta(field: PageField, confidence: float, *names: str) -> Rule:
    def rule(page: WebPage) -> PageFact | None:
        found = page.first(*names)
        if found is None:
            return None
        method = "opengraph" if found[1].startswith("og:") else "meta"
        return PageFact(field, found[0][:MAX_VALUE], confidence, method, quote_of(found[0]))

    return rule


def _of_items(field: PageField, confidence: float, *names: str) -> Rule:
    """The first text of a property of what describes the page."""

    def rule(page: WebPage) -> PageFact | None:
        for item in page.items:
            if item.types & _ARTICLES:
                text = next(filter(None, (text_of(item.data.get(name)) for name in names)), None)
                if text:
                    return PageFact(field, text, confidence, item.method, quote_of(text))
        return None

    return rule


def _title_element(page: WebPage) -> PageFact | None:
    text = page.title
    return PageFact(PageField.TITLE, text[:MAX_VALUE], 0.8, "title", quote_of(text)) if text else None


def _heading(page: WebPage) -> PageFact | None:
    element = page.tree.css_first("h1")
    text = one_line(element.text()) if element else ""
    return PageFact(PageField.TITLE, text[:MAX_VALUE], 0.5, "heading", quote_of(text)) if text else None


def _image(page: WebPage) -> PageFact | None:
    for name in _IMAGE:
        for content in page.meta.get(name, ()):
            if url := page.absolute(content):
                method = "opengraph" if name.startswith("og:") else "meta"
                return PageFact(PageField.IMAGE, url, 0.85, method, quote_of(content))
    return None


def _item_image(page: WebPage) -> PageFact | None:
    for item in page.items:
        if item.types & _ARTICLES:
            given = url_of(item.data.get("image")) or url_of(item.data.get("thumbnailUrl"))
            if given and (url := page.absolute(given)):
                return PageFact(PageField.IMAGE, url, 0.8, item.method, quote_of(given))
    return None


def _linked_image(page: WebPage) -> PageFact | None:
    element = page.tree.css_first("link[rel='image_src'][href]")
    given = (element.attributes.get("href") or "") if element else ""
    url = page.absolute(given)
    return PageFact(PageField.IMAGE, url, 0.7, "link", quote_of(given)) if url else None


def _language_of(text: str, method: str, confidence: float) -> PageFact | None:
    code = language_code(text)
    return PageFact(PageField.LANGUAGE, code, confidence, method, quote_of(text)) if code else None


def _html_language(page: WebPage) -> PageFact | None:
    root = page.tree.css_first("html")
    attributes = root.attributes if root else {}
    return _language_of(attributes.get("lang") or attributes.get("xml:lang") or "", "html_lang", 0.9)


def _language_in(names: Sequence[str], confidence: float) -> Rule:
    def rule(page: WebPage) -> PageFact | None:
        found = page.first(*names)
        return _language_of(found[0], "meta", confidence) if found else None

    return rule


def _item_language(page: WebPage) -> PageFact | None:
    for item in page.items:
        text = text_of(item.data.get("inLanguage")) if item.types & (_ARTICLES | {"WebSite"}) else None
        if text and (fact := _language_of(text, item.method, 0.8)):
            return fact
    return None


def _keywords(page: WebPage) -> Iterator[PageFact]:
    found: dict[str, str] = {}
    for content in [*page.meta.get("keywords", ()), *page.meta.get("news_keywords", ())][:3]:
        for word in re.split(r"[,;|\u3001\uff0c]", content):
            text = one_line(word)
            if 1 < len(text) <= _MAX_KEYWORD:
                found.setdefault(text.casefold(), text)
    for text in list(found.values())[:_MAX_KEYWORDS]:
        yield PageFact(PageField.KEYWORDS, text, 0.6, "meta", quote_of(text))


_TITLE_RULES: Final[Sequence[Rule]] = (
    _meta(PageField.TITLE, 0.9, *_TITLE),
    _title_element,
    _of_items(PageField.TITLE, 0.8, "headline", "name"),
    _heading,
)
_DESCRIPTION_RULES: Final[Sequence[Rule]] = (
    _meta(PageField.DESCRIPTION, 0.85, *_DESCRIPTION),
    _of_items(PageField.DESCRIPTION, 0.8, "description", "abstract"),
)
_IMAGE_RULES: Final[Sequence[Rule]] = (_image, _item_image, _linked_image)
_LANGUAGE_RULES: Final[Sequence[Rule]] = (
    _html_language,
    _item_language,
    _language_in(("content-language", "language", "dc.language", "dcterms.language"), 0.8),
    _language_in(("og:locale",), 0.75),
)
