"""Failures by cause, workers, the queue and figures over HTTP."""

from uuid import UUID

import httpx
import pytest

from leadflood.domains.jobs.errors import Terminal
from leadflood.domains.jobs.jobs import deregister_worker, report_worker
from leadflood.domains.jobs.models import JobKind, NoPayload
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.support.api import Caller
from tests.support.identity import make_operator
from tests.support.jobs import Jobs, raises
from tests.support.tenants import bearer, new_session

KIND = JobKind("system.heartbeat", NoPayload, max_attempts=1)
"""A kind that the API knows."""
SILENT = sql("UPDATE worker_processes SET last_seen_at = now() - interval '31 s' WHERE id = :id")


@pytest.fixture
def jobs(database: Database, caller: Caller) -> Jobs:
    return Jobs(database, caller.workspace_id, KIND)


async def failed(jobs: Jobs, *reasons: str) -> list[UUID]:
    ids = await jobs.enqueue(len(reasons))
    for job_id, reason in zip(ids, reasons, strict=True):
        await jobs.attempt(jobs.registry(raises(Terminal(reason))), job_id)
    return ids


async def test_an_operator_finds_failures_by_cause_and_retries_some_and_then_all(
    toys: httpx.AsyncClient, caller: Caller, jobs: Jobs
) -> None:
    first, *_ = await failed(jobs, "Busy 1", "Busy 2", "Busy 3")

    answer = await toys.get("/v1/jobs/failures", headers=caller.headers)
    (group,) = answer.json()["items"]
    assert (group["cause"], group["kind"], group["count"]) == ("Busy <n>", KIND.name, {"value": 3, "exact": True})
    listed = await toys.get("/v1/jobs", params={"cause": group["cause"]}, headers=caller.headers)
    assert [job["cause"] for job in listed.json()["items"]] == ["Busy <n>"] * 3
    some = await toys.post("/v1/job-retries", json={"ids": [str(first)]}, headers=caller.headers)
    assert (some.status_code, some.json()) == (202, {"processed": 1, "refused": [], "jobId": None})
    body = {"cause": group["cause"], "kind": group["kind"]}
    rest = await toys.post("/v1/jobs/failures/retries", json=body, headers=caller.headers)

    assert (rest.status_code, rest.json()["processed"]) == (202, 2)
    assert (await toys.get("/v1/jobs/failures", headers=caller.headers)).json() == {"items": [], "complete": True}


async def test_a_retry_with_a_key_that_is_sent_twice_is_done_once(
    toys: httpx.AsyncClient, caller: Caller, jobs: Jobs
) -> None:
    (job_id,) = await failed(jobs, "Busy 1")
    headers = {**caller.headers, "Idempotency-Key": new_id().hex}

    answers = [await toys.post("/v1/job-retries", json={"ids": [str(job_id)]}, headers=headers) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["processed"] == 1


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/v1/job-retries", {}, "/ids"),
        ("/v1/job-retries", {"ids": []}, "/ids"),
        ("/v1/job-retries", {"ids": ["x"]}, "/ids/0"),
        ("/v1/job-retries", {"ids": [str(new_id())] * 1001}, "/ids"),
        ("/v1/jobs/failures/retries", {"cause": "x" * 201, "kind": "a"}, "/cause"),
        ("/v1/jobs/failures/retries", {"cause": "NUL \x00", "kind": "a"}, "/cause"),
        ("/v1/jobs/failures/retries", {"cause": "🙂", "kind": "A B"}, "/kind"),
        ("/v1/outbox-replays", {"ids": [1]}, "/ids/0"),
        ("/v1/outbox-events/failures/replays", {"kind": "a"}, "/cause"),
    ],
)
async def test_bad_input_is_refused_by_name(
    toys: httpx.AsyncClient, caller: Caller, path: str, body: dict[str, object], pointer: str
) -> None:
    answer = await toys.post(path, json=body, headers=caller.headers)

    assert answer.status_code == 400, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_dead_letters_are_found_by_cause_and_replayed(
    toys: httpx.AsyncClient, caller: Caller, jobs: Jobs
) -> None:
    await jobs.enqueue(2)
    await jobs.change(
        "UPDATE outbox_events SET status = 'dead_letter', cause = 'Away.' WHERE workspace_id = :id",
        id=caller.workspace_id,
    )

    (group,) = (await toys.get("/v1/outbox-events/failures", headers=caller.headers)).json()["items"]
    page = await toys.get("/v1/outbox-events", params={"cause": "Away."}, headers=caller.headers)
    ids = [event["id"] for event in page.json()["items"]]
    one = await toys.post("/v1/outbox-replays", json={"ids": ids[:1]}, headers=caller.headers)
    body = {"cause": group["cause"], "kind": group["kind"]}
    rest = await toys.post("/v1/outbox-events/failures/replays", json=body, headers=caller.headers)

    assert group["count"] == {"value": 2, "exact": True}
    assert (one.json()["processed"], rest.json()["processed"]) == (1, 1)


async def test_workers_are_listed_as_living_or_silent(toys: httpx.AsyncClient, caller: Caller, jobs: Jobs) -> None:
    active, silent = new_id(), new_id()
    for worker_id in (active, silent):
        await report_worker(jobs.database, worker_id=worker_id, host="h", pid=7, version="1", running=3)
    async with jobs.database.system() as tx:
        await tx.execute(SILENT, {"id": silent})

    _, session = await new_session(jobs.database, caller.workspace_id, caller.user_id)
    for credential in (caller.headers, bearer(session)):
        refused = await toys.get("/v1/workers", headers=credential)
        assert (refused.status_code, refused.json()["requiredPermission"]) == (403, "instance")

    await make_operator(jobs.database, caller.user_id)
    assert (await toys.get("/v1/workers", headers=caller.headers)).status_code == 403  # a key is no operator
    answer = await toys.get("/v1/workers", headers=bearer(session))

    shown = {worker["id"]: (worker["alive"], worker["runningJobs"], worker["pid"]) for worker in answer.json()["items"]}
    assert (shown[str(active)], shown[str(silent)]) == ((True, 3, 7), (False, 3, 7))
    for worker_id in (active, silent):
        await deregister_worker(jobs.database, worker_id=worker_id)


async def test_the_queue_tells_what_is_due_what_waits_and_since_when(
    toys: httpx.AsyncClient, caller: Caller, jobs: Jobs
) -> None:
    empty = (await toys.get("/v1/jobs/queue", headers=caller.headers)).json()
    assert (empty["due"], empty["oldestDueAt"]) == ({"value": 0, "exact": True}, None)
    first, _, later, running = await jobs.enqueue(4)
    await jobs.change("UPDATE job_executions SET next_attempt_at = now() - interval '90 s' WHERE id = :id", id=first)
    await jobs.change("UPDATE job_executions SET next_attempt_at = now() + interval '90 s' WHERE id = :id", id=later)
    await jobs.started(running)

    queue = (await toys.get("/v1/jobs/queue", headers=caller.headers)).json()

    await jobs.change("DELETE FROM job_executions WHERE workspace_id = :id", id=caller.workspace_id)
    assert [queue[name]["value"] for name in ("due", "waiting", "running")] == [2, 1, 1]
    assert 90 <= queue["oldestDueSeconds"] < 120


async def test_figures_and_overview_are_answered_for_a_time_zone(toys: httpx.AsyncClient, caller: Caller) -> None:
    params = {"span": "7d", "timeZone": "Asia/Kathmandu"}

    activity = (await toys.get("/v1/activity", params=params, headers=caller.headers)).json()
    overview = await toys.get("/v1/overview", params={"timeZone": "Europe/Berlin"}, headers=caller.headers)
    wrong = await toys.get("/v1/activity", params={"span": "9d", "timeZone": "Moon/Base"}, headers=caller.headers)

    assert (len(activity["points"]), activity["timeZone"]) == (7, "Asia/Kathmandu")
    assert activity["points"][0]["startsAt"].endswith("18:15:00Z")
    assert overview.json()["leads"] == {"value": 0, "exact": True}
    assert wrong.status_code == 400
    assert {error["pointer"] for error in wrong.json()["errors"]} == {"?span", "?timeZone"}
