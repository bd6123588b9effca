"""Workers that fall silent without dying, workers that are only slow, and a job that takes its worker along."""

import asyncio
import itertools
import os
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest

from leadflood.bootstrap import SUBSCRIBERS
from leadflood.domains.jobs import service
from leadflood.domains.jobs.models import NewJob, NoPayload
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.support.deployment import Deployment
from tests.support.journeys import Added, add_lead, followed, job, lead, timeline, wait_for_job, wait_until
from tests.support.poison_worker import POISON
from tests.support.processes import Running

REASONS = [
    "The worker running attempt 1 stopped responding.",
    "The worker running attempt 2 stopped responding.",
    "The process in which the job ran alone ended with exit code 137.",
]
HURRY = "UPDATE job_executions SET next_attempt_at = now() WHERE status = 'queued' AND losses >= 2"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Profile:
    """Number of jobs that kill their process, and of leads beside them."""

    poisons: int
    neighbors: int


SHORT, LONG = Profile(3, 40), Profile(10, 100)
LEASES = (1.5, 4.0, 16.0)
"""Seconds: a machine that stalls for as long as a lease loses it rightly, so it is tried again with a longer one."""
EXPIRE = "UPDATE job_executions SET lease_expires_at = now() WHERE status = 'running'"
"""The leases of a worker that is frozen or dead run out at once, and no other's."""
ANSWERED = "SELECT count(*) FROM lookups WHERE lead_id = :'lead' AND answered_at IS NOT NULL"


def test_the_late_answer_of_a_worker_that_was_frozen_beyond_its_lease_changes_nothing(deployment: Deployment) -> None:
    api = deployment.start_api()
    frozen = deployment.start_worker(simulated_latency_seconds="600", job_lease_seconds="30")
    client = deployment.client()
    ada = add_lead(client, "ada.lovelace@acme.com")
    wait_until(lambda: lead(client, ada)["status"] == "processing")
    deployment.freeze(frozen)
    deployment.sql(EXPIRE)
    heir = deployment.start_worker(job_lease_seconds="60")
    assert followed(client, ada)[0][-1] == "enriched"
    before = (lead(client, ada), job(client, ada), timeline(client, ada), deployment.rows("TABLE lookups"))
    assert before[1]["attempts"] == 2

    os.kill(frozen.pid, signal.SIGCONT)
    wait_until(lambda: "job.lost" in frozen.output or '"outcome": "lost"' in frozen.output)
    after = (lead(client, ada), job(client, ada), timeline(client, ada), deployment.rows("TABLE lookups"))
    assert after == before
    deployment.assert_sound()
    assert [frozen.stop(), heir.stop(), api.stop()] == [0, 0, 0]


def test_the_late_answer_changes_nothing_either_while_the_second_attempt_is_still_at_work(
    deployment: Deployment,
) -> None:
    api = deployment.start_api()
    # With so long a lease, and one adapter, it does not look whether the job is still its own: nothing but the
    # guard of its last write is in its way.
    frozen = deployment.start_worker(
        simulated_latency_seconds="5", job_lease_seconds="600", enrichment_sources="simulated"
    )
    client = deployment.client()
    ada = freeze_at_work(deployment, client, frozen)
    deployment.sql(EXPIRE)
    heir = deployment.start_worker(simulated_latency_seconds="600", drain_timeout_seconds="0.1")
    wait_for_job(client, ada, "running", attempt=2)
    os.kill(frozen.pid, signal.SIGCONT)
    wait_until(lambda: any("job.ended" in line and ada.job_id in line for line in frozen.output.splitlines()))
    assert (job(client, ada)["status"], lead(client, ada)["status"]) == ("running", "processing")
    assert deployment.count(ANSWERED, lead=ada.lead_id) == 0

    assert heir.stop() == 0
    assert followed(client, ada)[0][-1] == "enriched"
    assert job(client, ada)["attempts"] == 3
    deployment.assert_sound()
    assert [frozen.stop(), api.stop()] == [0, 0]


def has_begun(client: httpx.Client, added: Added) -> bool:
    return str(lead(client, added)["status"]) != "new"


def freeze_at_work(deployment: Deployment, client: httpx.Client, worker: Running) -> Added:
    """A lead whose job runs on the worker that is frozen now; one that was quicker is let go on, to the next lead."""
    for number in itertools.count():
        added = add_lead(client, f"ada.lovelace.{number}@acme.com")
        wait_until(partial(has_begun, client, added))
        deployment.freeze(worker)
        if job(client, added)["status"] == "running":
            return added
        os.kill(worker.pid, signal.SIGCONT)
    raise AssertionError


def test_a_slow_but_living_worker_keeps_a_job_for_longer_than_three_leases(deployment: Deployment) -> None:
    api = deployment.start_api()
    client = deployment.client()
    ends: list[tuple[int, list[object]]] = []
    for lease in LEASES:
        latency = f"{3.5 * lease:g}"
        workers = [
            deployment.start_worker(simulated_latency_seconds=latency, job_lease_seconds=f"{lease:g}") for _ in range(2)
        ]
        added = [add_lead(client, f"lead.{number}.{lease:g}@acme.com") for number in range(5)]
        assert {followed(client, item)[0][-1] for item in added} == {"enriched"}
        ends = [(view["attempts"], view["failures"]) for view in (job(client, item) for item in added)]
        assert [worker.stop() for worker in workers] == [0, 0]
        if ends == [(1, [])] * 5:
            break
    assert ends == [(1, [])] * 5
    deployment.assert_sound()
    assert api.stop() == 0


def test_jobs_that_kill_their_process_fail_with_a_reason_and_no_healthy_lead_with_them(deployment: Deployment) -> None:
    survive_poison(deployment, SHORT)


@pytest.mark.long
def test_ten_jobs_that_kill_their_process_harm_none_of_a_hundred_leads(deployment: Deployment) -> None:
    survive_poison(deployment, LONG)


def survive_poison(deployment: Deployment, profile: Profile) -> None:
    api = deployment.start_api()
    client = deployment.client()
    poison = asyncio.run(_enqueue_poison(deployment, profile.poisons))
    added = [add_lead(client, f"lead.{number}@acme.com") for number in range(profile.neighbors)]
    deaths = 0
    deployment.installation.env["PYTHONPATH"] = str(ROOT)

    def start() -> Running:
        return deployment.installation.start(module="tests.support.poison_worker", job_lease_seconds="60")

    worker = start()

    def over() -> bool:
        nonlocal worker, deaths
        if worker.process.poll() is not None:
            assert worker.wait() == 137
            deaths += 1
            deployment.sql(EXPIRE)
            worker = start()
        deployment.sql(HURRY)
        return all(client.get(f"/v1/jobs/{job_id}").json()["status"] == "failed" for job_id in poison)

    wait_until(over, 180)
    assert {followed(client, item)[0][-1] for item in added} == {"enriched"}
    assert 2 <= deaths <= 2 * len(poison)
    for job_id in poison:
        view = client.get(f"/v1/jobs/{job_id}").json()
        assert [failure["error"] for failure in view["failures"]] == REASONS
        assert (view["lastError"], view["maxAttempts"] - POISON.max_attempts) == (REASONS[-1], 2)

    assert followed(client, add_lead(client, "later@acme.com"))[0][-1] == "enriched"
    assert worker.process.poll() is None
    deployment.assert_sound()
    assert [worker.stop(), api.stop()] == [0, 0]


async def _enqueue_poison(deployment: Deployment, number: int) -> list[str]:
    queue_backend = PostgresQueueBackend(deployment.url, role=APP_ROLE)
    await queue_backend.open()
    pool = ConnectionPool(deployment.url, application_name="tests", size=1, statement_timeout=10)
    database = Database(pool, queue_backend, SUBSCRIBERS)
    try:
        async with database.transaction(deployment.workspace_id) as tx:
            actor = Actor.cli(deployment.workspace_id)
            ids = await service.enqueue(tx, actor, jobs=[NewJob(POISON, NoPayload())] * number)
            return [str(job_id) for job_id in ids]
    finally:
        await queue_backend.close()
        await database.close()
