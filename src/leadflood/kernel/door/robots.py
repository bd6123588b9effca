"""robots.txt (RFC 9309): what a site allows our crawler to read, and how quickly."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from protego import Protego

from leadflood.kernel.door.errors import DoorError
from leadflood.kernel.door.hosts import StoredRobots
from leadflood.kernel.door.replies import Reply

TOKEN: Final = "LeadFloodBot"  # noqa: S105  a product token
"""By which robots.txt names our crawler."""
PATH: Final = "/robots.txt"
MAX_DELAY_SECONDS: Final = 10.0
"""A longer `Crawl-delay` is shortened to this."""
HOME_PAGE_ONLY_SECONDS: Final = 30.0
"""A site with a longer `Crawl-delay` is visited once: only its home page is read."""
_MAX_PARSED: Final = 128
_CLIENT_ERRORS: Final = range(400, 500)
_TOO_MANY_REQUESTS: Final = 429


@dataclass(frozen=True, slots=True)
class CrawlRules:
    """Crawl rules of a site.

    Attributes:
        reachable: whether the site has said what it allows. If not, nothing may be read (RFC 9309, 2.3.1.4).
        delay: seconds between two requests, at least; 0 where it says nothing.
        home_page_only: whether its `Crawl-delay` is so long that only the home page is read.
    """

    reachable: bool
    delay: float
    home_page_only: bool
    _rules: Protego | None

    def allows(self, url: str, path: str) -> bool:
        """Whether a URL may be read. Args: path: of the URL, with its query."""
        if path == PATH:
            return True
        if not self.reachable or (self.home_page_only and path != "/"):
            return False
        return self._rules is None or bool(self._rules.can_fetch(url, TOKEN))


@lru_cache(maxsize=_MAX_PARSED)
def rules_of(robots: StoredRobots) -> CrawlRules:
    """The rules of a stored robots.txt; parsed once for the pages of a site that are read one after the other."""
    if not robots.reachable or not robots.text:
        return CrawlRules(robots.reachable, 0.0, home_page_only=False, _rules=None)
    rules = Protego.parse(robots.text)
    delay = float(rules.crawl_delay(TOKEN) or 0.0)
    return CrawlRules(
        reachable=True,
        delay=min(max(delay, 0.0), MAX_DELAY_SECONDS),
        home_page_only=delay > HOME_PAGE_ONLY_SECONDS,
        _rules=rules,
    )


def robots_in(answer: Reply | DoorError) -> StoredRobots:
    """Interpret an attempt to fetch a robots.txt (RFC 9309, 2.3.1).

    A file that does not exist allows everything. A server that is not reachable, that fails, or that has too many
    requests, allows nothing for now.
    """
    if isinstance(answer, DoorError):
        return StoredRobots("", reachable=False)
    if answer.ok:
        return StoredRobots(answer.text, reachable=True)
    missing = answer.status in _CLIENT_ERRORS and answer.status != _TOO_MANY_REQUESTS
    return StoredRobots("", reachable=missing)
