"""Values of a lead or company: those of one field after a decision about it, and those that wait for a decision."""

from typing import Final
from uuid import UUID

from leadflood.domains.companies import queries as companies
from leadflood.domains.enrichment.contracts import EnrichmentValueView
from leadflood.domains.enrichment.models.company_fields import NAME
from leadflood.domains.enrichment.models.decisions import Subject
from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue, SubjectKind
from leadflood.domains.enrichment.models.filling import FillState
from leadflood.domains.enrichment.queries import get_lead_enrichment
from leadflood.domains.enrichment.queries.companies import get_company_enrichment
from leadflood.domains.enrichment.queries.effective import company_facts
from leadflood.domains.enrichment.queries.policies import fill_policies
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

_DECIDED: Final = 1.0
"""Confidence of values that people pinned or wrote."""


async def field_values(tx: Transaction, actor: Actor, *, subject: Subject, field: str) -> list[EnrichmentValueView]:
    """The values of a field, best first. Raises: LeadNotFound, CompanyNotFound."""
    return [item for item in await subject_values(tx, actor, subject=subject) if item.field == field]


async def company_suggestions(tx: Transaction, actor: Actor, *, company_id: UUID) -> dict[FactField, FactValue]:
    """The chosen values of a company that its leads are only offered, because they are not sure enough.

    Raises: CompanyNotFound.
    """
    company = await companies.get_company(tx, actor, company_id=company_id)
    known = (await company_facts(tx, actor, company_ids=[company_id])).get(company_id, {})
    policies = await fill_policies(tx, actor)
    return {
        field: value
        for field, (value, certainty) in known.items()
        if field.subject is SubjectKind.COMPANY
        and certainty < _DECIDED
        and policies.of(field).state(certainty) is FillState.SUGGESTED
        and not (company.name and field is NAME)
    }


async def subject_values(tx: Transaction, actor: Actor, *, subject: Subject) -> list[EnrichmentValueView]:
    """The values of all fields. Raises: LeadNotFound, CompanyNotFound."""
    if subject.kind is SubjectKind.LEAD:
        return (await get_lead_enrichment(tx, actor, lead_id=subject.id)).values
    return (await get_company_enrichment(tx, actor, company_id=subject.id)).values
