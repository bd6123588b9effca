"""Retracting what a source wrote: the form with its count, and the retractions of a source."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from leadflood.domains.companies import queries as companies
from leadflood.domains.companies.models import company_domain
from leadflood.domains.enrichment.contracts.retractions import RetractionView, RetractValues
from leadflood.domains.enrichment.errors import NothingToRetract, SourceNotFound, ValueCountExceeded
from leadflood.domains.enrichment.models.fact_fields import FactField, SubjectKind
from leadflood.domains.enrichment.models.retractions import UNASKED
from leadflood.domains.enrichment.models.sources import SourceSpec
from leadflood.domains.enrichment.registry import build_sources, worker_sources
from leadflood.domains.enrichment.service import retractions
from leadflood.domains.enrichment.service.workspace_sources import shown_sources
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.errors import AppError, FieldError, InvalidInput
from leadflood.kernel.text import InvalidValue
from leadflood.web.cookies import Toast
from leadflood.web.formats import number, plural
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()
T = TypeVar("T")

_PATH: Final = "/settings/sources/{name}/retractions"
_GIVEN: Final = ("since", "until", "field", "about")
_PERIOD: Final = timedelta(days=7)


@pages.get(f"{_PATH}/new", LEADS_WRITE)
async def show_new_retraction(ctx: PageContext) -> PageResult:
    """The form, and the count of what it means as soon as it names a period."""
    form = Form.of({name: ctx.query.get(name, "") for name in _GIVEN})
    if not form.value("since"):
        start = datetime.combine(ctx.today - _PERIOD, time()).isoformat(timespec="minutes")
        return await _page(ctx, Form.of({"since": start}), counted=False)
    return await _page(ctx, form, counted=True)


@pages.post(_PATH, LEADS_WRITE)
async def retract_values(ctx: PageContext) -> PageResult:
    """Retract what was counted. Of many values, the number has to be typed."""
    form, spec = ctx.form, await _spec(ctx)
    count = form.number("expected")
    if isinstance(count, int) and count > UNASKED and re.sub(r"\D", "", form.value("typed")) != str(count):
        fault = FieldError("/typed", "required", f"Type {number(count)} to confirm.")
        return await _page(ctx, form.refused(InvalidInput("Not confirmed.", errors=[fault])), counted=True, status=400)
    try:
        async with ctx.writing() as tx:
            command = await _command(tx, ctx, form, spec, expectedCount=count)
            made = await retractions.retract(tx, ctx.actor, command=command, trace=ctx.trace)
    except (ValueCountExceeded, NothingToRetract) as error:
        return await _page(ctx, form, counted=True, status=error.status)
    return Redirect(f"/settings/sources/{spec.name}", [_toast(made)])


async def _page(ctx: PageContext, form: Form, *, counted: bool, status: int = 200) -> PageResponse:
    spec, found = await _spec(ctx), None
    if counted and (not form.errors or "typed" in form.errors):
        try:
            async with ctx.reading() as tx:
                command = await _command(tx, ctx, form, spec, dryRun=True)
                found = await retractions.estimate(tx, ctx.actor, command=command)
        except AppError as error:
            if error.is_fault:
                raise
            form, status = form.refused(error), error.status
    context: dict[str, Any] = {
        "source": spec,
        "form": form,
        "found": found,
        "until": found.until.isoformat() if found else "",
        "fields": [("", "All fields"), *_choices(spec)],
        "given": [(name, form.value(name)) for name in _GIVEN if name != "until"],
        "typed": found is not None and found.values > UNASKED,
        "changed": status == ValueCountExceeded.status,
        "days": ctx.parts.settings.lead_retention_days,
        "about": "Domain of a company" if spec.subject is SubjectKind.COMPANY else "Email of a lead",
    }
    return PageResponse("retractions/new.html", context, status)


def _choices(spec: SourceSpec) -> list[tuple[str, str]]:
    def label(field: FactField) -> str:
        return field.label

    return [(field.name, field.label) for field in sorted(spec.gives, key=label)]


async def _spec(ctx: PageContext) -> SourceSpec:
    """The source of the address, whether workers ask it now or not. Raises: SourceNotFound."""
    name, settings = ctx.request.path_params["name"], ctx.parts.settings
    shown = await shown_sources(ctx.parts.database, ctx.actor, free=worker_sources(settings))
    for source in (*shown.sources, *build_sources(settings)):
        if source.spec.name == name:
            return source.spec
    raise SourceNotFound


async def _command(
    tx: Transaction,
    ctx: PageContext,
    form: Form,
    spec: SourceSpec,
    **more: Any,  # noqa: ANN401  of the contract
) -> RetractValues:
    """Raises: InvalidInput."""
    given: dict[str, Any] = {"source": spec.name, **more}
    for name in ("since", "until"):
        if text := form.value(name):
            given[name] = _moment(ctx, name, text)
    if form.value("field"):
        given["field"] = form.value("field")
    if about := form.value("about").strip():
        kind = "companyId" if spec.subject is SubjectKind.COMPANY else "leadId"
        given[kind] = str(await _subject(tx, ctx, spec, about))
    return validated(RetractValues, given)


def _moment(ctx: PageContext, name: str, text: str) -> str:
    """A time of the form, in the time zone of the reader unless it names its own."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=at.tzinfo or ctx.time_zone).astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as error:
        fault = FieldError(f"/{name}", "invalid_format", "Enter a date and a time.")
        raise InvalidInput("No time.", errors=[fault]) from error


async def _subject(tx: Transaction, ctx: PageContext, spec: SourceSpec, about: str) -> UUID:
    """The lead or company that the form names. Raises: InvalidInput."""
    if spec.subject is SubjectKind.LEAD:
        lead = await leads.lead_with_email(tx, ctx.actor, email=_read(parse_email, about))
        if lead is not None:
            return lead
        raise InvalidInput("No lead.", errors=[FieldError("/about", "not_found", "No lead has this email.")])
    domain = _read(company_domain, about)
    owner = (await companies.owners_of(tx, ctx.actor.workspace_id, [domain])).get(domain)
    if owner is None:
        message = f"No company has the domain {domain}."
        raise InvalidInput("No company.", errors=[FieldError("/about", "not_found", message)])
    return owner.company_id


def _read(parse: Callable[[str], T], text: str) -> T:
    """Raises: InvalidInput."""
    try:
        return parse(text)
    except InvalidValue as error:
        raise InvalidInput("Not found.", errors=[FieldError("/about", "invalid_format", str(error))]) from error


def _toast(made: RetractionView) -> Toast:
    link = f"/changes/{made.id}"
    if made.ended_at is None:
        return Toast("Retracting in the background.", "info", link=link, link_text="View progress")
    undo = f"/changesets/{made.id}/undos"
    return Toast(f"{plural(made.values, 'value')} retracted.", undo=undo, link=link, link_text="Details")
