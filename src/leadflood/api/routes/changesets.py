"""Changes of many leads over HTTP, and their undo."""

from fastapi import APIRouter, Response

from leadflood.api.deps import InPages, InUnit, Listing, ResourceId
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.duplicates.service import merging
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.changesets import ChangesetView, KeptLeadView
from leadflood.domains.leads.queries import changesets as queries
from leadflood.domains.leads.service import bulk
from leadflood.kernel.actor import Permission

router = APIRouter(prefix="/v1/changesets", tags=["changesets"], route_class=EdgeRoute)


@router.post("", status_code=201, summary="Change many leads")
@requires(Permission.LEADS_WRITE)
async def create_changeset(command: BulkChange, response: Response, unit: InUnit) -> ChangesetView:
    """Set, delete, restore or enrich many leads: those with the ids, all that match, or deleted ones.

    Up to 5,000 leads are changed at once, and the changeset is `applied`. More are left to its job: read the changeset
    again to see how far it is. All but an enrichment can be undone.
    """
    made = await bulk.change_leads(unit.tx, unit.actor, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/changesets/{made.id}"
    return made.dated(unit.parts.settings.lead_retention_days)


@router.get("", summary="List changesets")
@requires(Permission.LEADS_READ)
async def list_changesets(pages: InPages, unit: InUnit) -> Listing[ChangesetView]:
    """Bulk changes, imports and merges, newest first, for as long as they can be undone."""
    page = await queries.list_changesets(unit.tx, unit.actor, after=pages.after, limit=pages.limit)
    return pages.answer(page.map(lambda each: each.dated(unit.parts.settings.lead_retention_days)))


@router.get("/{id}", summary="Read a changeset")
@requires(Permission.LEADS_READ)
async def get_changeset(changeset_id: ResourceId, unit: InUnit) -> ChangesetView:
    """How far a changeset or its undo is, and what it changed."""
    found = await queries.get_changeset(unit.tx, unit.actor, changeset_id=changeset_id)
    return found.dated(unit.parts.settings.lead_retention_days)


@router.post("/{id}/undos", status_code=202, summary="Undo a changeset")
@requires(Permission.LEADS_WRITE)
async def undo_changeset(changeset_id: ResourceId, unit: InUnit) -> ChangesetView:
    """Take back what it did, except what was edited since: that is kept, counted and listed.

    Up to 5,000 leads are put back at once, and the changeset is `undone`; more by a job, and it is `undoing`. The
    changeset of a merge is undone as the merge is. It can be undone until `undoUntil`.
    """
    undone = await merging.undo_change(unit.tx, unit.actor, changeset_id=changeset_id, trace=unit.trace)
    return undone.dated(unit.parts.settings.lead_retention_days)


@router.get("/{id}/kept-leads", summary="Read what an undo kept")
@requires(Permission.LEADS_READ)
async def list_kept_leads(changeset_id: ResourceId, pages: InPages, unit: InUnit) -> Listing[KeptLeadView]:
    """The leads that were not put back entirely, each with the fields that somebody edited since."""
    page = await queries.list_kept(unit.tx, unit.actor, changeset_id=changeset_id, after=pages.after, limit=pages.limit)
    return pages.answer(page)
