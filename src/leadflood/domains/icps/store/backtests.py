"""SQL that writes backtests."""

from datetime import datetime
from uuid import UUID

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Begin a backtest.
_INSERT = sql("""
INSERT INTO icp_backtests (workspace_id, id, icp_id, version_id, live_version_id, facts, state, job_id, changed_at,
                           actor_kind, actor_id, since)
SELECT :workspace_id, :id, icp_id, id, :live_version_id::uuid, :facts, 'running', :job_id::uuid, changed_at,
       :actor_kind, :actor_id::uuid, :since::timestamptz
FROM icp_versions WHERE workspace_id = :workspace_id AND id = :version_id
""")

# End a running backtest.
_END = sql("""
UPDATE icp_backtests SET state = :state, result = :result::jsonb, ended_at = now()
WHERE workspace_id = :workspace_id AND id = :id AND state = 'running'
""")

# Delete all but the latest backtests of a profile, and of its monthly ones. Running ones are among these.
_TRIM = sql("""
DELETE FROM icp_backtests WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM (
        SELECT workspace_id, id, row_number() OVER (PARTITION BY since IS NULL ORDER BY created_at DESC, id DESC) AS n
        FROM icp_backtests WHERE workspace_id = :workspace_id AND icp_id = :icp_id
    ) numbered WHERE n > :kept)
""")


async def insert(
    tx: Transaction,
    actor: Actor,
    *,
    backtest_id: UUID,
    version: Row,
    live_version_id: UUID | None,
    facts: str,
    job_id: UUID | None,
    since: datetime | None = None,
) -> None:
    """Begin a backtest. `version`: of `queries.numbered_row`. `since`: only outcomes after this time count."""
    values = {
        "workspace_id": actor.workspace_id,
        "id": backtest_id,
        "version_id": version.id,
        "live_version_id": live_version_id,
        "facts": facts,
        "job_id": job_id,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "since": since,
    }
    await tx.execute(_INSERT, values)


async def end(tx: Transaction, workspace_id: UUID, backtest_id: UUID, *, state: str, result: str | None) -> None:
    """End a running backtest; nothing happens if it is not. `result`: JSON."""
    values = {"workspace_id": workspace_id, "id": backtest_id, "state": state, "result": result}
    await tx.execute(_END, values)


async def trim(tx: Transaction, workspace_id: UUID, icp_id: UUID, *, kept: int) -> None:
    """Delete all but the latest backtests of a profile."""
    await tx.execute(_TRIM, {"workspace_id": workspace_id, "icp_id": icp_id, "kept": kept})
