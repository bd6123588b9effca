"""Bounds of hours and days, and percentiles from counted durations."""

from bisect import bisect_right
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflood.domains.metrics.models import LATENCY_BOUNDS, QUARTER, TimeRange, bounds_of, percentile, quarter_of

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  the strategy adds it


@given(st.sampled_from(TimeRange), MOMENTS, ZONES)
def test_a_series_is_without_gaps_ends_after_now_and_parts_on_quarters(
    span: TimeRange, now: datetime, zone: str
) -> None:
    bounds = bounds_of(span, now, ZoneInfo(zone))

    assert len(bounds) == {"24h": 25, "7d": 8, "30d": 31}[span]
    assert bounds[-2] <= now < bounds[-1]
    assert all(starts < ends for starts, ends in pairwise(bounds))
    assert all(quarter_of(bound) == bound for bound in bounds)


@given(MOMENTS, ZONES)
def test_a_day_is_that_of_the_time_zone(now: datetime, zone: str) -> None:
    midnights = [bound.astimezone(ZoneInfo(zone)) for bound in bounds_of(TimeRange.WEEK, now, ZoneInfo(zone))]

    assert {(midnight.hour, midnight.minute) for midnight in midnights} == {(0, 0)}
    assert midnights[-2].date() == now.astimezone(ZoneInfo(zone)).date()


def test_the_day_on_which_clocks_change_has_23_or_25_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    spring = bounds_of(TimeRange.WEEK, datetime(2026, 3, 31, 12, tzinfo=UTC), berlin)
    autumn = bounds_of(TimeRange.WEEK, datetime(2026, 10, 27, 12, tzinfo=UTC), berlin)

    assert timedelta(hours=23) in [ends - starts for starts, ends in pairwise(spring)]
    assert timedelta(hours=25) in [ends - starts for starts, ends in pairwise(autumn)]


@given(MOMENTS)
def test_a_moment_lies_in_its_quarter(moment: datetime) -> None:
    assert quarter_of(moment) <= moment < quarter_of(moment) + QUARTER


def slots_of(durations: list[float]) -> Counter[int]:
    """Counts as computed by the database."""
    return Counter(bisect_right(LATENCY_BOUNDS, duration) for duration in durations)


@given(st.lists(st.floats(0.011, 80_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_percentile_is_off_by_less_than_a_slot(durations: list[float], share: float) -> None:
    exact = sorted(durations)[ceil(len(durations) * share) - 1]

    found = percentile(slots_of(durations), share)

    assert found is not None
    assert exact / 2.001 <= found <= exact * 2.001


@pytest.mark.parametrize(
    ("slots", "share", "seconds"),
    [
        ({}, 0.5, None),
        ({3: 0}, 0.5, None),
        ({0: 10}, 0.5, 0.005),
        ({1: 2}, 0.5, pytest.approx(0.01 * 2**0.5)),
        ({1: 50, 10: 50}, 0.5, 0.02),
        ({24: 1}, 0.5, LATENCY_BOUNDS[-1]),
    ],
)
def test_percentiles_at_the_edges(slots: dict[int, int], share: float, seconds: float | None) -> None:
    assert percentile(slots, share) == seconds
