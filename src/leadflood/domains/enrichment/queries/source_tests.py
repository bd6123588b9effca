"""SQL that reads tests of sources."""

from leadflood.domains.enrichment.contracts.source_tests import SourceTestView
from leadflood.domains.enrichment.errors import SourceTestNotFound
from leadflood.domains.enrichment.queries.steps import step_view
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.spending.queries import get_settings
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The latest test of a source.
LATEST = sql("""
SELECT source, lead_id, company_id, job_id, requested_at, ended_at, cost_micros, result FROM source_tests
WHERE workspace_id = :workspace_id AND source = :source
""")


async def latest_test(tx: Transaction, actor: Actor, *, source: str) -> SourceTestView:
    """The latest test of a source. Raises: SourceTestNotFound."""
    actor.require(LEADS_READ)
    row = await tx.first(LATEST, {"workspace_id": actor.workspace_id, "source": source})
    if row is None:
        raise SourceTestNotFound
    result = row.result or {"step": None, "calls": [], "values": []}
    cost = row.cost_micros or None
    currency = (await get_settings(tx, actor)).currency if cost else None
    return SourceTestView(
        source=row.source,
        lead_id=row.lead_id,
        company_id=row.company_id,
        job_id=row.job_id,
        requested_at=row.requested_at,
        ended_at=row.ended_at,
        step=step_view(result["step"], cost, currency) if result["step"] else None,
        calls=result["calls"],
        values=result["values"],
    )
