"""kill -9 of the worker at random points of an import's preview, commit and undo: each row is done once, or undone."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
import pytest

from tests.support.deployment import Deployment
from tests.support.processes import Running, until

KNOWN = 2_000


@dataclass(frozen=True)
class Profile:
    """Number of rows, and how often the worker is killed in each phase."""

    rows: int
    kills: Mapping[str, int]


SHORT = Profile(12_000, {"staging": 1, "committing": 2, "undoing": 1})
LONG = Profile(100_000, {"staging": 4, "committing": 6, "undoing": 10})

LEADS = """
SELECT md5(string_agg((to_jsonb(l) - '{version,updated_at}'::text[])::text, chr(10) ORDER BY id))
FROM leads l WHERE deleted_at IS NULL
"""
TIMELINES = """
SELECT md5(string_agg(e::text, chr(10) ORDER BY lead_id, id)) FROM lead_events e
WHERE data ->> 'changesetId' IS DISTINCT FROM :'changeset'
"""
TOLD = """
SELECT count(*), count(DISTINCT lead_id) FROM lead_events
WHERE data ->> 'changesetId' = :'changeset' AND (data ->> 'undo') IS NOT DISTINCT FROM nullif(:'undo', '')
"""
ROWS = """
SELECT action, count(*), count(DISTINCT row_no) FROM import_rows WHERE import_id = :'id' GROUP BY action ORDER BY action
"""
NO_PAUSE = "UPDATE leadflood_queue.tickets SET due_at = now(), visible_at = now() WHERE due_at > now()"
"""A job that was lost several times waits for minutes, which proves nothing more."""


def row(number: int) -> str:
    """Most rows are new leads, some are known, some repeat an address, some have none."""
    address = "nobody" if number % 50 == 49 else f"lead{number - 1 if number % 25 == 24 else number}@acme.com"
    return f"{address},Name {number},Company {number % 700},pro"


def run(client: httpx.Client, import_id: str, step: str) -> None:
    client.post(f"/v1/imports/{import_id}/{step}").raise_for_status()


def upload(client: httpx.Client, lines: list[str]) -> str:
    data = "\n".join(["email,first name,company,plan", *lines]).encode()
    answer = client.post("/v1/imports", params={"filename": "leads.csv"}, content=data)
    answer.raise_for_status()
    import_id: str = answer.json()["id"]
    targets = ["email", "firstName", "company", "custom:plan"]
    mapping = {"targets": targets, "existing": "overwrite", "enrich": False}
    client.put(f"/v1/imports/{import_id}/mapping", json=mapping).raise_for_status()
    return import_id


def found(client: httpx.Client, import_id: str) -> dict[str, Any]:
    answer = client.get(f"/v1/imports/{import_id}")
    answer.raise_for_status()
    shown: dict[str, Any] = answer.json()
    return shown


@dataclass
class Killer:
    """Kills the worker of an import. `hits`: how many kills hit a phase before it was over."""

    deployment: Deployment
    client: httpx.Client
    import_id: str
    worker: Running
    random: Random
    hits: Counter[str] = field(default_factory=Counter)

    def rage(self, phase: str, step: str, kills: int) -> dict[str, Any]:
        """Kill at random points of a phase, and let it end. Returns what became of the import."""
        run(self.client, self.import_id, step)
        for point in sorted(self.random.uniform(0, 0.95) for _ in range(kills)):
            until(lambda point=point: self.share(phase) >= point)  # type: ignore[misc]  # bound now
            self.worker.kill()
            self.hits[phase] += found(self.client, self.import_id)["status"] == phase
            self.worker = self.deployment.start_worker()
        until(lambda: self.share(phase) >= 1)
        return found(self.client, self.import_id)

    def share(self, phase: str) -> float:
        """Progress of a phase, from 0 to 1; 1 when it is finished."""
        self.deployment.sql(NO_PAUSE)
        shown = found(self.client, self.import_id)
        progress = shown["progress"]
        if shown["status"] != phase:
            return 1.0
        if phase == "staging":
            share = progress["bytesDone"] / progress["bytesTotal"]
        else:
            share = progress["rowsDone"] / max(progress["rowsTotal"] or 0, 1)
        return min(float(share), 0.99)  # with all rows done, it has yet to end


def preview_and_commit(client: httpx.Client, import_id: str) -> None:
    for step, status in (("previews", "previewed"), ("commits", "committed")):
        run(client, import_id, step)
        until(lambda status=status: found(client, import_id)["status"] == status)  # type: ignore[misc]  # bound now


def survive_an_import_and_its_undo(deployment: Deployment, seed: int, profile: Profile) -> None:
    random = Random(seed)  # noqa: S311  where it is killed
    deployment.start_api()
    worker = deployment.start_worker()
    with deployment.client() as client:
        known = upload(client, [f"lead{number * 7}@acme.com,Known,Old," for number in range(KNOWN)])
        preview_and_commit(client, known)
        import_id = upload(client, [row(number) for number in range(profile.rows)])
        leads, timelines = deployment.sql(LEADS), deployment.sql(TIMELINES, changeset="")
        killer = Killer(deployment, client, import_id, worker, random)

        foreseen = killer.rage("staging", "previews", profile.kills["staging"])
        assert (foreseen["status"], sum(foreseen["counts"].values())) == ("previewed", profile.rows)
        done = killer.rage("committing", "commits", profile.kills["committing"])
        assert (done["status"], done["counts"]) == ("committed", foreseen["counts"])
        changeset = done["changesetId"]
        counts = {action: count for action, count in done["counts"].items() if count}
        assert deployment.sql(ROWS, id=import_id).splitlines() == [
            f"{action}|{count}|{count}" for action, count in sorted(counts.items())
        ]
        changed = counts["create"] + counts["update"]
        assert deployment.count("SELECT count(*) FROM leads") == KNOWN + counts["create"]
        assert deployment.sql(TOLD, changeset=changeset, undo="") == f"{changed}|{changed}"

        undone = killer.rage("undoing", "undos", profile.kills["undoing"])
        if undone["status"] == "committed":  # killed so often that its job gave up: it goes on when it is asked again
            undone = killer.rage("undoing", "undos", 0)
        assert (undone["status"], undone["reverted"]) == ("undone", changed)
        assert deployment.sql(TOLD, changeset=changeset, undo="true") == f"{changed}|{changed}"

    print(f"kills that hit: {dict(killer.hits)} of {dict(profile.kills)}")  # noqa: T201  the figures of the run
    assert deployment.sql(LEADS) == leads
    assert deployment.sql(TIMELINES, changeset=changeset) == timelines
    # A point in the last chunk of a phase may come too late for it.
    assert 3 * killer.hits.total() >= sum(profile.kills.values())
    deployment.assert_sound()


def test_no_row_is_lost_or_doubled_by_four_kills(deployment: Deployment, seed: int) -> None:
    survive_an_import_and_its_undo(deployment, seed, SHORT)


@pytest.mark.long
def test_no_row_is_lost_or_doubled_by_ten_kills_of_an_import_and_ten_of_its_undo(
    deployment: Deployment, seed: int
) -> None:
    survive_an_import_and_its_undo(deployment, seed, LONG)
