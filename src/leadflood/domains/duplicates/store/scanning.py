"""SQL of scans: comparison keys, pairs to compare, and candidates.

Lookups use equality only, which is leakproof: indexes serve it under row-level security. Similarity is computed outside
the database. Each lead is compared with a limited number of leads that share a key, the oldest ones: a phone number
that ten thousand leads have costs ten thousand times twenty pairs, not fifty million.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadflood.domains.duplicates.models import ComparedLead, Match, ScanStatus
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id

# Comparison keys of the leads of a part, and the pairs found among them.
_TABLES = (
    sql("""
CREATE TEMPORARY TABLE IF NOT EXISTS scanned_keys (
    lead_id uuid NOT NULL, key bigint NOT NULL, PRIMARY KEY (lead_id, key)
) ON COMMIT DROP
"""),
    sql("""
CREATE TEMPORARY TABLE IF NOT EXISTS scanned_pairs (
    id uuid NOT NULL, lead_a uuid NOT NULL, lead_b uuid NOT NULL, score integer NOT NULL, reasons jsonb NOT NULL
) ON COMMIT DROP
"""),
)

# Insert a scan, unless one is running. Leads written in transactions that ended after the last scan began are compared
# again.
INSERT_SCAN = sql("""
INSERT INTO duplicate_scans (workspace_id, id, since)
VALUES (:workspace_id, :scan_id, (
    SELECT max(started_at) - interval '10 minutes' FROM duplicate_scans
    WHERE workspace_id = :workspace_id AND status = 'completed'))
ON CONFLICT (workspace_id) WHERE finished_at IS NULL DO NOTHING
""")

# Set the job of a scan.
SET_JOB = sql("""
UPDATE duplicate_scans SET job_id = :job_id WHERE workspace_id = :workspace_id AND id = :scan_id
""")

_COLUMNS = sql("workspace_id, id, since, started_at, position_at, position_id, scanned")

# Start or resume a scan.
BEGIN = assemble(
    sql("""
UPDATE duplicate_scans SET status = 'running', started_at = coalesce(started_at, now())
WHERE workspace_id = :workspace_id AND id = :scan_id AND status IN ('queued', 'running')
RETURNING {columns}
"""),
    columns=_COLUMNS,
)

# Lock a running scan.
LOCK = assemble(
    sql("""
SELECT {columns} FROM duplicate_scans
WHERE workspace_id = :workspace_id AND id = :scan_id AND status = 'running' FOR UPDATE
"""),
    columns=_COLUMNS,
)

# Number of leads of a scan.
COUNT = sql("""
SELECT count(*) FROM leads
WHERE workspace_id = :workspace_id AND deleted_at IS NULL AND updated_at <= :until
  AND updated_at >= coalesce(:since::timestamptz, '-infinity')
""")

# The next leads of a scan, in the order of their last change.
NEXT = sql("""
SELECT id, email, first_name, last_name, company, phone, updated_at FROM leads
WHERE workspace_id = :workspace_id AND deleted_at IS NULL AND updated_at <= :until
  AND (updated_at, id) > (:position_at, :position_id)
ORDER BY updated_at, id LIMIT :batch
""")

# Set the comparison keys of the leads of a part.
REPLACE_KEYS = sql("""
WITH stale AS (
    DELETE FROM duplicate_keys d
    WHERE d.workspace_id = :workspace_id AND d.lead_id = ANY(:lead_ids)
      AND NOT EXISTS (SELECT FROM scanned_keys s WHERE s.lead_id = d.lead_id AND s.key = d.key)
)
INSERT INTO duplicate_keys (workspace_id, key, lead_id)
SELECT :workspace_id, key, lead_id FROM scanned_keys ORDER BY key, lead_id
ON CONFLICT DO NOTHING
""")

# Delete keys of deleted leads, which would crowd out active ones. Those deleted before the last scan are already
# gone.
DELETE_STALE_KEYS = sql("""
WITH dead AS MATERIALIZED (
    SELECT k.key, k.lead_id
    FROM leads l JOIN duplicate_keys k ON k.workspace_id = l.workspace_id AND k.lead_id = l.id
    WHERE l.workspace_id = :workspace_id AND l.deleted_at >= coalesce(:since::timestamptz, '-infinity')
    LIMIT :batch
)
DELETE FROM duplicate_keys k USING dead
WHERE k.workspace_id = :workspace_id AND k.key = dead.key AND k.lead_id = dead.lead_id
""")

PAIRS = sql_file("leadflood.domains.duplicates.sql", "pairs")

# Comparison values of active leads.
ACTIVE = sql("""
SELECT id, email, first_name, last_name, company, phone FROM leads
WHERE workspace_id = :workspace_id AND id = ANY(:lead_ids) AND deleted_at IS NULL
""")

# Save pairs as candidates. A pair with a decision stays unchanged.
SAVE_PAIRS = sql("""
INSERT INTO duplicate_candidates AS c (workspace_id, id, lead_a, lead_b, score, reasons)
SELECT :workspace_id, id, lead_a, lead_b, score, reasons FROM scanned_pairs ORDER BY lead_a, lead_b
ON CONFLICT (workspace_id, lead_a, lead_b) DO UPDATE
SET score = excluded.score, reasons = excluded.reasons, updated_at = now()
WHERE c.status = 'open' AND (c.score, c.reasons) IS DISTINCT FROM (excluded.score, excluded.reasons)
""")

# Remove open candidates.
DROP_PAIRS = sql("""
DELETE FROM duplicate_candidates c
USING unnest(:lead_as::uuid[], :lead_bs::uuid[]) AS n (lead_a, lead_b)
WHERE c.workspace_id = :workspace_id AND c.lead_a = n.lead_a AND c.lead_b = n.lead_b AND c.status = 'open'
""")

# Advance the position of a scan.
ADVANCE = sql("""
UPDATE duplicate_scans
SET position_at = :position_at, position_id = :position_id, scanned = scanned + :scanned, found = found + :found
WHERE workspace_id = :workspace_id AND id = :scan_id
""")

# End a running scan.
FINISH = sql("""
UPDATE duplicate_scans SET status = :status, finished_at = now()
WHERE workspace_id = :workspace_id AND id = :scan_id AND finished_at IS NULL
""")

# Over all workspaces: those in which leads changed since their last scan, without a running one.
WAITING = sql("""
SELECT w.id
FROM workspaces w CROSS JOIN LATERAL (
    SELECT coalesce(max(started_at), '-infinity') AS began FROM duplicate_scans
    WHERE workspace_id = w.id AND status = 'completed'
) last
WHERE w.id <> :system
  AND NOT EXISTS (SELECT FROM duplicate_scans s WHERE s.workspace_id = w.id AND s.finished_at IS NULL)
  AND (EXISTS (SELECT FROM leads l
               WHERE l.workspace_id = w.id AND l.deleted_at IS NULL AND l.updated_at > last.began)
       OR EXISTS (SELECT FROM leads l WHERE l.workspace_id = w.id AND l.deleted_at > last.began))
""")

# Over all workspaces: delete old scans, except the last one, from which the next scan starts.
PURGE_EXPIRED = sql("""
DELETE FROM duplicate_scans s
WHERE s.finished_at < now() - interval '7 days'
  AND EXISTS (SELECT FROM duplicate_scans later
              WHERE later.workspace_id = s.workspace_id AND later.status = 'completed'
                AND later.started_at > s.created_at AND later.id <> s.id)
""")


@dataclass(frozen=True, slots=True)
class Scan:
    """A running scan: its leads and progress."""

    workspace_id: UUID
    id: UUID
    since: datetime | None
    started_at: datetime
    position_at: datetime | None
    position_id: UUID | None
    scanned: int


@dataclass(frozen=True, slots=True)
class ScanBatch:
    """The IDs of the next leads of a scan, and the position of the last one."""

    leads: Mapping[UUID, ComparedLead]
    position_at: datetime
    position_id: UUID


async def insert_scan(tx: Transaction, workspace_id: UUID, scan_id: UUID) -> bool:
    """Insert a scan, `queued`; False if another one is running."""
    return await tx.changed(INSERT_SCAN, {"workspace_id": workspace_id, "scan_id": scan_id}) == 1


async def set_job(tx: Transaction, workspace_id: UUID, scan_id: UUID, job_id: UUID) -> None:
    """Set the job of a scan."""
    await tx.execute(SET_JOB, {"workspace_id": workspace_id, "scan_id": scan_id, "job_id": job_id})


async def begin(tx: Transaction, workspace_id: UUID, scan_id: UUID) -> Scan | None:
    """Start or resume a scan and lock it for this transaction; None if it is finished."""
    row = await tx.first(BEGIN, {"workspace_id": workspace_id, "scan_id": scan_id})
    return None if row is None else Scan(**row)


async def lock(tx: Transaction, workspace_id: UUID, scan_id: UUID) -> Scan | None:
    """A running scan, locked for this transaction."""
    row = await tx.first(LOCK, {"workspace_id": workspace_id, "scan_id": scan_id})
    return None if row is None else Scan(**row)


async def count_leads(tx: Transaction, scan: Scan) -> int:
    """Number of leads that a scan processes."""
    values = {"workspace_id": scan.workspace_id, "until": scan.started_at, "since": scan.since}
    counted: int = await tx.scalar(COUNT, values)
    return counted


async def next_part(tx: Transaction, scan: Scan, *, beginning: datetime, batch: int) -> ScanBatch | None:
    """The next leads of a scan, in the order of their last change; None at the end. `beginning`: of time."""
    values = {
        "workspace_id": scan.workspace_id,
        "until": scan.started_at,
        "position_at": scan.position_at or scan.since or beginning,
        "position_id": scan.position_id or UUID(int=0),
        "batch": batch,
    }
    rows = await tx.all(NEXT, values)
    return ScanBatch(_compared(rows), rows[-1].updated_at, rows[-1].id) if rows else None


async def replace_keys(tx: Transaction, workspace_id: UUID, keys: Mapping[UUID, frozenset[int]]) -> None:
    """Set the comparison keys of leads; they stay in `scanned_keys` for `pairs`."""
    for statement in _TABLES:
        await tx.execute(statement)
    records = [(lead_id, key) for lead_id, item in keys.items() for key in item]
    await tx.copy("scanned_keys", ("lead_id", "key"), records)
    await tx.execute(REPLACE_KEYS, {"workspace_id": workspace_id, "lead_ids": list(keys)})


async def delete_stale_keys(tx: Transaction, scan: Scan, *, batch: int) -> int:
    """Delete up to `batch` keys of leads that were deleted since the last scan. Returns the number."""
    return await tx.changed(DELETE_STALE_KEYS, {"workspace_id": scan.workspace_id, "since": scan.since, "batch": batch})


async def pairs(
    tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID], *, neighbours: int
) -> list[tuple[UUID, UUID]]:
    """Pairs of leads to compare: `scanned_keys` with others, and their open candidates again."""
    values = {"workspace_id": workspace_id, "lead_ids": list(lead_ids), "neighbours": neighbours}
    return [(row.lead_a, row.lead_b) for row in await tx.all(PAIRS, values)]


async def active_leads(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, ComparedLead]:
    """Comparison values of those of the leads that are active."""
    return _compared(await tx.all(ACTIVE, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)}))


async def save_pairs(tx: Transaction, workspace_id: UUID, found: Mapping[tuple[UUID, UUID], Match]) -> int:
    """Save pairs as candidates. Pairs with a decision stay unchanged. Returns the number of new or changed ones."""
    records = [
        (
            new_id(),
            *pair,
            match.score,
            json.dumps([{"kind": reason.kind, "similarity": reason.similarity} for reason in match.reasons]),
        )
        for pair, match in found.items()
    ]
    await tx.copy("scanned_pairs", ("id", "lead_a", "lead_b", "score", "reasons"), records)
    return await tx.changed(SAVE_PAIRS, {"workspace_id": workspace_id})


async def drop_pairs(tx: Transaction, workspace_id: UUID, lost: Sequence[tuple[UUID, UUID]]) -> None:
    """Delete open candidates that no longer match."""
    values = {"lead_as": [pair[0] for pair in lost], "lead_bs": [pair[1] for pair in lost]}
    await tx.execute(DROP_PAIRS, {"workspace_id": workspace_id, **values})


async def advance(tx: Transaction, scan: Scan, part: ScanBatch, *, found: int) -> None:
    """Record that everything up to the end of this part is compared."""
    values = {
        "workspace_id": scan.workspace_id,
        "scan_id": scan.id,
        "position_at": part.position_at,
        "position_id": part.position_id,
        "scanned": len(part.leads),
        "found": found,
    }
    await tx.execute(ADVANCE, values)


async def finish(tx: Transaction, workspace_id: UUID, scan_id: UUID, status: ScanStatus) -> None:
    """End a running scan."""
    await tx.execute(FINISH, {"workspace_id": workspace_id, "scan_id": scan_id, "status": status})


async def waiting(tx: Transaction) -> list[UUID]:
    """The workspaces in which leads changed since their last scan, without a running one."""
    return [row.id for row in await tx.all(WAITING, {"system": SYSTEM_WORKSPACE_ID})]


async def purge_expired(tx: Transaction) -> None:
    """Delete old scans in all workspaces, except the last one, from which the next scan starts."""
    await tx.execute(PURGE_EXPIRED)


def _compared(rows: Sequence[Row]) -> dict[UUID, ComparedLead]:
    return {row.id: ComparedLead(row.email, row.first_name, row.last_name, row.company, row.phone) for row in rows}
