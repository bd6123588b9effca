"""SQL that inserts jobs with the outbox events that announce them, and replays events."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from leadflood.domains.jobs.models import NewJob, OutboxStatus
from leadflood.domains.jobs.store import QueuedJob
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# Insert jobs with the events that announce them.
INSERT_JOBS = sql("""
WITH job AS (
    SELECT * FROM unnest(:ids::uuid[], :event_ids::uuid[], :kinds::text[], :subject_ids::uuid[], :payloads::text[],
                         :traces::text[], :max_attempts::integer[], :priorities::integer[])
         AS n (id, event_id, kind, subject_id, payload, trace, max_attempts, priority)
), queued AS (
    INSERT INTO job_executions (workspace_id, id, kind, subject_id, payload, trace, max_attempts, priority)
    SELECT :workspace_id, id, kind, subject_id, payload::jsonb, trace::jsonb, max_attempts, priority FROM job
)
INSERT INTO outbox_events (workspace_id, id, kind, job_id, payload, status, processed_at)
SELECT :workspace_id, event_id, 'job.queued', id,
       jsonb_build_object('jobKind', kind, 'attempt', 1, 'trace', trace::jsonb),
       :status, CASE WHEN :status = 'sent' THEN now() END
FROM job
""")

# Insert events that announce jobs.
INSERT_EVENTS = sql("""
INSERT INTO outbox_events (workspace_id, id, kind, job_id, payload, status, next_attempt_at, processed_at)
SELECT n.workspace_id, n.id, 'job.queued', n.job_id, n.payload::jsonb, :status::text,
       now() + make_interval(secs => n.delay), CASE WHEN :status::text = 'sent' THEN now() END
FROM unnest(:workspace_ids::uuid[], :ids::uuid[], :job_ids::uuid[], :payloads::text[],
            :delays::float8[]) AS n (workspace_id, id, job_id, payload, delay)
""")

# Requeue dead letters for publishing.
REPLAY = sql("""
WITH held AS (
    SELECT workspace_id, id, status FROM outbox_events
    WHERE workspace_id = :workspace_id AND id = ANY(:ids)
    ORDER BY id
    FOR UPDATE
)
UPDATE outbox_events e
SET status = 'pending', attempts = 0, next_attempt_at = now(), updated_at = now(), processed_at = NULL,
    last_error = NULL, cause = ''
FROM held
WHERE e.workspace_id = held.workspace_id AND e.id = held.id AND held.status = 'dead_letter'
RETURNING e.id
""")


async def insert_jobs(
    tx: Transaction, workspace_id: UUID, ids: Sequence[UUID], jobs: Sequence[NewJob[Any]], status: str
) -> None:
    """Insert jobs, `queued`, each with an outbox event in the given state."""
    await tx.execute(
        INSERT_JOBS,
        {
            "workspace_id": workspace_id,
            "ids": list(ids),
            "event_ids": [new_id() for _ in jobs],
            "kinds": [job.kind.name for job in jobs],
            "subject_ids": [job.subject_id for job in jobs],
            "payloads": [job.payload.model_dump_json() for job in jobs],
            "traces": _as_json([job.trace for job in jobs]),
            "max_attempts": [job.kind.max_attempts for job in jobs],
            "priorities": [job.urgency for job in jobs],
            "status": status,
        },
    )


def _as_json(traces: Sequence[Mapping[str, str]]) -> list[str]:
    """The values as JSON. Jobs of one request share their trace."""
    known = {id(trace): to_json(dict(trace)).decode() for trace in {id(item): item for item in traces}.values()}
    return [known[id(trace)] for trace in traces]


async def insert_events(tx: Transaction, jobs: Sequence[QueuedJob], event_ids: Sequence[UUID], status: str) -> None:
    """Insert one outbox event per job. The payload is all that a relay needs to publish it."""
    payloads = [{"jobKind": job.kind, "attempt": job.attempt, "trace": job.trace} for job in jobs]
    await tx.execute(
        INSERT_EVENTS,
        {
            "status": status,
            "workspace_ids": [job.workspace_id for job in jobs],
            "ids": list(event_ids),
            "job_ids": [job.id for job in jobs],
            "payloads": [json.dumps(payload) for payload in payloads],
            "delays": [job.delay for job in jobs],
        },
    )


async def replay(tx: Transaction, workspace_id: UUID, event_ids: Sequence[UUID]) -> set[UUID]:
    """Replay those of the events that are dead-lettered. Returns their IDs."""
    return {row.id for row in await tx.all(REPLAY, {"workspace_id": workspace_id, "ids": list(event_ids)})}


async def announce(tx: Transaction, jobs: Sequence[QueuedJob]) -> None:
    """Write the outbox events of queued jobs, and publish messages if the queue is in this database.

    In that case the event is `sent` at commit; otherwise it is `pending` and the relay is notified after the commit.
    """
    event_ids = [new_id() for _ in jobs]
    if tx.carries_queue:
        await insert_events(tx, jobs, event_ids, OutboxStatus.SENT)
        await tx.publish([job.ticket for job in jobs])
    else:
        await insert_events(tx, jobs, event_ids, OutboxStatus.PENDING)
        tx.wake_relay()
