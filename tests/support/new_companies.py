"""Companies for tests that need nothing but their ID."""

from uuid import UUID

from leadflood.domains.companies import store
from leadflood.domains.companies.models import CompanySource
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id


async def new_company(database: Database, workspace_id: UUID, domain: str | None = None) -> UUID:
    """Create a company with any domain, even one that people can't enter. Returns its ID."""
    domain = domain or f"{new_id().hex[-12:]}.com"
    async with database.transaction(workspace_id) as tx:
        (company_id,) = await store.create_missing(tx, workspace_id, [domain], CompanySource.PERSON)
    return company_id
