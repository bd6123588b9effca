"""Processor time and memory of an API process, a worker and PostgreSQL that have nothing to do."""

import threading

from rich.table import Table

from tests.bench.contestant import Contestant
from tests.bench.labels import OURS
from tests.bench.machine import Snapshot, resident_mib
from tests.bench.measure import Figures, Measured, Sizes, postmaster
from tests.bench.rounds import Results

LABEL = f"idle: {OURS}"
_SETTLED = 5.0
"""Seconds until what a start does is over."""


def measure(ours: Contestant, sizes: Sizes) -> Measured:
    """Milliseconds of processor time a second, and MiB, of each process."""
    ours.clean()
    pause = threading.Event()
    with ours.api() as api, ours.worker() as worker:
        named = {"api": api, "worker": worker, "pg": postmaster(ours.cluster)}
        pause.wait(_SETTLED)
        before = Snapshot.take(named)
        pause.wait(sizes.idle_seconds)
        after = Snapshot.take(named)
        memory = {f"{name}_mib": resident_mib(named[name]) for name in ("api", "worker")}
    spent = after.seconds_since(before)
    figures: Figures = {f"{name}_ms": round(spent[name] / sizes.idle_seconds * 1000, 2) for name in named}
    return {**figures, **memory}, after.cores_since(before)


def table(results: Results) -> list[Table]:
    """The results."""
    if not results.has(LABEL):
        return []
    found = Table("process", "processor ms/s", "MiB", title="Idle")
    for name, shown in (("api", "API"), ("worker", "worker"), ("pg", "PostgreSQL")):
        memory = f"{results.median(LABEL, f'{name}_mib'):g}" if name != "pg" else "-"
        found.add_row(shown, f"{results.median(LABEL, f'{name}_ms'):g}", memory)
    return [found]
