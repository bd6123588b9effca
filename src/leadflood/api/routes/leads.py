"""Leads over HTTP."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import StringConstraints

from leadflood.api.batch_results import LeadResults, create_each, results_answer
from leadflood.api.context import group_commit_of
from leadflood.api.deps import ExpectedVersion, InPages, Listing, ResourceId, UnitOfWorkDep, etag, replayed
from leadflood.api.lead_expansion import Expand, ExpandedLead, expanded
from leadflood.api.lead_stream import STREAM, STREAM_ANSWER, LeadStream
from leadflood.api.routing import EdgeRoute, grouped, requires, streamed
from leadflood.domains.enrichment import queries as enrichment
from leadflood.domains.enrichment.contracts import (
    AcceptedValuesView,
    AcceptValues,
    EnrichmentRequested,
    LeadEnrichmentView,
)
from leadflood.domains.enrichment.service import acceptance
from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import (
    CreateLead,
    CreateLeads,
    LeadCreated,
    LeadEventView,
    LeadView,
    NewLead,
    UpdateLead,
)
from leadflood.domains.leads.contracts.filters import (
    MAX_CHOICES,
    MAX_SEARCH,
    FilterFieldViews,
    LeadFilter,
    LeadSort,
    filter_fields,
    read_filter,
)
from leadflood.domains.leads.contracts.history import FieldChangeView
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.leads.queries import history
from leadflood.domains.leads.values import Country
from leadflood.kernel.pagination import Page
from leadflood.kernel.timestamps import Timestamp

router = APIRouter(prefix="/v1/leads", tags=["leads"], route_class=EdgeRoute)

_SOURCE = "^[a-z0-9][a-z0-9._:-]{0,63}$"
_ANY_OF = "Repeat to match any of several values."
_TREE = (
    'A filter as JSON, such as `{"all": [{"field": "company", "operator": "contains", "value": "acme"}]}`: see '
    "`/v1/leads/filter-fields`. The other parameters narrow it further."
)
_MAX_FILTER = 20_000


async def _filters(  # noqa: PLR0913  each filter is a parameter
    *,
    q: Annotated[
        str | None,
        Query(
            max_length=MAX_SEARCH,
            description="Search in name, email and company. One or two characters match the start of a word.",
        ),
    ] = None,
    status: Annotated[list[LeadStatus] | None, Query(max_length=len(LeadStatus), description=_ANY_OF)] = None,
    source: Annotated[
        list[Annotated[str, StringConstraints(pattern=_SOURCE)]] | None,
        Query(max_length=MAX_CHOICES, description=_ANY_OF),
    ] = None,
    country: Annotated[list[Country] | None, Query(max_length=MAX_CHOICES, description=_ANY_OF)] = None,
    owner_id: Annotated[UUID | None, Query(alias="ownerId")] = None,
    unowned: Annotated[bool, Query(description="Only unassigned leads.")] = False,
    has_phone: Annotated[bool | None, Query(alias="hasPhone")] = None,
    created_from: Annotated[Timestamp | None, Query(alias="createdFrom", description="Inclusive.")] = None,
    created_until: Annotated[Timestamp | None, Query(alias="createdUntil", description="Exclusive.")] = None,
    updated_from: Annotated[Timestamp | None, Query(alias="updatedFrom", description="Inclusive.")] = None,
    updated_until: Annotated[Timestamp | None, Query(alias="updatedUntil", description="Exclusive.")] = None,
    tree: Annotated[str | None, Query(alias="filter", max_length=_MAX_FILTER, description=_TREE)] = None,
) -> LeadFilter:
    given = LeadFilter(
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
    return given if tree is None else replace(given, tree=read_filter(tree, "?filter").whole)


Filters = Annotated[LeadFilter, Depends(_filters)]
"""The filters of the list, as query parameters."""


@router.post("", status_code=201, summary="Create a lead", response_model=LeadCreated)
@grouped(LEADS_WRITE)
async def create_lead(command: CreateLead, unit: UnitOfWorkDep) -> Response:
    """Create a lead and queue its enrichment. Returns after commit.

    Emails are unique per workspace: a duplicate returns 409 with `existingId`.
    """
    lead = NewLead(unit.actor, command, unit.trace)
    outcome = await group_commit_of(unit.scope).create(lead, unit.keyed(_created))
    return _created(outcome) if isinstance(outcome, LeadCreated) else replayed(outcome)


def _created(lead: LeadCreated) -> Response:
    return Response(lead.model_dump_json(), 201, {"Location": f"/v1/leads/{lead.lead_id}"}, "application/json")


@router.post("/batch", summary="Create up to 1,000 leads", response_model=LeadResults)
@requires(LEADS_WRITE, large=True)
async def create_leads(command: CreateLeads, unit: UnitOfWorkDep) -> Response:
    """Create up to 1,000 leads in one transaction and queue their enrichment.

    Always returns 200 with one entry per lead in `results`, in request order. Invalid leads and duplicates don't affect
    the others. The body is limited to `LEADFLOOD_MAX_BATCH_BYTES`.
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
@streamed(LEADS_WRITE)
async def stream_leads(request: Request, unit: UnitOfWorkDep) -> Response:
    """Create leads from a stream: one JSON object per line in, one result per line out (`application/x-ndjson`).

    Each result has its `line`, starting at 1, and is sent after its lead is committed. Read the response while you
    send: the server reads more only after it has sent the results. Invalid lines are reported as `invalid` and don't
    end the stream. The last line is `{"status": "done", …}` with counts, or `{"status": "failed", "line": …}` with the
    first line that was not processed: resume from there. There is no `Idempotency-Key`: a line sent twice is reported
    as `duplicate`.
    """
    return LeadStream(request, unit)


@router.get(
    "",
    summary="List and search leads",
    response_model=Listing[ExpandedLead],
    response_model_exclude_unset=True,
)
@requires(LEADS_READ)
async def list_leads(
    filters: Filters,
    pages: InPages,
    unit: UnitOfWorkDep,
    sort: Annotated[LeadSort, Query(description="Sort field; prefix `-` for descending.")] = LeadSort.NEWEST,
    expand: Expand = None,
) -> Listing[LeadView]:
    """Returns a page of leads. `q` searches name, email and company, ignoring case and accents.

    Found values count where a lead has none of its own: in the search, in filters and in the order. `effectiveValues`
    names them; those that are `suggested` do not count.
    """
    page = await queries.list_leads(
        unit.tx, unit.actor, filters=filters, sort=sort, after=pages.after, limit=pages.limit
    )
    return pages.answer(Page(await expanded(unit.tx, unit.actor, page.items, expand), page.after))


@router.get("/filter-fields", summary="List the fields that leads can be filtered by")
@requires(LEADS_READ)
async def list_filter_fields(unit: UnitOfWorkDep) -> FilterFieldViews:  # noqa: ARG001  every endpoint has its unit
    """Names, operators and choices, for the `filter` of lists, views, exports and bulk changes.

    `customFields.KEY` is a field, too.
    """
    return filter_fields()


@router.get("/{id}", summary="Retrieve a lead", response_model=ExpandedLead, response_model_exclude_unset=True)
@requires(LEADS_READ)
async def get_lead(lead_id: ResourceId, response: Response, unit: UnitOfWorkDep, expand: Expand = None) -> LeadView:
    """Returns the lead. Its `ETag` is the value for `If-Match`. With `expand` there is no `ETag`: send `version`.

    `effectiveValues` are found values for empty fields. They don't change the version.
    """
    lead = await queries.get_lead(unit.tx, unit.actor, lead_id=lead_id)
    if not expand:
        response.headers["ETag"] = etag(lead.version)
    return (await expanded(unit.tx, unit.actor, [lead], expand))[0]


@router.patch("/{id}", summary="Update a lead")
@requires(LEADS_WRITE)
async def update_lead(
    lead_id: ResourceId, command: UpdateLead, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> LeadView:
    """Update the given fields. Send null to clear. Requires `If-Match`."""
    lead = await service.update_lead(unit.tx, unit.actor, lead_id=lead_id, command=command, expected_version=version)
    response.headers["ETag"] = etag(lead.version)
    return lead


@router.delete("/{id}", status_code=204, summary="Delete a lead")
@requires(LEADS_WRITE)
async def delete_lead(lead_id: ResourceId, version: ExpectedVersion, unit: UnitOfWorkDep) -> None:
    """Delete a lead. It can be restored for 30 days (`LEADFLOOD_LEAD_RETENTION_DAYS`). Requires `If-Match`."""
    await service.delete_lead(unit.tx, unit.actor, lead_id=lead_id, expected_version=version)


@router.post("/{id}/restorations", status_code=200, summary="Restore a deleted lead")
@requires(LEADS_WRITE)
async def restore_lead(lead_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> LeadView:
    """Restore a deleted lead. Returns 409 if another lead has its email.

    A merged lead returns 409 `lead_merged`: undo the merge with `mergeId` instead.
    """
    lead = await service.restore_lead(unit.tx, unit.actor, lead_id=lead_id, trace=unit.trace)
    response.headers["ETag"] = etag(lead.version)
    return lead


@router.get("/{id}/events", summary="List a lead's events")
@requires(LEADS_READ)
async def list_lead_events(lead_id: ResourceId, pages: InPages, unit: UnitOfWorkDep) -> Listing[LeadEventView]:
    """The lead's timeline, newest first, with the actor of each event."""
    page = await queries.list_events(unit.tx, unit.actor, lead_id=lead_id, after=pages.after, limit=pages.limit)
    return pages.answer(page)


@router.get("/{id}/field-history", summary="List the changes of a lead's fields")
@requires(LEADS_READ)
async def list_field_history(
    lead_id: ResourceId,
    pages: InPages,
    unit: UnitOfWorkDep,
    field: Annotated[str | None, Query(max_length=80, description="One field, such as `customFields.plan`.")] = None,
) -> Listing[FieldChangeView]:
    """Old and new value of each change, newest first, with its actor and source."""
    page = await history.field_history(
        unit.tx, unit.actor, lead_id=lead_id, field=field, after=pages.after, limit=pages.limit
    )
    return pages.answer(page)


@router.get("/{id}/enrichment", summary="Retrieve enrichment data")
@requires(LEADS_READ)
async def get_lead_enrichment(lead_id: ResourceId, unit: UnitOfWorkDep) -> LeadEnrichmentView:
    """All found values with source, method, time, confidence and cost. Includes lower-confidence values."""
    return await enrichment.get_lead_enrichment(unit.tx, unit.actor, lead_id=lead_id)


@router.post("/{id}/enrichments", status_code=202, summary="Re-enrich a lead")
@requires(LEADS_WRITE)
async def request_enrichment(lead_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> EnrichmentRequested:
    """Queue a new enrichment. Poll the job in `Location`."""
    job_id = await service.request_enrichment(unit.tx, unit.actor, lead_id=lead_id, trace=unit.trace)
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return EnrichmentRequested(lead_id=lead_id, job_id=job_id)


@router.post("/{id}/acceptances", summary="Accept found values of a lead")
@requires(LEADS_WRITE)
async def accept_values(lead_id: ResourceId, command: AcceptValues, unit: UnitOfWorkDep) -> AcceptedValuesView:
    """Write found values into the empty fields of a lead: those given, or all of `effectiveValues`.

    A field that has the value already is left alone. Returns 409 if a field has another value (`fields_taken`), or
    another value is chosen now (`found_value_changed`). `POST /v1/changesets/{id}/undos` with `changesetId` undoes it.
    """
    return await acceptance.accept_values(unit.tx, unit.actor, lead_id=lead_id, command=command)
