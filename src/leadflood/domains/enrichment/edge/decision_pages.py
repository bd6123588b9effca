"""The forms with which people pin, reject and correct found values of leads and companies."""

import json
from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any, Final

from leadflood.domains.companies import queries as companies
from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.enrichment.contracts import EnrichmentValueView
from leadflood.domains.enrichment.contracts.decisions import CorrectValue, DecidedField, DecisionRequest, NamedValue
from leadflood.domains.enrichment.errors import FactNotFound
from leadflood.domains.enrichment.models.catalogs import CATALOGS
from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.decisions import Decision, Subject, typed
from leadflood.domains.enrichment.models.fact_fields import FactField, FactType, SubjectKind
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS
from leadflood.domains.enrichment.queries.decisions import subject_values
from leadflood.domains.enrichment.service import decisions
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.labels import name_of
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError, FieldError, InvalidInput, NotFound
from leadflood.web.cookies import Toast, local_path
from leadflood.web.fact_text import fact_text
from leadflood.web.formats import plural
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_DONE: Final = {
    Decision.PINNED: "Pinned.",
    Decision.UNPINNED: "Unpinned.",
    Decision.CORRECTED: "Corrected.",
    Decision.CORRECTION_REMOVED: "Correction removed.",
    Decision.REJECTED: "Rejected.",
    Decision.REJECTION_REMOVED: "Rejection removed.",
}
_PATHS: Final = {SubjectKind.LEAD: "/leads", SubjectKind.COMPANY: "/companies"}
_HINTS: Final = {
    FactType.BOOLEAN: "Yes or no.",
    FactType.INTEGER: "A whole number.",
    FactType.YEAR: "A year, such as 1998.",
    FactType.COUNTRY: "Name or code of a country.",
    FactType.LANGUAGE: "Code of a language, such as de.",
}
_WRITTEN_AS_SHOWN: Final = (FactType.BOOLEAN, FactType.COUNTRY)
_MAX_PRESENT: Final = 60


@pages.post("/companies/{id}/decisions", COMPANIES_WRITE)
async def decide_about_company(ctx: PageContext) -> PageResult:
    """Pin or reject a value, as the pressed button says."""
    return await _decided(ctx, SubjectKind.COMPANY)


@pages.post("/leads/{id}/decisions", LEADS_WRITE)
async def decide_about_lead(ctx: PageContext) -> PageResult:
    """Pin or reject a value, as the pressed button says."""
    return await _decided(ctx, SubjectKind.LEAD)


@pages.post("/companies/{id}/acceptances", COMPANIES_WRITE)
async def accept_company_facts(ctx: PageContext) -> PageResult:
    """Accept all suggested values."""
    async with ctx.writing() as tx:
        made = await decisions.accept_for_company(tx, ctx.actor, company_id=ctx.id(), trace=ctx.trace)
    toast = Toast("No changes needed.", "info")
    if made.changeset_id is not None:
        toast = Toast(f"Accepted {plural(len(made.fields), 'value')}.", undo=f"/changesets/{made.changeset_id}/undos")
    return Redirect(f"/companies/{ctx.id()}", [toast])


@pages.get("/companies/{id}/corrections/new", COMPANIES_WRITE)
async def show_company_correction(ctx: PageContext) -> PageResult:
    """The form for a value of the user's own."""
    return await _page(ctx, SubjectKind.COMPANY)


@pages.get("/leads/{id}/corrections/new", LEADS_WRITE)
async def show_lead_correction(ctx: PageContext) -> PageResult:
    """The form for a value of the user's own."""
    return await _page(ctx, SubjectKind.LEAD)


@pages.post("/companies/{id}/corrections", COMPANIES_WRITE)
async def correct_company(ctx: PageContext) -> PageResult:
    """Write a value of the user's own."""
    return await _corrected(ctx, SubjectKind.COMPANY)


@pages.post("/leads/{id}/corrections", LEADS_WRITE)
async def correct_lead(ctx: PageContext) -> PageResult:
    """Write a value of the user's own."""
    return await _corrected(ctx, SubjectKind.LEAD)


async def _decided(ctx: PageContext, kind: SubjectKind) -> PageResult:
    field, request = _request(ctx.form.value("decision"))
    back = local_path(ctx.form.value("next"), f"{_PATHS[kind]}/{ctx.id()}")
    try:
        made = await _write(ctx, kind, field, request)
    except AppError as error:
        if not isinstance(error, FactNotFound):
            raise
        return Redirect(back, [Toast(str(error), "warn")])
    return Redirect(back, [_toast(made, request)])


async def _corrected(ctx: PageContext, kind: SubjectKind) -> PageResult:
    form, name = ctx.form, ctx.form.value("field")
    try:
        catalog = CATALOGS[kind]
        if name not in catalog:
            raise InvalidInput("No field.", errors=[FieldError("/field", "required", "Choose a field.")])
        command = validated(CorrectValue, {"value": typed(catalog[name], form.value("value"))})
        request = DecisionRequest(Decision.CORRECTED, command.value)
        made = await _write(ctx, kind, name, request)
    except AppError as error:
        if error.is_fault or isinstance(error, NotFound):
            raise
        return await _page(ctx, kind, form.refused(error), error.status)
    return Redirect(f"{_PATHS[kind]}/{ctx.id()}", [_toast(made, request)])


async def _write(ctx: PageContext, kind: SubjectKind, field: str, request: DecisionRequest) -> DecidedField:
    async with ctx.writing() as tx:
        if kind is SubjectKind.LEAD:
            return await decisions.decide_for_lead(
                tx, ctx.actor, lead_id=ctx.id(), field=field, request=request, trace=ctx.trace
            )
        return await decisions.decide_for_company(
            tx, ctx.actor, company_id=ctx.id(), field=field, request=request, trace=ctx.trace
        )


def _request(text: str) -> tuple[str, DecisionRequest]:
    """Field and decision of a button. Raises: InvalidInput."""
    try:
        given: Mapping[str, Any] = json.loads(text)
        decision = Decision(given["decision"])
        field, value, source = str(given["field"]), given["value"], given.get("source")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput("Choose what to do with which value.") from error
    named = validated(NamedValue, {"value": value, **({"source": source} if source else {})})
    return field, DecisionRequest(decision, named.value, named.source)


async def _page(ctx: PageContext, kind: SubjectKind, form: Form | None = None, status: int = 200) -> PageResponse:
    """The form: one that was refused, or a new one with the present value of the field in the address."""
    async with ctx.reading() as tx:
        title = await _title(tx, ctx, kind)
        values = await subject_values(tx, ctx.actor, subject=Subject(kind, ctx.id()))
    fields = _fields(kind)
    present = {field.name: [item for item in values if item.chosen and item.field == field.name] for field in fields}
    name = ctx.query.get("field", "") if form is None else form.value("field")
    chosen = next((field for field in fields if field.name == name), None)
    if form is None:
        form = Form.of({"field": name, "value": _editable(chosen, present[chosen.name]) if chosen else ""})
    context: dict[str, Any] = {
        "form": form,
        "back": f"{_PATHS[kind]}/{ctx.id()}",
        "subject_title": title,
        "list": ("Leads", "/leads") if kind is SubjectKind.LEAD else ("Companies", "/companies"),
        "fields": [("", "Select field"), *((field.name, _option(field, present[field.name])) for field in fields)],
        "hint": _HINTS.get(chosen.type, "") if chosen else "",
        "chosen": chosen,
        "present": present[chosen.name] if chosen else [],
    }
    return PageResponse("decisions/correct.html", context, status)


def _fields(kind: SubjectKind) -> list[FactField]:
    """The fields that people correct: not those of the lead itself, nor what identifies the subject."""
    if kind is SubjectKind.LEAD:
        return [field for field in PERSON_FIELDS if field.fills is None and field.name != "email"]
    return [field for field in COMPANY_FIELDS if field.name != "domain"]


def _option(field: FactField, present: Sequence[EnrichmentValueView]) -> str:
    """Label of a field with its present values."""
    values = ", ".join(fact_text(item.value, field.type) for item in present)
    return f"{field.label}: {shorten(values, _MAX_PRESENT, placeholder='…')}" if values else field.label


def _editable(field: FactField, present: Sequence[EnrichmentValueView]) -> str:
    """The present value of a field as people write it. Empty if the correction would be one more value."""
    if field.multiple or not present:
        return ""
    value = present[0].value
    return fact_text(value, field.type) if field.type in _WRITTEN_AS_SHOWN else str(value)


async def _title(tx: Transaction, ctx: PageContext, kind: SubjectKind) -> str:
    if kind is SubjectKind.LEAD:
        return name_of(await leads.get_lead(tx, ctx.actor, lead_id=ctx.id()))
    return (await companies.get_company(tx, ctx.actor, company_id=ctx.id())).title


def _toast(made: DecidedField, request: DecisionRequest) -> Toast:
    if made.changeset_id is None:
        return Toast("No changes needed.", "info")
    return Toast(_DONE[request.decision], undo=f"/changesets/{made.changeset_id}/undos")
