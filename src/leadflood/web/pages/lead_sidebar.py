"""Saved views of leads in the sidebar, and how many leads each has."""

from typing import Final

from leadflood.domains.leads.contracts.views import SavedView
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.leads.queries.search import count_each
from leadflood.domains.leads.queries.views import list_views
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.pages import NavItem
from leadflood.kernel.schema import Count
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_list_params import LeadListParams
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()

_LEADS: Final = "/leads"
_SHOWN: Final = 10
"""Views in the sidebar. The list of leads has all of them as tabs."""
_TIMEOUT: Final = 2.0
"""Seconds that counting may take: a view may search all leads."""


@pages.nav_group(_LEADS, counts="/leads/view-counts")
async def views_below_leads(tx: Transaction, actor: Actor) -> list[NavItem]:
    """The first saved views, the user's own in their order."""
    if LEADS_READ not in actor.permissions:
        return []
    return [_item(view) for view in await _shown(tx, actor)]


@pages.get("/leads/view-counts", LEADS_READ)
async def count_views(ctx: PageContext) -> PageResult:
    """Counts of the user's items below Leads, in one statement. None is shown if that takes too long."""
    async with ctx.reading() as tx:
        views = await _shown(tx, ctx.actor)
    mine = [item for item in ctx.places(*ctx.navigation.items) if item.parent == _LEADS and not item.has_count]
    own = [LeadListParams.read(item.query.items()).lead_filter for item in mine]
    items = [*mine, *map(_item, views)]
    filters = [*own, *(view.filter.lead_filter() for view in views)]
    counts: list[Count] = []
    try:
        async with ctx.reading() as tx:
            await tx.limit(statement=_TIMEOUT)
            counts = await count_each(tx, ctx.actor, filters=filters)
    except Unavailable:
        items = []
    return PageResponse("leads/view_counts.html", {"counts": list(zip(items, counts, strict=True))})


async def _shown(tx: Transaction, actor: Actor) -> list[SavedView]:
    return (await list_views(tx, actor))[:_SHOWN]


def _item(view: SavedView) -> NavItem:
    href = LeadListParams.of_view(view).url()
    return NavItem(view.name, href, "filter", "main", parent=_LEADS, identified_by=("view",))
