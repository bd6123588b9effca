"""A lead on its way through real processes: added over HTTP, enriched by a worker, safe from kills and restarts."""

import os
import signal
from pathlib import Path

import httpx

from leadflood.kernel.db.embedded import EmbeddedPostgres
from leadflood.kernel.db.provision import DATABASE
from leadflood.kernel.db.roles import APP_ROLE
from tests.support.deployment import QUICK, Deployment, left_over, violations
from tests.support.journeys import (
    Added,
    add_lead,
    events_of_job,
    followed,
    job,
    lead,
    timeline,
    wait_for_job,
    wait_until,
)
from tests.support.processes import Installation, Running

OWNER = "owner@leadflood.local"
WORKER_OF = "SELECT worker_id FROM job_executions WHERE id = :'job'"


def test_a_lead_goes_its_way_under_up_and_is_there_after_a_restart_of_everything(home: Path) -> None:
    url = EmbeddedPostgres(home).url(APP_ROLE, DATABASE)
    with Installation(home, **{**QUICK, "simulated_latency_seconds": "1"}) as installation:
        up = installation.start("up", job_lease_seconds="60")  # attempts are counted, and no worker is killed yet
        installation.wait_ready(up)
        password = up.wait_for("  Password   ").split()[-1]
        client = installation.login(OWNER, password)
        ada = walk(client, up)
        before = (lead(client, ada), job(client, ada), timeline(client, ada))
        assert violations(url) == []
        assert up.stop(signal.SIGTERM) == 0
        assert left_over(home) == []

        again = installation.start(
            "up", job_lease_seconds="10"
        )  # a stall of that length would count as another attempt
        installation.wait_ready(again)
        client = installation.login(OWNER, password)
        assert (lead(client, ada), job(client, ada), timeline(client, ada)) == before
        kill_worker_in_a_job(client, again)
        assert violations(url) == []
        assert again.stop() == 0
    assert left_over(home) == []


def walk(client: httpx.Client, up: Running) -> Added:
    """A lead from its first state to its last; the worker stands still until the first ones have been seen."""
    up.wait_for("worker.started")
    worker = up.pids()["worker"]
    os.kill(worker, signal.SIGSTOP)
    ada = add_lead(client, "ada.lovelace@acme.com")
    assert (lead(client, ada)["status"], job(client, ada)["status"]) == ("new", "queued")
    os.kill(worker, signal.SIGCONT)

    states, runs = followed(client, ada)  # what was seen above may be over by the first look
    assert (states[-1], runs[-1]) == ("enriched", "completed")
    assert {"failed"}.isdisjoint([*states, *runs])
    assert [event["kind"] for event in timeline(client, ada)] == [
        "lead.created",
        "enrichment.started",
        "enrichment.completed",
    ]
    assert [event["status"] for event in events_of_job(client, ada)] == ["sent"]
    assert job(client, ada)["attempts"] == 1
    found = client.get(f"/v1/leads/{ada.lead_id}/enrichment").json()
    assert "Lovelace" in str(found)
    return ada


def kill_worker_in_a_job(client: httpx.Client, up: Running) -> None:
    """`up` starts another worker, which finishes what the killed one began."""
    up.wait_for("worker.started")
    grace = add_lead(client, "grace.hopper@acme.com")
    wait_for_job(client, grace, "running")
    os.kill(up.pids()["worker"], signal.SIGKILL)
    assert followed(client, grace)[0][-1] == "enriched"
    assert job(client, grace)["attempts"] == 2


def test_the_job_of_a_killed_worker_finishes_on_another_one_and_the_timeline_tells_it(deployment: Deployment) -> None:
    deployment.start_api()
    first = deployment.start_worker(simulated_latency_seconds="600")
    client = deployment.client()
    ada = add_lead(client, "ada.lovelace@acme.com")
    wait_for_job(client, ada, "running")
    wait_until(lambda: lead(client, ada)["status"] == "processing")
    killed = deployment.sql(WORKER_OF, job=ada.job_id)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()

    deployment.start_worker()
    assert followed(client, ada)[0] == ["processing", "enriched"]
    done = job(client, ada)
    assert done["attempts"] == 2
    assert [(item["attempt"], item["workerId"]) for item in done["failures"]] == [(1, killed)]
    assert "stopped responding" in done["failures"][0]["error"]
    assert deployment.sql(WORKER_OF, job=ada.job_id) != killed
    assert [(event["kind"], event["data"].get("attempt")) for event in timeline(client, ada)] == [
        ("lead.created", None),
        ("enrichment.started", 1),
        ("enrichment.started", 2),
        ("enrichment.completed", None),
    ]
