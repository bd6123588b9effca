"""Decisions about found values over HTTP: pin one, correct it, reject it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from leadflood.api.deps import ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.enrichment.contracts.decisions import (
    AcceptedFacts,
    CorrectValue,
    DecidedField,
    DecisionRequest,
    NamedValue,
)
from leadflood.domains.enrichment.models.decisions import Decision
from leadflood.domains.enrichment.service import decisions
from leadflood.domains.leads.permissions import LEADS_WRITE

router = APIRouter(tags=["facts"], route_class=EdgeRoute)

_Field = Annotated[str, Path(max_length=100, pattern=r"^[a-z][a-z0-9_.]*$", examples=["country"])]
_Value = Annotated[
    str | None, Query(max_length=2000, description="Of a field with several values: only the one of this value.")
]

_Rejected = Annotated[str | None, Query(max_length=2000, description="The rejected value. Default: all of the field.")]
_Source = Annotated[str | None, Query(max_length=100, description="Only the rejection of this source's value.")]


async def _of_company(unit: UnitOfWorkDep, company_id: UUID, field: str, request: DecisionRequest) -> DecidedField:
    return await decisions.decide_for_company(
        unit.tx, unit.actor, company_id=company_id, field=field, request=request, trace=unit.trace
    )


async def _of_lead(unit: UnitOfWorkDep, lead_id: UUID, field: str, request: DecisionRequest) -> DecidedField:
    return await decisions.decide_for_lead(
        unit.tx, unit.actor, lead_id=lead_id, field=field, request=request, trace=unit.trace
    )


@router.post("/v1/companies/{id}/facts/acceptances", status_code=200, summary="Accept the facts of a company")
@requires(COMPANIES_WRITE)
async def accept_company_facts(company_id: ResourceId, unit: UnitOfWorkDep) -> AcceptedFacts:
    """Pin all values that are not sure enough to fill fields of the company's leads, as one change."""
    return await decisions.accept_for_company(unit.tx, unit.actor, company_id=company_id, trace=unit.trace)


@router.put("/v1/companies/{id}/facts/{field}/pin", status_code=200, summary="Pin a fact of a company")
@requires(COMPANIES_WRITE)
async def pin_company_fact(
    company_id: ResourceId, field: _Field, command: NamedValue, unit: UnitOfWorkDep
) -> DecidedField:
    """Let a found value stay the choice, whatever sources say later. A value that was rejected counts again.

    `POST /v1/changesets/{id}/undos` with `changesetId` undoes it, as all decisions about facts.
    """
    request = DecisionRequest(Decision.PINNED, command.value, command.source)
    return await _of_company(unit, company_id, field, request)


@router.delete("/v1/companies/{id}/facts/{field}/pin", status_code=200, summary="Unpin a fact of a company")
@requires(COMPANIES_WRITE)
async def unpin_company_fact(
    company_id: ResourceId, field: _Field, unit: UnitOfWorkDep, value: _Value = None
) -> DecidedField:
    """Let the sources decide again. A correction stays."""
    return await _of_company(unit, company_id, field, DecisionRequest(Decision.UNPINNED, value))


@router.put("/v1/companies/{id}/facts/{field}/correction", status_code=200, summary="Correct a fact of a company")
@requires(COMPANIES_WRITE)
async def correct_company_fact(
    company_id: ResourceId, field: _Field, command: CorrectValue, unit: UnitOfWorkDep
) -> DecidedField:
    """Write a value of your own, which wins over all found ones. It is added to a field with several values."""
    return await _of_company(unit, company_id, field, DecisionRequest(Decision.CORRECTED, command.value))


@router.delete(
    "/v1/companies/{id}/facts/{field}/correction", status_code=200, summary="Remove the correction of a company's fact"
)
@requires(COMPANIES_WRITE)
async def remove_company_correction(
    company_id: ResourceId, field: _Field, unit: UnitOfWorkDep, value: _Value = None
) -> DecidedField:
    """Let the sources decide again."""
    return await _of_company(unit, company_id, field, DecisionRequest(Decision.CORRECTION_REMOVED, value))


@router.post("/v1/companies/{id}/facts/{field}/rejections", status_code=200, summary="Reject a fact of a company")
@requires(COMPANIES_WRITE)
async def reject_company_fact(
    company_id: ResourceId, field: _Field, command: NamedValue, unit: UnitOfWorkDep
) -> DecidedField:
    """The value is wrong: it is not chosen again, of this source or of all that have it."""
    return await _of_company(unit, company_id, field, DecisionRequest(Decision.REJECTED, command.value, command.source))


@router.delete(
    "/v1/companies/{id}/facts/{field}/rejections",
    status_code=200,
    summary="Remove the rejection of a company's fact",
)
@requires(COMPANIES_WRITE)
async def remove_company_rejection(
    company_id: ResourceId,
    field: _Field,
    unit: UnitOfWorkDep,
    value: _Rejected = None,
    source: _Source = None,
) -> DecidedField:
    """Let the value compete again."""
    request = DecisionRequest(Decision.REJECTION_REMOVED, value, source)
    return await _of_company(unit, company_id, field, request)


@router.put("/v1/leads/{id}/facts/{field}/pin", status_code=200, summary="Pin a found value of a lead")
@requires(LEADS_WRITE)
async def pin_lead_fact(lead_id: ResourceId, field: _Field, command: NamedValue, unit: UnitOfWorkDep) -> DecidedField:
    """Let a found value stay the choice, whatever sources say later. `field`: as in the enrichment of the lead."""
    return await _of_lead(unit, lead_id, field, DecisionRequest(Decision.PINNED, command.value, command.source))


@router.delete("/v1/leads/{id}/facts/{field}/pin", status_code=200, summary="Unpin a found value of a lead")
@requires(LEADS_WRITE)
async def unpin_lead_fact(
    lead_id: ResourceId, field: _Field, unit: UnitOfWorkDep, value: _Value = None
) -> DecidedField:
    """Let the sources decide again."""
    return await _of_lead(unit, lead_id, field, DecisionRequest(Decision.UNPINNED, value))


@router.put("/v1/leads/{id}/facts/{field}/correction", status_code=200, summary="Correct a found value of a lead")
@requires(LEADS_WRITE)
async def correct_lead_fact(
    lead_id: ResourceId, field: _Field, command: CorrectValue, unit: UnitOfWorkDep
) -> DecidedField:
    """Write a value of your own, such as a seniority. Returns 409 for fields of the lead itself: update the lead."""
    return await _of_lead(unit, lead_id, field, DecisionRequest(Decision.CORRECTED, command.value))


@router.delete(
    "/v1/leads/{id}/facts/{field}/correction", status_code=200, summary="Remove the correction of a found value"
)
@requires(LEADS_WRITE)
async def remove_lead_correction(
    lead_id: ResourceId, field: _Field, unit: UnitOfWorkDep, value: _Value = None
) -> DecidedField:
    """Let the sources decide again."""
    return await _of_lead(unit, lead_id, field, DecisionRequest(Decision.CORRECTION_REMOVED, value))


@router.post("/v1/leads/{id}/facts/{field}/rejections", status_code=200, summary="Reject a found value of a lead")
@requires(LEADS_WRITE)
async def reject_lead_fact(
    lead_id: ResourceId, field: _Field, command: NamedValue, unit: UnitOfWorkDep
) -> DecidedField:
    """The value is wrong: it is not chosen again, of this source or of all that have it."""
    return await _of_lead(unit, lead_id, field, DecisionRequest(Decision.REJECTED, command.value, command.source))


@router.delete("/v1/leads/{id}/facts/{field}/rejections", status_code=200, summary="Remove a rejection of a lead")
@requires(LEADS_WRITE)
async def remove_lead_rejection(
    lead_id: ResourceId,
    field: _Field,
    unit: UnitOfWorkDep,
    value: _Rejected = None,
    source: _Source = None,
) -> DecidedField:
    """Let the value compete again."""
    request = DecisionRequest(Decision.REJECTION_REMOVED, value, source)
    return await _of_lead(unit, lead_id, field, request)
