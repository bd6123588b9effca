"""Data of plots, as the chart script reads them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol


class TimedPoint(Protocol):
    """Values of a time, as attributes."""

    @property
    def starts_at(self) -> datetime:
        """The time at which the values begin."""


def plot_data(points: Sequence[TimedPoint], series: Mapping[str, str], *, zone: str, days: bool, unit: str = "") -> str:
    """JSON: Unix times, and one list of values per series.

    Args: series: attributes of the points by label. zone: of the times shown. days: whether these are days, not hours.
    """
    return json.dumps(
        {
            "x": [point.starts_at.timestamp() for point in points],
            "series": [
                {"label": label, "values": [getattr(point, name) for point in points]} for label, name in series.items()
            ],
            "unit": unit,
            "zone": zone,
            "days": days,
        }
    )


def distribution_data(starts: Sequence[int], series: Mapping[str, Sequence[int]], *, step: int) -> str:
    """JSON of stacked bars over numbers, up to three series: where each bar begins, and one list of counts per series.

    Args: starts: without gaps. series: counts by label, the uppermost first. step: width of a bar.
    """
    shown = [{"label": label, "values": list(counts)} for label, counts in series.items()]
    return json.dumps({"x": list(starts), "series": shown, "unit": "", "step": step})
