"""The list of leads: search, filters, columns, peek, and what is done to many at once."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts.bulk import BulkAction, BulkChange
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.contracts.views import SavedView
from leadflood.domains.leads.queries.matching import count_leads, list_sources
from leadflood.domains.leads.queries.views import list_views
from leadflood.domains.leads.service import bulk, changesets
from leadflood.kernel.actor import Permission
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.forms import validated
from leadflood.web.pages.lead_form import name_of, rows_of
from leadflood.web.pages.leads_state import CAME_IN, COLUMNS, PHONE, SORTS, STANDARD, ListState
from leadflood.web.pages.people import member_names
from leadflood.web.pipeline import Pages
from leadflood.web.session import Toast, local_path
from leadflood.web.view import plural
from leadflood.web.visit import Visit

pages = Pages()

_ROWS = 50


@pages.get("/leads", Permission.LEADS_READ, live=("leads_list",))
async def list_leads(visit: Visit) -> Answer:
    """Leads as the address says: what is sought, filtered, sorted, shown; `?peek=` opens one beside the list."""
    state = ListState.read(visit.request.query_params.multi_items())
    if visit.wants_part == "leads-peek":
        return Page("leads/list.html", {"state": state, "peek": await _peek(visit, state)})
    async with visit.reading() as tx:
        only = state.only(visit.now)
        page = await queries.list_leads(
            tx, visit.actor, only=only, sort=state.sort, after=visit.after(state.scope), limit=_ROWS
        )
        count = await count_leads(tx, visit.actor, only=only)
        owners = await member_names(tx, visit.actor)
        context: dict[str, Any] = {"sources": await list_sources(tx, visit.actor)}
        views = await list_views(tx, visit.actor)
    context |= _views(state, views) | {
        "state": state,
        "leads": page.items,
        "count": count,
        "next": visit.cursor(page, state.scope),
        "paged": "after" in visit.query,
        "owners": owners,
        "columns": COLUMNS,
        "sorts": SORTS,
        "came_in": CAME_IN,
        "phones": PHONE,
        "standard": STANDARD,
        "name_of": name_of,
        "peek": await _peek(visit, state, owners),
    }
    return Page("leads/list.html", context)


@pages.post("/leads/bulk-changes", Permission.LEADS_WRITE)
async def change_leads(visit: Visit) -> Answer:
    """Do one thing to the ticked leads, or to all that the list finds. What can be undone, the toast undoes."""
    form = visit.form
    back = local_path(form.value("next"), "/leads")
    command = _command(visit)
    async with visit.writing() as tx:
        done = await bulk.change_leads(tx, visit.actor, command=command, trace=visit.trace)
    return Redirect(back, [_told(command, done)])


@pages.post("/changesets/{id}/undos", Permission.LEADS_WRITE)
async def undo_changeset(visit: Visit) -> Answer:
    """Take changes back; what somebody edited since stays, and is told."""
    async with visit.writing() as tx:
        undone = await changesets.undo_changeset(tx, visit.actor, changeset_id=visit.id(), trace=visit.trace)
    if undone.job_id is not None and undone.undone_at is None:
        toast = Toast("A job takes it back, for there is much of it.", "info", link=f"/jobs/{undone.job_id}")
    elif undone.kept:
        text = (
            f"Taken back, but for {plural(undone.kept, 'field')} of {plural(undone.kept_leads, 'lead')} edited since."
        )
        toast = Toast(text, "warn")
    else:
        toast = Toast(f"Taken back for {plural(undone.undone, 'lead')}.")
    return Redirect(local_path(form_next(visit), "/leads"), [toast])


def form_next(visit: Visit) -> str:
    """Where the page that asked wants to go on: what the form says, or else where it was."""
    came_from = urlsplit(visit.request.headers.get("referer", ""))
    return visit.form.value("next") or came_from._replace(scheme="", netloc="", fragment="").geturl()


def _views(state: ListState, views: Sequence[SavedView]) -> dict[str, Any]:
    shown = next((view for view in views if str(view.id) == state.view), None)
    tabs = [(view.name, ListState.of_view(view).url(), view is shown) for view in views]
    return {
        "view": shown,
        "tabs": [("All leads", "/leads", shown is None), *tabs] if views else [],
        "unsaved": state != (ListState.of_view(shown) if shown else ListState()),
    }


async def _peek(visit: Visit, state: ListState, owners: dict[str, str] | None = None) -> dict[str, Any] | None:
    if state.peek is None:
        return None
    async with visit.reading() as tx:
        lead = await queries.get_lead(tx, visit.actor, lead_id=state.peek)
        if owners is None:
            owners = await member_names(tx, visit.actor)
    return {"lead": lead, "name": name_of(lead), "rows": rows_of(lead, owners)}


def _command(visit: Visit) -> BulkChange:
    form = visit.form
    action = form.value("action")
    given: dict[str, Any] = {"action": action}
    if action.startswith("set:"):
        name = action.removeprefix("set:")
        given = {"action": BulkAction.SET, "changes": {name: form.value(name) or None}}
    if form.checked("all"):
        state = ListState.read(parse_qsl(form.value("matching"), keep_blank_values=True))
        given |= {"matching": state.query(visit.now), "expectedCount": form.number("expected")}
    elif form.values("ids"):
        given["leadIds"] = form.values("ids")
    else:
        fault = FieldError("/ids", "required", "Tick at least one lead.")
        raise InvalidInput("No lead is ticked. Tick those you mean, then choose what to do.", errors=[fault])
    return validated(BulkChange, given)


def _told(command: BulkChange, done: ChangesetView) -> Toast:
    if done.applied_at is None and done.job_id is not None:
        text = f"A job goes through {plural(done.wanted, 'lead')}, and shows how far it is."
        return Toast(text, "info", link=f"/jobs/{done.job_id}", link_text="Follow it")
    if command.action is BulkAction.ENRICH:
        return Toast(f"{plural(done.done, 'lead')} queued for enrichment.")
    if not done.changed:
        return Toast("Nothing had to be changed.", "info")
    verb = {"set": "changed", "delete": "deleted", "restore": "restored"}[command.action]
    return Toast(f"{plural(done.changed, 'lead')} {verb}.", undo=f"/changesets/{done.id}/undos")
