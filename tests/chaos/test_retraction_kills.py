"""kill -9 of the worker that retracts values, at each step: a part is done whole or not at all, and the job ends."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx

from leadflood.domains.enrichment.models.retractions import LEADS_AT_ONCE
from leadflood.kernel.db.embedded import SUPERUSER
from tests.support.deployment import Deployment
from tests.support.processes import until

LEADS = 2 * LEADS_AT_ONCE + 200
SOURCE = "email_insight"

# Leads with retracted values, those of them that still have some of the source, and those with such a choice.
STATE = """
WITH v AS (
    SELECT l.lead_id, v.retraction_id IS NOT NULL AS gone, c.value_id IS NOT NULL AS chosen
    FROM lookups l JOIN found_values v ON v.workspace_id = l.workspace_id AND v.lookup_id = l.id
    LEFT JOIN chosen_values c ON c.workspace_id = v.workspace_id AND c.lookup_id = v.lookup_id AND c.value_id = v.id
    WHERE l.source = 'email_insight' AND l.lead_id IS NOT NULL
), by_lead AS (
    SELECT lead_id, bool_or(gone) AS begun, bool_and(gone) AS whole, bool_or(gone AND chosen) AS wrong FROM v GROUP BY 1
)
SELECT count(*) FILTER (WHERE begun) AS retracted, count(*) FILTER (WHERE begun AND NOT whole) AS half,
       count(*) FILTER (WHERE wrong) AS wrong,
       (SELECT count(*) FROM lead_events e WHERE e.kind = 'values.retracted') AS entries,
       (SELECT count(*) FROM lead_changes g JOIN retractions r ON r.id = g.changeset_id) AS images,
       (SELECT count(*) FROM leads d JOIN by_lead b ON b.lead_id = d.id AND b.begun
        WHERE d.found_first_name IS NOT NULL) AS shown,
       (SELECT max(leads) FROM retractions) AS counted, (SELECT max(found) FROM retractions) AS values
FROM by_lead
"""
BLOCKED = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
NO_PAUSE = "UPDATE leadflood_queue.tickets SET due_at = now(), visible_at = now() WHERE due_at > now()"
EXPIRE = "UPDATE job_executions SET lease_expires_at = now() WHERE status = 'running'"
"""The lease of a killed worker runs out at once."""
MIDDLE = f"""
SELECT pg_catalog.format('SELECT 1 FROM leads WHERE id = %L FOR UPDATE', id)
FROM leads ORDER BY id OFFSET {LEADS_AT_ONCE + 50} LIMIT 1
"""  # noqa: S608  a constant


CHOICES = """
SELECT md5(string_agg(concat_ws(' ', subject_id, field, item, lookup_id, value_id, because), chr(10)
                      ORDER BY subject_id, field, item)) FROM chosen_values
"""


@contextmanager
def holding(deployment: Deployment, statement: str) -> Iterator[None]:
    """Locks of a statement, held by a transaction of another client."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(deployment.cluster.url(deployment.database, SUPERUSER)))
        try:
            runner.run(connection.execute(f"SET search_path TO leadflood, public; BEGIN; {statement}"))
            yield
        finally:
            runner.run(connection.close())


def state(deployment: Deployment) -> dict[str, Any]:
    (found,) = deployment.rows(STATE)
    return found


def enriched(deployment: Deployment, client: httpx.Client) -> str:
    """Leads with values of the source. Returns their choices."""
    emails = [f"ada{number}.lovelace@company{number % 40}.com" for number in range(LEADS)]
    for start in range(0, LEADS, 1_000):
        leads = [{"email": email} for email in emails[start : start + 1_000]]
        client.post("/v1/leads/batch", json={"leads": leads}).raise_for_status()
    until(lambda: deployment.count("SELECT count(*) FROM leads WHERE status = 'enriched'") == LEADS)
    return deployment.sql(CHOICES)


def retract(client: httpx.Client) -> str:
    """A retraction of all values of the source. Returns its ID."""
    since = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    answer = client.post("/v1/retractions", json={"source": SOURCE, "since": since, "expectedCount": 100_000})
    answer.raise_for_status()
    return str(answer.json()["id"])


def kill_while_blocked(deployment: Deployment, statement: str) -> dict[str, Any]:
    """Start a worker and kill it while it waits for the locks of a statement. Returns the state that others see."""
    with holding(deployment, statement):
        worker = deployment.start_worker(enrichment_sources=SOURCE)

        def is_blocked() -> bool:
            deployment.sql(NO_PAUSE)
            return deployment.count(BLOCKED) > 0

        until(is_blocked)
        worker.kill()
        deployment.sql(EXPIRE)
        seen = state(deployment)
    until(lambda: deployment.count(BLOCKED) == 0)
    assert (seen["half"], seen["wrong"], seen["shown"]) == (0, 0, 0), "a lead has all of its new state, or none"
    assert seen["retracted"] == seen["entries"] == seen["images"] == seen["counted"], "so do its records"
    return seen


def finish(deployment: Deployment, client: httpx.Client, path: str, key: str) -> dict[str, Any]:
    """Wait until the job has done the rest."""

    found: dict[str, Any] = {}

    def is_done() -> bool:
        deployment.sql(NO_PAUSE)
        found.update(client.get(path).raise_for_status().json())
        return bool(found[key])

    until(is_done)
    return found


def test_a_retraction_survives_kills_at_each_of_its_steps_and_so_does_its_undo(deployment: Deployment) -> None:
    deployment.start_api()
    worker = deployment.start_worker(enrichment_sources=SOURCE)
    with deployment.client() as client:
        before = enriched(deployment, client)
        worker.kill()
        retraction_id = retract(client)
        row = deployment.sql(MIDDLE)
        seen = [
            kill_while_blocked(deployment, statement)["retracted"]
            for statement in (
                "LOCK TABLE found_values IN SHARE ROW EXCLUSIVE MODE",
                "LOCK TABLE chosen_values IN SHARE ROW EXCLUSIVE MODE",
                row,
                "LOCK TABLE lead_events IN SHARE ROW EXCLUSIVE MODE",
                "LOCK TABLE lead_changes IN SHARE ROW EXCLUSIVE MODE",
            )
        ]
        assert seen == [0, 0, LEADS_AT_ONCE, LEADS_AT_ONCE, LEADS_AT_ONCE]

        deployment.start_worker(enrichment_sources=SOURCE)
        ended = finish(deployment, client, f"/v1/retractions/{retraction_id}", "endedAt")
        now = state(deployment)
        assert (ended["leads"], now["retracted"], now["entries"], now["images"]) == (LEADS, LEADS, LEADS, LEADS)
        assert (now["half"], now["wrong"], now["shown"], ended["values"]) == (0, 0, 0, now["values"])
        deployment.assert_sound()

        client.post(f"/v1/changesets/{retraction_id}/undos").raise_for_status()
        undone = finish(deployment, client, f"/v1/changesets/{retraction_id}", "undoneAt")
        assert (undone["status"], undone["reverted"]) == ("undone", LEADS)
        assert (state(deployment)["retracted"], deployment.sql(CHOICES)) == (0, before)
    deployment.assert_sound()
