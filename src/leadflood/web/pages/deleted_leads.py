"""Recently deleted leads that can still be restored, and the page of each."""

from datetime import timedelta
from math import ceil
from typing import Any
from uuid import UUID

from leadflood.domains.imports.queries import filenames
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.deleted import DeletedFilter
from leadflood.domains.leads.contracts.filters import MAX_SEARCH
from leadflood.domains.leads.errors import LeadNotFound, MatchCountExceeded
from leadflood.domains.leads.labels import name_of
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.leads.queries import deleted as queries
from leadflood.domains.leads.queries import get_lead, list_events
from leadflood.domains.leads.service import bulk
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.web.cookies import Toast
from leadflood.web.formats import plural
from leadflood.web.forms import validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import actors_of, member_names, names_of_actors
from leadflood.web.pages.lead_timeline import imports_of, timeline_entries
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect
from leadflood.web.templating import url

pages = Pages()

_LIST = "/leads/deleted"
_ROWS = 50


@pages.get(_LIST, LEADS_READ)
async def list_deleted(ctx: PageContext) -> PageResult:
    """Deleted leads, last deleted first. `?q=` searches them, `?change=` shows the deletions of one change."""
    filters = _filters(ctx.query.get("q", ""), ctx.query.get("change", ""))
    days = ctx.parts.settings.lead_retention_days
    scope = f"deleted {filters}"
    async with ctx.reading() as tx:
        page = await queries.list_deleted_leads(
            tx, ctx.actor, filters=filters, retention_days=days, after=ctx.after(scope), limit=_ROWS
        )
        count = await queries.count_restorable(tx, ctx.actor, filters=filters)
        people = await actors_of(tx, ctx.actor, [item.deleted_by for item in page.items if item.deleted_by])
    given = {"q": filters.q, "change": filters.changeset_id}
    after = ctx.cursor(page, scope)
    context: dict[str, Any] = {
        "leads": page.items,
        "people": people,
        "count": count,
        "only": filters,
        "days": days,
        "name_of": name_of,
        "days_left": lambda lead: max(ceil((lead.restorable_until - ctx.now) / timedelta(days=1)), 0),
        "next": url(_LIST, given, after=after) if after else None,
        "first": url(_LIST, given) if "after" in ctx.query else None,
    }
    return PageResponse("leads/deleted.html", context)


@pages.get("/leads/deleted/{id}", LEADS_READ)
async def show_deleted(ctx: PageContext) -> PageResult:
    """A deleted lead: who deleted it, when and by which change, and until when it can be restored."""
    lead_id = ctx.id()
    async with ctx.reading() as tx:
        try:
            lead = await queries.get_deleted_lead(
                tx, ctx.actor, lead_id=lead_id, retention_days=ctx.parts.settings.lead_retention_days
            )
        except LeadNotFound:
            await get_lead(tx, ctx.actor, lead_id=lead_id)
            return Redirect(f"/leads/{lead_id}")
        people = await actors_of(tx, ctx.actor, [lead.deleted_by] if lead.deleted_by else [])
        events = await list_events(tx, ctx.actor, lead_id=lead_id, deleted=True, after=ctx.after("events"), limit=_ROWS)
        names = await names_of_actors(tx, ctx.actor, [item.actor for item in events.items])
        imports = await filenames(tx, ctx.actor, import_ids=imports_of(events.items))
        owners = await member_names(tx, ctx.actor)
    context: dict[str, Any] = {
        "lead": lead,
        "name": name_of(lead),
        "by": people[lead.deleted_by] if lead.deleted_by else "Unknown",
        "events": timeline_entries(events.items, names, ctx.parts.timeline, owners=owners, imports=imports),
        "older": ctx.cursor(events, "events"),
    }
    return PageResponse("leads/deleted_lead.html", context)


@pages.post("/leads/restorations", LEADS_WRITE)
async def restore_many(ctx: PageContext) -> PageResult:
    """Restore the selected leads, or all that match."""
    form = ctx.form
    filters = _filters(form.value("q"), form.value("change"))
    back = url(_LIST, {"q": filters.q, "change": filters.changeset_id})
    given: dict[str, Any] = {"action": "restore"}
    if form.checked("all"):
        wanted = {"q": filters.q, "changesetId": str(filters.changeset_id) if filters.changeset_id else None}
        given |= {"deleted": wanted, "expectedCount": form.number("expected")}
    elif form.values("ids"):
        given["leadIds"] = form.values("ids")
    else:
        fault = FieldError("/ids", "required", "Select at least one lead.")
        raise InvalidInput("Select at least one lead.", errors=[fault])
    command = validated(BulkChange, given)
    try:
        async with ctx.writing() as tx:
            done = await bulk.change_leads(tx, ctx.actor, command=command, trace=ctx.trace)
    except MatchCountExceeded:
        text = "More leads were deleted since you opened this list. Nothing was restored. Check the list and try again."
        return Redirect(back, [Toast(text, "warn")])
    link = f"/changes/{done.id}"
    if done.applied_at is None:
        text = f"Restoring {plural(done.total, 'lead')} in the background."
        return Redirect(back, [Toast(text, "info", link=link, link_text="View progress")])
    toasts = [Toast(f"{plural(done.restored, 'lead')} restored.", undo=f"/changesets/{done.id}/undos")]
    if skipped := done.total - done.restored:
        why = "another lead has the same email, or they were already restored or merged"
        toasts = [*(toasts if done.restored else []), Toast(f"{plural(skipped, 'lead')} skipped: {why}.", "warn")]
    return Redirect(back, toasts)


def _filters(q: str, change: str) -> DeletedFilter:
    try:
        changeset_id = UUID(change) if change else None
    except ValueError:
        changeset_id = None
    return DeletedFilter(q.strip()[:MAX_SEARCH] or None, changeset_id)
