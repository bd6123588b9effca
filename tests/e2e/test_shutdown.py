"""SIGTERM while there is work: what is under way gets its answer, what comes later goes elsewhere, nothing is lost."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.deployment import Deployment
from tests.support.history import History, Outcome, Writers, resolve
from tests.support.journeys import Added, add_lead, followed, job, lead, wait_for_job, wait_until
from tests.support.judge import judge, wait_for_ends
from tests.support.processes import free_port

LEADS = 30
STEP = 25
"""Leads that must be answered between two steps, so that each of them happens under load."""
REFUSALS = {"201", "503", "ConnectError", "ReadError", "RemoteProtocolError", "WriteError"}


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = History(tmp_path / "history.jsonl")
    yield opened
    opened.close()


def wait_for_more(history: History) -> None:
    target = len(history.of(Outcome.OK)) + STEP
    wait_until(lambda: len(history.of(Outcome.OK)) >= target)


def require_nothing_lost(deployment: Deployment, history: History) -> None:
    resolve(deployment, history, sample=50)
    worker = deployment.start_worker()
    wait_for_ends(deployment)
    assert judge(deployment, history) == []
    assert worker.stop() == 0


def test_a_stopping_api_answers_what_it_has_begun_and_ends_by_itself(deployment: Deployment, history: History) -> None:
    api = deployment.start_api()
    with Writers(deployment, history, seed=1):
        wait_for_more(history)
        assert api.stop(signal.SIGTERM) == 0
    assert set(history.answers) <= REFUSALS

    again = deployment.start_api()
    require_nothing_lost(deployment, history)
    assert again.stop() == 0


def test_a_rolling_restart_under_load_needs_no_more_than_one_retry(deployment: Deployment, history: History) -> None:
    ports = [deployment.installation.port, free_port()]
    apis = [deployment.start_api(port) for port in ports]
    with Writers(deployment, history, seed=2, ports=ports, retries=1):
        for number, port in enumerate(ports):
            wait_for_more(history)
            assert apis[number].stop(signal.SIGTERM) == 0
            wait_for_more(history)
            apis[number] = deployment.start_api(port)
        wait_for_more(history)
    assert len(history.of(Outcome.OK)) == len(history.requests)

    require_nothing_lost(deployment, history)
    assert [api.stop() for api in apis] == [0, 0]


def add_leads(client: httpx.Client) -> list[Added]:
    return [add_lead(client, f"lead.{number}@acme.com") for number in range(LEADS)]


def test_a_stopping_worker_ends_its_jobs_and_takes_no_more(deployment: Deployment) -> None:
    api = deployment.start_api()
    worker = deployment.start_worker(
        simulated_latency_seconds="1.5", drain_timeout_seconds="60", worker_concurrency="10"
    )
    client = deployment.client()
    added = add_leads(client)
    for item in added[:10]:
        wait_for_job(client, item, "running", "completed")
    assert worker.stop(signal.SIGTERM) == 0
    jobs = [job(client, item) for item in added]
    assert {view["status"] for view in jobs} == {"completed", "queued"}
    assert [view["failures"] for view in jobs] == [[]] * LEADS
    assert {view["attempts"] for view in jobs if view["status"] == "queued"} == {0}

    again = deployment.start_worker()
    assert {followed(client, item)[0][-1] for item in added} == {"enriched"}
    assert [again.stop(), api.stop()] == [0, 0]


def test_a_worker_that_may_not_wait_hands_its_jobs_back_at_no_cost_to_them(deployment: Deployment) -> None:
    api = deployment.start_api()
    worker = deployment.start_worker(simulated_latency_seconds="600", drain_timeout_seconds="0.2")
    client = deployment.client()
    added = add_leads(client)
    for item in added:
        wait_for_job(client, item, "running")
    assert worker.stop(signal.SIGTERM) == 0
    for view in [job(client, item) for item in added]:
        assert (view["status"], view["attempts"], view["maxAttempts"]) == ("queued", 1, 6)
        assert "was stopped" in view["lastError"]

    again = deployment.start_worker()
    assert {followed(client, item)[0][-1] for item in added} == {"enriched"}
    assert {lead(client, item)["status"] for item in added} == {"enriched"}
    assert [again.stop(), api.stop()] == [0, 0]
