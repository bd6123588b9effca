"""Whether two domains belong to one company: one sign is a suggestion, two signs are enough."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

APART: Final = timedelta(hours=24)
"""Time between two sightings of a redirect. Shorter ones may be a mistake, or a server that is being moved."""


class RedirectSign(StrEnum):
    """Kind of a permanent redirect to another domain: the method of its fact. Stored."""

    NAMED = "redirect_named"
    """The website that it leads to names the domain: as its version for another country, or in an email address."""
    SAME_NAME = "redirect_same_name"
    """The page says that it is at its own address, and both domains begin with the same name."""
    ALONE = "redirect"
    """Nothing else says so. The other company may have bought this one."""


JOINING: Final = frozenset({RedirectSign.NAMED, RedirectSign.SAME_NAME})
"""The signs that, seen twice, make two domains one company."""


@dataclass(frozen=True, slots=True)
class SeenRedirect:
    """A redirect of a company's domain, which its sources still see.

    Attributes:
        target: the other domain.
        sign: of the latest answer.
        evidence: of the latest answer, as a sentence.
        first_seen, last_seen: first and last time that a source saw a redirect to this target.
    """

    target: str
    sign: RedirectSign
    evidence: str
    first_seen: datetime
    last_seen: datetime

    @property
    def joins(self) -> bool:
        """Whether both domains are one company without a person's word."""
        return self.sign in JOINING and self.last_seen - self.first_seen >= APART
