"""Takes turns: each round runs every measurement once, and the disturbed ones again."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.bench.measure import Measured

MAX_OTHER = 0.2
"""Cores that processes which are none of ours may use during a measurement before it is repeated."""


@dataclass(frozen=True)
class Run:
    """One try of one measurement. `counts`: it was the least disturbed try of its round."""

    label: str
    round: int
    figures: Mapping[str, float]
    cores: Mapping[str, float]
    counts: bool = True


@dataclass
class Results:
    """All runs, and medians over those that count."""

    runs: list[Run] = field(default_factory=list)

    def counted(self, label: str) -> list[Run]:
        """The runs of a measurement that count, one a round."""
        return [run for run in self.runs if run.label == label and run.counts]

    def median(self, label: str, figure: str) -> float:
        """The median of a figure over the rounds."""
        return statistics.median(run.figures[figure] for run in self.counted(label))

    def spread(self, label: str, figure: str) -> tuple[float, float]:
        """The least and the most of a figure over the rounds."""
        values = [run.figures[figure] for run in self.counted(label)]
        return min(values), max(values)

    def cores(self, label: str) -> dict[str, float]:
        """The medians of the cores that were used."""
        runs = self.counted(label)
        return {name: statistics.median(run.cores[name] for run in runs) for name in runs[0].cores}

    def refused(self) -> list[Run]:
        """All runs in which not every request was answered with 2xx."""
        return [run for run in self.runs if run.figures.get("non_2xx") or run.figures.get("socket_errors")]

    def labels(self) -> list[str]:
        """Labels of the measurements, in order."""
        return list(dict.fromkeys(run.label for run in self.runs))

    def has(self, label: str) -> bool:
        """Whether this was measured."""
        return bool(self.counted(label))


def take_turns(
    measurements: Mapping[str, Callable[[], Measured]],
    *,
    rounds: int,
    repeats: int,
    told: Callable[[str], None],
) -> Results:
    """Run all measurements, interleaved; disturbed ones once more, up to `repeats` of them in the whole run."""
    results = Results()
    for number in range(1, rounds + 1):
        for label, measure in measurements.items():
            tries: list[Run] = []
            while not tries or (len(tries) == 1 and repeats > 0 and _other(tries[0]) > MAX_OTHER):
                repeats -= len(tries)
                figures, cores = measure()
                tries.append(Run(label, number, figures, cores, counts=False))
                told(f"round {number} · {label} · {_short(figures)} · others used {cores['other']:.2f} cores")
            best = min(tries, key=_other)
            results.runs += [Run(run.label, run.round, run.figures, run.cores, counts=run is best) for run in tries]
    return results


def _other(run: Run) -> float:
    return run.cores["other"]


def _short(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in figures.items())
