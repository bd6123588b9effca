"""Profiles of a company on social networks, from its links."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from leadflood.domains.enrichment.sources.website.page import PageFact, PageField, WebPage, quote_of

_NETWORKS: Final = {
    "facebook.com": "facebook",
    "fb.com": "facebook",
    "fb.me": "facebook",
    "twitter.com": "x",
    "x.com": "x",
    "linkedin.com": "linkedin",
    "instagram.com": "instagram",
    "youtube.com": "youtube",
    "youtu.be": "youtube",
    "tiktok.com": "tiktok",
    "pinterest.com": "pinterest",
    "github.com": "github",
    "gitlab.com": "gitlab",
    "xing.com": "xing",
    "kununu.com": "kununu",
    "threads.net": "threads",
    "threads.com": "threads",
    "bsky.app": "bluesky",
    "mastodon.social": "mastodon",
    "vimeo.com": "vimeo",
    "vk.com": "vk",
    "t.me": "telegram",
    "medium.com": "medium",
    "crunchbase.com": "crunchbase",
    "glassdoor.com": "glassdoor",
    "trustpilot.com": "trustpilot",
    "g2.com": "g2",
    "dribbble.com": "dribbble",
    "behance.net": "behance",
    "flickr.com": "flickr",
    "tumblr.com": "tumblr",
    "flipboard.com": "flipboard",
    "snapchat.com": "snapchat",
    "twitch.tv": "twitch",
    "reddit.com": "reddit",
    "discord.gg": "discord",
    "wa.me": "whatsapp",
}
"""Networks by domain; subdomains count as well."""
_NO_PROFILE: Final = frozenset({
    "share", "sharer", "sharer.php", "share.php", "intent", "dialog", "plugins", "hashtag", "search", "explore",
    "login", "signup", "home", "watch", "embed", "p", "reel", "reels", "status", "posts", "events", "groups",
    "policies", "policy", "privacy", "legal", "terms", "about", "help", "settings", "sharing", "submit", "cws",
    "feed", "sharearticle", "shareArticle", "pin", "oauth", "widgets", "tr", "hashtags", "i", "v", "e", "playlist",
    "results", "jobs", "learning", "pulse", "topics", "tag", "download", "apps", "gp", "docs", "business", "ads",
    "widget", "notes", "story.php", "photo.php", "video.php", "profile.php", "marketplace", "gaming",
})  # fmt: skip
"""First segments of paths that are no profile."""
_TWO_SEGMENTS: Final = {
    "linkedin": frozenset({"company", "school", "showcase", "in", "organization"}),
    "youtube": frozenset({"user", "c", "channel"}),
    "facebook": frozenset({"pages", "people", "pg"}),
    "xing": frozenset({"pages", "companies", "profile", "company"}),
    "crunchbase": frozenset({"organization", "company", "person"}),
    "bluesky": frozenset({"profile"}),
    "trustpilot": frozenset({"review"}),
    "g2": frozenset({"products", "sellers"}),
    "reddit": frozenset({"r", "user", "u"}),
    "snapchat": frozenset({"add"}),
    "glassdoor": frozenset({"overview"}),
    "vimeo": frozenset({"user", "channels"}),
}
"""First segments of paths that a name follows."""
_PERSONAL: Final = {"linkedin": frozenset({"in"}), "xing": frozenset({"profile"}), "crunchbase": frozenset({"person"})}
_HANDLE: Final = re.compile(r"@?[\w.%+-]{1,100}", re.UNICODE)


def profile_of(url: str) -> tuple[str, str] | None:
    """The network of a profile's address, and the address in one spelling; None if it is no profile.

    Without query, `www.`, language subdomains and slash at the end: `https://www.linkedin.com/company/acme/?x=1` is
    `linkedin`, `https://linkedin.com/company/acme`.
    """
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("?")[0].partition("/")
    domain = _network_domain(host.lower())
    if domain is None or scheme not in {"http", "https"}:
        return None
    network = _NETWORKS[domain]
    segments = [unquote(part) for part in path.replace("#!/", "").partition("#")[0].split("/") if part]
    if not segments or segments[0].lower() in _NO_PROFILE or not _HANDLE.fullmatch(segments[0]):
        return None
    takes = 2 if segments[0].lower() in _TWO_SEGMENTS.get(network, ()) else 1
    if len(segments) < takes or (takes == 1 and network in {"linkedin", "crunchbase", "g2", "glassdoor"}):
        return None
    return network, f"https://{_MAIN.get(domain, domain)}/{'/'.join(segments[:takes])}"


@lru_cache(maxsize=4096)
def _network_domain(host: str) -> str | None:
    """The network's domain that a host is, or lies below."""
    name = host.removesuffix(".")
    while name and name not in _NETWORKS:
        name = name.partition(".")[2]
    return name or None


_MAIN: Final = {"fb.com": "facebook.com", "fb.me": "facebook.com", "threads.com": "threads.net", "twitter.com": "x.com"}


def profiles_in(page: WebPage, same_as: tuple[str, ...], method: str, confidence: float) -> Iterator[PageFact]:
    """The company's profiles: those that structured data lists, then those that the page links to.

    A link to a person's profile is none of the company's. Of several profiles on one network, none is sure.
    """
    seen: set[str] = set()
    for address in same_as:
        if (found := profile_of(address)) and found[1].casefold() not in seen:
            seen.add(found[1].casefold())
            yield PageFact(PageField.PROFILE, found[1], confidence, method, quote_of(address))
    linked: dict[str, dict[str, tuple[str, str]]] = {}
    for address, _ in page.links:
        found = profile_of(address)
        if found is None or _is_personal(*found) or _is_site_of(page, found[0]):
            continue
        linked.setdefault(found[0], {}).setdefault(found[1].casefold(), (found[1], address))
    for profiles in linked.values():
        for key, (profile, address) in profiles.items():
            if key not in seen:
                confidence = 0.8 if len(profiles) == 1 else 0.45
                yield PageFact(PageField.PROFILE, profile, confidence, "link", quote_of(address))


def _is_site_of(page: WebPage, network: str) -> bool:
    """Whether the page itself is one of the network's."""
    return _NETWORKS.get(page.domain) == network


def _is_personal(network: str, address: str) -> bool:
    first = address.split("/")[3].lower()
    return first in _PERSONAL.get(network, ())
