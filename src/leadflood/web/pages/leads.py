"""The list of leads: search, filters, columns, peek."""

from collections.abc import Sequence
from typing import Any

from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts.views import SavedView
from leadflood.domains.leads.queries.matching import count_leads, list_sources
from leadflood.domains.leads.queries.views import list_views
from leadflood.kernel.actor import Permission
from leadflood.web.answers import Answer, Page
from leadflood.web.pages.lead_form import name_of, rows_of
from leadflood.web.pages.leads_state import CAME_IN, COLUMNS, PHONE, SORTS, STANDARD, ListState
from leadflood.web.pages.people import member_names
from leadflood.web.pipeline import Pages
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
        views = [] if visit.live else await list_views(tx, visit.actor)
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
