"""The distribution of scores in a preview: a plot of up to three series, and a table of all tiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from leadflood.domains.icps.contracts.icps import Preview
from leadflood.web.plot_data import distribution_data

_STEP: Final = 10
"""Points of a bar."""
_OWN: Final = 2
"""Tiers with a series of their own; those after them share one."""


@dataclass(frozen=True, slots=True)
class ScoreBand:
    """Leads with scores from `at` to `to`, in each column."""

    at: int
    to: int
    leads: Sequence[int]


@dataclass(frozen=True, slots=True)
class ScorePlot:
    """Attributes: data: of the plot. series: its labels. columns, rows: of the table, the highest scores first."""

    data: str
    series: Sequence[str]
    columns: Sequence[dict[str, object]]
    rows: Sequence[ScoreBand]


def score_plot(preview: Preview) -> ScorePlot | None:
    """The distribution of the scores of a preview; None: it has no leads."""
    if not preview.histogram:
        return None
    counts = {(bucket.at, bucket.tier): bucket.leads for bucket in preview.histogram}
    tiers = [each.tier for each in preview.tiers if each.tier is not None or each.leads]
    places = [bucket.at for bucket in preview.histogram]
    starts = range(min(places), max(places) + _STEP, _STEP)
    by_tier = {tier: [counts.get((at, tier), 0) for at in starts] for tier in tiers}
    series = {_label(tier): by_tier[tier] for tier in tiers[:_OWN]}
    if rest := tiers[_OWN:]:
        label = ", ".join(_label(tier) for tier in rest)
        series[label] = [sum(column) for column in zip(*(by_tier[tier] for tier in rest), strict=True)]
    rows = [ScoreBand(at, at + _STEP - 1, [by_tier[tier][place] for tier in tiers]) for place, at in enumerate(starts)]
    columns: list[dict[str, object]] = [{"label": "Score"}, *({"label": _label(tier), "num": True} for tier in tiers)]
    return ScorePlot(distribution_data(starts, series, step=_STEP), list(series), columns, rows[::-1])


def _label(tier: str | None) -> str:
    return "Excluded" if tier is None else f"Tier {tier}"
