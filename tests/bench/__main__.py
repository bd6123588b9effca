"""`python -m tests.bench`: our figures next to a peer and a floor, from one run on one PostgreSQL with fsync on.

docs/benchmarks.md says what is measured, and how to read it.
"""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from leadflood.kernel.clock import utc_now
from tests.bench import measure, pages, seed_stack
from tests.bench.contestant import Contestant, NotStarted
from tests.bench.leadflood_contestant import leadflood
from tests.bench.machine import MissingTool, describe, require_wrk
from tests.bench.measure import Measured, Sizes
from tests.bench.report import FLOORS, OURS, print_report
from tests.bench.rounds import Results, take_turns
from tests.support.postgres import Cluster, temporary_cluster, temporary_home

PARTS = ("floor", "post", "batch", "pickup", "drain", "pages")
FLOOR_DATABASE = "floor"
REPEATS_A_ROUND = 4
RESULTS = Path(__file__).resolve().parents[2] / "bench-results"
SERVER = {"shared_buffers": "512MB", "max_connections": "200"}
"""For all alike; everything else, durability above all, is as PostgreSQL ships it."""


@dataclass(frozen=True)
class Options:
    """What to measure, and how thoroughly."""

    parts: tuple[str, ...]
    sizes: Sizes
    rounds: int
    repeats: int


def main(argv: list[str]) -> int:
    """Measure, print, and keep the raw figures. Returns the exit code."""
    options = _options(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that all processes are ended
    console = Console(width=180 if not sys.stdout.isatty() else None)
    try:
        require_wrk()
        with temporary_cluster(SERVER) as cluster, temporary_home() as folder:
            return _run(console, options, cluster, folder)
    except (MissingTool, NotStarted, measure.Failed) as error:
        console.print(str(error), style="red", markup=False)
        return 1


def _options(argv: list[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"any of {', '.join(PARTS)}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="a few seconds each, one round: does it run at all?")
    parser.add_argument("--rounds", type=int, default=3, help="rounds to take the median of (default: 3)")
    given = parser.parse_args(argv)
    unknown = sorted(set(given.parts) - set(PARTS))
    if unknown:
        parser.error(f"unknown part: {', '.join(unknown)}")
    parts = tuple(part for part in PARTS if part in given.parts or not given.parts)
    if given.quick:
        return Options(parts, measure.QUICK, 1, 0)
    rounds = max(1, given.rounds)
    return Options(parts, Sizes(), rounds, REPEATS_A_ROUND * rounds)


def _run(console: Console, options: Options, cluster: Cluster, folder: Path) -> int:
    ours = leadflood(cluster, folder)
    peer = None
    if (reason := seed_stack.why_absent()) is None:
        console.print("Building the peer …")
        peer = seed_stack.seed_stack(cluster, folder)
    else:
        console.print(f"No peer: {reason}. Ratios are to the floor only.")
    cluster.create_database(FLOOR_DATABASE)
    cluster.run((measure.HERE / "floor" / "schema.sql").read_text(encoding="utf-8"), FLOOR_DATABASE)
    machine = describe(cluster, seed_stack.node_version(peer) if peer else None)
    console.print_json(data=machine)
    measurements, names = _measurements(options, cluster, ours, peer)
    results = take_turns(measurements, rounds=options.rounds, repeats=options.repeats, told=console.print)
    print_report(console, results, names, rounds=options.rounds)
    pages.print_table(console, results, options.sizes.leads)
    console.print(f"Raw figures: {_keep(machine, options, results)}")
    for run in results.refused():
        console.print(f"Not every request was answered with 2xx: {run}", style="red", markup=False)
    return 1 if results.refused() else 0


def _measurements(
    options: Options, cluster: Cluster, ours: Contestant, peer: Contestant | None
) -> tuple[dict[str, Callable[[], Measured]], list[str]]:
    """Every measurement by its label, in the order of a round; and the names of all contestants."""
    found: dict[str, Callable[[], Measured]] = {}
    names: list[str] = []
    if "floor" in options.parts:
        for script, (leads, _) in FLOORS.items():
            found[f"floor: {script}"] = partial(measure.floor, cluster, FLOOR_DATABASE, script, leads, options.sizes)
    for part, contestants in _contestants(ours, peer).items():
        if part not in options.parts:
            continue
        names += [each.name for each in contestants]
        for each in contestants:
            if part == "post":
                for worker in (False, True):
                    label = f"post, worker {'on' if worker else 'off'}: {each.name}"
                    found[label] = partial(measure.post, each, options.sizes, with_worker=worker)
            else:
                call = {"batch": measure.batch, "pickup": measure.pickup, "drain": measure.drain}[part]
                found[f"{part}: {each.name}"] = partial(call, each, options.sizes)
    if pages.LABEL in options.parts:
        found[pages.LABEL] = partial(pages.measure, pages.crowded(ours), options.sizes)
    return found, names


def _contestants(ours: Contestant, peer: Contestant | None) -> dict[str, list[Contestant]]:
    """Who takes part in what. No-op enrichment is `simulated` without its pause; the peer's is a stub without one."""
    no_op = ours.called(f"{OURS}, no-op", LEADFLOOD_ENRICHMENT_ADAPTERS="simulated", LEADFLOOD_SIMULATED_LATENCY="0")
    found = {"post": [ours], "batch": [ours], "pickup": [ours], "drain": [no_op, ours.called(f"{OURS}, email_insight")]}
    if peer is not None:
        plain = peer.called("seed stack, plain", **seed_stack.PLAIN)
        tuned = peer.called("seed stack, tuned", **seed_stack.TUNED)
        prepared = peer.called("seed stack, prepared", **seed_stack.PREPARED)
        found["post"] += [plain, prepared]
        found["pickup"] += [plain, tuned]
        found["drain"] += [plain, tuned]
    return found


def _keep(machine: dict[str, object], options: Options, results: Results) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{utc_now():%Y%m%dT%H%M%SZ}.json"
    content = {
        "machine": machine,
        "rounds": options.rounds,
        "sizes": asdict(options.sizes),
        "runs": [asdict(run) for run in results.runs],
    }
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
