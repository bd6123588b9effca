"""SQL that finds companies whose facts are no longer fresh."""

from uuid import UUID

from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Companies with leads whose last run was asked long enough ago, the longest first, and not many of one workspace.
DUE = sql("""
SELECT workspace_id, company_id FROM (
    SELECT oldest.*, row_number() OVER (PARTITION BY workspace_id ORDER BY fresh_until) AS place FROM (
        SELECT r.workspace_id, r.company_id, r.fresh_until
        FROM company_runs r
        JOIN companies c ON c.workspace_id = r.workspace_id AND c.id = r.company_id
            AND c.deleted_at IS NULL AND c.merged_into IS NULL
        WHERE r.ended_at IS NOT NULL AND r.fresh_until < now()
          AND NOT EXISTS (SELECT FROM company_runs l
                          WHERE l.workspace_id = r.workspace_id AND l.company_id = r.company_id AND l.id > r.id)
          AND EXISTS (SELECT FROM company_leads k
                      JOIN leads l ON l.workspace_id = k.workspace_id AND l.id = k.lead_id AND l.deleted_at IS NULL
                      WHERE k.workspace_id = r.workspace_id AND k.company_id = r.company_id)
        ORDER BY r.fresh_until
        LIMIT :most
    ) AS oldest
) AS placed
WHERE place <= :per_workspace
""")


async def due(tx: Transaction, *, most: int, per_workspace: int) -> dict[UUID, list[UUID]]:
    """The companies to read again, by workspace. Needs a system transaction."""
    found: dict[UUID, list[UUID]] = {}
    for row in await tx.all(DUE, {"most": most, "per_workspace": per_workspace}):
        found.setdefault(row.workspace_id, []).append(row.company_id)
    return found
