"""The list of leads: search, filters, columns, peek."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts.views import SavedView
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.leads.queries.search import count_leads, list_sources
from leadflood.domains.leads.queries.views import list_views
from leadflood.kernel.db.transaction import Transaction
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import member_names
from leadflood.web.pages.lead_columns import editors_of, heads
from leadflood.web.pages.lead_context import LeadPlace, lead_context
from leadflood.web.pages.lead_form import custom_fields_of
from leadflood.web.pages.lead_list_params import CREATED_IN, PHONE, SORTS, LeadListParams
from leadflood.web.pages.lead_rows import row_context
from leadflood.web.pages.leads_filter import FilterWords, read_tree, reference_names
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()

_ROWS = 50


@pages.get("/leads", LEADS_READ, live=("leads_list",))
async def list_leads(ctx: PageContext) -> PageResult:
    """Leads as the address says: what is sought, filtered, sorted, shown; `?peek=` opens one beside the list."""
    state = LeadListParams.read(ctx.request.query_params.multi_items())
    if ctx.wants_part == "leads-peek":
        async with ctx.reading() as tx:
            return PageResponse("leads/list.html", {"state": state, "peek": await _peek(tx, ctx, state)})
    async with ctx.reading() as tx:
        filters = state.lead_filter
        page = await queries.list_leads(
            tx, ctx.actor, filters=filters, sort=state.sort, after=ctx.after(state.scope), limit=_ROWS
        )
        people, defined = await member_names(tx, ctx.actor), await custom_fields_of(tx, ctx.actor, archived=True)
        custom = [field for field in defined if not field.archived]
        context = await row_context(tx, ctx, state, page.items, people=people, custom=custom)
        context |= await _operations(tx, ctx, [lead.id for lead in page.items])
        context |= {
            "count": await count_leads(tx, ctx.actor, filters=filters),
            "sources": await list_sources(tx, ctx.actor),
            "words": FilterWords(
                people.all | await reference_names(tx, ctx.actor, read_tree(state.filter)), defined, ctx.time_zone
            ),
            "peek": None if ctx.live else await _peek(tx, ctx, state),
        }
        views = [] if ctx.live else await list_views(tx, ctx.actor)
    context |= _views(state, views) | {
        "leads": page.items,
        "next": ctx.cursor(page, state.scope),
        "paged": "after" in ctx.query,
        "owners": people,
        "heads": heads(state, context["columns"]),
        "editors": editors_of(context["columns"], people),
        "sorts": SORTS,
        "created_in": CREATED_IN,
        "phones": PHONE,
    }
    return PageResponse("leads/list.html", context)


async def _operations(tx: Transaction, ctx: PageContext, ids: Sequence[UUID]) -> dict[str, Any]:
    """Bulk operations of other domains, with their options. Operations with the same options share one statement."""
    operations = [
        item for item in LEAD_EXTENSIONS.operations.values() if ids and item.listed and ctx.may(item.permission)
    ]
    loads = dict.fromkeys(item.load for item in operations if item.load is not None)
    loaded = {load: await load(tx, ctx.actor) for load in loads}
    options = {item.name: loaded[item.load] for item in operations if item.load is not None}
    return {"operations": operations, "options": options}


def _views(state: LeadListParams, views: Sequence[SavedView]) -> dict[str, Any]:
    shown = next((view for view in views if str(view.id) == state.view), None)
    tabs = [(view.name, LeadListParams.of_view(view).url(), view is shown) for view in views]
    return {
        "view": shown,
        "tabs": [("All leads", "/leads", shown is None), *tabs] if views else [],
        "unsaved": state != (LeadListParams.of_view(shown) if shown else LeadListParams()),
    }


async def _peek(tx: Transaction, ctx: PageContext, state: LeadListParams) -> dict[str, Any] | None:
    """Everything about the lead that is shown beside the list."""
    if state.peek is None:
        return None
    place = LeadPlace(state.peek, state)
    return {**await lead_context(tx, ctx, state.peek), "here": place}
