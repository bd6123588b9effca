"""Measurements of a run by label, in the order of a round."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.bench import (
    backtests,
    companies,
    crowded,
    exporting,
    idle,
    importing,
    latency,
    lists,
    measure,
    neighbours,
    pages,
    purchases,
    saved_spend,
    seed_stack,
    slow,
    stalls,
    twins,
    viewers,
)
from tests.bench.contestant import Contestant
from tests.bench.labels import FLOORS, OURS
from tests.bench.measure import Measured, Sizes
from tests.support.postgres import Cluster

PARTS = (
    "floor",
    "post",
    "batch",
    "pickup",
    "drain",
    "latency",
    "slow",
    "twins",
    "neighbours",
    "pages",
    "lists",
    "import",
    "export",
    "viewers",
    "companies",
    "purchases",
    "backtests",
    "saved",
    "stalls",
    "idle",
)
FLOOR_DATABASE = "floor"
_CROWDED = {"pages", "lists", "import", "export", "viewers"}


@dataclass
class Program:
    """The measurements, and the names of all contestants."""

    measurements: dict[str, Callable[[], Measured]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


def program(
    parts: tuple[str, ...], sizes: Sizes, cluster: Cluster, ours: Contestant, peer: Contestant | None, folder: Path
) -> Program:
    """The measurements of the parts. Fills a database with leads if one of them needs many."""
    found = Program()
    if "floor" in parts:
        for script, (leads, _) in FLOORS.items():
            label = f"floor: {script}"
            found.measurements[label] = partial(measure.floor, cluster, FLOOR_DATABASE, script, leads, sizes)
    for part, contestants in _contestants(ours, peer).items():
        if part in parts:
            found.names += [each.name for each in contestants]
            found.measurements |= {
                label: call for each in contestants for label, call in _of_contestant(part, each, sizes).items()
            }
    for part, calls in _alone(ours, sizes, folder).items():
        if part in parts:
            found.measurements |= calls
    if _CROWDED & set(parts):
        crowd = crowded.crowded(ours, sizes.leads, history=pages.LABEL in parts)
        found.measurements |= {
            label: call
            for part, calls in _of_crowd(crowd, sizes, folder).items()
            if part in parts
            for label, call in calls.items()
        }
    return found


def _alone(ours: Contestant, sizes: Sizes, folder: Path) -> dict[str, dict[str, Callable[[], Measured]]]:
    """Measurements of ours without a peer, by part."""
    return {
        "companies": {
            companies.FLOOR: partial(companies.floor, sizes, folder),
            companies.LABEL: partial(companies.measure, ours, sizes),
        },
        "purchases": {
            purchases.FLOOR: partial(purchases.floor, ours, sizes),
            purchases.LABEL: partial(purchases.measure, ours, sizes),
        },
        "backtests": {backtests.LABEL: partial(backtests.measure, ours, sizes)},
        "saved": {saved_spend.LABEL: saved_spend.measure},
        stalls.LABEL: {stalls.LABEL: partial(stalls.measure, folder)},
    }


def _contestants(ours: Contestant, peer: Contestant | None) -> dict[str, list[Contestant]]:
    """Contestants of each measurement. No-op enrichment is `simulated` without its pause; the peer has a stub."""
    no_op = ours.called(
        f"{OURS}, no-op", LEADFLOOD_ENRICHMENT_SOURCES="simulated", LEADFLOOD_SIMULATED_LATENCY_SECONDS="0"
    )
    found = {
        "post": [ours],
        "batch": [ours],
        "pickup": [ours],
        "drain": [no_op, ours.called(f"{OURS}, email_insight")],
        "latency": [ours],
        "slow": [ours],
        "twins": [ours],
        "neighbours": [ours],
        "idle": [ours],
    }
    if peer is not None:
        plain = peer.called("seed stack, plain", **seed_stack.PLAIN)
        tuned = peer.called("seed stack, tuned", **seed_stack.TUNED)
        prepared = peer.called("seed stack, prepared", **seed_stack.PREPARED)
        found["post"] += [plain, prepared]
        found["pickup"] += [plain, tuned]
        found["drain"] += [plain, tuned]
        found["latency"] += [prepared]
    return found


def _of_contestant(part: str, each: Contestant, sizes: Sizes) -> dict[str, Callable[[], Measured]]:
    if part == "post":
        return {
            f"post, worker {'on' if worker else 'off'}: {each.name}": partial(
                measure.post, each, sizes, with_worker=worker
            )
            for worker in (False, True)
        }
    calls = {
        "batch": measure.batch,
        "pickup": measure.pickup,
        "drain": measure.drain,
        "latency": latency.measure,
        "slow": slow.measure,
        "twins": twins.measure,
        "neighbours": neighbours.measure,
        "idle": idle.measure,
    }
    return {f"{part}: {each.name}": partial(calls[part], each, sizes)}


def _of_crowd(crowd: Contestant, sizes: Sizes, folder: Path) -> Mapping[str, dict[str, Callable[[], Measured]]]:
    return {
        "pages": {pages.LABEL: partial(pages.measure, crowd, sizes)},
        "lists": {lists.LABEL: partial(lists.measure, crowd, sizes)},
        "import": {
            importing.FLOOR: partial(importing.floor, crowd, sizes, folder),
            importing.LABEL: partial(importing.measure, crowd, sizes, folder),
        },
        "export": {
            exporting.FLOOR: partial(exporting.floor, crowd),
            exporting.LABEL: partial(exporting.measure, crowd),
        },
        "viewers": {viewers.LABEL: partial(viewers.measure, crowd, sizes)},
    }
