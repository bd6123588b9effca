"""Points that decay: what an engagement is worth at a time.

The decayed score of a lead is the sum of p / 2^(age/h) over the points p of its engagements, with the half-life h. All
scores decay at the same rate, so their order never changes by itself. What is stored is the sum at a fixed time, as its
logarithm, the sort key: no row is written because time passes, and no number becomes too large. A sort key has the sign
of the score, and its amount is that of the logarithm plus an offset that keeps it positive.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from leadflood.kernel.text import InvalidValue, clean_line

MAX_POINTS: Final = 100
MAX_ENGAGEMENTS: Final = 5_000
"""Engagements of one lead: its sum is made of all of them."""
HALF_LIFE_DAYS: Final = 30
LEVEL_1_FROM: Final = 50
LEVEL_2_FROM: Final = 20
"""Points from which on a lead has these levels. The views of the schema have these defaults as well."""
LEVELS: Final = ("1", "2", "3")
"""Levels, the highest first. A lead without engagements has the last one."""
MAX_KINDS: Final = 100
"""Kinds with points of a workspace's own."""
MAX_HALF_LIFE: Final = 3650
MAX_BORDER: Final = 100_000
FIXED_TIME: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""The time of the stored sums. The schema has it as well."""
OFFSET: Final = 65_536.0
"""Added to the logarithm of a sum, which is between -11,000 and 50,000 from 1990 to 2150 with a half-life of a day."""
_LEAST_EXPONENT: Final = -1000.0
_MOST_EXPONENT: Final = 1000.0
_SECONDS: Final = 86_400.0
_KIND: Final = re.compile("[a-z][a-z0-9_]{0,39}")

DEFAULT_POINTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "demo_requested": 50,
        "meeting_booked": 50,
        "trial_started": 40,
        "email_replied": 30,
        "form_submitted": 20,
        "event_attended": 20,
        "email_clicked": 5,
        "page_visited": 2,
        "email_opened": 1,
        "unsubscribed": -50,
    }
)
"""Points of kinds that a workspace has not given its own. Any other kind needs points."""


class EngagementSource(StrEnum):
    """Origin of an engagement. The values are stored."""

    PERSON = "person"
    API = "api"
    IMPORT = "import"
    CLI = "cli"
    DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of a workspace: the half-life in days, points from which on leads have a level, and points of kinds."""

    half_life_days: int = HALF_LIFE_DAYS
    level_1_from: int = LEVEL_1_FROM
    level_2_from: int = LEVEL_2_FROM
    points: Mapping[str, int] = field(default_factory=dict)

    def points_of(self, kind: str) -> int | None:
        """The points of a kind; None if neither the workspace nor the program has any."""
        return self.points.get(kind, DEFAULT_POINTS.get(kind))

    @property
    def all_points(self) -> dict[str, int]:
        """Points of all kinds that have some, the most first."""
        found = {**DEFAULT_POINTS, **self.points}
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def normalise_kind(text: str) -> str:
    """The stored form of a kind: `Demo requested` becomes `demo_requested`. Raises: InvalidValue."""
    kind = re.sub("[ -]+", "_", clean_line(text, max_length=200).lower())
    if not _KIND.fullmatch(kind):
        message = "Use 1 to 40 letters a to z, digits and _, starting with a letter, such as demo_requested."
        raise InvalidValue(message)
    return kind


def decayed(points: float, at: datetime, *, half_life_days: int, now: datetime) -> float:
    """The worth of points of a time now."""
    return points * _power((at - now).total_seconds() / _SECONDS / half_life_days)


def score_of(sort_key: float, *, half_life_days: int, now: datetime) -> float:
    """The decayed score that a sort key stands for."""
    if sort_key == 0:
        return 0.0
    elapsed = (now - FIXED_TIME).total_seconds() / _SECONDS / half_life_days
    return math.copysign(_power(abs(sort_key) - OFFSET - elapsed), sort_key)


def key_of(score: float, *, half_life_days: int, now: datetime) -> float:
    """The sort key of a positive decayed score."""
    return OFFSET + math.log2(score) + (now - FIXED_TIME).total_seconds() / _SECONDS / half_life_days


def _power(exponent: float) -> float:
    """2 to the power of an exponent, which is limited to what a number can have."""
    return math.exp2(max(_LEAST_EXPONENT, min(_MOST_EXPONENT, exponent)))
