"""The figures as tables, with ratios to the peer and to the floor of the same run: in the terminal and as Markdown."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from tests.bench import (
    backtests,
    companies,
    exporting,
    idle,
    importing,
    latency,
    lists,
    neighbours,
    pages,
    purchases,
    saved_spend,
    slow,
    stalls,
    twins,
    viewers,
)
from tests.bench.labels import BULK_FLOOR, FLOOR, FLOORS, OURS
from tests.bench.ratios import TOLERANCE, Aim, Compared
from tests.bench.rounds import Results


def tables(results: Results, contestants: Sequence[str], *, rounds: int, leads: int) -> list[Table]:
    """A table for each part that was measured."""
    names = list(dict.fromkeys(contestants))
    answered = {"p50 ms": "p50_ms", "p99 ms": "p99_ms", "non-2xx": "non_2xx", "API MiB": "api_mib"}
    found: list[Table] = []
    for worker in ("off", "on"):
        title = f"POST /v1/leads, 64 connections, worker {worker} (requests/s, median of {rounds})"
        labels = {name: f"post, worker {worker}: {name}" for name in names}
        found += _throughput(results, labels, title=title, columns=answered)
    title = f"POST /v1/leads/batch, 1,000 leads a request, 4 connections (leads/s, median of {rounds})"
    labels = {name: f"batch: {name}" for name in names}
    found += _throughput(results, labels, title=title, columns=answered, floor=BULK_FLOOR)
    found += _latencies(results, {name: f"{latency.LABEL}: {name}" for name in names})
    found += _pickups(results, {name: f"pickup: {name}" for name in names})
    title = f"Drain of queued enrichments by one worker (jobs/s, first to last completion, median of {rounds})"
    labels = {name: f"drain: {name}" for name in names}
    drained = {"with start-up": "per_second_with_start", "first after s": "first_after_s", "worker MiB": "worker_mib"}
    found += _throughput(results, labels, title=title, columns=drained)
    found += _import(results, leads) + _export(results, leads) + _lists(results, leads) + pages.table(results, leads)
    found += slow.table(results) + twins.table(results) + neighbours.table(results)
    return (
        found
        + viewers.table(results)
        + companies.table(results)
        + purchases.table(results)
        + backtests.table(results)
        + saved_spend.table(results)
        + stalls.table(results)
        + idle.table(results)
        + _floors(results)
    )


def verdicts(aims: Sequence[Aim], compared: Sequence[Compared]) -> list[Table]:
    """Targets reached or missed, and the ratios compared with the baseline."""
    found: list[Table] = []
    if aims:
        found.append(Table("", "measured", "aim", "", title="Aims"))
        for aim in aims:
            wanted = f"{'≤' if aim.max_count else '≥'} {aim.aim:,g}"
            measured = f"{aim.value:.2f}" if aim.value < 10 else _number(aim.value)
            found[-1].add_row(aim.name, measured, wanted, "met" if aim.met else "missed")
    if compared:
        found.append(Table("", "base line", "now", "", title=f"Ratios (same: within {TOLERANCE:.0%})"))
        for item in compared:
            found[-1].add_row(item.key, _ratio(item.then), _ratio(item.now), item.verdict)
    return found


def write_markdown(file: Path, machine: Mapping[str, object], found: Sequence[Table], plot: Path | None) -> None:
    """The tables as a file."""
    with file.open("w", encoding="utf-8") as out:
        console = Console(file=out, width=400, no_color=True, highlight=False)
        console.print("# Benchmark\n", markup=False)
        for name, value in machine.items():
            console.print(f"- {name}: {value}", markup=False)
        if plot is not None:
            console.print(f"\n![Ratios]({plot.name})", markup=False)
        for table in found:
            (title, caption), table.title, table.caption, table.box = (table.title, table.caption), None, None, MARKDOWN
            console.print(f"\n## {title}", markup=False)
            console.print(table)
            if caption is not None:
                console.print(caption, markup=False)


def _throughput(
    results: Results,
    labels: dict[str, str],
    *,
    title: str,
    columns: dict[str, str],
    floor: str = FLOOR,
) -> list[Table]:
    measured = {name: label for name, label in labels.items() if results.has(label)}
    if not measured:
        return []
    table = Table("", "per s", "min to max", *columns, "× best peer", "× floor", "cores used", title=title)
    peers = [results.median(label, "per_second") for name, label in measured.items() if not name.startswith(OURS)]
    base = results.median(floor, "per_second") if results.has(floor) else None
    for name, label in measured.items():
        rate = results.median(label, "per_second")
        low, high = results.spread(label, "per_second")
        more = [_number(results.median(label, figure)) for figure in columns.values()]
        ratios = [_ratio(rate / item if item else None) for item in (max(peers, default=None), base)]
        table.add_row(name, _number(rate), f"{low:.0f} to {high:.0f}", *more, *ratios, _cores(results, label))
    return [table]


def _pickups(results: Results, labels: dict[str, str]) -> list[Table]:
    measured = {name: label for name, label in labels.items() if results.has(label)}
    if not measured:
        return []
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
            name, *(_number(results.median(label, column)) for column in columns.values()), _cores(results, label)
        )
    return [table]


def _latencies(results: Results, labels: dict[str, str]) -> list[Table]:
    measured = {name: label for name, label in labels.items() if results.has(label)}
    if not measured:
        return []
    title = f"POST /v1/leads at {latency.PER_SECOND} requests/s, counted from when each was due"
    columns = {"p50 ms": "p50_ms", "p95 ms": "p95_ms", "p99 ms": "p99_ms", "most ms": "max_ms", "non-2xx": "non_2xx"}
    table = Table("", *columns, "cores used", title=title)
    for name, label in measured.items():
        figures = [_number(results.median(label, figure)) for figure in columns.values()]
        table.add_row(name, *figures, _cores(results, label))
    return [table]


def _import(results: Results, leads: int) -> list[Table]:
    if not results.has(importing.LABEL):
        return []
    title = f"Import of a file into {leads:,} leads, and its undo, with one worker"
    table = Table("", "rows/s", "min to max", "× COPY", "worker µs a row", "PostgreSQL µs a row", title=title)
    floor = results.median(importing.FLOOR, "per_second")
    phases = {"upload, preview and commit": "", "preview (all rows)": "staging", "commit (written rows)": "commit"}
    for name, phase in {**phases, "undo (written rows)": "undo"}.items():
        figure = f"{phase}_per_second" if phase else "per_second"
        rate, (low, high) = results.median(importing.LABEL, figure), results.spread(importing.LABEL, figure)
        used = [
            _number(results.median(importing.LABEL, f"{phase}_{process}_us")) if phase else "-"
            for process in ("worker", "pg")
        ]
        table.add_row(name, _number(rate), f"{low:.0f} to {high:.0f}", _ratio(rate / floor), *used)
    low, high = results.spread(importing.FLOOR, "per_second")
    processor = _number(results.median(importing.FLOOR, "pg_us"))
    table.add_row("COPY of the new rows", _number(floor), f"{low:.0f} to {high:.0f}", "1.00", "-", processor)
    peaks = [f"{name} {results.median(importing.LABEL, f'{name}_peak_mib'):.0f}" for name in ("api", "worker")]
    actions = ("create", "update", "unchanged", "skip", "reject")
    rows = [f"{results.median(importing.LABEL, f'rows_{action}'):,.0f} {action}" for action in actions]
    table.caption = f"Peak MiB: {', '.join(peaks)}. Rows: {', '.join(rows)}. After the undo all was as before."
    return [table]


def _export(results: Results, leads: int) -> list[Table]:
    if not results.has(exporting.LABEL):
        return []
    title = f"Export of {leads:,} leads over HTTP (leads/s)"
    table = Table(
        "", "file, written and sent", "× COPY", "file, written", "40,000 at once", "first byte ms", title=title
    )
    floor = results.median(exporting.FLOOR, "per_second")
    for kind in exporting.FORMATS:
        names = ("per_second", "written_per_second", "at_once_per_second", "first_byte_ms")
        rate, written, at_once, first = (results.median(exporting.LABEL, f"{kind} {name}") for name in names)
        table.add_row(kind, _number(rate), _ratio(rate / floor), _number(written), _number(at_once), _number(first))
    table.add_row("COPY to psql, CSV", _number(floor), "1.00", "-", "-", "-")
    return [table]


def _lists(results: Results, leads: int) -> list[Table]:
    if not results.has(lists.LABEL):
        return []
    most = lists.aim(leads)
    title = f"Lists of a workspace with {leads:,} leads over HTTP, one visitor (aim: p95 ≤ {most} ms)"
    columns = {"p50 ms": "p50_ms", "p95 ms": "p95_ms", "processor ms": "cpu_ms"}
    table = Table("", *columns, title=title)
    for name in lists.NAMES:
        table.add_row(name, *(f"{results.median(lists.LABEL, f'{name} {figure}'):g}" for figure in columns.values()))
    return [table]


def _floors(results: Results) -> list[Table]:
    measured = [script for script in FLOORS if results.has(f"floor: {script}")]
    if not measured:
        return []
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
    return [table]


def _cores(results: Results, label: str) -> str:
    return " ".join(f"{name} {value:.2f}" for name, value in results.cores(label).items())


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"
