"""The way of one lead, followed over HTTP: added, looked at again and again, at its end."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from tests.support.waiting import PATIENCE, pauses

T = TypeVar("T")

ENDS = ("enriched", "failed")


def wait_until(condition: Callable[[], T], patience: float = PATIENCE) -> T:
    """Ask until the answer is truthy, and return it; after `patience` seconds fail instead of hanging."""
    times, deadline = pauses(), time.monotonic() + patience
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"did not come true within {patience:g} s"
        time.sleep(next(times))
    return answer


def pause(seconds: float) -> None:
    """Let time pass that a fault, or a load, needs to be one."""
    time.sleep(seconds)


@dataclass(frozen=True)
class Added:
    """A lead and its first job, as the answer to the POST named them."""

    lead_id: str
    job_id: str


def add_lead(client: httpx.Client, email: str, key: str | None = None) -> Added:
    """POST a lead, which must succeed."""
    answer = client.post("/v1/leads", json={"email": email}, headers={"Idempotency-Key": key} if key else None)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return Added(answer.json()["leadId"], answer.json()["jobId"])


def lead(client: httpx.Client, added: Added) -> dict[str, Any]:
    """The lead as the API shows it."""
    return _read(client, f"/v1/leads/{added.lead_id}")


def job(client: httpx.Client, added: Added) -> dict[str, Any]:
    """The job as the API shows it."""
    return _read(client, f"/v1/jobs/{added.job_id}")


def timeline(client: httpx.Client, added: Added) -> list[dict[str, Any]]:
    """The lead's events, oldest first."""
    events: list[dict[str, Any]] = _read(client, f"/v1/leads/{added.lead_id}/events?limit=200")["items"]
    return events[::-1]


def events_of_job(client: httpx.Client, added: Added) -> list[dict[str, Any]]:
    """The outbox events of the job, oldest first."""
    events: list[dict[str, Any]] = _read(client, f"/v1/outbox-events?jobId={added.job_id}")["items"]
    return events[::-1]


def followed(client: httpx.Client, added: Added) -> tuple[list[str], list[str]]:
    """Look until the lead is at its end. Returns the states of lead and job in the order in which they were seen."""
    leads: list[str] = []
    jobs: list[str] = []

    def ended() -> bool:
        # The job first: what is seen of the lead afterwards is at least as new.
        for seen, state in ((jobs, job(client, added)["status"]), (leads, lead(client, added)["status"])):
            if seen[-1:] != [state]:
                seen.append(state)
        return leads[-1] in ENDS and jobs[-1] in ("completed", "failed")

    wait_until(ended)
    return leads, jobs


def wait_for_job(client: httpx.Client, added: Added, *statuses: str, attempt: int = 0) -> dict[str, Any]:
    """Wait until the job is in one of these states, in this attempt or a later one."""

    def there() -> dict[str, Any] | None:
        view = job(client, added)
        return view if view["status"] in statuses and view["attempts"] >= attempt else None

    found = wait_until(there)
    assert found is not None
    return found


def _read(client: httpx.Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == httpx.codes.OK, answer.text
    body: dict[str, Any] = answer.json()
    return body
