"""A new lead, typed in by hand: on a page, or in a dialog over another page."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from leadflood.domains.leads import queries, service
from leadflood.domains.leads.catalog import LEAD_FIELDS, QUICK_FIELDS
from leadflood.domains.leads.contracts import CreateLead
from leadflood.domains.leads.errors import DuplicateLead
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.stages.queries import stages_of
from leadflood.kernel.email_address import EmailAddress, parse_email
from leadflood.kernel.email_typos import corrected_addresses, find_domain_typo
from leadflood.kernel.errors import AppError, InvalidInput
from leadflood.kernel.text import InvalidValue
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import member_names, owner_choices
from leadflood.web.pages.lead_form import KEPT_VALUES, country_choices, custom_fields_of, custom_labels, new_lead_values
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_SOURCE: Final = "manual"


@dataclass(frozen=True, slots=True)
class EmailHints:
    """Hints about an email: the lead that has it, and the email that was probably meant."""

    existing: UUID | None = None
    meant: str | None = None


@pages.get("/leads/new", LEADS_WRITE)
async def show_new_lead(ctx: PageContext) -> PageResult:
    """The empty form, or one that a link has filled in. The visitor is the owner, and the stage the first."""
    async with ctx.reading() as tx:
        stages = await stages_of(tx, ctx.actor.workspace_id)
    return await _page(ctx, Form.of({**new_lead_values(ctx.user.id, stages), **ctx.query}))


@pages.post("/leads/checks", LEADS_WRITE)
async def check_lead(ctx: PageContext) -> PageResult:
    """Validate the fields that were filled in so far. Nothing is stored."""
    form, touched = ctx.form, set(ctx.form.values("touched"))
    try:
        form.read(CreateLead)
    except InvalidInput as error:
        form = Form(
            form.fields, [item for item in error.errors if item.pointer.lstrip("/").replace("/", ".") in touched]
        )
    hints = await _hints(ctx) if "email" in touched else EmailHints()
    return await _page(ctx, form, hints=hints, part="lead_quick" if ctx.form.checked("quick") else "lead_form")


@pages.post("/leads", LEADS_WRITE)
async def create_lead(ctx: PageContext) -> PageResult:
    """Store the lead and go to its page, which shows its enrichment run; or on to the next form."""
    form = ctx.form
    part = "leads_dialog" if form.checked("quick") else None
    try:
        async with ctx.writing() as tx:
            created = await service.create_lead(
                tx, ctx.actor, command=form.read(CreateLead), trace=ctx.trace, source=_SOURCE
            )
    except DuplicateLead as error:
        hints = EmailHints(existing=UUID(str(error.extra["existingId"])))
        return await _page(ctx, form, status=error.status, hints=hints, part=part)
    except AppError as error:
        if error.is_fault:
            raise
        return await _page(ctx, form.refused(error), status=error.status, part=part)
    address, text = f"/leads/{created.lead_id}", "Lead created. Enriching now…"
    if not form.checked("another"):
        return Redirect(address, [Toast(text)])
    toast = Toast(text, link=address, link_text="View lead")
    if ctx.wants_part is None:
        return Redirect("/leads/new", [toast])
    return await _page(ctx, Form.of({name: form.value(name) for name in KEPT_VALUES}), part=part, toasts=[toast])


async def _hints(ctx: PageContext) -> EmailHints:
    text = ctx.form.value("email").strip()
    email = _address(text)
    existing = None
    if email is not None:
        async with ctx.reading() as tx:
            existing = await queries.lead_with_email(tx, ctx.actor, email=email)
    return EmailHints(existing, _meant(text, email) if existing is None else None)


def _address(text: str) -> EmailAddress | None:
    try:
        return parse_email(text)
    except InvalidValue:
        return None


def _meant(text: str, email: EmailAddress | None) -> str | None:
    """The address that was probably meant by what was typed, if it is another."""
    if email is None:
        return next((each for each in corrected_addresses(text) if _address(each) is not None), None)
    typo = find_domain_typo(email.norm.rpartition("@")[2])
    return f"{email.display.rpartition('@')[0]}@{typo.meant}" if typo is not None else None


async def _page(
    ctx: PageContext,
    form: Form,
    *,
    status: int = 200,
    hints: EmailHints | None = None,
    part: str | None = None,
    toasts: list[Toast] | None = None,
) -> PageResponse:
    async with ctx.reading() as tx:
        people = await member_names(tx, ctx.actor)
        custom = await custom_fields_of(tx, ctx.actor)
    context: dict[str, Any] = {
        "form": form,
        "owners": owner_choices(people),
        "stages": people.stages,
        "countries": country_choices(),
        "field_rows": LEAD_FIELDS.rows,
        "quick_rows": QUICK_FIELDS.rows,
        "custom": custom,
        "named": custom_labels(custom),
        "hints": hints or EmailHints(),
    }
    return PageResponse("leads/new.html", context, status, part=part, toasts=toasts or ())
