"""Probable costs of many questions to sources that charge, judging by the workspace's latest lookups. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from leadflood.kernel.crypto import RepeatableRandom, repeatable_random

_DRAWS: Final = 2000
_SEED: Final = 0
"""The same data always gives the same estimate."""
_LOW, _MEDIAN, _HIGH = 0.1, 0.5, 0.9


@dataclass(frozen=True, slots=True)
class SourceHistory:
    """Latest lookups of a source.

    Attributes:
        subjects: leads or companies that were enriched since the first of them.
        asked: those that the source was asked about; the others needed no answer, or there was none to be had.
        charged: questions that cost something.
        cost_micros: of all of them together.
    """

    subjects: int = 0
    asked: int = 0
    charged: int = 0
    cost_micros: int = 0


@dataclass(frozen=True, slots=True)
class PlannedCalls:
    """Calls of a source, of which each may be needed or not. `most_micros`: of one call."""

    calls: int
    most_micros: int
    history: SourceHistory


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """Costs in micros: the median, an interval that has them with a probability of 80 %, and the most.

    All but the most are rounded to two digits. `calls`: earlier ones that this is judged by; without any, everything
    between nothing and the most is possible.
    """

    likely: int
    least: int
    greatest: int
    most: int
    calls: int


def estimate_cost(planned: Sequence[PlannedCalls]) -> CostEstimate:
    """Draw the shares of questions that are asked and charged from what is known of them, again and again.

    Each share has a uniform prior, so its posterior is a beta distribution. The questions of one source succeed or fail
    independently of each other. The draws are the same each time.
    """
    most = sum(item.calls * item.most_micros for item in planned)
    calls = sum(item.history.asked for item in planned)
    random = repeatable_random(_SEED)
    draws = sorted(sum(_draw(item, random) for item in planned) for _ in range(_DRAWS))
    least, likely, greatest = (_rounded(draws[int(share * _DRAWS)]) for share in (_LOW, _MEDIAN, _HIGH))
    return CostEstimate(likely, least, greatest, most, calls)


def _rounded(micros: float) -> int:
    """The number with its first two digits."""
    return int(float(f"{micros:.1e}"))


def _draw(item: PlannedCalls, random: RepeatableRandom) -> float:
    known = item.history
    asked = random.betavariate(known.asked + 1, max(known.subjects - known.asked, 0) + 1)
    charged = random.betavariate(known.charged + 1, known.asked - known.charged + 1)
    share = asked * charged
    cost = known.cost_micros / known.charged if known.charged else item.most_micros
    spread = (item.calls * share * (1 - share)) ** 0.5
    number = min(max(random.gauss(item.calls * share, spread), 0.0), float(item.calls))
    return number * min(cost, float(item.most_micros))
