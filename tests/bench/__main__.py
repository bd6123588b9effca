"""`python -m tests.bench`: our figures next to a peer and a floor, from one run on one PostgreSQL with fsync on.

docs/benchmarks.md says what is measured, and how to read it.
"""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from leadflood.kernel.clock import utc_now
from tests.bench import measure, ratios, report, seed_stack
from tests.bench.client import Refused
from tests.bench.contestant import Contestant, NotStarted
from tests.bench.leadflood_contestant import leadflood
from tests.bench.machine import MissingTool, describe, require_wrk
from tests.bench.measure import Sizes
from tests.bench.plot import draw
from tests.bench.program import FLOOR_DATABASE, PARTS, program
from tests.bench.ratios import Ratio
from tests.bench.rounds import Results, take_turns
from tests.support.postgres import Cluster, temporary_cluster, temporary_home

WITH_PEER = {"post", "pickup", "drain", "latency"}
REPEATS_A_ROUND = 4
RESULTS = Path(__file__).resolve().parents[2] / "bench-results"
SERVER = {"shared_buffers": "512MB", "max_connections": "200"}
"""For all alike; everything else, durability above all, is as PostgreSQL ships it."""


@dataclass(frozen=True)
class Options:
    """Options of a benchmark run: what to measure, and how thoroughly."""

    parts: tuple[str, ...]
    sizes: Sizes
    rounds: int
    repeats: int
    quick: bool
    write_baseline: bool
    fail_if_worse: bool


def main(argv: list[str]) -> int:
    """Measure, print, and keep the raw figures. Returns the exit code."""
    options = _options(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that all processes are ended
    console = Console(width=180 if not sys.stdout.isatty() else None)
    try:
        require_wrk()
        with temporary_cluster(SERVER) as cluster, temporary_home() as folder:
            return _run(console, options, cluster, folder)
    except (MissingTool, NotStarted, Refused, measure.Failed) as error:
        console.print(str(error), style="red", markup=False)
        return 1


def _options(argv: list[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"any of {', '.join(PARTS)}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="a few seconds each, one round: does it run at all?")
    parser.add_argument("--leads", type=int, help="leads of the large workspace (default: 1,000,000)")
    parser.add_argument("--write-baseline", action="store_true", help="make the ratios of this run the base line")
    parser.add_argument("--fail-if-worse", action="store_true", help="exit code 1 when a ratio is below the base line")
    parser.add_argument("--rounds", type=int, default=3, help="rounds to take the median of (default: 3)")
    given = parser.parse_args(argv)
    unknown = sorted(set(given.parts) - set(PARTS))
    if unknown:
        parser.error(f"unknown part: {', '.join(unknown)}")
    parts = tuple(part for part in PARTS if part in given.parts or not given.parts)
    sizes = measure.QUICK if given.quick else Sizes()
    if given.leads is not None:
        sizes = replace(sizes, leads=given.leads)
    rounds = 1 if given.quick else max(1, given.rounds)
    return Options(
        parts,
        sizes,
        rounds,
        repeats=0 if given.quick else REPEATS_A_ROUND * rounds,
        quick=given.quick,
        write_baseline=given.write_baseline,
        fail_if_worse=given.fail_if_worse,
    )


def _run(console: Console, options: Options, cluster: Cluster, folder: Path) -> int:
    ours = leadflood(cluster, folder)
    peer = _peer(console, options, cluster, folder)
    cluster.create_database(FLOOR_DATABASE)
    cluster.run((measure.HERE / "floor" / "schema.sql").read_text(encoding="utf-8"), FLOOR_DATABASE)
    machine = describe(cluster, seed_stack.node_version(peer) if peer else None)
    console.print_json(data=machine)
    planned = program(options.parts, options.sizes, cluster, ours, peer, folder)
    results = take_turns(planned.measurements, rounds=options.rounds, repeats=options.repeats, told=console.print)
    found = ratios.ratios(results)
    compared = [] if options.quick else ratios.compare(found, ratios.read_baseline())
    leads = options.sizes.leads
    tables = report.tables(results, planned.names, rounds=options.rounds, leads=leads)
    tables += report.verdicts([] if options.quick else ratios.aims(results, leads), compared)
    for table in tables:
        console.print(table)
    console.print(f"Report: {_keep(machine, options, results, found, tables)}")
    if options.write_baseline:
        ratios.write_baseline(machine, found, rounds=options.rounds)
    for run in results.refused():
        console.print(f"Not every request was answered with 2xx: {run}", style="red", markup=False)
    worse = options.fail_if_worse and any(item.verdict == "worse" for item in compared)
    return 1 if results.refused() or worse else 0


def _peer(console: Console, options: Options, cluster: Cluster, folder: Path) -> Contestant | None:
    if not WITH_PEER & set(options.parts):
        return None
    if (reason := seed_stack.why_absent()) is not None:
        console.print(f"No peer: {reason}. Ratios are to the floor only.")
        return None
    console.print("Building the peer …")
    return seed_stack.seed_stack(cluster, folder)


def _keep(
    machine: dict[str, object], options: Options, results: Results, found: Sequence[Ratio], tables: Sequence[Table]
) -> Path:
    """Raw figures, ratios as a picture, and all tables as Markdown; the path of the latter."""
    RESULTS.mkdir(exist_ok=True)
    raw = RESULTS / f"{utc_now():%Y%m%dT%H%M%SZ}.json"
    content = {
        "machine": machine,
        "rounds": options.rounds,
        "sizes": asdict(options.sizes),
        "runs": [asdict(run) for run in results.runs],
    }
    raw.write_text(json.dumps(content, indent=1), encoding="utf-8")
    plot = raw.with_suffix(".svg")
    drawn = draw(plot, found, {} if options.quick else ratios.read_baseline())
    report.write_markdown(raw.with_suffix(".md"), machine, tables, plot if drawn else None)
    return raw.with_suffix(".md")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
