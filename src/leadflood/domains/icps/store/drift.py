"""SQL that writes distributions of scores."""

from uuid import UUID

from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Store the distribution at publishing. Of a version that is published again, it replaces the former one.
_REMEMBER = sql("""
INSERT INTO icp_drifts (workspace_id, version_id, before) VALUES (:workspace_id, :version_id, :before::jsonb)
ON CONFLICT (workspace_id, version_id) DO UPDATE
SET before = excluded.before, before_at = now(), after = NULL, stability = NULL, drifted = false, checked_at = NULL
""")

# Store a comparison. Returns whether the distributions differed before.
_CHECKED = sql("""
UPDATE icp_drifts d
SET after = :after::jsonb, stability = :stability::double precision, drifted = :drifted, checked_at = now()
FROM (SELECT drifted FROM icp_drifts WHERE workspace_id = :workspace_id AND version_id = :version_id FOR UPDATE) former
WHERE d.workspace_id = :workspace_id AND d.version_id = :version_id
RETURNING former.drifted
""")


async def remember(tx: Transaction, workspace_id: UUID, *, version_id: UUID, before: str) -> None:
    """Store the distribution at publishing. `before`: JSON."""
    await tx.execute(_REMEMBER, {"workspace_id": workspace_id, "version_id": version_id, "before": before})


async def checked(
    tx: Transaction, workspace_id: UUID, *, version_id: UUID, after: str, stability: float | None, drifted: bool
) -> bool:
    """Store a comparison. `after`: JSON. Returns whether the distributions differed at the last one."""
    values = {"after": after, "stability": stability, "drifted": drifted}
    return bool(await tx.scalar(_CHECKED, {"workspace_id": workspace_id, "version_id": version_id, **values}))
