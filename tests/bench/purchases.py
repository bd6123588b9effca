"""Purchases through one budget, by eight processes: those of a process that wait at the same time share transactions.

The floor is the commit of one row that all of these processes write, as each purchase alone would need twice.
"""

import json
import subprocess
import sys
from typing import Any, Final

from rich.table import Table

from tests.bench.contestant import Contestant
from tests.bench.labels import OURS
from tests.bench.machine import Snapshot
from tests.bench.measure import Failed, Figures, Measured, Sizes, postmaster, rank
from tests.bench.rounds import Results

LABEL: Final = f"purchases: {OURS}"
FLOOR: Final = "floor: bare commits"
PURCHASES: Final = "purchases"
BARE: Final = "commits"
SOURCE: Final = "bench"
UNITS: Final = 2
PROCESSES: Final = 8
TASKS: Final = 16
"""Purchases of a process at a time."""
_PRICE: Final = 10
_SCARCE: Final = 0.95
"""Part of the purchases for which there is money: the last ones compete for the rest."""
_SETUP = """
TRUNCATE leadflood.budgets, leadflood.purchases, leadflood.source_prices, leadflood.lookups, leadflood.companies,
         leadflood.spending_settings CASCADE;
INSERT INTO leadflood.spending_settings (workspace_id) VALUES ('{workspace}');
INSERT INTO leadflood.source_prices (workspace_id, source, price_micros) VALUES ('{workspace}', '{source}', {price});
INSERT INTO leadflood.budgets (workspace_id, id, scope, period, limit_micros)
SELECT '{workspace}', gen_random_uuid(), 'workspace', p, {limit} FROM unnest(ARRAY['total', 'month', 'day']) p;
INSERT INTO leadflood.companies (workspace_id, id, domain, sort_key, source)
VALUES ('{workspace}', gen_random_uuid(), 'bench.example', 'bench', 'person');
"""
_SPENT = """
SELECT min(spent_micros), max(spent_micros), max(reserved_micros + in_doubt_micros), max(limit_micros),
       (SELECT sum(charged_micros) FROM leadflood.purchases), (SELECT count(*) FROM leadflood.lookups)
FROM leadflood.budget_windows
"""


def floor(ours: Contestant, sizes: Sizes) -> Measured:
    """Commits per second of one row."""
    reports, cores = _run(ours, sizes, BARE)
    return _figures(reports), cores


def measure(ours: Contestant, sizes: Sizes) -> Measured:
    """Purchases per second, and what each takes. Raises: Failed: a process failed, or the books are wrong."""
    reports, cores = _run(ours, sizes, PURCHASES)
    least, spent, held, limit, charged, answers = (int(each) for each in ours.sql(_SPENT).strip().split("|"))
    bought = sum(len(each["took"]) for each in reports)
    if not least == spent == charged == bought * _PRICE or held or answers != bought:
        raise Failed(f"{bought} were purchased, {spent} spent, {charged} charged, {held} held, {answers} answered.")
    if spent > limit:
        raise Failed(f"{spent - limit} micros too much were spent.")
    figures: Figures = {
        **_figures(reports),
        "overspent_micros": max(0, spent - limit),
        "declined": sum(each["declined"] for each in reports),
        "statements": round(sum(each["statements"] for each in reports) / bought, 2),
        "transactions": round(sum(each["transactions"] for each in reports) / bought, 3),
    }
    return figures, cores


def table(results: Results) -> list[Table]:
    """The figures, if there are any."""
    if not results.has(LABEL):
        return []
    found = Table(title=f"Purchases through one budget, {PROCESSES} processes", title_justify="left")
    names = ("per_second", "p50_ms", "p99_ms", "overspent_micros", "statements", "transactions")
    for name in ("", *names):
        found.add_column(name.replace("_", " "), justify="right" if name else "left")
    found.add_row(OURS, *(f"{results.median(LABEL, name):g}" for name in names))
    found.add_row("bare commits", *(f"{results.median(FLOOR, name):g}" for name in names[:3]), "-", "1", "1")
    return [found]


def _run(ours: Contestant, sizes: Sizes, work: str) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """The reports of the processes, and the processor time of PostgreSQL meanwhile."""
    ours.clean()
    workspace = ours.sql("SELECT id FROM leadflood.workspaces ORDER BY id LIMIT 1").strip()
    limit = int(sizes.purchases * _SCARCE) * _PRICE
    ours.sql(_SETUP.format(workspace=workspace, source=SOURCE, price=_PRICE, limit=limit))
    company = ours.sql("SELECT id FROM leadflood.companies").strip()
    argv = [sys.executable, "-m", "tests.bench.buyer", ours.environment["LEADFLOOD_DATABASE_URL"], workspace, company]
    argv += [str(sizes.purchases // PROCESSES), work]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    children = [subprocess.Popen(argv, **pipes, text=True) for _ in range(PROCESSES)]  # type: ignore[call-overload]
    for child in children:
        child.stdout.readline()  # it is ready
    processes = {"postgres": postmaster(ours.cluster)}
    before = Snapshot.take(processes)
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    reports = []
    for child in children:
        out, errors = child.communicate()
        if child.returncode != 0:
            raise Failed(f"A buyer failed: {errors[-2000:]}")
        reports.append(json.loads(out))
    return reports, Snapshot.take(processes).cores_since(before)


def _figures(reports: list[dict[str, Any]]) -> Figures:
    took = [seconds * 1000 for each in reports for seconds in each["took"]]
    elapsed = max(each["ended"] for each in reports) - min(each["started"] for each in reports)
    return {"per_second": round(len(took) / elapsed, 1), "p50_ms": rank(took, 0.5), "p99_ms": rank(took, 0.99)}
