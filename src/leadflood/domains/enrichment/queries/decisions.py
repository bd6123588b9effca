"""Values of one field of a lead or company, after a decision about it."""

from leadflood.domains.enrichment.contracts import EnrichmentValueView
from leadflood.domains.enrichment.models.decisions import Subject
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.queries import get_lead_enrichment
from leadflood.domains.enrichment.queries.companies import get_company_enrichment
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


async def field_values(tx: Transaction, actor: Actor, *, subject: Subject, field: str) -> list[EnrichmentValueView]:
    """The values of a field, best first. Raises: LeadNotFound, CompanyNotFound."""
    return [item for item in await subject_values(tx, actor, subject=subject) if item.field == field]


async def subject_values(tx: Transaction, actor: Actor, *, subject: Subject) -> list[EnrichmentValueView]:
    """The values of all fields. Raises: LeadNotFound, CompanyNotFound."""
    if subject.kind is SubjectKind.LEAD:
        return (await get_lead_enrichment(tx, actor, lead_id=subject.id)).values
    return (await get_company_enrichment(tx, actor, company_id=subject.id)).values
