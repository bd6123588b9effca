"""SQL of scans: state, weights and progress."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from leadflood.domains.duplicates.models import ScanStatus
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)

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

_COLUMNS = sql("workspace_id, id, since, started_at, position_at, position_id, scanned, weights")

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

# Number of leads of the workspace.
COUNT_ALL = sql("SELECT count(*) FROM leads WHERE workspace_id = :workspace_id AND deleted_at IS NULL")

# Number of leads of a scan.
COUNT = sql("""
SELECT count(*) FROM leads
WHERE workspace_id = :workspace_id AND deleted_at IS NULL AND updated_at <= :until
  AND updated_at >= coalesce(:since::timestamptz, '-infinity')
""")

# Weights of the last completed scan.
LAST_WEIGHTS = sql("""
SELECT weights FROM duplicate_scans
WHERE workspace_id = :workspace_id AND status = 'completed' ORDER BY id DESC LIMIT 1
""")

# Set the weights of a scan, and its start: all leads, or those changed since the last scan.
SET_WEIGHTS = sql("""
UPDATE duplicate_scans
SET weights = :weights::jsonb, since = CASE WHEN :whole::boolean THEN NULL ELSE since END,
    position_at = CASE WHEN :whole::boolean THEN NULL ELSE position_at END
WHERE workspace_id = :workspace_id AND id = :scan_id AND status = 'running' AND weights IS NULL
""")

# The next leads that were deleted since the last scan, in order of deletion.
NEXT_DELETED = sql("""
SELECT id, deleted_at FROM leads
WHERE workspace_id = :workspace_id AND deleted_at IS NOT NULL AND (deleted_at, id) > (:position_at, :position_id)
ORDER BY deleted_at, id LIMIT :batch
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
    weights: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ScanPosition:
    """A position in the leads, ordered by a time and ID."""

    at: datetime
    id: UUID


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


async def count_all(tx: Transaction, workspace_id: UUID) -> int:
    """Number of leads of the workspace."""
    counted: int = await tx.scalar(COUNT_ALL, {"workspace_id": workspace_id})
    return counted


async def last_weights(tx: Transaction, workspace_id: UUID) -> Mapping[str, Any] | None:
    """Weights of the last completed scan."""
    found: Mapping[str, Any] | None = await tx.scalar(LAST_WEIGHTS, {"workspace_id": workspace_id})
    return found


async def set_weights(tx: Transaction, scan: Scan, weights: Mapping[str, Any], *, whole: bool) -> None:
    """Set the weights of a scan. `whole`: the scan includes all leads."""
    values = {"workspace_id": scan.workspace_id, "scan_id": scan.id, "weights": json.dumps(weights), "whole": whole}
    await tx.execute(SET_WEIGHTS, values)


async def next_deleted(
    tx: Transaction, scan: Scan, *, after: ScanPosition | None, batch: int
) -> tuple[list[UUID], ScanPosition | None]:
    """The next leads that were deleted since the last scan, and the position of the last one; None at the end."""
    position = after or ScanPosition(scan.since or BEGINNING, UUID(int=0))
    place = {"position_at": position.at, "position_id": position.id, "batch": batch}
    rows = await tx.all(NEXT_DELETED, {"workspace_id": scan.workspace_id, **place})
    return [row.id for row in rows], ScanPosition(rows[-1].deleted_at, rows[-1].id) if rows else None


async def advance(tx: Transaction, scan: Scan, last: ScanPosition, *, scanned: int, found: int) -> None:
    """Record that everything up to the end of this part is compared."""
    values = {
        "workspace_id": scan.workspace_id,
        "scan_id": scan.id,
        "position_at": last.at,
        "position_id": last.id,
        "scanned": scanned,
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
