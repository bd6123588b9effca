"""Drift of a profile: how the distribution of its scores has changed since it was published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from leadflood.domains.icps.models.statistics import stability_index

WIDTH: Final = 10
"""Points of a class of scores."""
LIMIT: Final = 0.2
"""Population stability index above which distributions differ."""
MIN_LEADS: Final = 200
"""Below, in either distribution, chance alone can pass the limit."""
MONTH: Final = timedelta(days=30)
"""Time between backtests on new outcomes, the first of which is so long after publishing."""

Distribution: TypeAlias = Mapping[int | None, int]
"""Leads by the lowest score of their class; None: excluded."""


@dataclass(frozen=True, slots=True)
class DriftClass:
    """A class of scores. `lowest`: None: excluded."""

    lowest: int | None
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Drift:
    """Comparison of two distributions. `stability`: None with too few leads to judge."""

    classes: Sequence[DriftClass]
    stability: float | None

    @property
    def is_above(self) -> bool:
        """Whether the distributions differ."""
        return self.stability is not None and self.stability > LIMIT


def classes_of(before: Distribution, after: Distribution) -> list[DriftClass]:
    """All classes with leads, the lowest first; excluded leads are the first."""
    keys = sorted({*before, *after}, key=lambda key: (key is not None, key or 0))
    return [DriftClass(key, before.get(key, 0), after.get(key, 0)) for key in keys]


def compare(before: Distribution, after: Distribution) -> Drift:
    """Compare the distribution at publishing with a later one."""
    classes = classes_of(before, after)
    if min(sum(before.values()), sum(after.values())) < MIN_LEADS:
        return Drift(classes, None)
    return Drift(classes, stability_index([each.before for each in classes], [each.after for each in classes]))
