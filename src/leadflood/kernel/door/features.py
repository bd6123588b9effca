"""Features that connect to the outside, one row of limits each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

KILOBYTE: Final = 1024
MEGABYTE: Final = 1024 * KILOBYTE


class Feature(StrEnum):
    """Purpose of a connection. The names are used in `LEADFLOOD_INTERNAL_HOSTS`, logs and metrics."""

    WEBSITE = "website"
    PROVIDER = "provider"
    REGISTER = "register"
    MODEL = "model"
    WEBHOOK = "webhook"
    LOGO = "logo"
    OIDC = "oidc"
    SMTP_PROBE = "smtp_probe"


class Content(StrEnum):
    """Expected content of a response."""

    PAGE = "page"
    JSON = "json"
    IMAGE = "image"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one feature.

    Attributes:
        ports: that may be connected to.
        seconds: for a call with all of its redirects, from the first lookup to the last byte.
        bytes: of a decoded body, and of what is received for it.
        redirects: that are followed.
        content: what the body has to be.
        cut: whether a longer body is cut at `bytes` instead of refused.
        effects: whether a call changes something elsewhere, or costs money. Then the hold is read before each call.
        crawls: whether it reads sites that expect robots: robots.txt is obeyed, and requests to a host are spaced.
    """

    ports: frozenset[int]
    seconds: float
    bytes: int
    redirects: int
    content: Content
    cut: bool = False
    effects: bool = False
    crawls: bool = False


_WEB: Final = frozenset({80, 443})
_TLS: Final = frozenset({443})

LIMITS: Final[Mapping[Feature, Limits]] = {
    Feature.WEBSITE: Limits(_WEB, 10, 3 * MEGABYTE // 2, 3, Content.PAGE, cut=True, crawls=True),
    Feature.PROVIDER: Limits(_TLS, 30, 5 * MEGABYTE, 0, Content.JSON, effects=True),
    Feature.REGISTER: Limits(_TLS, 15, 5 * MEGABYTE, 3, Content.JSON),
    Feature.MODEL: Limits(_TLS, 60, 5 * MEGABYTE, 0, Content.JSON, effects=True),
    Feature.WEBHOOK: Limits(_WEB, 15, 64 * KILOBYTE, 0, Content.ANY, cut=True, effects=True),
    Feature.LOGO: Limits(_WEB, 10, MEGABYTE, 3, Content.IMAGE),
    Feature.OIDC: Limits(_TLS, 10, MEGABYTE, 0, Content.JSON),
    Feature.SMTP_PROBE: Limits(frozenset({25}), 60, 64 * KILOBYTE, 0, Content.ANY, effects=True),
}

ROBOTS: Final = Limits(_WEB, 10, 500 * KILOBYTE, 5, Content.ANY, cut=True)
"""The limits of reading robots.txt for `Feature.WEBSITE` (RFC 9309, 2.3.1.2 and 2.5)."""

MAX_HEADER_BYTES: Final = 64 * KILOBYTE
"""Of the head of an answer."""
