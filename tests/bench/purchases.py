"""Purchases through one budget, by eight processes: each is two transactions, on a window that all of them lock."""

import json
import subprocess
import sys
from typing import Final

from rich.table import Table

from tests.bench.contestant import Contestant
from tests.bench.labels import OURS
from tests.bench.machine import Snapshot
from tests.bench.measure import Failed, Figures, Measured, Sizes, postmaster, rank
from tests.bench.rounds import Results

LABEL: Final = f"purchases: {OURS}"
SOURCE: Final = "bench"
UNITS: Final = 2
PROCESSES: Final = 8
TASKS: Final = 4
"""Purchases of a process at a time."""
_LIMIT: Final = 10**12
_SETUP = """
TRUNCATE leadflood.budgets, leadflood.purchases, leadflood.source_prices CASCADE;
INSERT INTO leadflood.source_prices (workspace_id, source, price_micros) VALUES ('{workspace}', '{source}', 10);
INSERT INTO leadflood.budgets (workspace_id, id, scope, period, limit_micros)
SELECT '{workspace}', gen_random_uuid(), 'workspace', p, {limit} FROM unnest(ARRAY['total', 'month', 'day']) p
"""
_WRONG = """
SELECT count(*) FROM leadflood.budget_windows w
WHERE reserved_micros + in_doubt_micros + spent_micros > limit_micros OR spent_micros <> (
    SELECT sum(charged_micros) FROM leadflood.purchases p WHERE p.workspace_id = w.workspace_id)
"""


def measure(ours: Contestant, sizes: Sizes) -> Measured:
    """Purchases per second and their p99. Raises: Failed: a process failed, or the books do not balance."""
    ours.clean()
    workspace = ours.sql("SELECT id FROM leadflood.workspaces ORDER BY id LIMIT 1")
    ours.sql(_SETUP.format(workspace=workspace, source=SOURCE, limit=_LIMIT))
    url = ours.environment["LEADFLOOD_DATABASE_URL"]
    argv = [sys.executable, "-m", "tests.bench.buyer", url, workspace, str(sizes.seconds)]
    processes = {"postgres": postmaster(ours.cluster)}
    before = Snapshot.take(processes)
    children = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(PROCESSES)]
    took: list[float] = []
    for child in children:
        out, errors = child.communicate()
        if child.returncode != 0:
            raise Failed(f"A buyer failed: {errors.decode()[-2000:]}")
        took += json.loads(out)
    cores = Snapshot.take(processes).cores_since(before)
    if (wrong := ours.sql(_WRONG).strip()) != "0":
        raise Failed(f"{wrong} budgets contradict their purchases.")
    milliseconds = [seconds * 1000 for seconds in took]
    figures: Figures = {
        "per_second": round(len(took) / sizes.seconds, 1),
        "p50_ms": rank(milliseconds, 0.5),
        "p99_ms": rank(milliseconds, 0.99),
    }
    return figures, cores


def table(results: Results) -> list[Table]:
    """The figures, if there are any."""
    if not results.has(LABEL):
        return []
    found = Table(title="Purchases through one budget, 8 processes", title_justify="left")
    for name in ("per second", "p50 ms", "p99 ms"):
        found.add_column(name, justify="right")
    found.add_row(*(f"{results.median(LABEL, name):g}" for name in ("per_second", "p50_ms", "p99_ms")))
    return [found]
