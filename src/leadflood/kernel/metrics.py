"""Metrics of a workspace over time: domains declare them, and the domain `metrics` counts those of all."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from leadflood.kernel.actor import Permission
from leadflood.kernel.db.sql import Sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number of events per workspace and time. It has an `entry` or a query `happened`, and never both.

    Attributes:
        name: with the noun of its domain, such as `leads.created`. Stored with each count.
        label: as a title of a chart.
        help: what is counted, in one sentence.
        permission: without it, the metric is left out.
        entry: kind of the entries in the timelines of leads that it counts.
        happened: rows `(workspace_id, at)` to count, of all workspaces, with `at >= :since AND at < :until`. Counting
            again must give the same result or more: count rows that stay, such as those of an append-only table.
    """

    name: str
    label: str
    help: str
    permission: Permission
    entry: str = ""
    happened: Sql | None = None


class MetricRegistry:
    """The metrics of all domains, filled by `bootstrap`."""

    def __init__(self) -> None:
        self._known: Final[dict[str, Metric]] = {}

    def add(self, metrics: Iterable[Metric]) -> None:
        """Add the metrics of a domain. Raises: ValueError: the name or the entry is taken, or there is none."""
        for metric in metrics:
            if bool(metric.entry) == (metric.happened is not None):
                message = f"The metric {metric.name} needs an entry or a query, and not both."
                raise ValueError(message)
            taken = {known.entry for known in self._known.values() if known.entry}
            if metric.name in self._known or metric.entry in taken:
                message = f"The metric {metric.name} is declared already, or one with its entry."
                raise ValueError(message)
            self._known[metric.name] = metric

    def __iter__(self) -> Iterator[Metric]:
        return iter(sorted(self._known.values(), key=lambda metric: metric.name))

    def get(self, name: str) -> Metric | None:
        """The metric of this name."""
        return self._known.get(name)

    @property
    def entries(self) -> dict[str, str]:
        """The kinds of timeline entries that are counted, with the metric of each."""
        return {metric.entry: metric.name for metric in self if metric.entry}
