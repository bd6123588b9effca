"""Periods, the quarters of an hour that metrics are stored by, and percentiles from histograms."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

QUARTER = timedelta(minutes=15)
"""The resolution of metrics: the finest step in which time zones differ, so that days are whole in each."""

LATENCY_BOUNDS = tuple(0.01 * 2.0**step for step in range(24))
"""Bounds of the histogram of durations in seconds: 10 ms doubling to 23 hours."""

CREATED, ENRICHED, FAILED = "leads.created", "enrichment.completed", "enrichment.failed"
"""Names of the metrics of the dashboard."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_HOURS, _DAY = 24, timedelta(days=1)


class TimeRange(StrEnum):
    """Period, including the current hour or day."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def days(self) -> int:
        """Days of the period; a single day is shown by hour."""
        return {"24h": 1, "7d": 7, "30d": 30}[self.value]


def quarter_of(moment: datetime) -> datetime:
    """Start of the quarter of an hour that contains `moment`."""
    return moment - (moment - _EPOCH) % QUARTER


def bounds_of(span: TimeRange, now: datetime, zone: tzinfo) -> list[datetime]:
    """Bounds of the intervals of a series, in UTC and oldest first, including the end of the last one.

    Hours are hours; days are those of `zone`, with 23 to 25 hours where its clocks are changed.
    """
    local = now.astimezone(zone)
    if span is TimeRange.DAY:
        this = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        return [this + timedelta(hours=hour) for hour in range(1 - _HOURS, 2)]
    days = [local.date() + _DAY * day for day in range(1 - span.days, 2)]
    return [datetime.combine(day, time(), zone).astimezone(UTC) for day in days]


def percentile(counted: Mapping[int, int], share: float) -> float | None:
    """Approximate upper bound in seconds for the given share of durations; None without any.

    Args:
        counted: how many there are in each slot: slot 0 is below the first of `LATENCY_BOUNDS`, 1 from there to the
            second, and so on.
        share: from 0 to 1, such as 0.95. Within a slot, durations are taken to lie evenly on a logarithmic scale.
    """
    wanted = share * sum(counted.values())
    passed = 0
    for slot, count in sorted(counted.items()):
        if count and passed + count >= wanted:
            return _within(slot, (wanted - passed) / count)
        passed += count
    return None


def _within(slot: int, part: float) -> float:
    if slot <= 0:
        return LATENCY_BOUNDS[0] * part
    if slot >= len(LATENCY_BOUNDS):
        return LATENCY_BOUNDS[-1]
    lower, upper = LATENCY_BOUNDS[slot - 1], LATENCY_BOUNDS[slot]
    return float(lower * (upper / lower) ** part)
