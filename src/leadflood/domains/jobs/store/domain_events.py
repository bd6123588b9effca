"""SQL that writes domain events into the outbox."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from leadflood.domains.jobs.models import OutboxStatus
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import EventType

# A row per chunk of subjects. Processes of the previous release read the ID of a job: it is the event's own.
INSERT = sql("""
INSERT INTO outbox_events (workspace_id, id, kind, job_id, subject_kind, subject_ids, payload, status, processed_at,
                           position)
SELECT :workspace_id, chunk.id, :kind, chunk.id, :subject_kind, (:subject_ids::uuid[])[chunk.first:chunk.last],
       chunk.payload::jsonb, :status, CASE WHEN :status = 'sent' THEN now() END, pg_current_xact_id()::text::bigint
FROM unnest(:ids::uuid[], :firsts::integer[], :lasts::integer[], :payloads::text[]) AS chunk (id, first, last, payload)
""")


async def insert(
    tx: Transaction,
    workspace_id: UUID,
    event_type: EventType[Any],
    *,
    subject_ids: Sequence[UUID],
    rows: Sequence[tuple[UUID, int, Sequence[object]]],
    status: OutboxStatus,
) -> None:
    """Insert a row per chunk of subjects: its ID, its number of subjects, and their entries."""
    lasts = list(accumulate(size for _, size, _ in rows))
    values = {
        "workspace_id": workspace_id,
        "kind": event_type.name,
        "subject_kind": event_type.subject,
        "subject_ids": list(subject_ids),
        "ids": [event_id for event_id, _, _ in rows],
        "firsts": [last - size + 1 for last, (_, size, _) in zip(lasts, rows, strict=True)],
        "lasts": lasts,
        "payloads": [to_json({"entries": entries}).decode() for _, _, entries in rows],
        "status": status,
    }
    await tx.execute(INSERT, values)
