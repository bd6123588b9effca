"""Leads over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from leadflood.api.deps import ExpectedVersion, InPages, InUnit, Listing, ResourceId, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.enrichment import queries as enrichment
from leadflood.domains.enrichment.contracts import EnrichmentRequested, LeadEnrichmentView
from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import CreateLead, LeadCreated, LeadEventView, LeadView, UpdateLead
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.leads.queries import LeadFilter, LeadSort
from leadflood.kernel.actor import Permission
from leadflood.kernel.moment import Moment

router = APIRouter(prefix="/v1/leads", tags=["leads"], route_class=EdgeRoute)

_SOURCE = "^[a-z0-9][a-z0-9._:-]{0,63}$"


async def _only(
    q: Annotated[str | None, Query(max_length=200, description="Part of name, e-mail or company.")] = None,
    status: Annotated[LeadStatus | None, Query()] = None,
    source: Annotated[str | None, Query(pattern=_SOURCE)] = None,
    owner_id: Annotated[UUID | None, Query(alias="ownerId")] = None,
    created_from: Annotated[Moment | None, Query(alias="createdFrom", description="Inclusive.")] = None,
    created_until: Annotated[Moment | None, Query(alias="createdUntil", description="Exclusive.")] = None,
    updated_from: Annotated[Moment | None, Query(alias="updatedFrom", description="Inclusive.")] = None,
    updated_until: Annotated[Moment | None, Query(alias="updatedUntil", description="Exclusive.")] = None,
) -> LeadFilter:
    return LeadFilter(q, status, source, owner_id, created_from, created_until, updated_from, updated_until)


@router.post("", status_code=201, summary="Create a lead")
@requires(Permission.LEADS_WRITE)
async def create_lead(command: CreateLead, response: Response, unit: InUnit) -> LeadCreated:
    """Store a lead and queue its enrichment. The answer means: both are on disk.

    A lead is unique in its workspace by e-mail address; a second one is refused with 409 and `existingId`.
    """
    created = await service.create_lead(unit.tx, unit.actor, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/leads/{created.lead_id}"
    return created


@router.get("", summary="List and search leads")
@requires(Permission.LEADS_READ)
async def list_leads(
    only: Annotated[LeadFilter, Depends(_only)],
    pages: InPages,
    unit: InUnit,
    sort: Annotated[LeadSort, Query(description="`-` in front turns the order round.")] = LeadSort.NEWEST,
) -> Listing[LeadView]:
    """A page of leads. `q` finds parts of name, e-mail and company, whatever the case and without accents."""
    page = await queries.list_leads(unit.tx, unit.actor, only=only, sort=sort, after=pages.after, limit=pages.limit)
    return pages.answer(page)


@router.get("/{id}", summary="Read a lead")
@requires(Permission.LEADS_READ)
async def get_lead(lead_id: ResourceId, response: Response, unit: InUnit) -> LeadView:
    """A lead as it is stored. Its `ETag` is what `If-Match` wants."""
    lead = await queries.get_lead(unit.tx, unit.actor, lead_id=lead_id)
    response.headers["ETag"] = etag(lead.version)
    return lead


@router.patch("/{id}", summary="Change a lead")
@requires(Permission.LEADS_WRITE)
async def update_lead(
    lead_id: ResourceId, command: UpdateLead, version: ExpectedVersion, response: Response, unit: InUnit
) -> LeadView:
    """Change the fields given; null clears. `If-Match` makes sure that nobody's change is lost unseen."""
    lead = await service.update_lead(unit.tx, unit.actor, lead_id=lead_id, command=command, expected_version=version)
    response.headers["ETag"] = etag(lead.version)
    return lead


@router.delete("/{id}", status_code=204, summary="Delete a lead")
@requires(Permission.LEADS_WRITE)
async def delete_lead(lead_id: ResourceId, version: ExpectedVersion, unit: InUnit) -> None:
    """Delete a lead. It can be restored for 30 days (`LEADFLOOD_LEAD_RETENTION_DAYS`), then it is gone for good."""
    await service.delete_lead(unit.tx, unit.actor, lead_id=lead_id, expected_version=version)


@router.post("/{id}/restorations", status_code=200, summary="Restore a deleted lead")
@requires(Permission.LEADS_WRITE)
async def restore_lead(lead_id: ResourceId, response: Response, unit: InUnit) -> LeadView:
    """Bring a deleted lead back. Refused with 409 when another lead has its address by now."""
    lead = await service.restore_lead(unit.tx, unit.actor, lead_id=lead_id, trace=unit.trace)
    response.headers["ETag"] = etag(lead.version)
    return lead


@router.get("/{id}/events", summary="Read a lead's timeline")
@requires(Permission.LEADS_READ)
async def list_lead_events(lead_id: ResourceId, pages: InPages, unit: InUnit) -> Listing[LeadEventView]:
    """What happened to a lead, newest first, with who caused it."""
    page = await queries.list_events(unit.tx, unit.actor, lead_id=lead_id, after=pages.after, limit=pages.limit)
    return pages.answer(page)


@router.get("/{id}/enrichment", summary="Read what enrichment found")
@requires(Permission.LEADS_READ)
async def get_lead_enrichment(lead_id: ResourceId, unit: InUnit) -> LeadEnrichmentView:
    """Every value with its receipt: who found it, how, when, how sure and for how much. Those that lost too."""
    return await enrichment.get_lead_enrichment(unit.tx, unit.actor, lead_id=lead_id)


@router.post("/{id}/enrichments", status_code=202, summary="Enrich a lead again")
@requires(Permission.LEADS_WRITE)
async def request_enrichment(lead_id: ResourceId, response: Response, unit: InUnit) -> EnrichmentRequested:
    """Queue a fresh enrichment. Follow the job in `Location`."""
    job_id = await service.request_enrichment(unit.tx, unit.actor, lead_id=lead_id, trace=unit.trace)
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return EnrichmentRequested(lead_id=lead_id, job_id=job_id)
