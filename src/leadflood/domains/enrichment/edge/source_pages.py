"""Sources of enrichment: the list, and the page of one with its plots."""

from typing import Any, Final

from leadflood.domains.enrichment.contracts.sources import SourceView
from leadflood.domains.enrichment.models.catalogs import CATALOGS
from leadflood.domains.enrichment.queries import sources as queries
from leadflood.domains.enrichment.queries.retractions import list_retractions
from leadflood.domains.enrichment.registry import worker_sources
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import actors_of
from leadflood.web.pipeline import Pages
from leadflood.web.plot_data import plot_data
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()

_PATH: Final = "/settings/sources"
_RETRACTIONS: Final = 10
"""Latest retractions that the page of a source lists."""


@pages.get(_PATH, LEADS_READ, live=("sources_list",))
async def list_sources(ctx: PageContext) -> PageResult:
    """The sources that workers ask, with their state and what they answered in the last 24 hours."""
    sources = worker_sources(ctx.parts.settings)
    found = await queries.list_sources(ctx.parts.database, ctx.actor, sources=sources)
    return PageResponse("sources/list.html", {"sources": found})


@pages.get(f"{_PATH}/{{name}}", LEADS_READ, live=("source_state",))
async def show_source(ctx: PageContext) -> PageResult:
    """The state of a source, its answers and durations as plots, and how often it has a value of each field."""
    name = ctx.request.path_params["name"]
    sources = worker_sources(ctx.parts.settings)
    found = await queries.get_source(ctx.parts.database, ctx.actor, name=name, sources=sources)
    async with ctx.reading() as tx:
        retracted = await list_retractions(tx, ctx.actor, source=name, limit=_RETRACTIONS)
        people = await actors_of(tx, ctx.actor, [item.actor for item in retracted.items])
    catalog = CATALOGS[found.subject]
    labels = {field.name: field.label for field in catalog}
    context: dict[str, Any] = {
        "source": found,
        "field_labels": labels,
        "retractions": retracted.items,
        "people": people,
        "answers": _plot(ctx, found, {"Found": "found", "Nothing or later": "other", "Failed": "failed"}),
        "durations": _plot(ctx, found, {"Median (p50)": "seconds_p50", "p95": "seconds_p95"}, unit="s"),
    }
    return PageResponse("sources/source.html", context)


def _plot(ctx: PageContext, found: SourceView, series: dict[str, str], unit: str = "") -> str:
    return plot_data(found.hours, series, zone=str(ctx.time_zone), days=False, unit=unit)
