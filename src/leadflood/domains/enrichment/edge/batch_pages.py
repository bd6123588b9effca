"""Enrichments of many leads or companies: the list, the estimate before one, and its live page."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qsl

from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.companies.queries.matching import matching_domains
from leadflood.domains.enrichment.contracts.batches import EnrichmentBatchView, StartEnrichment
from leadflood.domains.enrichment.errors import BatchNotReady, NothingToEnrich
from leadflood.domains.enrichment.models.batches import MAX_DOMAINS, BatchStatus
from leadflood.domains.enrichment.queries import batches as queries
from leadflood.domains.enrichment.registry import worker_sources
from leadflood.domains.enrichment.service import batches
from leadflood.domains.enrichment.service.workspace_sources import asked_sources
from leadflood.domains.leads.contracts.filters import MAX_SEARCH
from leadflood.domains.leads.errors import MatchCountExceeded
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.spending.models.amounts import amount_input
from leadflood.domains.spending.queries import get_settings
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError, FieldError, InvalidInput
from leadflood.web.amounts import form_amount
from leadflood.web.cookies import Toast, local_path
from leadflood.web.formats import duration, plural
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import actors_of
from leadflood.web.pages.lead_list_params import LeadListParams
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH: Final = "/enrichments"
_ROWS: Final = 50
_BUDGET: Final = "budgetMicros"
_OWN_FIELDS: Final = frozenset({"csrf", "includeFresh", "expected", _BUDGET})
_SHOWN_FAULTS: Final = 3
_NOUNS: Final = {"leads": ("lead", "leads"), "companies": ("company", "companies")}
_SHORT: Final = 5
"""Seconds below which no duration is shown."""


@pages.get(_PATH, LEADS_READ, live=("enrichments_list",))
async def list_enrichments(ctx: PageContext) -> PageResult:
    """The enrichments of many leads or companies, newest first."""
    async with ctx.reading() as tx:
        page = await queries.list_batches(tx, ctx.actor, after=ctx.after("enrichments"), limit=_ROWS)
        by = await actors_of(tx, ctx.actor, [item.actor for item in page.items])
    context = {
        "batches": page.items,
        "by": by,
        "noun": _noun,
        "next": ctx.cursor(page, "enrichments"),
        "paged": "after" in ctx.query,
    }
    return PageResponse("enrichments/list.html", context)


@pages.get(f"{_PATH}/new", COMPANIES_WRITE)
async def show_new_enrichment(ctx: PageContext) -> PageResult:  # noqa: ARG001  every page has its context
    """The form for companies by domain."""
    return PageResponse("enrichments/new.html", {"form": Form()})


@pages.post(f"{_PATH}/estimates", LEADS_WRITE)
async def estimate_enrichment(ctx: PageContext) -> PageResult:
    """Show an estimate of what would be enriched: a page, or a dialog over the list of leads."""
    return await _confirm(ctx)


@pages.post(_PATH, LEADS_WRITE)
async def start_enrichment(ctx: PageContext) -> PageResult:
    """Start to enrich in the background, within the budget: without one, or with 0, only free sources are asked."""
    try:
        budget = form_amount(ctx.form, _BUDGET)
    except InvalidInput as error:
        return await _confirm(ctx, refused=ctx.form.refused(error), status=error.status)
    try:
        async with ctx.writing() as tx:
            command = _command(ctx, domains=await _domains(tx, ctx), budget=budget)
            made = await batches.start(tx, ctx.actor, command=command, trace=ctx.trace)
    except (MatchCountExceeded, NothingToEnrich) as error:
        return await _confirm(ctx, changed=True, status=error.status)
    except InvalidInput as error:
        if ctx.form.value("domains"):
            return _refused_domains(ctx.form, error)
        raise
    return Redirect(f"{_PATH}/{made.id}")


@pages.get(f"{_PATH}/{{id}}", LEADS_READ, live=("enrichment_status", "enrichment_state"))
async def show_enrichment(ctx: PageContext) -> PageResult:
    """An enrichment with its progress, its counts, and why some are not complete."""
    async with ctx.reading() as tx:
        batch = await queries.get_batch(tx, ctx.actor, batch_id=ctx.id())
        by = await actors_of(tx, ctx.actor, [batch.actor])
        currency = (await get_settings(tx, ctx.actor)).currency
    context = {
        "batch": batch,
        "currency": currency,
        "by": by[batch.actor],
        "noun": _noun(batch),
        "note": _note(batch),
    }
    return PageResponse("enrichments/enrichment.html", context)


@pages.post(f"{_PATH}/{{id}}/pauses", LEADS_WRITE)
async def pause_enrichment(ctx: PageContext) -> PageResult:
    """Pause: what has not begun waits."""
    return await _changed(ctx, "Paused.", lambda tx: batches.pause(tx, ctx.actor, batch_id=ctx.id()))


@pages.post(f"{_PATH}/{{id}}/resumptions", LEADS_WRITE)
async def resume_enrichment(ctx: PageContext) -> PageResult:
    """Continue."""
    return await _changed(ctx, "Resumed.", lambda tx: batches.resume(tx, ctx.actor, batch_id=ctx.id(), trace=ctx.trace))


@pages.post(f"{_PATH}/{{id}}/cancellations", LEADS_WRITE)
async def cancel_enrichment(ctx: PageContext) -> PageResult:
    """Cancel: what has not begun is not enriched."""
    return await _changed(ctx, "Canceled.", lambda tx: batches.cancel(tx, ctx.actor, batch_id=ctx.id()))


async def _changed(
    ctx: PageContext, text: str, change: Callable[[Transaction], Awaitable[EnrichmentBatchView]]
) -> PageResult:
    toast = Toast(text)
    try:
        async with ctx.writing() as tx:
            await change(tx)
    except BatchNotReady as error:
        toast = Toast(str(error), "warn")
    return Redirect(f"{_PATH}/{ctx.id()}", [toast])


async def _confirm(
    ctx: PageContext, *, changed: bool = False, refused: Form | None = None, status: int = 200
) -> PageResult:
    """Args: refused: the form with a budget that is no amount."""
    form = ctx.form
    try:
        async with ctx.reading() as tx:
            command = _command(ctx, counted=False, domains=await _domains(tx, ctx))
            free, secret_box = worker_sources(ctx.parts.settings), ctx.parts.secret_box
            sources = await asked_sources(tx, ctx.actor, free=free, secret_box=secret_box)
            found = await batches.estimate(tx, ctx.actor, command=command, sources=sources)
    except AppError as error:
        if form.value("domains") and not error.is_fault:
            return _refused_domains(form, error)
        raise
    fields = [(name, value) for name, values in form.fields.items() for value in values]
    noun = found.subject.value
    budget = form if _BUDGET in form.fields else Form.of({_BUDGET: amount_input(found.most_micros)})
    context: dict[str, Any] = {
        "found": found,
        "budget_form": refused or budget,
        "heading": f"Enrich {plural(found.total, *_NOUNS[noun])}?",
        "takes": _takes(found.seconds_from, found.seconds_to),
        "include_fresh": form.checked("includeFresh"),
        "changed": changed,
        "nothing": found.total == 0,
        "fields": [(name, value) for name, value in fields if name not in _OWN_FIELDS],
        "back": local_path(form.value("next"), "/leads" if noun == "leads" else "/companies"),
    }
    return PageResponse("enrichments/confirm.html", context, status)


def _refused_domains(form: Form, error: AppError) -> PageResponse:
    """The form, with the first faults of its domains."""
    texts = dict.fromkeys(fault.message for fault in error.errors)
    fault = FieldError("/domains", "invalid_format", " ".join([*texts][:_SHOWN_FAULTS]) or str(error))
    refused = form.refused(InvalidInput(str(error), errors=[fault]))
    return PageResponse("enrichments/new.html", {"form": refused}, error.status)


def _noun(batch: EnrichmentBatchView) -> tuple[str, str]:
    return _NOUNS[batch.subject.value]


def _takes(least: int, most: int) -> str:
    """The duration for people."""
    if most <= _SHORT:
        return "a few seconds"
    low, high = duration(max(1, least)), duration(most)
    return f"about {high}" if low == high else f"{low} to {high}"


def _note(batch: EnrichmentBatchView) -> str:
    """Number of those that have ended, and the time that the others take at this rate."""
    text = f"{batch.processed:,} of {plural(max(batch.total, batch.processed), *_noun(batch))}"
    seconds = (utc_now() - batch.created_at).total_seconds()
    left = batch.planned + batch.running  # those that wait for sources have a time of their own
    if batch.status is BatchStatus.RUNNING and batch.processed and left and seconds > _SHORT:
        text += f" · {duration(max(1.0, round(left * seconds / batch.processed)))} left"
    return text


async def _domains(tx: Transaction, ctx: PageContext) -> list[str] | None:
    """The domains of the form: typed, of selected companies, or of all that a search finds. None: it is about leads."""
    form = ctx.form
    if form.checked("all") and "companiesMatching" in form.fields:
        q = form.value("companiesMatching")[:MAX_SEARCH]
        return await matching_domains(tx, ctx.actor, q=q, limit=MAX_DOMAINS)
    if "companiesMatching" in form.fields or "domains" in form.fields:
        return " ".join(form.values("domains")).replace(",", " ").split()
    return None


def _command(
    ctx: PageContext, *, counted: bool = True, domains: list[str] | None, budget: int | None = None
) -> StartEnrichment:
    """Args: counted: whether the number of leads must be the one that the user saw, or less. budget: in millionths."""
    form = ctx.form
    given: dict[str, Any] = {"includeFresh": form.checked("includeFresh"), _BUDGET: budget or None}
    if name := form.value("name").strip():
        given["name"] = name[:200]
    if form.value("importId"):
        given["importId"] = form.value("importId")
    elif domains is not None:
        given["domains"] = domains
    elif form.checked("all"):
        state = LeadListParams.read(parse_qsl(form.value("matching"), keep_blank_values=True))
        given["matching"] = state.query
        if counted:
            given["expectedCount"] = form.number("expected")
    elif form.values("ids"):
        given["leadIds"] = form.values("ids")
    else:
        fault = FieldError("/ids", "required", "Select at least one lead.")
        raise InvalidInput("Select at least one lead.", errors=[fault])
    return validated(StartEnrichment, given)
