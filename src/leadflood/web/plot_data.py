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
    """JSON of stacked bars over numbers: where each bar begins, counts per series, and where each series ends.

    An empty bar is added at the end, which the axis needs to show the last one whole.

    Args: starts: without gaps. series: counts by label, up to three, the uppermost first. step: width of a bar.
    """
    counts = [[*values, 0] for values in series.values()]
    stacks = [[sum(column) for column in zip(*counts[place:], strict=True)] for place in range(len(counts))]
    shown = [{"label": label, "values": values} for label, values in zip(series, counts, strict=True)]
    return json.dumps({"x": [*starts, starts[-1] + step], "series": shown, "stacks": stacks, "unit": ""})
