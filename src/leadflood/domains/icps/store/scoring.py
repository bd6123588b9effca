"""SQL that writes scores, and the facts that they are made of."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from leadflood.domains.icps.columns.compile import THESE, scores
from leadflood.domains.icps.models.catalog import ProfileCatalog
from leadflood.domains.icps.models.profiles import FitProfile
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction

# Write the scores of leads that have others, or none.
_WRITE = sql("""
INSERT INTO icp_scores AS stored (workspace_id, version_id, lead_id, score, lo, hi, tier, worst, best, excluded_by,
                                  known)
SELECT :workspace_id, :version_id, id, score, lo, hi, tier, worst, best, excluded_by, known FROM ({scored}) scored
ON CONFLICT (workspace_id, version_id, lead_id) DO UPDATE
SET score = excluded.score, lo = excluded.lo, hi = excluded.hi, tier = excluded.tier, worst = excluded.worst,
    best = excluded.best, excluded_by = excluded.excluded_by, known = excluded.known, scored_at = now()
WHERE (stored.score, stored.lo, stored.hi, stored.tier, stored.worst, stored.best, stored.excluded_by, stored.known)
      IS DISTINCT FROM (excluded.score, excluded.lo, excluded.hi, excluded.tier, excluded.worst, excluded.best,
                        excluded.excluded_by, excluded.known)
""")

# Remove the marks of leads that this transaction scores.
_UNMARK = sql("DELETE FROM icp_pending WHERE workspace_id = :workspace_id AND lead_id = ANY (:lead_ids::uuid[])")

# The next marked leads, oldest first, once each.
_PENDING = sql("""
SELECT lead_id FROM (
    SELECT lead_id, min(marked_at) AS marked_at FROM icp_pending WHERE workspace_id = :workspace_id GROUP BY lead_id
) marked
ORDER BY marked_at, lead_id LIMIT :limit
""")

# Remove the marks of leads that are purged, or of workspaces without a version that is scored.
_DROP = sql("""
DELETE FROM icp_pending p WHERE workspace_id = :workspace_id
AND (NOT has_scored_icps(:workspace_id::uuid)
     OR NOT EXISTS (SELECT FROM leads l WHERE l.workspace_id = p.workspace_id AND l.id = p.lead_id))
""")

# Lock the companies of leads, so that no other transaction changes their facts.
_LOCK_COMPANIES = sql("""
SELECT count(*) FROM (
    SELECT FROM companies WHERE workspace_id = :workspace_id AND id IN (
        SELECT company_id FROM company_leads WHERE workspace_id = :workspace_id AND lead_id = ANY (:lead_ids::uuid[]))
    ORDER BY id FOR NO KEY UPDATE
) locked
""")

# Rebuild the facts of leads and of their companies.
_REFRESH = sql("""
SELECT refresh_icp_facts(:workspace_id::uuid, array_agg(id)) FROM (
    SELECT unnest(:lead_ids::uuid[]) AS id
    UNION
    SELECT company_id FROM company_leads
    WHERE workspace_id = :workspace_id AND lead_id = ANY (:lead_ids::uuid[]) AND company_id IS NOT NULL
) subjects HAVING count(*) > 0
""")

# Delete some scores of versions that are neither live nor being published.
_PURGE = sql("""
DELETE FROM icp_scores WHERE (workspace_id, version_id, lead_id) IN (
    SELECT s.workspace_id, s.version_id, s.lead_id
    FROM icp_versions v
    JOIN icp_scores s ON s.workspace_id = v.workspace_id AND s.version_id = v.id
    WHERE v.workspace_id = :workspace_id AND v.state IN ('superseded', 'draft') LIMIT :limit)
""")


async def write_scores(
    tx: Transaction,
    workspace_id: UUID,
    *,
    version_id: UUID,
    profile: FitProfile,
    catalog: ProfileCatalog,
    now: datetime,
    lead_ids: Sequence[UUID],
) -> None:
    """Score locked leads by a version."""
    compiled = scores(profile, catalog, now, THESE)
    values = {"workspace_id": workspace_id, "version_id": version_id, "lead_ids": list(lead_ids)}
    await tx.execute(assemble(_WRITE, scored=compiled.statement), {**compiled.values, **values})


async def unmark(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> None:
    """Remove the marks of leads that this transaction scores afterwards."""
    await tx.execute(_UNMARK, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})


async def pending(tx: Transaction, workspace_id: UUID, *, limit: int) -> list[UUID]:
    """The next marked leads."""
    return [row.lead_id for row in await tx.all(_PENDING, {"workspace_id": workspace_id, "limit": limit})]


async def drop_marks(tx: Transaction, workspace_id: UUID) -> None:
    """Remove marks that mean nothing."""
    await tx.execute(_DROP, {"workspace_id": workspace_id})


async def refresh_facts(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> None:
    """Rebuild the facts of locked leads and of their companies, which it locks."""
    values = {"workspace_id": workspace_id, "lead_ids": list(lead_ids)}
    await tx.execute(_LOCK_COMPANIES, values)
    await tx.execute(_REFRESH, values)


async def purge_scores(tx: Transaction, workspace_id: UUID, *, limit: int) -> int:
    """Delete some scores that are no longer shown. Returns their number."""
    return await tx.changed(_PURGE, {"workspace_id": workspace_id, "limit": limit})
