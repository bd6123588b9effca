"""An source that fails: attempts, back-off, the end with its reason, and the way back."""

import httpx
import pytest

from tests.support.deployment import Deployment
from tests.support.journeys import Added, add_lead, followed, job, lead, timeline, wait_for_job

ATTEMPTS = 5
HURRY = """
UPDATE job_executions SET next_attempt_at = now() WHERE status = 'queued';
UPDATE leadflood_queue.tickets SET due_at = now(), visible_at = now() WHERE due_at > now();
"""
FAILING = {"simulated_failure_rate": "1", "enrichment_sources": "simulated", "job_lease_seconds": "60"}
"""With a lease that no stall of a busy machine outlives: attempts are counted, and no worker is killed."""


@pytest.fixture
def client(deployment: Deployment) -> httpx.Client:
    deployment.start_api()
    return deployment.client()


def retried(deployment: Deployment, client: httpx.Client, ada: Added) -> None:
    """Bring the failed job back, with a worker whose source works by now."""
    attempts = job(client, ada)["attempts"]
    worker = deployment.start_worker(simulated_failure_rate="0", job_lease_seconds="60")
    answer = client.post(f"/v1/jobs/{ada.job_id}/retries")
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    wait_for_job(client, ada, "completed")
    assert lead(client, ada)["status"] == "enriched"
    assert lead(client, ada)["error"] is None
    assert job(client, ada)["attempts"] == attempts + 1
    assert worker.stop() == 0


def test_attempts_back_off_until_the_job_fails_with_its_lead_and_a_retry_brings_both_back(
    deployment: Deployment, client: httpx.Client
) -> None:
    worker = deployment.start_worker(**FAILING)
    ada = add_lead(client, "ada.lovelace@acme.com")
    for attempt in range(1, ATTEMPTS):
        waiting = wait_for_job(client, ada, "queued", attempt=attempt)
        assert waiting["nextAttemptAt"] > waiting["failures"][-1]["at"]
        assert "Simulated provider: unavailable" in waiting["lastError"]
        assert lead(client, ada)["status"] == "processing"
        deployment.sql(HURRY)
    failed = wait_for_job(client, ada, "failed")
    assert [item["attempt"] for item in failed["failures"]] == list(range(1, ATTEMPTS + 1))
    assert failed["nextAttemptAt"] is None
    assert lead(client, ada)["status"] == "failed"
    assert "Simulated provider: unavailable" in lead(client, ada)["error"]
    assert "Simulated provider: unavailable" in timeline(client, ada)[-1]["data"]["error"]
    assert worker.stop() == 0

    retried(deployment, client, ada)


def test_a_refusal_fails_the_job_at_once_and_a_retry_asks_again(deployment: Deployment, client: httpx.Client) -> None:
    worker = deployment.start_worker(**FAILING, simulated_failure_kind="terminal")
    ada = add_lead(client, "ada.lovelace@acme.com")
    assert followed(client, ada)[0][-1] == "failed"
    assert job(client, ada)["attempts"] == 1
    assert "lead refused" in lead(client, ada)["error"]
    assert worker.stop() == 0

    retried(deployment, client, ada)
