"""Values of one field of a lead or company, after a decision about it."""

from uuid import UUID

from leadflood.domains.enrichment.contracts import EnrichmentValueView
from leadflood.domains.enrichment.models.decisions import Subject
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.queries import get_lead_enrichment
from leadflood.domains.enrichment.queries.companies import get_company_enrichment
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


async def field_values(tx: Transaction, actor: Actor, *, subject: Subject, field: str) -> list[EnrichmentValueView]:
    """The values of a field, best first. Raises: LeadNotFound, CompanyNotFound."""
    values = await _values(tx, actor, subject.kind, subject.id)
    return [item for item in values if item.field == field]


async def _values(tx: Transaction, actor: Actor, kind: SubjectKind, subject_id: UUID) -> list[EnrichmentValueView]:
    if kind is SubjectKind.LEAD:
        return (await get_lead_enrichment(tx, actor, lead_id=subject_id)).values
    return (await get_company_enrichment(tx, actor, company_id=subject_id)).values
