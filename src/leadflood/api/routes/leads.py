"""Leads over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import StringConstraints

from leadflood.api.deps import ExpectedVersion, InPages, InUnit, Listing, ResourceId, etag, replayed
from leadflood.api.lead_results import LeadResults, create_each, results_answer
from leadflood.api.lead_stream import STREAM, STREAM_ANSWER, LeadStream
from leadflood.api.parts import group_commit_of
from leadflood.api.routing import EdgeRoute, grouped, requires, streamed
from leadflood.domains.enrichment import queries as enrichment
from leadflood.domains.enrichment.contracts import EnrichmentRequested, LeadEnrichmentView
from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import (
    Country,
    CreateLead,
    CreateLeads,
    LeadCreated,
    LeadEventView,
    LeadView,
    NewLead,
    UpdateLead,
)
from leadflood.domains.leads.contracts.filters import MAX_CHOICES, MAX_SEARCH, LeadFilter, LeadSort
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.actor import Permission
from leadflood.kernel.moment import Moment

router = APIRouter(prefix="/v1/leads", tags=["leads"], route_class=EdgeRoute)

_SOURCE = "^[a-z0-9][a-z0-9._:-]{0,63}$"
_ANY_OF = "Repeat it for any of several."


async def _only(  # noqa: PLR0913  each filter is a parameter
    *,
    q: Annotated[
        str | None,
        Query(
            max_length=MAX_SEARCH,
            description="Part of name, e-mail or company; one or two letters or digits: the beginning of a word.",
        ),
    ] = None,
    status: Annotated[list[LeadStatus] | None, Query(max_length=len(LeadStatus), description=_ANY_OF)] = None,
    source: Annotated[
        list[Annotated[str, StringConstraints(pattern=_SOURCE)]] | None,
        Query(max_length=MAX_CHOICES, description=_ANY_OF),
    ] = None,
    country: Annotated[list[Country] | None, Query(max_length=MAX_CHOICES, description=_ANY_OF)] = None,
    owner_id: Annotated[UUID | None, Query(alias="ownerId")] = None,
    unowned: Annotated[bool, Query(description="Leads without an owner.")] = False,
    has_phone: Annotated[bool | None, Query(alias="hasPhone")] = None,
    created_from: Annotated[Moment | None, Query(alias="createdFrom", description="Inclusive.")] = None,
    created_until: Annotated[Moment | None, Query(alias="createdUntil", description="Exclusive.")] = None,
    updated_from: Annotated[Moment | None, Query(alias="updatedFrom", description="Inclusive.")] = None,
    updated_until: Annotated[Moment | None, Query(alias="updatedUntil", description="Exclusive.")] = None,
) -> LeadFilter:
    return LeadFilter(
        q=q,
        statuses=tuple(status or ()),
        sources=tuple(source or ()),
        countries=tuple(country or ()),
        owner_id=owner_id,
        unowned=unowned,
        has_phone=has_phone,
        created_from=created_from,
        created_until=created_until,
        updated_from=updated_from,
        updated_until=updated_until,
    )


Only = Annotated[LeadFilter, Depends(_only)]
"""The filters of the list, as query parameters."""


@router.post("", status_code=201, summary="Create a lead", response_model=LeadCreated)
@grouped(Permission.LEADS_WRITE)
async def create_lead(command: CreateLead, unit: InUnit) -> Response:
    """Store a lead and queue its enrichment. The answer means: both are on disk.

    A lead is unique in its workspace by e-mail address; a second one is refused with 409 and `existingId`.
    """
    lead = NewLead(unit.actor, command, unit.trace)
    outcome = await group_commit_of(unit.scope).create(lead, unit.keyed(_created))
    return _created(outcome) if isinstance(outcome, LeadCreated) else replayed(outcome)


def _created(lead: LeadCreated) -> Response:
    return Response(lead.model_dump_json(), 201, {"Location": f"/v1/leads/{lead.lead_id}"}, "application/json")


@router.post("/batch", summary="Create up to 1,000 leads", response_model=LeadResults)
@requires(Permission.LEADS_WRITE, large=True)
async def create_leads(command: CreateLeads, unit: InUnit) -> Response:
    """Store many leads in one transaction and queue their enrichment, each for itself.

    The answer is 200 whatever became of them: `results` says it for each, in order. Those that are invalid or have an
    address that is taken disturb none of the others. The limit of the body is `LEADFLOOD_MAX_BATCH_BYTES`.
    """
    return results_answer(await create_each(unit.tx, unit, command.leads))


@router.post(
    "/stream",
    status_code=200,
    summary="Create any number of leads",
    response_class=Response,
    responses=STREAM_ANSWER,
    openapi_extra=STREAM,
)
@streamed(Permission.LEADS_WRITE)
async def stream_leads(request: Request, unit: InUnit) -> Response:
    """Store leads as they come, one JSON object a line (`application/x-ndjson`), and answer with one result a line.

    A result names its `line`, counted from 1. What was answered is on disk; more is read only then, so read the answer
    while you send. A broken line is `invalid` and ends nothing. The last line is `{"status": "done", …}` with the
    counts, or `{"status": "failed", "line": …}` with the first line of which nothing was written: send on from there.
    There is no `Idempotency-Key` here: a line that is sent twice is a `duplicate`.
    """
    return LeadStream(request, unit)


@router.get("", summary="List and search leads")
@requires(Permission.LEADS_READ)
async def list_leads(
    only: Only,
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
    """Bring a deleted lead back. Refused with 409 when another lead has its address by now.

    Nor is a lead brought back that was merged into another (`lead_merged`): undo its `mergeId`.
    """
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
