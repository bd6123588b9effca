"""SQL that hands staged rows to the leads, a chunk at a time, and keeps what became of them."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Row, Text, Uuid, bindparam, func, select, text

from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.jobs.tables import job_executions
from leadflood.kernel.db.database import Transaction

_KEYS = (
    bindparam("workspace_id", type_=Uuid),
    bindparam("import_id", type_=Uuid),
    bindparam("after", type_=Integer),
    bindparam("until", type_=Integer),
)

_NEXT = text("""
SELECT max(row_no) AS until, count(*) FILTER (WHERE action = 'create') AS creates,
       count(*) FILTER (WHERE action = 'update') AS updates
FROM (SELECT row_no, action FROM import_rows
      WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after
        AND action IN ('create', 'update')
      ORDER BY row_no LIMIT :batch) chunk
""").bindparams(*_KEYS[:3], bindparam("batch", type_=Integer))

_CREATES = text("""
INSERT INTO incoming_leads (id, email, email_norm, first_name, last_name, company, job_title, phone, website, country,
                            source, owner_id, custom_fields, search_text)
SELECT lead_id, email, email_norm, first_name, last_name, company, job_title, phone, website, country, source, owner_id,
       custom_fields, search_text
FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after AND row_no <= :until
  AND action = 'create'
""").bindparams(*_KEYS)

_CHANGES = text("""
INSERT INTO incoming_changes (lead_id, version, changes)
SELECT lead_id, lead_version, changes
FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after AND row_no <= :until
  AND action = 'update'
""").bindparams(*_KEYS)

_MARK = text("""
UPDATE import_rows SET action = :action, reason = :reason
WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after AND row_no <= :until
  AND action IN ('create', 'update') AND lead_id = ANY(:lead_ids)
""").bindparams(
    *_KEYS,
    bindparam("action", type_=Text),
    bindparam("reason", type_=Text),
    bindparam("lead_ids", type_=ARRAY(Uuid)),
)

_CREATED = text("""
SELECT row_no, lead_id FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id AND action = 'create' AND row_no > :after
ORDER BY row_no LIMIT :batch
""").bindparams(*_KEYS[:3], bindparam("batch", type_=Integer))


async def hand_over(tx: Transaction, workspace_id: UUID, import_id: UUID, after: int, batch: int) -> Row[Any] | None:
    """Fill the tables of `leads.service.incoming` with the next rows. None when there are no more."""
    keys = {"workspace_id": workspace_id, "import_id": import_id, "after": after}
    chunk = await tx.first(_NEXT, {**keys, "batch": batch})
    if chunk is None or chunk.until is None:
        return None
    for statement in (_CREATES, _CHANGES):
        await tx.execute(statement, {**keys, "until": chunk.until})
    return chunk


async def mark(
    tx: Transaction,
    workspace_id: UUID,
    import_id: UUID,
    *,
    rows: tuple[int, int],
    lead_ids: Collection[UUID],
    action: str,
    reason: str | None,
) -> None:
    """Say of rows after `rows[0]` up to `rows[1]`, by their leads, that they did something else than foreseen."""
    values = {
        "workspace_id": workspace_id,
        "import_id": import_id,
        "after": rows[0],
        "until": rows[1],
        "lead_ids": list(lead_ids),
        "action": action,
        "reason": reason,
    }
    await tx.execute(_MARK, values)


async def created_after(
    tx: Transaction, workspace_id: UUID, import_id: UUID, after: int, batch: int
) -> list[tuple[int, UUID]]:
    """The next rows that created a lead, with the lead."""
    values = {"workspace_id": workspace_id, "import_id": import_id, "after": after, "batch": batch}
    return [(row.row_no, row.lead_id) for row in await tx.all(_CREATED, values)]


async def count_waiting(tx: Transaction, workspace_id: UUID, *, at_most: int) -> int:
    """How many jobs of the workspace wait for a worker, counted up to `at_most`."""
    some = (
        select(job_executions.c.id)
        .where(job_executions.c.workspace_id == workspace_id, job_executions.c.status == JobStatus.QUEUED)
        .limit(at_most)
    )
    counted: int = await tx.scalar(select(func.count()).select_from(some.subquery()))
    return counted
