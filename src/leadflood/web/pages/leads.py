"""The list of leads: search, filters, columns, peek."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.leads import queries
from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.domains.leads.contracts.views import SavedView
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.leads.queries.search import count_leads, list_sources
from leadflood.domains.leads.queries.views import list_views
from leadflood.kernel.db.transaction import Transaction
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import member_names
from leadflood.web.pages.lead_form import custom_fields_of, name_of, rows_of
from leadflood.web.pages.lead_list_params import (
    CREATED_IN,
    PHONE,
    SORTS,
    STANDARD,
    LeadListParams,
    all_columns,
    label_of,
)
from leadflood.web.pages.leads_filter import read_tree, reference_names
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()

_ROWS = 50


@pages.get("/leads", LEADS_READ, live=("leads_list",))
async def list_leads(ctx: PageContext) -> PageResult:
    """Leads by search, filters, order and columns of the URL; `?peek=` previews one beside the list."""
    state = LeadListParams.read(ctx.request.query_params.multi_items())
    if ctx.wants_part == "leads-peek":
        return PageResponse("leads/list.html", {"state": state, "peek": await _peek(ctx, state)})
    async with ctx.reading() as tx:
        filters = state.lead_filter
        page = await queries.list_leads(
            tx, ctx.actor, filters=filters, sort=state.sort, after=ctx.after(state.scope), limit=_ROWS
        )
        count = await count_leads(tx, ctx.actor, filters=filters)
        owners = await member_names(tx, ctx.actor)
        context: dict[str, Any] = {"sources": await list_sources(tx, ctx.actor)}
        context["names"] = owners | await reference_names(tx, ctx.actor, read_tree(state.filter))
        context |= await _extended(tx, ctx, state, [lead.id for lead in page.items])
        views = [] if ctx.live else await list_views(tx, ctx.actor)
    context |= _views(state, views) | {
        "state": state,
        "leads": page.items,
        "count": count,
        "next": ctx.cursor(page, state.scope),
        "paged": "after" in ctx.query,
        "owners": owners,
        "columns": all_columns(),
        "custom": CUSTOM_FIELD,
        "label_of": label_of,
        "sorts": SORTS,
        "created_in": CREATED_IN,
        "phones": PHONE,
        "standard": STANDARD,
        "name_of": name_of,
        "peek": await _peek(ctx, state, owners),
    }
    return PageResponse("leads/list.html", context)


async def _extended(tx: Transaction, ctx: PageContext, state: LeadListParams, ids: Sequence[UUID]) -> dict[str, Any]:
    """Columns and bulk operations of other domains for the leads of the page."""
    cells = {name: LEAD_EXTENSIONS.fields[name].cell for name in state.columns if name in LEAD_EXTENSIONS.columns}
    shown = [name for name in cells if ctx.may(LEAD_EXTENSIONS.fields[name].permission)]
    operations = [
        item for item in LEAD_EXTENSIONS.operations.values() if ids and item.listed and ctx.may(item.permission)
    ]
    return {
        "cells": cells,
        "related": await LEAD_EXTENSIONS.load(tx, ctx.actor, shown, ids),
        "operations": operations,
        "options": {item.name: await item.load(tx, ctx.actor) for item in operations if item.load is not None},
    }


def _views(state: LeadListParams, views: Sequence[SavedView]) -> dict[str, Any]:
    shown = next((view for view in views if str(view.id) == state.view), None)
    tabs = [(view.name, LeadListParams.of_view(view).url(), view is shown) for view in views]
    return {
        "view": shown,
        "tabs": [("All leads", "/leads", shown is None), *tabs] if views else [],
        "unsaved": state != (LeadListParams.of_view(shown) if shown else LeadListParams()),
    }


async def _peek(ctx: PageContext, state: LeadListParams, owners: dict[str, str] | None = None) -> dict[str, Any] | None:
    if state.peek is None:
        return None
    async with ctx.reading() as tx:
        lead = await queries.get_lead(tx, ctx.actor, lead_id=state.peek)
        custom = await custom_fields_of(tx, ctx.actor)
        if owners is None:
            owners = await member_names(tx, ctx.actor)
    return {"lead": lead, "name": name_of(lead), "rows": rows_of(lead, owners, custom)}
