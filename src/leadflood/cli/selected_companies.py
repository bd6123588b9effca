"""A company that a command names by ID or domain."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from leadflood.cli.context import CliContext
    from leadflood.domains.companies.contracts import CompanyView


async def find_company(context: "CliContext", named: str) -> "CompanyView":
    """The company with this ID or domain. Raises: CompanyNotFound, InvalidInput."""
    from leadflood.domains.companies import queries
    from leadflood.domains.companies.errors import CompanyNotFound
    from leadflood.domains.companies.models import company_domain
    from leadflood.kernel.errors import FieldError, InvalidInput
    from leadflood.kernel.text import InvalidValue

    async with context.transaction(read_only=True) as tx:
        try:
            company_id = UUID(named)
        except ValueError:
            try:
                domain = company_domain(named)
            except InvalidValue as error:
                fault = FieldError("ID|DOMAIN", "invalid_format", str(error))
                raise InvalidInput("Not a company.", errors=[fault]) from error
            owner = (await queries.owners_of(tx, context.actor.workspace_id, [domain])).get(domain)
            if owner is None:
                raise CompanyNotFound from None
            company_id = owner.company_id
        return await queries.get_company(tx, context.actor, company_id=company_id)
