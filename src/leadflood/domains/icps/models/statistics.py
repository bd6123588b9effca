"""Statistics of two classes over an order: area under the curve, lift, intervals, calibration.

Many leads have the same place in the order, so everything is computed from counts by place (`Cells`), whatever the
number of leads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fabs, floor, lgamma, log, log2, sqrt
from typing import Final, TypeAlias

from leadflood.kernel.crypto import repeatable_random

FOLDS: Final = 1_000
"""Resamples of an interval."""
_SEED: Final = 65
"""The same data always gives the same interval."""
_Z: Final = 1.959963984540054
"""Of an interval of 95 %."""
_TAIL: Final = 0.025
_SMALL: Final = 10.0

Place: TypeAlias = tuple[int, int]
"""Place in an order, worst first: of a lead minus the place of its tier, then its score."""
Cells: TypeAlias = Mapping[Place, tuple[int, int]]
"""Positive and negative outcomes by place."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A share or another figure with its interval of 95 %."""

    value: float
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Leads with scores from `lowest` to `highest`."""

    lowest: int
    highest: int
    leads: int
    positives: int


def wilson(successes: int, total: int) -> Interval:
    """A share with its Wilson score interval of 95 %. Raises: ZeroDivisionError: nothing was counted."""
    share = successes / total
    spread = _Z * sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2))
    middle, scale = share + _Z**2 / (2 * total), 1 + _Z**2 / total
    lo = 0.0 if successes == 0 else (middle - spread) / scale
    hi = 1.0 if successes == total else (middle + spread) / scale
    return Interval(share, lo, hi)


def difference(one: Interval, other: Interval) -> Interval:
    """Difference of two independent shares, with Newcombe's interval, which is made of Wilson's."""
    value = one.value - other.value
    lo = value - sqrt((one.value - one.lo) ** 2 + (other.hi - other.value) ** 2)
    hi = value + sqrt((one.hi - one.value) ** 2 + (other.value - other.lo) ** 2)
    return Interval(value, lo, hi)


def auc(counts: Sequence[tuple[int, int]]) -> float:
    """Probability that a random positive is above a random negative; ties count half.

    `counts`: positives and negatives by place, worst first. Raises: ZeroDivisionError: a class has no outcome.
    """
    below = above = positives = 0
    for positive, negative in counts:
        above += positive * (2 * below + negative)
        below += negative
        positives += positive
    return above / (2 * positives * below)


def auc_interval(cells: Cells, *, folds: int = FOLDS) -> Interval:
    """The same with its percentile interval of 95 %, from resamples of each class with replacement.

    A resample is drawn as counts by place, so that its cost is that of the places. Raises: as `auc`.
    """
    counts = [cells[place] for place in sorted(cells)]
    positive, negative = ([pair[side] for pair in counts] for side in (0, 1))
    draw = repeatable_random(_SEED).random
    found = sorted(
        auc(list(zip(_resample(draw, positive), _resample(draw, negative), strict=True))) for _ in range(folds)
    )
    return Interval(auc(counts), _quantile(found, _TAIL), _quantile(found, 1 - _TAIL))


def lift(cells: Cells, share: float) -> float:
    """Rate of positives among the best leads, as a multiple of the rate among all. Of ties, a part counts.

    Raises: ZeroDivisionError: there is no positive.
    """
    positives, total = (sum(column) for column in zip(*((up, up + down) for up, down in cells.values()), strict=True))
    wanted = left = total * share
    found = 0.0
    for place in sorted(cells, reverse=True):
        up, down = cells[place]
        part = min(1.0, left / (up + down))
        found += up * part
        left -= (up + down) * part
        if left <= 0:
            break
    return float((found / wanted) / (positives / total))


def bins_of(scores: Mapping[int, tuple[int, int]], most: int = 10) -> list[Bin]:
    """Up to 10 bins with about as many leads each, the lowest scores first. A score is in one bin."""
    total = sum(up + down for up, down in scores.values())
    found: list[Bin] = []
    start, leads, positives, passed = None, 0, 0, 0
    for score in sorted(scores):
        up, down = scores[score]
        start = score if start is None else start
        leads, positives, passed = leads + up + down, positives + up, passed + up + down
        if passed * most >= total * (len(found) + 1):
            found.append(Bin(start, score, leads, positives))
            start, leads, positives = None, 0, 0
    return found


def brier(bins: Sequence[Bin]) -> tuple[float, float]:
    """Brier score of the rates of bins, and that of the overall rate: the mean squared error, lower is better.

    Each outcome is predicted from the others: the rate of its bin, with the overall rate as one more outcome, so that
    no outcome predicts itself. Raises: ZeroDivisionError: there is one outcome, or none.
    """
    total, positives = sum(each.leads for each in bins), sum(each.positives for each in bins)
    error = plain = 0.0
    for each in bins:
        for outcome, count in ((1, each.positives), (0, each.leads - each.positives)):
            others = (positives - outcome) / (total - 1)
            predicted = (each.positives - outcome + others) / each.leads
            error += count * (predicted - outcome) ** 2
            plain += count * (others - outcome) ** 2
    return error / total, plain / total


def stability_index(before: Sequence[int], after: Sequence[int]) -> float:
    """Population stability index of two distributions over the same classes; above 0.2 they differ.

    An empty class counts as half an item. Raises: ZeroDivisionError: there is no class.
    """
    classes = len(before)
    one, other = (sum(counts) + classes / 2 for counts in (before, after))
    found = 0.0
    for left, right in zip(before, after, strict=True):
        expected, actual = (left + 0.5) / one, (right + 0.5) / other
        found += (actual - expected) * log(actual / expected)
    return found


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between the two nearest of ordered values."""
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def _resample(draw: Callable[[], float], counts: Sequence[int]) -> list[int]:
    """As many items as there are, with replacement, as counts: a multinomial sample by conditional binomials."""
    left = weight = sum(counts)
    sample = []
    for count in counts:
        taken = left if count == weight else binomial(draw, left, count / weight) if count else 0
        sample.append(taken)
        left, weight = left - taken, weight - count
    return sample


def binomial(draw: Callable[[], float], trials: int, chance: float) -> int:
    """Number of successes in trials, exactly distributed.

    By the gaps between successes (Devroye) where few are expected, otherwise by transformed rejection (Hörmann 1993).
    """
    if chance > 0.5:  # noqa: PLR2004  the other half is the same
        return trials - binomial(draw, trials, 1 - chance)
    if trials == 0 or chance <= 0:
        return 0
    return (_by_gaps if trials * chance < _SMALL else _by_rejection)(draw, trials, chance)


def _by_gaps(draw: Callable[[], float], trials: int, chance: float) -> int:
    found = passed = 0
    scale = log2(1 - chance)
    while scale:
        passed += floor(log2(1 - draw()) / scale) + 1
        if passed > trials:
            break
        found += 1
    return found


def _by_rejection(draw: Callable[[], float], trials: int, chance: float) -> int:
    deviation = sqrt(trials * chance * (1 - chance))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * chance
    center, inner = trials * chance + 0.5, 0.92 - 4.2 / b
    alpha, odds, mode = (2.83 + 5.1 / b) * deviation, log(chance / (1 - chance)), floor((trials + 1) * chance)
    peak = lgamma(mode + 1) + lgamma(trials - mode + 1)
    while True:
        u = draw() - 0.5
        us = 0.5 - fabs(u)
        if us <= 0:
            continue
        found = floor((2 * a / us + b) * u + center)
        if not 0 <= found <= trials:
            continue
        v = 1 - draw()
        if us >= 0.07 and v <= inner:  # noqa: PLR2004  of the method
            return found
        v *= alpha / (a / (us * us) + b)
        if log(v) <= peak - lgamma(found + 1) - lgamma(trials - found + 1) + (found - mode) * odds:
            return found
