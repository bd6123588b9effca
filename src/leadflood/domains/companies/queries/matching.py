"""SQL that reads all companies of a search."""

from leadflood.domains.companies.queries import MATCHES, sought
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.schema import Count

# The number of companies, up to a maximum.
_COUNT = assemble(
    sql("SELECT count(*) FROM (SELECT FROM companies c WHERE {matches} LIMIT :limit) found"), matches=MATCHES
)

# The main domains of companies, in the order of their creation.
_DOMAINS = assemble(sql("SELECT c.domain FROM companies c WHERE {matches} ORDER BY c.id LIMIT :limit"), matches=MATCHES)


async def count_companies(tx: Transaction, actor: Actor, *, q: str | None, max_count: int) -> Count:
    """The number of companies that a search finds, up to `max_count`."""
    values = {"workspace_id": actor.workspace_id, "sought": sought(q), "limit": max_count + 1}
    return Count.up_to(max_count, await tx.scalar(_COUNT, values))


async def matching_domains(tx: Transaction, actor: Actor, *, q: str | None, limit: int) -> list[str]:
    """The main domains of the companies that a search finds, up to `limit`."""
    values = {"workspace_id": actor.workspace_id, "sought": sought(q), "limit": limit}
    return [row.domain for row in await tx.all(_DOMAINS, values)]
