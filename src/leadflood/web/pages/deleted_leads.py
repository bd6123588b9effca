"""Recently deleted: the deleted leads that can still be restored, and the page of each."""

from datetime import timedelta
from math import ceil
from typing import Any
from uuid import UUID

from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.deleted import DeletedFilter, DeletedLeadView
from leadflood.domains.leads.contracts.filters import MAX_SEARCH
from leadflood.domains.leads.errors import LeadNotFound, MoreLeadsMatch
from leadflood.domains.leads.queries import deleted as queries
from leadflood.domains.leads.queries import get_lead, list_events
from leadflood.domains.leads.service import bulk
from leadflood.kernel.actor import Permission
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.forms import validated
from leadflood.web.pages.lead_story import story
from leadflood.web.pages.people import actors_told, member_names, names_of_actors
from leadflood.web.pipeline import Pages
from leadflood.web.session import Toast
from leadflood.web.view import plural, url
from leadflood.web.visit import Visit

pages = Pages()

_LIST = "/leads/deleted"
_ROWS = 50


@pages.get(_LIST, Permission.LEADS_READ)
async def list_deleted(visit: Visit) -> Answer:
    """Deleted leads, the last deleted first. `?q=` searches them, `?change=` shows what one change deleted."""
    only = _only(visit.query.get("q", ""), visit.query.get("change", ""))
    days = visit.parts.settings.lead_retention_days
    scope = f"deleted {only}"
    async with visit.reading() as tx:
        page = await queries.list_deleted_leads(
            tx, visit.actor, only=only, retention_days=days, after=visit.after(scope), limit=_ROWS
        )
        count = await queries.count_restorable(tx, visit.actor, only=only)
        people = await actors_told(tx, visit.actor, [each.deleted_by for each in page.items if each.deleted_by])
    given = {"q": only.q, "change": only.changeset_id}
    after = visit.cursor(page, scope)
    context: dict[str, Any] = {
        "leads": page.items,
        "people": people,
        "count": count,
        "only": only,
        "days": days,
        "name_of": name_of,
        "days_left": lambda lead: max(ceil((lead.restorable_until - visit.now) / timedelta(days=1)), 0),
        "next": url(_LIST, given, after=after) if after else None,
        "first": url(_LIST, given) if "after" in visit.query else None,
    }
    return Page("leads/deleted.html", context)


@pages.get("/leads/deleted/{id}", Permission.LEADS_READ)
async def show_deleted(visit: Visit) -> Answer:
    """Who deleted a lead, when and by which change, and until when it can be restored."""
    lead_id = visit.id()
    async with visit.reading() as tx:
        try:
            lead = await queries.get_deleted_lead(
                tx, visit.actor, lead_id=lead_id, retention_days=visit.parts.settings.lead_retention_days
            )
        except LeadNotFound:
            await get_lead(tx, visit.actor, lead_id=lead_id)
            return Redirect(f"/leads/{lead_id}")
        people = await actors_told(tx, visit.actor, [lead.deleted_by] if lead.deleted_by else [])
        events = await list_events(
            tx, visit.actor, lead_id=lead_id, deleted=True, after=visit.after("events"), limit=_ROWS
        )
        names = await names_of_actors(tx, visit.actor, [each.actor for each in events.items])
        owners = await member_names(tx, visit.actor)
    context: dict[str, Any] = {
        "lead": lead,
        "name": name_of(lead),
        "by": people[lead.deleted_by] if lead.deleted_by else "Unknown",
        "events": story(events.items, names, owners=owners),
        "older": visit.cursor(events, "events"),
    }
    return Page("leads/deleted_lead.html", context)


@pages.post("/leads/restorations", Permission.LEADS_WRITE)
async def restore_many(visit: Visit) -> Answer:
    """Restore the ticked leads, or all that the list finds."""
    form = visit.form
    only = _only(form.value("q"), form.value("change"))
    back = url(_LIST, {"q": only.q, "change": only.changeset_id})
    given: dict[str, Any] = {"action": "restore"}
    if form.checked("all"):
        wanted = {"q": only.q, "changesetId": str(only.changeset_id) if only.changeset_id else None}
        given |= {"deleted": wanted, "expectedCount": form.number("expected")}
    elif form.values("ids"):
        given["leadIds"] = form.values("ids")
    else:
        fault = FieldError("/ids", "required", "Select at least one lead.")
        raise InvalidInput("No lead is selected. Select the leads to restore.", errors=[fault])
    command = validated(BulkChange, given)
    try:
        async with visit.writing() as tx:
            done = await bulk.change_leads(tx, visit.actor, command=command, trace=visit.trace)
    except MoreLeadsMatch:
        text = "More leads were deleted since this list was shown. Nothing was restored. Check the list and try again."
        return Redirect(back, [Toast(text, "warn")])
    link = f"/changes/{done.id}"
    if done.applied_at is None:
        text = f"Restoring {plural(done.wanted, 'lead')} in the background."
        return Redirect(back, [Toast(text, "info", link=link, link_text="Progress and Undo")])
    toasts = [Toast(f"{plural(done.restored, 'lead')} restored.", undo=f"/changesets/{done.id}/undos")]
    if skipped := done.wanted - done.restored:
        why = "another lead has the same address now, or they are restored or merged already"
        toasts = [*(toasts if done.restored else []), Toast(f"{plural(skipped, 'lead')} skipped: {why}.", "warn")]
    return Redirect(back, toasts)


def name_of(lead: DeletedLeadView) -> str:
    """The name of a lead, or its address."""
    return " ".join(filter(None, (lead.first_name, lead.last_name))) or lead.email


def _only(q: str, change: str) -> DeletedFilter:
    try:
        changeset_id = UUID(change) if change else None
    except ValueError:
        changeset_id = None
    return DeletedFilter(q.strip()[:MAX_SEARCH] or None, changeset_id)
