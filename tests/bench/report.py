"""The figures as tables, with ratios to the peer and to the floor of the same run."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tests.bench.rounds import Results

OURS = "leadflood"
FLOOR = "floor: lead_tx"
BULK_FLOOR = "floor: lead_batch50"
FLOORS = {
    "lead_tx": (1, "three inserts, one transaction, five round trips"),
    "lead_pipeline": (1, "the same as one pipeline"),
    "lead_batch50": (50, "50 leads a statement"),
}


def print_report(console: Console, results: Results, contestants: Sequence[str], *, rounds: int) -> None:
    """Print a table for each part that was measured."""
    names = list(dict.fromkeys(contestants))
    for worker in ("off", "on"):
        _throughput(
            console,
            results,
            {name: f"post, worker {worker}: {name}" for name in names},
            title=f"POST /v1/leads, 64 connections, worker {worker} (requests/s, median of {rounds})",
            columns={"p50 ms": "p50_ms", "p99 ms": "p99_ms", "non-2xx": "non_2xx", "API MiB": "api_mib"},
        )
    _throughput(
        console,
        results,
        {name: f"batch: {name}" for name in names},
        title=f"POST /v1/leads/batch, 1,000 leads a request, 4 connections (leads/s, median of {rounds})",
        columns={"p50 ms": "p50_ms", "p99 ms": "p99_ms", "non-2xx": "non_2xx", "API MiB": "api_mib"},
        floor=BULK_FLOOR,
    )
    _pickups(console, results, {name: f"pickup: {name}" for name in names})
    _throughput(
        console,
        results,
        {name: f"drain: {name}" for name in names},
        title=f"Drain of queued enrichments by one worker (jobs/s, first to last completion, median of {rounds})",
        columns={
            "with start-up": "per_second_with_start",
            "first after s": "first_after_s",
            "worker MiB": "worker_mib",
        },
    )
    _floors(console, results)


def _throughput(
    console: Console,
    results: Results,
    labels: dict[str, str],
    *,
    title: str,
    columns: dict[str, str],
    floor: str = FLOOR,
) -> None:
    measured = {name: label for name, label in labels.items() if results.has(label)}
    if not measured:
        return
    table = Table("", "per s", "min to max", *columns, "× best peer", "× floor", "cores used", title=title)
    peers = [results.median(label, "per_second") for name, label in measured.items() if not name.startswith(OURS)]
    base = results.median(floor, "per_second") if results.has(floor) else None
    for name, label in measured.items():
        rate = results.median(label, "per_second")
        low, high = results.spread(label, "per_second")
        more = [_number(results.median(label, figure)) for figure in columns.values()]
        ratios = [_ratio(rate, max(peers, default=None)), _ratio(rate, base)]
        table.add_row(name, _number(rate), f"{low:.0f} to {high:.0f}", *more, *ratios, _cores(results, label))
    console.print(table)


def _pickups(console: Console, results: Results, labels: dict[str, str]) -> None:
    measured = {name: label for name, label in labels.items() if results.has(label)}
    if not measured:
        return
    columns = {
        "job started p50": "db_started_p50_ms",
        "p99": "db_started_p99_ms",
        "POST answered p50": "posted_p50_ms",
        "seen started p50": "picked_p50_ms",
        "p99 ": "picked_p99_ms",
        "seen completed p50": "completed_p50_ms",
        "p99  ": "completed_p99_ms",
    }
    table = Table(
        "", *columns, "cores used", title="Pickup at 5 leads/s (ms after creation, and after sending the POST)"
    )
    for name, label in measured.items():
        table.add_row(
            name, *(_number(results.median(label, each)) for each in columns.values()), _cores(results, label)
        )
    console.print(table)


def _floors(console: Console, results: Results) -> None:
    measured = [script for script in FLOORS if results.has(f"floor: {script}")]
    if not measured:
        return
    table = Table("", "leads/s", "min to max", "mean ms", "cores used", title="The floor: pgbench alone, 64 clients")
    for script in measured:
        label = f"floor: {script}"
        low, high = results.spread(label, "per_second")
        rate, mean = results.median(label, "per_second"), results.median(label, "mean_ms")
        table.add_row(
            f"{script}: {FLOORS[script][1]}",
            _number(rate),
            f"{low:.0f} to {high:.0f}",
            _number(mean),
            _cores(results, label),
        )
    console.print(table)


def _cores(results: Results, label: str) -> str:
    return " ".join(f"{name} {value:.2f}" for name, value in results.cores(label).items())


def _ratio(value: float, base: float | None) -> str:
    return "-" if base is None else f"{value / base:.2f}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"
