"""Machine-independent results of a run: ratios to floor and peer, compared with those of the baseline."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import backtests, companies, exporting, importing, latency, lists, purchases, saved_spend
from tests.bench.labels import BULK_FLOOR, FLOOR, OURS
from tests.bench.rounds import Results

BASELINE = Path(__file__).with_name("baseline.json")
TOLERANCE = 0.15
"""By so much of itself a ratio may differ from the base line without being called better or worse."""
NO_OP = f"{OURS}, no-op"


@dataclass(frozen=True)
class Ratio:
    """Ratio of one of our results to a floor, to the best peer or to another one of our results."""

    name: str
    base: str
    value: float
    less_is_better: bool = False

    @property
    def key(self) -> str:
        """Key in the baseline."""
        return f"{self.name} ÷ {self.base}"


@dataclass(frozen=True)
class Compared:
    """A ratio next to that of the base line; None where one of the two is missing."""

    key: str
    now: float | None
    then: float | None
    verdict: str


@dataclass(frozen=True)
class Aim:
    """A figure or ratio, and what it should be at least or at most."""

    name: str
    value: float
    aim: float
    max_count: bool = False

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.value <= self.aim if self.max_count else self.value >= self.aim


@dataclass(frozen=True)
class _Side:
    label: str
    figure: str = "per_second"


_TO_FLOOR: Mapping[str, tuple[_Side, _Side]] = {
    "post, worker off": (_Side(f"post, worker off: {OURS}"), _Side(FLOOR)),
    "post, worker on": (_Side(f"post, worker on: {OURS}"), _Side(FLOOR)),
    "batch": (_Side(f"batch: {OURS}"), _Side(BULK_FLOOR)),
    "drain": (_Side(f"drain: {NO_OP}"), _Side(FLOOR)),
    "import": (_Side(importing.LABEL), _Side(importing.FLOOR)),
    "import, commit alone": (_Side(importing.LABEL, "commit_per_second"), _Side(importing.FLOOR)),
    "import, undo": (_Side(importing.LABEL, "undo_per_second"), _Side(importing.FLOOR)),
    "companies": (_Side(companies.LABEL), _Side(companies.FLOOR)),
    "purchases": (_Side(purchases.LABEL), _Side(purchases.FLOOR)),
    **{
        f"export, {kind}": (_Side(exporting.LABEL, f"{kind} per_second"), _Side(exporting.FLOOR))
        for kind in exporting.FORMATS
    },
}
_PROCESSOR: Mapping[str, tuple[_Side, _Side]] = {
    "import, commit, PostgreSQL's processor time": (
        _Side(importing.LABEL, "commit_pg_us"),
        _Side(importing.FLOOR, "pg_us"),
    ),
}
_UNDONE = "import, undo ÷ import"
_COMMIT = "import, commit, PostgreSQL's processor time ÷ floor"
_TO_PEER: Mapping[str, tuple[str, str, str, bool]] = {
    "post, worker off": ("post, worker off: ", OURS, "per_second", False),
    "post, worker on": ("post, worker on: ", OURS, "per_second", False),
    "pickup, p50": ("pickup: ", OURS, "db_started_p50_ms", True),
    "drain": ("drain: ", NO_OP, "per_second", False),
    "latency, p99": (f"{latency.LABEL}: ", OURS, "p99_ms", True),
}


def keys() -> set[str]:
    """Keys that a baseline can contain."""
    return {
        _UNDONE,
        *(f"{name} ÷ floor" for name in (*_TO_FLOOR, *_PROCESSOR)),
        *(f"{name} ÷ peer" for name in _TO_PEER),
    }


def ratios(results: Results) -> list[Ratio]:
    """All ratios whose two sides were measured, by their medians."""
    found = [
        Ratio(name, "floor", ratio)
        for name, (side, floor) in _TO_FLOOR.items()
        if (ratio := _of(results, side, floor)) is not None
    ]
    found += [
        Ratio(name, "floor", ratio, less_is_better=True)
        for name, (side, floor) in _PROCESSOR.items()
        if (ratio := _of(results, side, floor)) is not None
    ]
    undo = _of(results, _Side(importing.LABEL, "undo_per_second"), _Side(importing.LABEL))
    if undo is not None:
        found.append(Ratio("import, undo", "import", undo))
    for name, (prefix, ours, figure, less) in _TO_PEER.items():
        peers = [
            results.median(label, figure)
            for label in results.labels()
            if label.startswith(prefix) and not label.startswith(prefix + OURS)
        ]
        if peers and results.has(prefix + ours):
            best = min(peers) if less else max(peers)
            found.append(Ratio(name, "peer", results.median(prefix + ours, figure) / best, less_is_better=less))
    return found


def _backtest(results: Results) -> list[Aim]:
    """Targets of a backtest of 100,000 outcomes."""
    if not results.has(backtests.LABEL) or results.median(backtests.LABEL, "leads") < backtests.AIMED_LEADS:
        return []
    return [
        _at_most(results, "backtest, s", backtests.LABEL, "seconds", backtests.AIM_SECONDS),
        _at_most(results, "backtest, peak MiB", backtests.LABEL, "peak_mib", backtests.AIM_MIB),
    ]


def _saved(results: Results) -> list[Aim]:
    """Target of the spend that is saved, in each world."""
    if not results.has(saved_spend.LABEL):
        return []
    return [
        Aim(f"spend saved, {world.name}", results.median(saved_spend.LABEL, world.name), saved_spend.AIM)
        for world in saved_spend.worlds()
    ]


def aims(results: Results, leads: int) -> list[Aim]:
    """Targets for the measured ratios."""
    found = {ratio.key: ratio.value for ratio in ratios(results)}
    wanted = {
        "post, worker off ÷ peer": 5.0,
        "post, worker off ÷ floor": 1.0,
        "batch ÷ floor": 0.4,
        "drain ÷ peer": 5.0,
        "import ÷ floor": 0.35,
        "companies ÷ floor": 0.4,
        _UNDONE: 1.0,
    }
    aimed = [Aim(name, found[name], least) for name, least in wanted.items() if name in found]
    if results.has(f"pickup: {OURS}"):
        aimed.append(_at_most(results, "pickup, p50 ms", f"pickup: {OURS}", "db_started_p50_ms", 10))
    if results.has(f"{latency.LABEL}: {OURS}"):
        label = f"{latency.LABEL}: {OURS}"
        aimed.append(_at_most(results, "POST at 500 a second, p99 ms", label, "p99_ms", latency.AIM_P99_MS))
    if results.has(importing.LABEL):
        if _COMMIT in found:
            aimed.append(Aim(_COMMIT, found[_COMMIT], 2.0, max_count=True))
        for process in ("api", "worker"):
            figure = f"{process}_peak_mib"
            aimed.append(_at_most(results, f"import, {process}, peak MiB", importing.LABEL, figure, 300))
    aimed += _of_purchases(results)
    aimed += _backtest(results)
    aimed += _saved(results)
    if results.has(companies.LABEL):
        for name, figure, least in (("companies", "per_second", 20), ("leads", "leads_per_second", 100)):
            aimed.append(Aim(f"{name} read a second", results.median(companies.LABEL, figure), least))
        aimed.append(_at_most(results, "companies, worker MiB", companies.LABEL, "worker_mib", 250))
        aimed.append(_at_most(results, "companies, with children MiB", companies.LABEL, "with_children_mib", 450))
    most = lists.aim(leads)
    if results.has(lists.LABEL) and most is not None:
        worst = max(results.median(lists.LABEL, f"{name} p95_ms") for name in lists.NAMES)
        aimed.append(Aim("the slowest list, p95 ms", worst, most, max_count=True))
    return aimed


def _of_purchases(results: Results) -> list[Aim]:
    if not results.has(purchases.LABEL):
        return []
    return [
        Aim("purchases a second", results.median(purchases.LABEL, "per_second"), 250),
        _at_most(results, "purchases, p99 ms", purchases.LABEL, "p99_ms", 250),
        _at_most(results, "transactions of a purchase", purchases.LABEL, "transactions", 2),
    ]


def compare(now: Sequence[Ratio], then: Mapping[str, float]) -> list[Compared]:
    """Each ratio that either has: `same` within the tolerance, else `better` or `worse`; `new` or `not measured`."""
    found = [Compared(item.key, item.value, then.get(item.key), _verdict(item, then.get(item.key))) for item in now]
    measured = {item.key for item in now}
    return found + [Compared(key, None, value, "not measured") for key, value in then.items() if key not in measured]


def read_baseline() -> dict[str, float]:
    """The ratios of the base line; none where there is none yet."""
    if not BASELINE.exists():
        return {}
    content: dict[str, dict[str, float]] = json.loads(BASELINE.read_text(encoding="utf-8"))
    return content["ratios"]


def write_baseline(machine: Mapping[str, object], found: Sequence[Ratio], *, rounds: int) -> None:
    """Make these ratios the base line. Those of parts that were not measured stay."""
    values = read_baseline() | {item.key: round(item.value, 3) for item in found}
    content = {"machine": machine, "rounds": rounds, "ratios": values}
    BASELINE.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _of(results: Results, side: _Side, base: _Side) -> float | None:
    if not (results.has(side.label) and results.has(base.label)):
        return None
    return results.median(side.label, side.figure) / results.median(base.label, base.figure)


def _at_most(results: Results, name: str, label: str, figure: str, most: float) -> Aim:
    return Aim(name, results.median(label, figure), most, max_count=True)


def _verdict(ratio: Ratio, then: float | None) -> str:
    if then is None:
        return "new"
    if abs(ratio.value - then) <= TOLERANCE * then:
        return "same"
    return "better" if (ratio.value < then) == ratio.less_is_better else "worse"
