"""Leads as files over HTTP, next to PostgreSQL's own COPY of the same columns."""

import subprocess
import threading

from leadflood.kernel.clock import monotonic
from tests.bench.client import Client
from tests.bench.contestant import Contestant
from tests.bench.crowded import copied
from tests.bench.machine import Snapshot, peak_mib
from tests.bench.measure import Failed, Figures, Measured, postmaster

LABEL = "export"
FLOOR = "floor: COPY TO STDOUT"
FORMATS = ("csv", "ndjson", "parquet")
_LOOK = 0.05

_FLOOR = """
COPY (
    SELECT id, email, first_name, last_name, company, job_title, phone, website, country, source, status, owner_id,
           version, created_at, updated_at, enriched_at, error, custom_fields ->> 'plan', custom_fields ->> 'seats'
    FROM leadflood.leads
    WHERE workspace_id = '01900000-0000-7000-8001-000000000001' AND deleted_at IS NULL
    ORDER BY created_at DESC, id DESC
) TO STDOUT (FORMAT csv, HEADER)
"""
_MANY = "SELECT count(*) FROM leadflood.leads WHERE workspace_id = '01900000-0000-7000-8001-000000000001'"
_NEWEST = """
SELECT to_char(min(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), count(*)
FROM (SELECT created_at FROM leadflood.leads
      WHERE workspace_id = '01900000-0000-7000-8001-000000000001' ORDER BY created_at DESC LIMIT 40000) newest
"""


def floor(crowded: Contestant) -> Measured:
    """All leads of the workspace as CSV, in the order of an export, to psql: rows a second."""
    psql = [str(crowded.cluster.server.program("psql")), "-XqAt", crowded.cluster.url(crowded.database)]
    named = {"pg": postmaster(crowded.cluster)}
    before, started = Snapshot.take(named), monotonic()
    subprocess.run([*psql, "-c", _FLOOR], stdout=subprocess.DEVNULL, check=True)
    seconds, after = monotonic() - started, Snapshot.take(named)
    return {"per_second": round(int(crowded.sql(_MANY)) / seconds)}, after.cores_since(before)


def measure(crowded: Contestant) -> Measured:
    """Each format: at once (up to 50,000 leads), and all leads as a file that a worker writes: leads a second."""
    figures: Figures = {}
    with copied(crowded) as ours, ours.api() as api, ours.worker() as worker:
        named = {"api": api, "worker": worker, "pg": postmaster(ours.cluster)}
        client = Client(ours.port, ours.token)
        since, leads = ours.sql(_NEWEST).split("|")
        before = Snapshot.take(named)
        for kind in FORMATS:
            figures |= {f"{kind} {name}": value for name, value in _at_once(client, kind, since, int(leads)).items()}
            figures |= {f"{kind} {name}": value for name, value in _as_file(client, kind).items()}
        used = Snapshot.take(named).cores_since(before)
        client.close()
        figures |= {"api_peak_mib": peak_mib(api), "worker_peak_mib": peak_mib(worker)}
    return figures, used


def _at_once(client: Client, kind: str, since: str, leads: int) -> Figures:
    started = monotonic()
    _, first = client.download(f"/v1/leads/exports?format={kind}&createdFrom={since}")
    return {"at_once_per_second": round(leads / (monotonic() - started)), "first_byte_ms": round(first * 1000, 1)}


def _as_file(client: Client, kind: str) -> Figures:
    pause = threading.Event()
    started = monotonic()
    path = f"/v1/exports/{client.call('POST', '/v1/exports', {'format': kind})['id']}"
    while (found := client.call("GET", path))["status"] == "writing":
        pause.wait(_LOOK)
    written = monotonic() - started
    if found["status"] != "ready":
        raise Failed(f"The export is {found['status']}: {found['error']}")
    started = monotonic()
    size, _ = client.download(f"{path}/file")
    return {
        "written_per_second": round(found["processed"] / written),
        "per_second": round(found["processed"] / (written + monotonic() - started)),
        "bytes": size,
    }
