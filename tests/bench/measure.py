"""The measurements. Each cleans up before it starts, and returns figures with what the processors did meanwhile."""

import json
import math
import os
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import random_unit
from leadflood.kernel.ids import new_id
from tests.bench.client import create_leads, follow_lead
from tests.bench.contestant import Contestant
from tests.bench.machine import Snapshot, resident_mib
from tests.support.postgres import Cluster

HERE = Path(__file__).resolve().parent
CONNECTIONS = 64
BATCH_CONNECTIONS = 4
BATCH_LEADS = 1000
LEADS_PER_SECOND = 5
DRAIN_SECONDS = 400

# psql asks again every 0.1 s until no row comes back: short transactions, which hold back no clean-up of the queue.
DRAINED = r"SELECT FROM bench.jobs WHERE status IN ('queued', 'running') LIMIT 1 \watch interval=0.1 min_rows=1"
NOT_COMPLETED = "SELECT count(*) FROM bench.jobs WHERE status <> 'completed'"
FINISHED = "SELECT count(*), min(finished), max(finished) FROM bench.jobs WHERE status = 'completed'"
WAITED = "SELECT (started - created) * 1000 FROM bench.jobs WHERE started IS NOT NULL ORDER BY created DESC"


class Failed(RuntimeError):
    """A measurement that counts for nothing, because not everything that was asked for was done."""


@dataclass(frozen=True)
class Sizes:
    """Durations and sizes of a run."""

    warm_up_seconds: int = 3
    seconds: int = 8
    pickups: int = 50
    drain_jobs: int = 10_000
    leads: int = 1_000_000
    page_contexts: int = 100
    import_rows: int = 200_000
    latency_seconds: int = 20
    sites: int = 1000
    idle_seconds: int = 30
    purchases: int = 8000


QUICK = Sizes(
    warm_up_seconds=1,
    seconds=2,
    pickups=10,
    drain_jobs=500,
    leads=2000,
    page_contexts=10,
    import_rows=2000,
    latency_seconds=3,
    sites=30,
    idle_seconds=3,
    purchases=400,
)

Figures = dict[str, float]
Measured = tuple[Figures, dict[str, float]]


def post(contestant: Contestant, sizes: Sizes, *, with_worker: bool) -> Measured:
    """`POST /v1/leads` with 64 connections: requests a second, p50 and p99 in milliseconds, and what was refused."""
    contestant.clean()
    with ExitStack() as stack:
        named = {"api": stack.enter_context(contestant.api()), "pg": postmaster(contestant.cluster)}
        if with_worker:
            named["worker"] = stack.enter_context(contestant.worker())
        _wrk(contestant, sizes.warm_up_seconds)
        before = Snapshot.take(named)
        figures = _wrk(contestant, sizes.seconds)
        used = Snapshot.take(named).cores_since(before)
        figures |= {f"{name}_mib": resident_mib(pid) for name, pid in named.items() if name != "pg"}
    return figures, used


def batch(contestant: Contestant, sizes: Sizes) -> Measured:
    """`POST /v1/leads/batch`, 1,000 leads a request, 4 connections: leads a second, and milliseconds a request."""
    contestant.clean()
    with contestant.api() as api:
        named = {"api": api, "pg": postmaster(contestant.cluster)}
        _wrk(contestant, sizes.warm_up_seconds, script="batch.lua", connections=BATCH_CONNECTIONS)
        before = Snapshot.take(named)
        figures = _wrk(contestant, sizes.seconds, script="batch.lua", connections=BATCH_CONNECTIONS)
        used = Snapshot.take(named).cores_since(before)
        figures["api_mib"] = resident_mib(api)
    return figures, used


def pickup(contestant: Contestant, sizes: Sizes) -> Measured:
    """Leads one by one: how long, in milliseconds, until the job starts; by HTTP, and by the database's clock."""
    contestant.clean()
    with contestant.api() as api, contestant.worker() as worker:
        named = {"api": api, "worker": worker, "pg": postmaster(contestant.cluster)}
        _follow(contestant, 5)
        before = Snapshot.take(named)
        times = _follow(contestant, sizes.pickups)
        used = Snapshot.take(named).cores_since(before)
    times["db_started"] = [float(line) for line in contestant.sql(WAITED).splitlines()[: sizes.pickups]]
    figures: Figures = {}
    for name, values in times.items():
        figures[f"{name}_p50_ms"], figures[f"{name}_p99_ms"] = rank(values, 0.5), rank(values, 0.99)
    return figures, used


def drain(contestant: Contestant, sizes: Sizes) -> Measured:
    """A full queue and one fresh worker: jobs a second, from first to last completion and with start-up.

    Raises: Failed: when a job did not complete, or not in time.
    """
    contestant.clean()
    with contestant.api():
        create_leads(contestant.port, contestant.token, leads=sizes.drain_jobs, connections=16)
    contestant.sql("CHECKPOINT")
    named = {"pg": postmaster(contestant.cluster)}
    before = Snapshot.take(named)
    started = utc_now().timestamp()
    with contestant.starting_worker() as worker:
        await_drained(contestant)
        used = Snapshot.take({**named, "worker": worker}).cores_since(before)
        memory = resident_mib(worker)
    count, first, last = map(float, contestant.sql(FINISHED).split("|"))
    if count < sizes.drain_jobs or contestant.sql(NOT_COMPLETED) != "0":
        raise Failed(f"{contestant.name}: {count:.0f} of {sizes.drain_jobs} jobs completed.\n{contestant.last_words()}")
    figures = {
        "per_second": round((count - 1) / (last - first), 1),
        "per_second_with_start": round(count / (last - started), 1),
        "first_after_s": round(first - started, 2),
        "worker_mib": memory,
    }
    return figures, used


def floor(cluster: Cluster, database: str, script: str, leads: int, sizes: Sizes) -> Measured:
    """pgbench alone, 64 clients: leads a second when nothing but PostgreSQL works."""
    cluster.run('TRUNCATE "Lead", "JobExecution", "OutboxEvent" CASCADE', database)
    cluster.run("CHECKPOINT", database)
    named = {"pg": postmaster(cluster)}
    before = Snapshot.take(named)
    argv = [str(cluster.server.program("pgbench")), "-n", "-M", "prepared", "-j", "2", "-c", str(CONNECTIONS)]
    argv += ["-T", str(sizes.seconds), "-D", "n=0", "-D", f"run={new_id().int % 1_000_000}"]
    text = _output([*argv, "-f", str(HERE / "floor" / f"{script}.sql"), cluster.url(database)])
    used = Snapshot.take(named).cores_since(before)
    rate = float(text.partition("tps = ")[2].split()[0])
    return {"per_second": round(rate * leads, 1), "mean_ms": round(CONNECTIONS / rate * 1000, 2)}, used


def postmaster(cluster: Cluster) -> int:
    """The process id of the server."""
    return int((cluster.server.data / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0])


def rank(values: Sequence[float], share: float) -> float:
    """A percentile by nearest rank."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2) if ordered else math.nan


def await_drained(contestant: Contestant) -> None:
    """Wait until no job is queued or runs. Raises: Failed: after 400 seconds."""
    psql = str(contestant.cluster.server.program("psql"))
    argv = [psql, "-XqAt", "--set=ON_ERROR_STOP=1", contestant.cluster.url(contestant.database)]
    try:
        subprocess.run(argv, input=DRAINED, capture_output=True, text=True, check=True, timeout=DRAIN_SECONDS)
    except subprocess.TimeoutExpired as slow:
        raise Failed(f"{contestant.name}: not drained within {DRAIN_SECONDS} s.\n{contestant.last_words()}") from slow


def _wrk(contestant: Contestant, seconds: int, *, script: str = "leads.lua", connections: int = CONNECTIONS) -> Figures:
    load = ["-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    argv = ["wrk", *load, "-s", str(HERE / script), contestant.address]
    text = _output(argv, RUN_ID=new_id().hex, TOKEN=contestant.token, LEADS=str(BATCH_LEADS))
    figures: Figures = json.loads(text.partition("JSON ")[2])
    return figures


def _follow(contestant: Contestant, count: int) -> dict[str, list[float]]:
    pause = threading.Event()
    with ThreadPoolExecutor(32) as pool:
        pending = []
        for _ in range(count):
            pending.append(pool.submit(follow_lead, contestant.port, contestant.token))
            # Uneven, so that no polling worker stays in step with the load.
            pause.wait((0.75 + random_unit() / 2) / LEADS_PER_SECOND)
        followed = [item.result() for item in pending]
    return {name: [times[name] for times in followed] for name in followed[0]}


def _output(argv: Sequence[str], **environment: str) -> str:
    done = subprocess.run(argv, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{argv[0]} failed: {done.stderr[-2000:]}")
    return done.stdout
