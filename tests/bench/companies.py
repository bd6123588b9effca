"""Reading companies: one worker with its database, next to a bare loop that reads the same sites without one."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from rich.table import Table

from tests.bench.client import Client
from tests.bench.contestant import Contestant
from tests.bench.labels import OURS
from tests.bench.machine import Snapshot, resident_mib
from tests.bench.measure import Failed, Figures, Measured, Sizes, await_drained, postmaster
from tests.bench.rounds import Results
from tests.bench.sites import domain_of
from tests.support.processes import free_port, until

LABEL = f"companies: {OURS}"
FLOOR = "floor: bare loop"
LEADS_PER_COMPANY = 5
SOURCES = "email_insight,job_title,phone_place,website,dns,company_place"
"""Without registers: they allow a few calls a minute."""
_BATCH = 1000
_MIB = 1024 * 1024
_CLEAN = "TRUNCATE leadflood.companies, leadflood.lookups, leadflood.door_hosts, leadflood.door_robots CASCADE"
_RUNS = """
SELECT count(*), extract(epoch FROM max(finished_at) - min(started_at))
FROM leadflood.job_executions WHERE kind = 'enrichment.company.v1' AND status = 'completed'
"""
_NAMED = "SELECT count(*) FROM leadflood.chosen_values WHERE subject_kind = 'company' AND field = 'name'"
_LEADS = "SELECT max(finished) - min(created) FROM bench.jobs WHERE status = 'completed'"
_SHOWN = ("leads_per_second", "worker_ms", "pg_ms", "worker_mib", "with_children_mib")


def floor(sizes: Sizes, folder: Path) -> Measured:
    """Sites a second of the bare loop, and its processor time for each. Raises: Failed: a page was not read."""
    with _sites(folder / "bare", sizes.sites) as (ports, server):
        before = Snapshot.take({"sites": server})
        argv = [sys.executable, "-m", "tests.bench.bare_crawler", str(folder / "bare"), *ports[1:], str(sizes.sites)]
        spent = _children_seconds()
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"The bare loop failed: {done.stderr[-2000:]}")
        milliseconds = round((_children_seconds() - spent) / sizes.sites * 1000, 1)
        figures: Figures = {"per_second": round(float(done.stdout), 1), "worker_ms": milliseconds}
        return figures, Snapshot.take({"sites": server}).cores_since(before)


def measure(ours: Contestant, sizes: Sizes) -> Measured:
    """Companies and leads a second of one worker, five leads for each company.

    Raises: Failed: a job did not complete, or a company was not read.
    """
    ours.clean()
    ours.sql(_CLEAN)
    with _sites(ours.folder / "demo-internet", sizes.sites) as (ports, server):
        contestant = ours.called(LABEL, LEADFLOOD_DEMO_INTERNET=",".join(ports), LEADFLOOD_ENRICHMENT_SOURCES=SOURCES)
        with contestant.api():
            _create(contestant, sizes.sites)
        named = {"pg": postmaster(ours.cluster), "sites": server}
        before = Snapshot.take(named)
        with contestant.starting_worker() as worker:
            await_drained(contestant)
            after = Snapshot.take({**named, "worker": worker})
            used, spent = after.cores_since(before), after.seconds_since(before)
            memory, children = resident_mib(worker), _children_mib(worker)
    runs, seconds = (float(value or 0) for value in ours.sql(_RUNS).split("|"))
    if runs < sizes.sites or (named_companies := int(ours.sql(_NAMED))) < sizes.sites:
        raise Failed(f"{runs:.0f} runs of {sizes.sites} companies completed.\n{contestant.last_words()}")
    figures: Figures = {
        "per_second": round(named_companies / seconds, 1),
        "leads_per_second": round(sizes.sites * LEADS_PER_COMPANY / float(ours.sql(_LEADS)), 1),
        "worker_ms": round(spent["worker"] / runs * 1000, 1),
        "pg_ms": round(spent["pg"] / runs * 1000, 1),
        "worker_mib": memory,
        "with_children_mib": round(memory + children, 1),
    }
    return figures, used


def table(results: Results) -> list[Table]:
    """The results."""
    if not results.has(LABEL):
        return []
    title = f"Reading companies, {LEADS_PER_COMPANY} leads each, three pages with 50 ms latency, one worker"
    speeds = ("companies/s", "× bare loop", "leads/s")
    costs = ("worker ms", "PostgreSQL ms", "÷ bare loop's ms", "worker MiB", "with children")
    found = Table("", *speeds, *costs, title=title)
    rate, floor_rate = results.median(LABEL, "per_second"), results.median(FLOOR, "per_second")
    leads, worker, pg, *memory = (results.median(LABEL, name) for name in _SHOWN)
    bare = results.median(FLOOR, "worker_ms")
    times = (f"{worker:g}", f"{pg:g}", f"{(worker + pg) / bare:.1f}")
    found.add_row(OURS, f"{rate:g}", f"{rate / floor_rate:.2f}", f"{leads:g}", *times, *(f"{mib:g}" for mib in memory))
    found.add_row("bare loop", f"{floor_rate:g}", "1.00", "-", f"{bare:g}", "-", "1.0", "-", "-")
    return [found]


@contextmanager
def _sites(folder: Path, sites: int) -> Iterator[tuple[list[str], int]]:
    """The sites, served: ports of HTTP, HTTPS and DNS, and the process ID."""
    folder.mkdir(exist_ok=True)
    (folder / "ready").unlink(missing_ok=True)
    ports = [str(free_port()) for _ in range(3)]
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.sites", str(folder), *ports, str(sites)])
    try:
        until(lambda: process.poll() is not None or (folder / "ready").exists())
        if process.poll() is not None:
            raise Failed("The websites could not be served.")
        yield ports, process.pid
    finally:
        process.terminate()
        process.wait()


def _create(ours: Contestant, sites: int) -> None:
    emails = [f"p{person}@{domain_of(site)}" for site in range(sites) for person in range(LEADS_PER_COMPANY)]
    with closing(Client(ours.port, ours.token)) as client:
        for start in range(0, len(emails), _BATCH):
            leads = [{"email": email} for email in emails[start : start + _BATCH]]
            client.call("POST", "/v1/leads/batch", {"leads": leads})


def _children_seconds() -> float:
    """Processor time of the processes that this one has started and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _children_mib(pid: int) -> float:
    return sum(child.memory_info().rss for child in psutil.Process(pid).children(recursive=True)) / _MIB
