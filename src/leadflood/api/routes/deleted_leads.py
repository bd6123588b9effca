"""Deleted leads over HTTP. Restoring one is a restoration of the lead; restoring many is a changeset."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.leads.contracts.deleted import DeletedFilter, DeletedLeadView
from leadflood.domains.leads.contracts.filters import MAX_SEARCH
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.leads.queries import deleted as queries

router = APIRouter(prefix="/v1/deleted-leads", tags=["leads"], route_class=EdgeRoute)


@router.get("", summary="List deleted leads")
@requires(LEADS_READ)
async def list_deleted_leads(
    pages: InPages,
    unit: UnitOfWorkDep,
    q: Annotated[str | None, Query(max_length=MAX_SEARCH, description="Search in name, email and company.")] = None,
    changeset_id: Annotated[
        UUID | None, Query(alias="changesetId", description="Leads deleted by this changeset or by its undo.")
    ] = None,
) -> Listing[DeletedLeadView]:
    """Deleted and merged leads that can be restored, most recently deleted first.

    Restore one lead with `POST /v1/leads/{id}/restorations`, or many with `POST /v1/changesets` and the action
    `restore`.
    """
    page = await queries.list_deleted_leads(
        unit.tx,
        unit.actor,
        filters=DeletedFilter(q, changeset_id),
        retention_days=unit.parts.settings.lead_retention_days,
        after=pages.after,
        limit=pages.limit,
    )
    return pages.answer(page)


@router.get("/{id}", summary="Retrieve a deleted lead")
@requires(LEADS_READ)
async def get_deleted_lead(lead_id: ResourceId, unit: UnitOfWorkDep) -> DeletedLeadView:
    """Shows who deleted the lead, when and in which changeset, and how long it can be restored.

    Returns 404 for leads that aren't deleted, and after `restorableUntil`, when the lead is purged.
    """
    days = unit.parts.settings.lead_retention_days
    return await queries.get_deleted_lead(unit.tx, unit.actor, lead_id=lead_id, retention_days=days)
