"""The form of a new lead."""

from typing import Any

from leadflood.domains.leads import service
from leadflood.domains.leads.contracts import CreateLead
from leadflood.domains.leads.errors import DuplicateLead
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.errors import AppError, InvalidInput
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import member_names, owner_choices
from leadflood.web.pages.lead_form import country_choices, custom_fields_of, custom_labels
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_SOURCE = "manual"
_FAULT = 500


@pages.get("/leads/new", LEADS_WRITE)
async def show_new_lead(ctx: PageContext) -> PageResult:
    """The empty form, or one prefilled by a link."""
    return await _page(ctx, Form({name: [value] for name, value in ctx.query.items()}))


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
    return await _page(ctx, form, part="lead_form")


@pages.post("/leads", LEADS_WRITE)
async def create_lead(ctx: PageContext) -> PageResult:
    """Create the lead and open its page, which shows the enrichment."""
    form = ctx.form
    try:
        async with ctx.writing() as tx:
            created = await service.create_lead(
                tx, ctx.actor, command=form.read(CreateLead), trace=ctx.trace, source=_SOURCE
            )
    except DuplicateLead as error:
        return await _page(ctx, form, status=error.status, duplicate=error.extra["existingId"])
    except AppError as error:
        if error.status >= _FAULT:
            raise
        return await _page(ctx, form.refused(error), status=error.status)
    return Redirect(f"/leads/{created.lead_id}", [Toast("Lead created. Enriching now…")])


async def _page(
    ctx: PageContext, form: Form, *, status: int = 200, duplicate: object = None, part: str | None = None
) -> PageResponse:
    async with ctx.reading() as tx:
        owners = owner_choices(await member_names(tx, ctx.actor))
        custom = await custom_fields_of(tx, ctx.actor)
    context: dict[str, Any] = {
        "form": form,
        "owners": owners,
        "countries": country_choices(),
        "custom": custom,
        "named": custom_labels(custom),
        "duplicate": duplicate,
    }
    return PageResponse("leads/new.html", context, status, part=part)
