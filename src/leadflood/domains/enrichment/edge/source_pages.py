"""Sources of enrichment: the list, and the page of one with its plots."""

from typing import Any, Final

from leadflood.domains.enrichment.contracts.source_settings import ChangeSource, SetSourceKey
from leadflood.domains.enrichment.contracts.sources import SourceView
from leadflood.domains.enrichment.errors import KeyMissing, PriceMissing
from leadflood.domains.enrichment.models.catalogs import CATALOGS
from leadflood.domains.enrichment.permissions import SOURCES_WRITE
from leadflood.domains.enrichment.queries import sources as queries
from leadflood.domains.enrichment.queries.retractions import list_retractions
from leadflood.domains.enrichment.registry import worker_sources
from leadflood.domains.enrichment.service import source_settings as service
from leadflood.domains.enrichment.service.workspace_sources import shown_sources
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.spending.queries import get_settings
from leadflood.kernel.errors import InvalidInput
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import actors_of
from leadflood.web.pipeline import Pages
from leadflood.web.plot_data import plot_data
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH: Final = "/settings/sources"
_OUTCOMES: Final = {
    "found": "Found",
    "missed": "Nothing found",
    "refused": "Refused",
    "waiting": "Asked again later",
    "away": "Not reached",
    "failed": "Failed",
}
_RETRACTIONS: Final = 10
"""Latest retractions that the page of a source lists."""


@pages.get(_PATH, LEADS_READ, live=("sources_list",))
async def list_sources(ctx: PageContext) -> PageResult:
    """The sources that workers ask, with their state and what they answered in the last 24 hours."""
    database = ctx.parts.database
    shown = await shown_sources(database, ctx.actor, free=worker_sources(ctx.parts.settings))
    found = await queries.list_sources(database, ctx.actor, sources=shown.sources, providers=shown.providers)
    return PageResponse("sources/list.html", {"sources": found})


@pages.get(f"{_PATH}/{{name}}", LEADS_READ, live=("source_state",))
async def show_source(ctx: PageContext) -> PageResult:
    """The state of a source, its answers and durations as plots, and how often it has a value of each field."""
    return await _page(ctx, Form.of({}))


@pages.post(f"{_PATH}/{{name}}/key", SOURCES_WRITE)
async def set_source_key(ctx: PageContext) -> PageResult:
    """Store the key of the source's provider."""
    name = ctx.request.path_params["name"]
    try:
        command = validated(SetSourceKey, {"key": ctx.form.value("key")})
        async with ctx.writing() as tx:
            await service.set_key(tx, ctx.actor, ctx.parts.secret_box, source=name, command=command)
    except InvalidInput as error:
        return await _page(ctx, Form.of({}).refused(error), status=error.status)
    return Redirect(f"{_PATH}/{name}", [Toast("Key saved.")])


@pages.post(f"{_PATH}/{{name}}/key-deletions", SOURCES_WRITE)
async def clear_source_key(ctx: PageContext) -> PageResult:
    """Delete the key of the source's provider, which disables its sources."""
    name = ctx.request.path_params["name"]
    async with ctx.writing() as tx:
        await service.clear_key(tx, ctx.actor, source=name)
    return Redirect(f"{_PATH}/{name}", [Toast("Key deleted. Its sources are off.")])


@pages.post(f"{_PATH}/{{name}}/states", SOURCES_WRITE)
async def change_source(ctx: PageContext) -> PageResult:
    """Enable or disable a source."""
    name, enabled = ctx.request.path_params["name"], ctx.form.checked("enabled")
    try:
        async with ctx.writing() as tx:
            await service.change(tx, ctx.actor, source=name, command=ChangeSource(enabled=enabled))
    except (KeyMissing, PriceMissing) as error:
        return await _page(ctx, Form.of({}), refusal=str(error), status=error.status)
    return Redirect(f"{_PATH}/{name}", [Toast("Source enabled." if enabled else "Source disabled.")])


async def _page(ctx: PageContext, form: Form, *, refusal: str = "", status: int = 200) -> PageResponse:
    name = ctx.request.path_params["name"]
    database = ctx.parts.database
    shown = await shown_sources(database, ctx.actor, free=worker_sources(ctx.parts.settings))
    found = await queries.get_source(database, ctx.actor, name=name, sources=shown.sources, providers=shown.providers)
    async with ctx.reading() as tx:
        retracted = await list_retractions(tx, ctx.actor, source=name, limit=_RETRACTIONS)
        currency = (await get_settings(tx, ctx.actor)).currency
        people = await actors_of(tx, ctx.actor, [item.actor for item in retracted.items])
    catalog = CATALOGS[found.subject]
    labels = {field.name: field.label for field in catalog}
    context: dict[str, Any] = {
        "source": found,
        "form": form,
        "refusal": refusal,
        "currency": currency,
        "money": _money,
        "outcomes": [(_OUTCOMES[name], number) for name, number in found.outcomes.items() if name in _OUTCOMES],
        "field_labels": labels,
        "retractions": retracted.items,
        "people": people,
        "answers": _plot(ctx, found, {"Found": "found", "Nothing or later": "other", "Failed": "failed"}),
        "durations": _plot(ctx, found, {"Median (p50)": "seconds_p50", "p95": "seconds_p95"}, unit="s"),
    }
    return PageResponse("sources/source.html", context, status)


def _money(micros: int, currency: str) -> str:
    """An amount with as many decimals as it needs: 25,000 is "0.025 EUR"."""
    text = f"{micros / 1_000_000:.4f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest.ljust(2, '0')} {currency}"


def _plot(ctx: PageContext, found: SourceView, series: dict[str, str], unit: str = "") -> str:
    return plot_data(found.hours, series, zone=str(ctx.time_zone), days=False, unit=unit)
