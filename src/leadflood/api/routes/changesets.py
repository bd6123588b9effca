"""Bulk changes over HTTP, and their undo."""

from fastapi import APIRouter, Response

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.duplicates.service import merging
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.changesets import ChangesetView, KeptLeadView
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.leads.queries import changesets as queries
from leadflood.domains.leads.service import bulk

router = APIRouter(prefix="/v1/changesets", tags=["changesets"], route_class=EdgeRoute)


@router.post("", status_code=201, summary="Create a bulk change")
@requires(LEADS_WRITE)
async def create_changeset(command: BulkChange, response: Response, unit: UnitOfWorkDep) -> ChangesetView:
    """Update, delete, restore or re-enrich many leads, selected by ID or filter.

    Up to 5,000 leads are changed immediately: the changeset is `applied`. Larger changes run in the background: poll
    the changeset. All changes except enrichment can be undone.
    """
    made = await bulk.change_leads(unit.tx, unit.actor, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/changesets/{made.id}"
    return made.dated(unit.parts.settings.lead_retention_days)


@router.get("", summary="List changesets")
@requires(LEADS_READ)
async def list_changesets(pages: InPages, unit: UnitOfWorkDep) -> Listing[ChangesetView]:
    """Bulk changes, imports and merges that can be undone, newest first."""
    page = await queries.list_changesets(unit.tx, unit.actor, after=pages.after, limit=pages.limit)
    return pages.answer(page.map(lambda item: item.dated(unit.parts.settings.lead_retention_days)))


@router.get("/{id}", summary="Retrieve a changeset")
@requires(LEADS_READ)
async def get_changeset(changeset_id: ResourceId, unit: UnitOfWorkDep) -> ChangesetView:
    """The changeset, its progress and the progress of its undo."""
    found = await queries.get_changeset(unit.tx, unit.actor, changeset_id=changeset_id)
    return found.dated(unit.parts.settings.lead_retention_days)


@router.post("/{id}/undos", status_code=202, summary="Undo a changeset")
@requires(LEADS_WRITE)
async def undo_changeset(changeset_id: ResourceId, unit: UnitOfWorkDep) -> ChangesetView:
    """Revert all changes of a changeset. Later edits are kept, counted and listed.

    Up to 5,000 leads are reverted immediately: the changeset is `undone`. Above that it is `undoing` in the background.
    Undoing the changeset of a merge unmerges the leads. Possible until `undoUntil`.
    """
    undone = await merging.undo_change(
        unit.tx, unit.actor, unit.parts.participants, changeset_id=changeset_id, trace=unit.trace
    )
    return undone.dated(unit.parts.settings.lead_retention_days)


@router.get("/{id}/kept-leads", summary="List fields kept by an undo")
@requires(LEADS_READ)
async def list_kept_leads(changeset_id: ResourceId, pages: InPages, unit: UnitOfWorkDep) -> Listing[KeptLeadView]:
    """Leads that were not fully reverted, with the fields that were edited since."""
    page = await queries.list_kept(unit.tx, unit.actor, changeset_id=changeset_id, after=pages.after, limit=pages.limit)
    return pages.answer(page)
