"""A new lead, typed in by hand."""

from typing import Any

from leadflood.domains.leads import service
from leadflood.domains.leads.contracts import CreateLead
from leadflood.domains.leads.errors import DuplicateLead
from leadflood.kernel.actor import Permission
from leadflood.kernel.errors import AppError, InvalidInput
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.forms import Form
from leadflood.web.pages.lead_form import COUNTRIES, LABELS
from leadflood.web.pages.people import member_names, owner_choices
from leadflood.web.pipeline import Pages
from leadflood.web.session import Toast
from leadflood.web.visit import Visit

pages = Pages()

_SOURCE = "manual"
_FAULT = 500


@pages.get("/leads/new", Permission.LEADS_WRITE)
async def show_new_lead(visit: Visit) -> Answer:
    """The empty form, or one that a link has filled in."""
    return await _page(visit, Form({name: [value] for name, value in visit.query.items()}))


@pages.post("/leads/checks", Permission.LEADS_WRITE)
async def check_lead(visit: Visit) -> Answer:
    """Say what is wrong with the form so far, of the fields that have been left. Nothing is stored."""
    form, touched = visit.form, set(visit.form.values("touched"))
    try:
        form.read(CreateLead)
    except InvalidInput as error:
        form = Form(
            form.fields, [each for each in error.errors if each.pointer.lstrip("/").replace("/", ".") in touched]
        )
    return await _page(visit, form, part="lead_form")


@pages.post("/leads", Permission.LEADS_WRITE)
async def create_lead(visit: Visit) -> Answer:
    """Store the lead and go to its page, which shows its enrichment run."""
    form = visit.form
    try:
        async with visit.writing() as tx:
            created = await service.create_lead(
                tx, visit.actor, command=form.read(CreateLead), trace=visit.trace, source=_SOURCE
            )
    except DuplicateLead as error:
        return await _page(visit, form, status=error.status, duplicate=error.extra["existingId"])
    except AppError as error:
        if error.status >= _FAULT:
            raise
        return await _page(visit, form.refused(error), status=error.status)
    return Redirect(f"/leads/{created.lead_id}", [Toast("Lead created. Enrichment is under way.")])


async def _page(
    visit: Visit, form: Form, *, status: int = 200, duplicate: object = None, part: str | None = None
) -> Page:
    async with visit.reading() as tx:
        owners = owner_choices(await member_names(tx, visit.actor))
    context: dict[str, Any] = {
        "form": form,
        "owners": owners,
        "countries": COUNTRIES,
        "labels": LABELS,
        "duplicate": duplicate,
    }
    return Page("leads/new.html", context, status, part=part)
