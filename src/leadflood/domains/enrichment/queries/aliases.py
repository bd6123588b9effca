"""SQL that reads redirects between the domains of companies."""

from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.companies import queries as companies
from leadflood.domains.companies.contracts import CompanyView
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.models.aliases import RedirectSign, SeenRedirect
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The chosen redirect of a company, and when redirects to that domain were seen first and last.
_REDIRECT = sql("""
SELECT chosen.value #>> '{}' AS target, chosen.method AS sign, chosen.evidence,
       (SELECT min(seen.observed_at) FROM lookups l
        JOIN found_values seen ON seen.workspace_id = l.workspace_id AND seen.lookup_id = l.id
        WHERE l.workspace_id = :workspace_id AND l.company_id = :company_id AND seen.field = :field
          AND seen.value = chosen.value AND seen.retraction_id IS NULL) AS first_seen,
       chosen.observed_at AS last_seen
FROM chosen_values c
JOIN found_values chosen ON chosen.workspace_id = c.workspace_id AND chosen.lookup_id = c.lookup_id
                        AND chosen.id = c.value_id
WHERE c.workspace_id = :workspace_id AND c.subject_id = :company_id AND c.field = :field
LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class AliasSuggestion:
    """Another domain that may belong to a company.

    Attributes:
        domain: the main one of the company.
        seen: the redirect to the other one.
        owner: the company that has the other domain, if there is one.
    """

    domain: str
    seen: SeenRedirect
    owner: CompanyView | None


async def seen_redirect(tx: Transaction, workspace_id: UUID, company_id: UUID) -> SeenRedirect | None:
    """The redirect of a company to another domain."""
    names = {"workspace_id": workspace_id, "company_id": company_id, "field": fields.REDIRECTS_TO.name}
    row = await tx.first(_REDIRECT, names)
    if row is None or row.sign not in set(RedirectSign):
        return None
    first = min(row.first_seen or row.last_seen, row.last_seen)
    return SeenRedirect(row.target, RedirectSign(row.sign), row.evidence, first, row.last_seen)


async def suggested_alias(tx: Transaction, actor: Actor, *, company_id: UUID) -> AliasSuggestion | None:
    """The other domain of a company, unless it has it, or a person separated the two."""
    seen = await seen_redirect(tx, actor.workspace_id, company_id)
    if seen is None:
        return None
    company = await companies.get_company(tx, actor, company_id=company_id)
    owner = (await companies.owners_of(tx, actor.workspace_id, [seen.target])).get(seen.target)
    if owner is None:
        return AliasSuggestion(company.domain, seen, None)
    if owner.company_id == company_id or owner.deleted:
        return None
    if await companies.were_separated(tx, actor.workspace_id, [company_id, owner.company_id]):
        return None
    owner_view = await companies.get_company(tx, actor, company_id=owner.company_id)
    return AliasSuggestion(company.domain, seen, owner_view)
