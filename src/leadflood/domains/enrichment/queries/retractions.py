"""SQL that reads retractions."""

from uuid import UUID

from leadflood.domains.enrichment.contracts.retractions import RetractionView
from leadflood.domains.enrichment.errors import RetractionNotFound
from leadflood.domains.leads.contracts import ActorView
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, page_by_id

# Retractions with their counts.
_RETRACTIONS = sql("""
SELECT id, source, since, until, field, lead_id, company_id, found, leads, companies, actor_kind, actor_id, job_id,
       created_at, ended_at, undone_at
FROM retractions WHERE workspace_id = :workspace_id AND {condition}
""")

# A retraction by ID.
RETRACTION = assemble(_RETRACTIONS, condition=sql("id = :id"))

# A page of the retractions, newest first.
RETRACTIONS = assemble(
    _RETRACTIONS,
    condition=sql("""
(:source::text IS NULL OR source = :source) AND (:after::uuid IS NULL OR id < :after) ORDER BY id DESC LIMIT :limit
"""),
)


async def get_retraction(tx: Transaction, actor: Actor, *, retraction_id: UUID) -> RetractionView:
    """Raises: RetractionNotFound."""
    row = await tx.first(RETRACTION, {"workspace_id": actor.workspace_id, "id": retraction_id})
    if row is None:
        raise RetractionNotFound
    return _view(row)


async def list_retractions(
    tx: Transaction, actor: Actor, *, source: str | None = None, after: Position | None = None, limit: int
) -> Page[RetractionView]:
    """The retractions of the workspace, or of one source, newest first."""
    values = {"workspace_id": actor.workspace_id, "source": source}
    page = await page_by_id(tx, RETRACTIONS, values, after=after, limit=limit)
    return Page([_view(row) for row in page.items], page.after)


def _view(row: Row) -> RetractionView:
    return RetractionView(
        id=row.id,
        source=row.source,
        since=row.since,
        until=row.until,
        field=row.field,
        lead_id=row.lead_id,
        company_id=row.company_id,
        values=row.found,
        leads=row.leads,
        companies=row.companies,
        actor=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        job_id=row.job_id,
        created_at=row.created_at,
        ended_at=row.ended_at,
        undone_at=row.undone_at,
    )
