"""SQL that reads what sources were asked lately, and what that cost."""

from collections.abc import Sequence
from typing import Final

from leadflood.domains.enrichment.models.cost_estimates import SourceHistory
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

_LATEST: Final = 5000
"""Lookups of the workspace that are looked at."""

# The latest lookups of sources. Leads or companies count from the first question on that the source was asked.
_HISTORY = sql("""
WITH latest AS MATERIALIZED (
    SELECT id, source, lead_id, company_id, cost_micros FROM lookups
    WHERE workspace_id = :workspace_id AND answered_at IS NOT NULL ORDER BY id DESC LIMIT :latest
), asked AS (
    SELECT source, (array_agg(id ORDER BY id))[1] AS first_id, bool_or(lead_id IS NOT NULL) AS of_leads,
           count(DISTINCT coalesce(lead_id, company_id)) AS asked, count(*) FILTER (WHERE cost_micros > 0) AS charged,
           sum(cost_micros)::bigint AS cost_micros
    FROM latest WHERE source = ANY (:sources::text[]) GROUP BY source
)
SELECT a.source, a.asked, least(a.charged, a.asked) AS charged, a.cost_micros,
       (SELECT count(DISTINCT coalesce(l.lead_id, l.company_id)) FROM latest l
        WHERE l.id >= a.first_id AND (l.lead_id IS NOT NULL) = a.of_leads) AS subjects
FROM asked a
""")


async def cost_history(tx: Transaction, actor: Actor, *, sources: Sequence[str]) -> dict[str, SourceHistory]:
    """Latest lookups by source; sources that were not asked lately are left out."""
    values = {"workspace_id": actor.workspace_id, "sources": list(sources), "latest": _LATEST}
    return {
        row.source: SourceHistory(row.subjects, row.asked, row.charged, row.cost_micros)
        for row in await tx.all(_HISTORY, values)
    }
