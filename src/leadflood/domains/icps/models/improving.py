"""Improvements that would lift a lead into a better tier: the smallest sets of criteria that would have to be met.

A set is about facts to find out, or about facts that would have to change. Criteria that read a fact in common are
never in one set, as they may exclude each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from leadflood.domains.icps.models.evaluate import Evaluation, Line, reads_the_same
from leadflood.domains.icps.models.profiles import FitProfile

MAX_SET: Final = 3
"""Maximum number of criteria in a set."""
MAX_OPEN: Final = 20
"""Maximum number of criteria that are tried: those that could add most points."""
MAX_SETS: Final = 12


@dataclass(frozen=True, slots=True)
class Improvement:
    """Criteria that together lift the score. `score`: then. `known`: whether some would have to change."""

    lines: Sequence[Line]
    score: int

    @property
    def to_find_out(self) -> list[Line]:
        """Those that a look-up might meet."""
        return [line for line in self.lines if not line.known]

    @property
    def to_change(self) -> list[Line]:
        """Those whose facts are known, and are others."""
        return [line for line in self.lines if line.known]


def improvements(profile: FitProfile, evaluation: Evaluation, tier: str) -> list[Improvement]:
    """The smallest sets of up to 3 criteria that lift the score to where a tier begins; none if a gate prevents it.

    A set that contains another one is left out. Those with fewer criteria, then with more points, come first.
    """
    wanted = profile.place_of(tier)
    border = profile.tiers[wanted].at_least
    is_barred = evaluation.excluded_by is not None or evaluation.ceiling > wanted
    if border is None or evaluation.score >= border or is_barred:
        return []
    open_lines = sorted(
        (line for group in evaluation.groups for line in group.lines if _gain(line) > 0), key=_gain, reverse=True
    )[:MAX_OPEN]
    found: list[Improvement] = []
    for size in range(1, MAX_SET + 1):
        sets = [each for each in combinations(open_lines, size) if _is_free(each) and not _contains(each, found)]
        lifted = [Improvement(each, lifted_score(evaluation, each)) for each in sets]
        found += sorted((item for item in lifted if item.score >= border), key=lambda item: -item.score)
    return found[:MAX_SETS]


def lifted_score(evaluation: Evaluation, lines: Sequence[Line]) -> int:
    """The score if these criteria gave the most points that they can."""
    ids = {line.criterion.id for line in lines}
    score = 0
    for group in evaluation.groups:
        total = sum(each.criterion.most if each.criterion.id in ids else each.points for each in group.lines)
        score += total if group.cap is None else max(-group.cap, min(group.cap, total))
    return score


def _gain(line: Line) -> int:
    return line.criterion.most - line.points


def _is_free(lines: Sequence[Line]) -> bool:
    return not any(reads_the_same(one.criterion.test, other.criterion.test) for one, other in combinations(lines, 2))


def _contains(lines: Sequence[Line], found: Sequence[Improvement]) -> bool:
    ids = {line.criterion.id for line in lines}
    return any(ids >= {line.criterion.id for line in item.lines} for item in found)
