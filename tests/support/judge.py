"""The judge of a chaos run: reads a history and the database afterwards, and names everything that is not right."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.support.deployment import Deployment
from tests.support.history import History, Outcome
from tests.support.journeys import wait_until

Row = Mapping[str, Any]

_OPEN = "SELECT count(*) FROM leads WHERE status IN ('new', 'processing')"
_LEADS = "SELECT id, workspace_id, email_norm, status FROM leads"
_JOBS = """
SELECT id, subject_id, status, attempts, failures,
       (SELECT count(*) FROM outbox_events e WHERE e.job_id = j.id) AS events,
       (SELECT count(*) FROM outbox_events e WHERE e.job_id = j.id AND e.status <> 'sent') AS unsent
FROM job_executions j WHERE kind = 'leads.enrich.v1'
"""
_TIMELINES = "SELECT lead_id, array_agg(kind ORDER BY id) AS kinds FROM lead_events GROUP BY lead_id"
_TICKETS = "SELECT count(*) FROM leadflood_queue.tickets WHERE kind = 'leads.enrich.v1'"
_DOUBLED_RUNS = """
SELECT count(*) FROM (SELECT FROM lookups GROUP BY job_id, source HAVING count(*) > 1) doubled
"""


def wait_for_ends(deployment: Deployment, patience: float = 120) -> None:
    """Wait until every lead is at its end and no ticket is left: the last fault is over, so it does not take long."""
    wait_until(lambda: deployment.count(_OPEN) == 0, patience)
    wait_until(lambda: deployment.count(_TICKETS) == 0, patience)


def judge(deployment: Deployment, history: History) -> list[str]:
    """One sentence for each thing that is wrong, once all is at rest; empty when nothing was lost or doubled."""
    leads, jobs = deployment.rows(_LEADS), deployment.rows(_JOBS)
    timelines = {row["lead_id"]: row["kinds"] for row in deployment.rows(_TIMELINES)}
    found = [
        *history.flaws,
        *_lost_or_doubled(deployment, history, leads),
        *_jobs_of(leads, jobs),
        *_impossible_timelines(leads, timelines),
        *deployment.violations(),
    ]
    if doubled := deployment.count(_DOUBLED_RUNS):
        found.append(f"{doubled} sources answered twice for one job")
    return found


def lost(deployment: Deployment, history: History) -> list[str]:
    """The keys that were answered with 201, and whose lead is not there."""
    there = {row["id"] for row in deployment.rows(_LEADS)}
    return [request.key for request in history.of(Outcome.OK) if request.lead_id not in there]


def _lost_or_doubled(deployment: Deployment, history: History, leads: Sequence[Row]) -> Iterator[str]:
    count = Counter(row["email_norm"] for row in leads)
    ids = {row["email_norm"]: row["id"] for row in leads}
    for request in history.requests:
        times, expected = count.pop(request.email, 0), 0 if request.outcome is Outcome.FAIL else 1
        if times != expected:
            yield f"{request.key} ended as {request.outcome}, and is there {times} times"
        elif request.outcome is Outcome.UNKNOWN:
            yield f"{request.key} was never settled"
        elif expected and ids[request.email] != request.lead_id:
            yield f"{request.key} was answered with {request.lead_id}, but the lead is {ids[request.email]}"
    yield from (f"{email} was asked for by nobody" for email in count)
    yield from (
        f"lead {row['id']} is in workspace {row['workspace_id']}"
        for row in leads
        if row["workspace_id"] != str(deployment.workspace_id)
    )


def _jobs_of(leads: Sequence[Row], jobs: Sequence[Row]) -> Iterator[str]:
    by_lead = {row["subject_id"]: row for row in jobs}
    if len(by_lead) != len(jobs):
        yield f"{len(jobs)} jobs for {len(by_lead)} leads"
    for lead in leads:
        job = by_lead.get(lead["id"])
        ends = (lead["status"], job["status"]) if job else (lead["status"], "missing")
        if ends not in {("enriched", "completed"), ("failed", "failed")}:
            yield f"lead {lead['id']} is {ends[0]}, its job {ends[1]}"
    for job in jobs:
        failed = [failure["attempt"] for failure in job["failures"]]
        done = job["attempts"] if job["status"] == "failed" else job["attempts"] - 1
        if failed != list(range(1, done + 1)):
            yield f"job {job['id']} is {job['status']} after {job['attempts']} attempts, of which failed: {failed}"
        if job["events"] != job["attempts"] or job["unsent"]:
            yield f"job {job['id']} had {job['attempts']} attempts, {job['events']} events, {job['unsent']} unsent"


def _impossible_timelines(leads: Sequence[Row], timelines: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for lead in leads:
        kinds = timelines.get(lead["id"], [])
        end = {"enriched": "enrichment.completed", "failed": "enrichment.failed"}.get(lead["status"], "")
        sound = kinds[:1] == ["lead.created"] and kinds[-1:] == [end]
        if not sound or set(kinds[1:-1]) - {"enrichment.started"}:
            yield f"lead {lead['id']} is {lead['status']} with the timeline {kinds}"
