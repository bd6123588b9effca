"""SQL that hands staged rows to the leads, a chunk at a time, and keeps what became of them."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, func, select

from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.jobs.tables import job_executions
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

_KEYS = (
    bindparam("workspace_id", type_=Uuid),
    bindparam("import_id", type_=Uuid),
    bindparam("after", type_=Integer),
    bindparam("until", type_=Integer),
)

_NEXT = sql("""
SELECT max(row_no) AS until, count(*) FILTER (WHERE action = 'create') AS creates,
       count(*) FILTER (WHERE action = 'update') AS updates
FROM (SELECT row_no, action FROM import_rows
      WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after
        AND action IN ('create', 'update')
      ORDER BY row_no LIMIT :batch) chunk
""")

_CREATES = sql("""
INSERT INTO incoming_leads (id, email, email_norm, first_name, last_name, company, job_title, phone, website, country,
                            source, owner_id, custom_fields, search_text)
SELECT lead_id, email, email_norm, first_name, last_name, company, job_title, phone, website, country, source, owner_id,
       custom_fields, search_text
FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after AND row_no <= :until
  AND action = 'create'
""")

_CHANGES = sql("""
INSERT INTO incoming_changes (lead_id, version, changes)
SELECT lead_id, lead_version, changes
FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after AND row_no <= :until
  AND action = 'update'
""")

_MARK = sql("""
UPDATE import_rows SET action = :action, reason = :reason
WHERE workspace_id = :workspace_id AND import_id = :import_id AND row_no > :after AND row_no <= :until
  AND action IN ('create', 'update') AND lead_id = ANY(:lead_ids)
""")

_CREATED = sql("""
SELECT row_no, lead_id FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id AND action = 'create' AND row_no > :after
ORDER BY row_no LIMIT :batch
""")


@dataclass(frozen=True, slots=True)
class Chunk:
    """The rows after one row number, up to another, and how many of them create and update."""

    after: int
    until: int
    creates: int
    updates: int


async def next_chunk(tx: Transaction, workspace_id: UUID, import_id: UUID, after: int, batch: int) -> Chunk | None:
    """The next rows that write something. None when there are no more."""
    values = {"workspace_id": workspace_id, "import_id": import_id, "after": after, "batch": batch}
    row = await tx.first(_NEXT, values)
    return None if row is None or row.until is None else Chunk(after, row.until, row.creates, row.updates)


async def hand_over(tx: Transaction, workspace_id: UUID, import_id: UUID, chunk: Chunk) -> None:
    """Fill the tables of `leads.service.incoming` with the rows of a chunk."""
    keys = {"workspace_id": workspace_id, "import_id": import_id, "after": chunk.after, "until": chunk.until}
    for statement in (_CREATES, _CHANGES):
        await tx.execute(statement, keys)


async def mark(
    tx: Transaction,
    workspace_id: UUID,
    import_id: UUID,
    *,
    chunk: Chunk,
    lead_ids: Collection[UUID],
    action: str,
    reason: str | None,
) -> None:
    """Say of rows of a chunk, by their leads, that they did something else than foreseen."""
    values = {
        "workspace_id": workspace_id,
        "import_id": import_id,
        "after": chunk.after,
        "until": chunk.until,
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
