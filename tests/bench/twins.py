"""Wait time of leads that share a group with addresses that another transaction has not committed."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
from rich.table import Table

from leadflood.kernel.clock import monotonic
from leadflood.kernel.ids import new_id
from tests.bench.contestant import Contestant
from tests.bench.labels import OURS
from tests.bench.machine import Snapshot
from tests.bench.measure import Figures, Measured, Sizes, postmaster, rank
from tests.bench.rounds import Results

LABEL = f"twins: {OURS}"
TWINS = (0, 4)
BYSTANDERS = 60
_SECONDS = 30.0
_INSERT = """
INSERT INTO leadflood.leads (workspace_id, id, email, email_norm, source, search_text)
SELECT workspace_id, gen_random_uuid(), 'twin' || n || '@example.com', 'twin' || n || '@example.com', 'bench', ''
FROM (SELECT workspace_id FROM leadflood.api_keys LIMIT 1) AS w, generate_series(1, {count}) AS n
"""


def measure(ours: Contestant, _sizes: Sizes) -> Measured:
    """60 new leads at a time, with the twins among them: ms until those without a twin are answered.

    The transaction with the twins ends after all of them.
    """
    ours.clean()
    figures: Figures = {}
    with ours.api() as api:
        before = Snapshot.take(named := {"api": api, "pg": postmaster(ours.cluster)})
        _answered(ours, 0)  # opens the connections to the database
        for count in TWINS:
            with open_transaction(ours, _INSERT.format(count=count)):
                times = _answered(ours, count)
            figures |= {f"{count} p50_ms": rank(times, 0.5), f"{count} max_ms": round(max(times), 1)}
        used = Snapshot.take(named).cores_since(before)
    return figures, used


def table(results: Results) -> list[Table]:
    """The results."""
    if not results.has(LABEL):
        return []
    title = f"POST /v1/leads of {BYSTANDERS} bystanders at a time beside uncommitted twins of other leads (ms)"
    found = Table("twins", "p50", "max", title=title)
    for count in TWINS:
        found.add_row(str(count), *(f"{results.median(LABEL, f'{count} {name}'):g}" for name in ("p50_ms", "max_ms")))
    return [found]


@contextmanager
def open_transaction(ours: Contestant, statement: str) -> Iterator[None]:
    """A transaction that has run the statement, and is open as long as the block runs."""
    argv = [str(ours.cluster.server.program("psql")), "-XqAt", ours.cluster.url(ours.database)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as psql:
        assert psql.stdin is not None
        assert psql.stdout is not None
        psql.stdin.write(f"BEGIN;{statement};SELECT 'ready';\n")
        psql.stdin.flush()
        psql.stdout.readline()
        yield
        psql.stdin.write("ROLLBACK;\n")
        psql.stdin.close()


def _answered(ours: Contestant, twins: int) -> list[float]:
    names = [f"{new_id()}@example.com" for _ in range(BYSTANDERS)]
    blocked = [f"twin{number + 1}@example.com" for number in range(twins)]
    headers = {"Authorization": f"Bearer {ours.token}"}
    limits = httpx.Limits(max_connections=BYSTANDERS + twins)
    with (
        httpx.Client(base_url=ours.address, headers=headers, timeout=_SECONDS, limits=limits) as client,
        ThreadPoolExecutor(BYSTANDERS + twins) as threads,
    ):

        def create(email: str) -> float:
            started = monotonic()
            answer = client.post("/v1/leads", json={"email": email})
            answer.raise_for_status()
            return (monotonic() - started) * 1000

        waiting = [threads.submit(create, email) for email in blocked]
        times = [item.result() for item in [threads.submit(create, email) for email in names]]
        for item in waiting:
            item.exception()  # 503, once their patience is over
    return times
