"""A file imported into many leads and taken back, next to a bare COPY of the same rows into the same table."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leadflood.kernel.clock import monotonic
from tests.bench.client import Client
from tests.bench.contestant import Contestant
from tests.bench.crowded import MIN_LEADS, copied
from tests.bench.machine import Snapshot, peak_mib
from tests.bench.measure import HERE, Failed, Figures, Measured, Sizes, postmaster
from tests.support import crowd

LABEL = "import"
FLOOR = "floor: COPY"
EXISTING = 10
"""Of a hundred rows so many are leads already."""

# As superuser, whom row-level security lets COPY.
_FLOOR = """
COPY leadflood.leads (workspace_id, id, email, email_norm, first_name, last_name, company, job_title, phone, website,
                      country, source, custom_fields, search_text) FROM :'file'
"""
_STATE = """
SELECT count(*), sum(hashtextextended(
    ROW(id, email, email_norm, first_name, last_name, company, job_title, phone, website, country, source, owner_id,
        status, custom_fields, search_text)::text, 0)::numeric)
FROM leadflood.leads WHERE deleted_at IS NULL
"""
_LOOK = 0.05
_BUSY = {"staging", "committing", "undoing"}
_WRITES = ("create", "update")


@dataclass
class Phases:
    """Duration of each phase of an import, and the processor seconds of each process meanwhile."""

    client: Client
    named: dict[str, int]
    seconds: dict[str, float] = field(default_factory=dict)
    used: dict[str, dict[str, float]] = field(default_factory=dict)

    def run(self, name: str, path: str, import_id: str, wanted: str) -> dict[str, Any]:
        """Ask for a phase and wait until the import is in the state that it leads to. Raises: Failed."""
        before, started = Snapshot.take(self.named), monotonic()
        self.client.call("POST", path)
        pause = threading.Event()
        while (found := self.client.call("GET", f"/v1/imports/{import_id}"))["status"] in _BUSY:
            pause.wait(_LOOK)
        if found["status"] != wanted:
            raise Failed(f"The import is {found['status']}, not {wanted}: {found['error']}")
        self.seconds[name] = monotonic() - started
        self.used[name] = Snapshot.take(self.named).seconds_since(before)
        return dict(found)


def floor(crowded: Contestant, sizes: Sizes, folder: Path) -> Measured:
    """COPY of what the import writes, into a table with the same rows and indexes: rows a second."""
    file = folder / "lead_rows"
    leads = max(sizes.leads, MIN_LEADS)
    script = HERE / "floor" / "lead_rows.sql"
    crowd.write(crowded.cluster, file, script, rows=sizes.import_rows, existing=EXISTING, leads=leads, seed=crowd.SEED)
    with copied(crowded) as ours:
        named = {"pg": postmaster(ours.cluster)}
        before, started = Snapshot.take(named), monotonic()
        ours.cluster.run(_FLOOR, ours.database, file=str(file))
        seconds, after = monotonic() - started, Snapshot.take(named)
    rows = sizes.import_rows * (100 - EXISTING) // 100
    file.unlink()
    used = after.seconds_since(before)
    return {"per_second": round(rows / seconds), "pg_us": _micros(used["pg"], rows)}, after.cores_since(before)


def measure(crowded: Contestant, sizes: Sizes, folder: Path) -> Measured:
    """Upload, preview, commit and undo over HTTP with one API process and one worker: rows a second of each.

    Raises: Failed: when rows are lost on the way, or when anything but what it was is there after the undo.
    """
    file = folder / "leads.csv"
    leads = max(sizes.leads, MIN_LEADS)
    crowd.write_csv(crowded.cluster, file, rows=sizes.import_rows, existing=EXISTING, leads=leads)
    with copied(crowded) as ours:
        before = ours.sql(_STATE)
        with ours.api() as api, ours.worker() as worker:
            named = {"api": api, "worker": worker, "pg": postmaster(ours.cluster)}
            start = Snapshot.take(named)
            figures = _imported(ours, named, file, sizes.import_rows)
            used = Snapshot.take(named).cores_since(start)
            figures |= {"api_peak_mib": peak_mib(api), "worker_peak_mib": peak_mib(worker)}
        if ours.sql(_STATE) != before:
            raise Failed("After the undo the leads are not what they were before the import.")
    file.unlink()
    return figures, used


def _imported(ours: Contestant, named: dict[str, int], file: Path, rows: int) -> Figures:
    client = Client(ours.port, ours.token)
    started = monotonic()
    import_id = _uploaded(client, file)
    uploaded = monotonic() - started
    phases = Phases(client, named)
    path = f"/v1/imports/{import_id}"
    phases.run("staging", f"{path}/previews", import_id, "previewed")
    done = phases.run("commit", f"{path}/commits", import_id, "committed")
    counts = done["counts"]
    written = sum(counts[action] for action in _WRITES)
    undone = phases.run("undo", f"{path}/undos", import_id, "undone")["reverted"]
    client.close()
    if sum(counts.values()) != rows or undone != written or counts["conflict"]:
        raise Failed(f"{rows} rows became {counts}; {undone} leads were put back.")
    seconds = phases.seconds
    figures: Figures = {
        "per_second": round(rows / (uploaded + seconds["staging"] + seconds["commit"])),
        "upload_mb_per_second": round(file.stat().st_size / uploaded / 1e6, 1),
        "staging_per_second": round(rows / seconds["staging"]),
        "commit_per_second": round(written / seconds["commit"]),
        "undo_per_second": round(undone / seconds["undo"]),
    }
    for phase, part in {"staging": rows, "commit": written, "undo": written}.items():
        for process in ("worker", "pg"):
            figures[f"{phase}_{process}_us"] = _micros(phases.used[phase][process], part)
    return figures | {f"rows_{action}": count for action, count in counts.items()}


def _uploaded(client: Client, file: Path) -> str:
    """The id of the import: uploaded, and its columns mapped as guessed, but for the custom fields' names."""
    found = client.upload("/v1/imports?filename=leads.csv", file)
    custom = {"Plan": "custom:plan", "Seats": "custom:seats"}
    targets = [custom.get(column["header"], column["target"]) for column in found["columns"]]
    client.call("PUT", f"/v1/imports/{found['id']}/mapping", {"targets": targets, "enrich": False})
    return str(found["id"])


def _micros(seconds: float, rows: int) -> float:
    return round(seconds * 1e6 / rows, 1)
