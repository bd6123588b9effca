"""Pages of parked domains: offers to sell the domain, and placeholders of hosters."""

from typing import Final
from urllib.parse import urlsplit

from leadflood.kernel.domain_parking import is_parking_host
from leadflood.kernel.text import search_key

_MAX_WORDS: Final = 250
"""A page with more text is a website."""
_MAX_TEXT: Final = 200_000
_PHRASES: Final = {
    "domain is for sale": "The page offers the domain for sale.",
    "domain may be for sale": "The page offers the domain for sale.",
    "buy this domain": "The page offers the domain for sale.",
    "domain kaufen": "The page offers the domain for sale.",
    "domain steht zum verkauf": "The page offers the domain for sale.",
    "ce domaine est a vendre": "The page offers the domain for sale.",
    "dominio esta en venta": "The page offers the domain for sale.",
    "dominio in vendita": "The page offers the domain for sale.",
    "deze domeinnaam is te koop": "The page offers the domain for sale.",
    "domain is parked": "The page says that the domain is parked.",
    "parked free": "The page says that the domain is parked.",
    "this domain has been registered": "The page says only that the domain is registered.",
    "diese domain ist registriert": "The page says only that the domain is registered.",
    "domain wurde registriert": "The page says only that the domain is registered.",
    "future home of something": "The page is a placeholder of the hoster.",
    "welcome to nginx": "The page is the placeholder of a new server.",
    "apache2 default page": "The page is the placeholder of a new server.",
    "it works!": "The page is the placeholder of a new server.",
    "account suspended": "The hoster has suspended the website.",
}


def parking_sign(url: str, html: str, words: int) -> str | None:
    """The sign that a page is no website of a company, as a sentence; None if it is one.

    Args:
        url: that answered, after redirects.
        html: of the page.
        words: in its visible text.
    """
    host = urlsplit(url).hostname or ""
    if is_parking_host(host):
        return f"It leads to {host}, where domains are parked."
    if words > _MAX_WORDS:
        return None
    text = search_key(html[:_MAX_TEXT])
    return next((sentence for phrase, sentence in _PHRASES.items() if phrase in text), None)
