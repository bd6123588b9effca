"""Decay of points: half-lives, sort keys, and their order."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from leadflood.domains.engagement.models import Rules, decayed, key_of, normalise_kind, score_of
from leadflood.kernel.text import InvalidValue

NOW = datetime(2026, 12, 1, tzinfo=UTC)
HALF_LIVES = st.integers(1, 3650)
SCORES = st.floats(0.001, 1e6)
LATER = st.integers(0, 200 * 365).map(lambda days: NOW + timedelta(days=days))


@pytest.mark.parametrize(("days", "left"), [(0, 40.0), (30, 20.0), (60, 10.0), (300, 40 / 1024)])
def test_points_lose_half_of_their_value_in_each_half_life(days: int, left: float) -> None:
    at = NOW - timedelta(days=days)

    assert decayed(40, at, half_life_days=30, now=NOW) == pytest.approx(left)
    assert decayed(-40, at, half_life_days=30, now=NOW) == pytest.approx(-left)


@given(score=SCORES, half_life=HALF_LIVES)
def test_a_sort_key_stands_for_its_score(score: float, half_life: int) -> None:
    key = key_of(score, half_life_days=half_life, now=NOW)

    assert score_of(key, half_life_days=half_life, now=NOW) == pytest.approx(score, rel=1e-9)
    assert score_of(-key, half_life_days=half_life, now=NOW) == pytest.approx(-score, rel=1e-9)
    assert score_of(key, half_life_days=half_life, now=NOW + timedelta(days=half_life)) == pytest.approx(score / 2)


@given(one=SCORES, other=SCORES, sign=st.sampled_from([-1, 1]), half_life=HALF_LIVES, later=LATER)
def test_the_order_of_sort_keys_is_that_of_decayed_scores_at_any_time(
    one: float, other: float, sign: int, half_life: int, later: datetime
) -> None:
    assume(abs(one - other) > 1e-6 * one)
    first, second = (sign * key_of(each, half_life_days=half_life, now=NOW) for each in (one, other))

    low, high = (score_of(each, half_life_days=half_life, now=later) for each in sorted([first, second]))

    assert low <= high
    assert (first < second) == (sign * one < sign * other)
    assert all(map(math.isfinite, (low, high)))


def test_no_score_is_between_the_least_positive_and_the_least_negative_one() -> None:
    oldest = key_of(1e-9, half_life_days=1, now=datetime(1990, 1, 1, tzinfo=UTC))

    assert -oldest < 0 < oldest
    assert score_of(0.0, half_life_days=1, now=NOW) == 0


@pytest.mark.parametrize(("given_", "stored"), [("Demo requested", "demo_requested"), ("page-visited", "page_visited")])
def test_a_kind_is_a_short_code(given_: str, stored: str) -> None:
    assert normalise_kind(given_) == stored


@pytest.mark.parametrize("text", ["", "  ", "1st", "größe", "x" * 41, "a/b"])
def test_an_invalid_kind_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        normalise_kind(text)


def test_points_of_the_workspace_come_before_those_of_the_program() -> None:
    rules = Rules(points={"demo_requested": 80, "fair_visited": 15})

    assert (rules.points_of("demo_requested"), rules.points_of("fair_visited")) == (80, 15)
    assert (rules.points_of("email_replied"), rules.points_of("sneezed")) == (30, None)
    assert next(iter(rules.all_points)) == "demo_requested"
