"""Statistics of a backtest against values that were computed by hand, by definition, or by another library."""

from itertools import pairwise
from math import comb
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflood.domains.icps.models.statistics import (
    Bin,
    auc,
    auc_interval,
    binomial,
    bins_of,
    brier,
    difference,
    lift,
    stability_index,
    wilson,
)

COUNTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=8).filter(
    lambda counts: any(up for up, _ in counts) and any(down for _, down in counts)
)


@given(COUNTS)
def test_auc_is_the_share_of_pairs_in_the_right_order(counts: list[tuple[int, int]]) -> None:
    above = [place for place, (up, _) in enumerate(counts) for _ in range(up)]
    below = [place for place, (_, down) in enumerate(counts) for _ in range(down)]
    pairs = [1.0 if high > low else 0.5 if high == low else 0.0 for high in above for low in below]

    assert auc(counts) == pytest.approx(sum(pairs) / len(pairs))


def test_auc_of_a_known_example() -> None:
    # Hanley and McNeil (1982), table I: 109 images rated 1 to 5; trapezoidal area 0.893.
    ratings = [(3, 33), (2, 6), (2, 6), (11, 11), (33, 2)]

    assert auc(ratings) == pytest.approx(0.893, abs=0.0005)


@pytest.mark.parametrize(
    ("successes", "total", "lo", "hi"),
    # Brown, Cai and DasGupta (2001) and Newcombe (1998), method 3: 81/263, 15/148, 0/20, 1/29.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_intervals_are_those_of_newcombe(successes: int, total: int, lo: float, hi: float) -> None:
    found = wilson(successes, total)

    assert [found.lo, found.hi] == pytest.approx([lo, hi], abs=5e-5)


def test_a_difference_has_newcombes_interval() -> None:
    # Newcombe (1998), differences, method 10: 56/70 and 48/80.
    found = difference(wilson(56, 70), wilson(48, 80))

    assert [found.value, found.lo, found.hi] == pytest.approx([0.2, 0.0524, 0.3339], abs=5e-5)


def test_lift_counts_a_part_of_ties() -> None:
    # 3 of 4 at the top, 2 of 16 below: 25 %. The best 10 % are 2 of the 4 at the top: 75 % of them, 3 times as many.
    cells = {(0, 9): (3, 1), (0, 1): (2, 14)}

    assert lift(cells, 0.1) == pytest.approx(3.0)
    assert lift(cells, 0.4) == pytest.approx((3 + 2 / 16 * 4) / 8 / 0.25)
    assert lift(cells, 1.0) == pytest.approx(1.0)


def test_brier_predicts_each_outcome_from_the_others() -> None:
    # Two bins, 4 and 2 leads. For a win in the first: 2 other wins of 3, and 2 of 5 others overall.
    bins = [Bin(0, 9, 4, 3), Bin(10, 19, 2, 0)]
    win = (2 + 2 / 5) / 4 - 1
    loss_in_first, loss_in_second = (3 + 3 / 5) / 4, (0 + 3 / 5) / 2

    error, plain = brier(bins)

    assert error == pytest.approx((3 * win**2 + loss_in_first**2 + 2 * loss_in_second**2) / 6)
    assert plain == pytest.approx((3 * (2 / 5 - 1) ** 2 + 3 * (3 / 5) ** 2) / 6)


@given(st.dictionaries(st.integers(-50, 50), st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1))
def test_bins_hold_each_lead_once_and_never_divide_a_score(scores: dict[int, tuple[int, int]]) -> None:
    bins = bins_of(scores)

    assert len(bins) <= 10
    assert sum(each.leads for each in bins) == sum(up + down for up, down in scores.values())
    assert all(one.highest < other.lowest for one, other in pairwise(bins))
    assert all(0 <= each.positives <= each.leads for each in bins)


@pytest.mark.parametrize(("trials", "chance"), [(5, 0.3), (12, 0.9), (40, 0.5), (200, 0.2)])
def test_resamples_are_binomial(trials: int, chance: float) -> None:
    draw, times = Random(7).random, 20_000  # noqa: S311  a test of the distribution
    found = [binomial(draw, trials, chance) for _ in range(times)]

    for successes in range(trials + 1):
        expected = comb(trials, successes) * chance**successes * (1 - chance) ** (trials - successes)
        error = (expected * (1 - expected) / times) ** 0.5
        assert abs(found.count(successes) / times - expected) <= 5 * error + 1e-4


def test_the_interval_of_auc_is_that_of_resampled_leads() -> None:
    cells = {(0, score): (score, 12 - score) for score in range(1, 12)}
    found = auc_interval(cells)
    leads = [(score, side) for score in range(1, 12) for side in [1] * score + [0] * (12 - score)]
    wins, losses = ([score for score, side in leads if side == wanted] for wanted in (1, 0))
    draw = Random(3)  # noqa: S311  an independent resample
    areas = sorted(_area(draw.choices(wins, k=len(wins)), draw.choices(losses, k=len(losses))) for _ in range(1_000))

    assert found.value == pytest.approx(_area(wins, losses))
    assert [found.lo, found.hi] == pytest.approx([areas[25], areas[974]], abs=0.015)
    assert auc_interval(cells) == found


def _area(wins: list[int], losses: list[int]) -> float:
    return sum((win > loss) + (win == loss) / 2 for win in wins for loss in losses) / len(wins) / len(losses)


def test_the_stability_index_is_zero_for_the_same_distribution_and_large_for_another() -> None:
    assert stability_index([50, 30, 20], [50, 30, 20]) == pytest.approx(0)
    assert stability_index([80, 15, 5], [20, 30, 50]) > 0.2
