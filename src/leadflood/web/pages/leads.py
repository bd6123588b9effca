"""The list of leads, as a table or a board: search, filters, columns, peek."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.fields.models import CustomField
from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts.views import DefaultView, SavedView
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.leads.queries.search import count_leads, list_sources
from leadflood.domains.leads.queries.views import get_default_view, get_view, list_views
from leadflood.kernel.db.transaction import Transaction
from leadflood.web.cookies import Toast
from leadflood.web.field_text import Names
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import member_names
from leadflood.web.pages.lead_cards import board_context
from leadflood.web.pages.lead_columns import editors_of, heads
from leadflood.web.pages.lead_context import LeadPlace, lead_context
from leadflood.web.pages.lead_form import custom_fields_of
from leadflood.web.pages.lead_list_params import ALL, ALL_LEADS, BUILT_IN, CREATED_IN, PHONE, SORTS, LeadListParams
from leadflood.web.pages.lead_rows import row_context
from leadflood.web.pages.leads_filter import FilterWords, read_tree, reference_names
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect
from leadflood.web.templating import url

pages = Pages()

_ROWS = 50


@pages.get("/leads", LEADS_READ, live=("leads_list",))
async def list_leads(ctx: PageContext) -> PageResult:
    """Leads as the address says: what is sought, filtered, sorted, shown; `?peek=` opens one beside the list.

    Without a query, the user's default view.
    """
    state = LeadListParams.read(ctx.request.query_params.multi_items())
    if ctx.wants_part == "leads-peek":
        async with ctx.reading() as tx:
            return PageResponse("leads/list.html", {"state": state, "peek": await _peek(tx, ctx, state)})
    if not ctx.request.url.query and ctx.wants_part is None and not ctx.live:
        async with ctx.reading() as tx:
            opened = await _default_address(tx, ctx)
        if opened is not None:
            return Redirect(opened)
    return await list_page(ctx, state)


async def list_page(
    ctx: PageContext,
    state: LeadListParams,
    *,
    status: int = 200,
    part: str | None = None,
    toasts: Sequence[Toast] = (),
    more: Mapping[str, Any] | None = None,
) -> PageResponse:
    """The page of the list. Args: more: data of dialogs over it."""
    async with ctx.reading() as tx:
        people, defined = await member_names(tx, ctx.actor), await custom_fields_of(tx, ctx.actor, archived=True)
        custom = [field for field in defined if not field.archived]
        if state.is_board:
            context = await board_context(tx, ctx, state, people=people, custom=custom)
        else:
            context = await _table_context(tx, ctx, state, people, custom)
        context |= {
            "sources": await list_sources(tx, ctx.actor),
            "words": FilterWords(
                people.all | await reference_names(tx, ctx.actor, read_tree(state.filter)), defined, ctx.time_zone
            ),
            "peek": None if ctx.live else await _peek(tx, ctx, state),
        }
        views = [] if ctx.live else await list_views(tx, ctx.actor)
        default = DefaultView(view_id=None, built_in=None) if ctx.live else await get_default_view(tx, ctx.actor)
    context |= _views(state, views) | _default(state, default)
    context |= {
        "paged": "after" in ctx.query,
        "owners": people,
        "heads": heads(state, context["columns"]),
        "editors": editors_of(context["columns"], people),
        "sorts": SORTS,
        "created_in": CREATED_IN,
        "phones": PHONE,
        "all_leads": ALL_LEADS,
    }
    return PageResponse("leads/list.html", context | dict(more or {}), status, part=part, toasts=toasts)


async def _table_context(
    tx: Transaction, ctx: PageContext, state: LeadListParams, people: Names, custom: Sequence[CustomField]
) -> dict[str, Any]:
    """Data of the rows of a page, and of what can be done with them."""
    filters, after = state.lead_filter, ctx.after(state.scope)
    page = await queries.list_leads(tx, ctx.actor, filters=filters, sort=state.sort, after=after, limit=_ROWS)
    context = await row_context(tx, ctx, state, page.items, people=people, custom=custom)
    context |= await _operations(tx, ctx, [lead.id for lead in page.items])
    return context | {
        "leads": page.items,
        "next": ctx.cursor(page, state.scope),
        "count": await count_leads(tx, ctx.actor, filters=filters),
    }


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
    usual = LeadListParams(view=state.view if state.view == ALL else "")
    return {
        "view": shown,
        "tabs": [("All leads", ALL_LEADS, shown is None), *tabs] if views else [],
        "unsaved": state != (LeadListParams.of_view(shown) if shown else usual),
    }


def _default(state: LeadListParams, default: DefaultView) -> dict[str, Any]:
    """Whether the default view is shown, and the value that makes what is shown the default; empty without any."""
    chosen = str(default.view_id or default.built_in or "")
    if state.view and state.view != ALL:
        return {"is_default": state.view == chosen, "default_value": state.view}
    built_in = state.built_in
    if built_in is not None:
        return {"is_default": built_in.value == chosen, "default_value": built_in.value}
    return {"is_default": False, "default_value": ALL if chosen and not state.filters else ""}


async def _default_address(tx: Transaction, ctx: PageContext) -> str | None:
    """The address of the user's default view, if there is one."""
    default = await get_default_view(tx, ctx.actor)
    if default.built_in is not None:
        return url("/leads", BUILT_IN[default.built_in][1])
    if default.view_id is None:
        return None
    return LeadListParams.of_view(await get_view(tx, ctx.actor, view_id=default.view_id)).url()


async def _peek(tx: Transaction, ctx: PageContext, state: LeadListParams) -> dict[str, Any] | None:
    """Everything about the lead that is shown beside the list."""
    if state.peek is None:
        return None
    place = LeadPlace(state.peek, state)
    return {**await lead_context(tx, ctx, state.peek), "here": place}
