"""Sources of enrichment: the list, and the page of one with its plots, its key and its price."""

from dataclasses import dataclass
from typing import Any, Final

from leadflood.domains.enrichment.contracts.language_models import ModelEndpointView, SetModelEndpoint
from leadflood.domains.enrichment.contracts.source_settings import ChangeSource, SetSourceKey
from leadflood.domains.enrichment.contracts.source_tests import SourceTestView, StartSourceTest
from leadflood.domains.enrichment.contracts.sources import SourceView
from leadflood.domains.enrichment.errors import (
    KeyMissing,
    ModelMissing,
    PriceMissing,
    SourceNotFound,
    SourceNotTestable,
    SourceTestNotFound,
)
from leadflood.domains.enrichment.models.catalogs import CATALOGS
from leadflood.domains.enrichment.models.model_endpoints import LANGUAGE_MODEL
from leadflood.domains.enrichment.models.sources import Charge
from leadflood.domains.enrichment.permissions import SOURCES_WRITE
from leadflood.domains.enrichment.queries import sources as queries
from leadflood.domains.enrichment.queries.retractions import list_retractions
from leadflood.domains.enrichment.queries.source_settings import language_model
from leadflood.domains.enrichment.queries.source_tests import latest_test
from leadflood.domains.enrichment.registry import worker_sources
from leadflood.domains.enrichment.service import source_settings as service
from leadflood.domains.enrichment.service import source_tests
from leadflood.domains.enrichment.service.workspace_sources import ShownSources, shown_sources
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.spending import queries as spending_queries
from leadflood.domains.spending import service as spending
from leadflood.domains.spending.contracts import SetPrice
from leadflood.domains.spending.errors import PriceNotFound
from leadflood.domains.spending.models import BudgetState, Price
from leadflood.domains.spending.models.amounts import amount_input
from leadflood.domains.spending.permissions import SPENDING_WRITE
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.door.targets import parse_internal_hosts
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.web.amounts import form_amount
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
_OUTPUT_WEIGHT: Final = 4
_AMOUNTS: Final = ("priceMicros", "mostPerHitMicros")


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that a source needs before it purchases anything. `text`: what to do if it is missing."""

    title: str
    text: str
    href: str
    action: str
    done: bool


@pages.get(_PATH, LEADS_READ, live=("sources_list",))
async def list_sources(ctx: PageContext) -> PageResult:
    """The sources that workers ask, with their state and what they answered in the last 24 hours."""
    database = ctx.parts.database
    shown = await shown_sources(database, ctx.actor, free=worker_sources(ctx.parts.settings))
    found = await queries.list_sources(database, ctx.actor, sources=shown.sources, providers=shown.providers)
    return PageResponse("sources/list.html", {"sources": found})


@pages.get(f"{_PATH}/{{name}}", LEADS_READ, live=("source_state", "source_test"))
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
    except (KeyMissing, ModelMissing, PriceMissing) as error:
        return await _page(ctx, Form.of({}), refusal=str(error), status=error.status)
    return Redirect(f"{_PATH}/{name}", [Toast("Source enabled." if enabled else "Source disabled.")])


@pages.post(f"{_PATH}/{{name}}/tests", SOURCES_WRITE)
async def test_source(ctx: PageContext) -> PageResult:
    """Ask the source once about a lead or company."""
    name, about = ctx.request.path_params["name"], ctx.form.value("about").strip()
    try:
        command = validated(StartSourceTest, {"about": about} if about else {})
        async with ctx.writing() as tx:
            await source_tests.start(tx, ctx.actor, source=name, command=command, trace=ctx.trace)
    except InvalidInput as error:
        return await _page(ctx, Form.of({}), test_form=ctx.form.refused(error), status=error.status)
    except (KeyMissing, PriceMissing, SourceNotTestable) as error:
        return await _page(ctx, Form.of({}), refusal=str(error), status=error.status)
    return Redirect(f"{_PATH}/{name}#test", [Toast("Testing. The answer appears here.")])


@pages.post(f"{_PATH}/{LANGUAGE_MODEL}/model", SOURCES_WRITE)
async def set_language_model(ctx: PageContext) -> PageResult:
    """Set up the language model, or change its address and name. What else is set up stays."""
    form = ctx.form
    async with ctx.reading() as tx:
        stored = await _model(tx, ctx)
    kept = {} if stored is None else stored.model_dump(include={"fields", "max_bytes", "max_tokens"}, by_alias=True)
    auth = "none" if form.checked("keyless") else "bearer"
    given = {"url": form.value("url"), "model": form.value("model"), "outputWeight": form.number("outputWeight")}
    try:
        command = validated(SetModelEndpoint, {**kept, **given, "auth": auth})
        internal = parse_internal_hosts(ctx.parts.settings.internal_hosts)
        async with ctx.writing() as tx:
            made = await service.set_model(tx, ctx.actor, command=command, internal=internal)
    except InvalidInput as error:
        refused = Form({**form.fields, "auth": [auth]}).refused(error)
        return await _page(ctx, Form.of({}), name=LANGUAGE_MODEL, model_form=refused, status=error.status)
    text = "Model saved. Its key was for another server and is deleted." if made.key_cleared else "Model saved."
    return Redirect(f"{_PATH}/{LANGUAGE_MODEL}", [Toast(text)])


@pages.post(f"{_PATH}/{{name}}/price", SPENDING_WRITE)
async def set_source_price(ctx: PageContext) -> PageResult:
    """Set the price of a unit, which ends a pause."""
    name = await _with_provider(ctx)
    try:
        command = validated(SetPrice, _amounts(ctx.form))
        async with ctx.writing() as tx:
            await spending.set_price(tx, ctx.actor, source=name, command=command)
    except InvalidInput as error:
        return await _page(ctx, Form.of({}), price_form=ctx.form.refused(error), status=error.status)
    return Redirect(f"{_PATH}/{name}", [Toast("Price saved.")])


@pages.post(f"{_PATH}/{{name}}/price-removals", SPENDING_WRITE)
async def remove_source_price(ctx: PageContext) -> PageResult:
    """Remove the price: nothing is purchased."""
    name = await _with_provider(ctx)
    toast = Toast("Price removed. Nothing is purchased from this source.")
    try:
        async with ctx.writing() as tx:
            await spending.remove_price(tx, ctx.actor, source=name)
    except PriceNotFound as error:
        toast = Toast(str(error), "warn")
    return Redirect(f"{_PATH}/{name}", [toast])


@pages.post(f"{_PATH}/{{name}}/resumptions", SPENDING_WRITE)
async def resume_source(ctx: PageContext) -> PageResult:
    """End a pause: set the same price again."""
    name = await _with_provider(ctx)
    toast = Toast("Resumed.")
    try:
        async with ctx.writing() as tx:
            price = await spending_queries.get_price(tx, ctx.actor, source=name)
            same = {"priceMicros": price.price_micros, "mostPerHitMicros": price.most_per_hit_micros}
            await spending.set_price(tx, ctx.actor, source=name, command=validated(SetPrice, same))
    except PriceNotFound as error:
        toast = Toast(str(error), "warn")
    return Redirect(f"{_PATH}/{name}", [toast])


async def _with_provider(ctx: PageContext) -> str:
    """The name of the source, which has a provider. Raises: SourceNotFound."""
    name: str = ctx.request.path_params["name"]
    if name not in (await shown_sources(ctx.parts.database, ctx.actor, free=())).providers:
        raise SourceNotFound
    return name


async def _page(
    ctx: PageContext,
    form: Form,
    *,
    name: str = "",
    price_form: Form | None = None,
    model_form: Form | None = None,
    test_form: Form | None = None,
    refusal: str = "",
    status: int = 200,
) -> PageResponse:
    name = name or ctx.request.path_params["name"]
    database = ctx.parts.database
    shown = await shown_sources(database, ctx.actor, free=worker_sources(ctx.parts.settings))
    found = await queries.get_source(database, ctx.actor, name=name, sources=shown.sources, providers=shown.providers)
    async with ctx.reading() as tx:
        retracted = await list_retractions(tx, ctx.actor, source=name, limit=_RETRACTIONS)
        currency = (await spending_queries.get_settings(tx, ctx.actor)).currency
        model = await _model(tx, ctx) if name == LANGUAGE_MODEL else None
        setup = await _setup(tx, ctx, found, shown, model)
        people = await actors_of(tx, ctx.actor, [item.actor for item in retracted.items])
    price: Price | None = setup["price"]
    context: dict[str, Any] = {
        "source": found,
        "form": form,
        "price_form": price_form or _price_form(price),
        "model": model,
        "model_form": (model_form or _model_form(model)) if name == LANGUAGE_MODEL else None,
        "refusal": refusal,
        "test_form": test_form or Form.of({}),
        "currency": currency,
        **setup,
        "outcomes": [(_OUTCOMES[name], number) for name, number in found.outcomes.items() if name in _OUTCOMES],
        "field_labels": {field.name: field.label for field in CATALOGS[found.subject]},
        "retractions": retracted.items,
        "people": people,
        "answers": _plot(ctx, found, {"Found": "found", "Nothing or later": "other", "Failed": "failed"}),
        "durations": _plot(ctx, found, {"Median (p50)": "seconds_p50", "p95": "seconds_p95"}, unit="s"),
    }
    return PageResponse("sources/source.html", context, status)


async def _setup(
    tx: Transaction, ctx: PageContext, found: SourceView, shown: ShownSources, model: ModelEndpointView | None
) -> dict[str, Any]:
    """Price of a source, and what it needs before it purchases anything."""
    provider = shown.providers.get(found.name)
    if provider is None or found.provider is None:
        return {"charges": False, "needs_key": False, "price": None, "steps": [], "testable": False, "tested": None}
    spec = next(source.spec for source in shown.sources if source.spec.name == found.name)
    charges = spec.charges is not Charge.NEVER
    steps, price = [], None
    if found.name == LANGUAGE_MODEL:
        text = "Address and name of the model that is asked."
        steps.append(_Step("Model", text, "#model", "Set up model", model is not None))
    if provider.needs_key and (model is not None or found.name != LANGUAGE_MODEL):
        text = f"Sent to {provider.origin} only."
        steps.append(_Step("Key", text, "#key", "Set key", found.provider.key_last4 is not None))
    if charges:
        price = await spending_queries.price_of(tx, ctx.actor, source=found.name)
        text = f"What one {provider.unit} costs by your contract."
        steps.append(_Step("Price", text, "#price", "Set price", price is not None))
        budget = await spending_queries.workspace_budget_state(tx, ctx.actor)
        paused = budget is BudgetState.PAUSED
        text = "It is paused." if paused else "The most that all sources together may cost."
        action = "Open budget" if paused else "Create budget"
        steps.append(_Step("Budget of the workspace", text, "/spending", action, budget is BudgetState.OPEN))
    missing = any(not step.done for step in steps)
    return {
        "charges": charges,
        "needs_key": provider.needs_key,
        "price": price,
        "steps": steps if missing else [],
        "tested": await _tested(tx, ctx, found.name),
        "testable": not missing and not spec.reads_pages,
        "most_micros": 0 if price is None else price.micros * spec.most_units,
    }


async def _tested(tx: Transaction, ctx: PageContext, name: str) -> SourceTestView | None:
    """The latest test of the source, if there is one."""
    try:
        return await latest_test(tx, ctx.actor, source=name)
    except SourceTestNotFound:
        return None


def _amounts(form: Form) -> dict[str, int]:
    """The amounts of the form of a price. Raises: InvalidInput."""
    given = {name: form_amount(form, name) for name in _AMOUNTS}
    faults = [FieldError(f"/{name}", "too_small", "Must be more than 0.") for name in _AMOUNTS if given[name] == 0]
    if faults:
        raise InvalidInput("Fix the errors below.", errors=faults)
    return {name: amount for name, amount in given.items() if amount is not None}


async def _model(tx: Transaction, ctx: PageContext) -> ModelEndpointView | None:
    """The language model of the workspace, if it has set up one."""
    try:
        return await language_model(tx, ctx.actor)
    except ModelMissing:
        return None


def _model_form(model: ModelEndpointView | None) -> Form:
    if model is None:
        return Form.of({"outputWeight": _OUTPUT_WEIGHT})
    return Form.of(model.model_dump(include={"url", "model", "auth", "output_weight"}, by_alias=True))


def _price_form(price: Price | None) -> Form:
    if price is None:
        return Form.of({})
    most = None if price.most_per_hit is None else amount_input(price.most_per_hit)
    return Form.of({"priceMicros": amount_input(price.micros), "mostPerHitMicros": most})


def _plot(ctx: PageContext, found: SourceView, series: dict[str, str], unit: str = "") -> str:
    return plot_data(found.hours, series, zone=str(ctx.time_zone), days=False, unit=unit)
