"""One lead: its fields, what enrichment found, its job as it runs, and all that happened to it."""

from leadflood.domains.enrichment.contracts import FILLABLE, AcceptValues
from leadflood.domains.enrichment.errors import FoundValueChanged
from leadflood.domains.enrichment.service import acceptance
from leadflood.domains.leads import service
from leadflood.domains.leads.errors import FieldsTaken, LeadNotFound
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.leads.queries import deleted
from leadflood.kernel.errors import AppError
from leadflood.web import labels
from leadflood.web.cookies import Toast
from leadflood.web.formats import plural
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_context import lead_context, list_of, load_place
from leadflood.web.pages.lead_edit import EditConflict, LeadEdit, bases, save_edit, shown_conflict
from leadflood.web.pages.lead_form import form_of
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect
from leadflood.web.templating import url

pages = Pages()

_PATH = "/leads/{id}"
_LIVE = ("lead_status", "lead_fields", "lead_panels", "lead_job", "lead_found", "lead_side_panels", "lead_timeline")


@pages.get(_PATH, LEADS_READ, live=_LIVE)
async def show_lead(ctx: PageContext) -> PageResult:
    """The page of a lead. `?edit=company` opens that field. A deleted lead has a page of its own."""
    try:
        return await _page(ctx, editing=ctx.query.get("edit"))
    except LeadNotFound:
        lead_id, days = ctx.id(), ctx.parts.settings.lead_retention_days
        async with ctx.reading() as tx:
            await deleted.get_deleted_lead(tx, ctx.actor, lead_id=lead_id, retention_days=days)
        return Redirect(f"/leads/deleted/{lead_id}")


@pages.post(_PATH, LEADS_WRITE)
async def change_lead(ctx: PageContext) -> PageResult:
    """Change what the form changes. `then`: the field to edit next. Of a field that others changed, it asks."""
    form, edit = ctx.form, LeadEdit(ctx.form)
    editing = edit.fields[0] if len(edit.fields) == 1 else "all"
    try:
        changed = await save_edit(ctx, ctx.id(), edit)
    except EditConflict as conflict:
        return await _page(ctx, editing=editing, form=form, status=409, conflict=conflict)
    except AppError as error:
        if error.status in (404, 503):
            raise
        return await _page(ctx, editing=editing, form=form.refused(error), status=error.status)
    if ctx.wants_part is None:
        return Redirect(_address(ctx, edit=form.value("then")), [Toast("Saved.")] if changed else [])
    toast = Toast(f"{'Lead' if editing == 'all' else labels.field(editing)} saved.")
    return await _page(ctx, editing=form.value("then"), toasts=[toast] if changed and not form.value("then") else [])


@pages.post("/leads/{id}/enrichments", LEADS_WRITE)
async def request_enrichment(ctx: PageContext) -> PageResult:
    """Queue a fresh enrichment; the page shows it run."""
    async with ctx.writing() as tx:
        await service.request_enrichment(tx, ctx.actor, lead_id=ctx.id(), trace=ctx.trace)
    return Redirect(_address(ctx))


@pages.post("/leads/{id}/acceptances", LEADS_WRITE)
async def accept_values(ctx: PageContext) -> PageResult:
    """Accept the found values that the form names, as they were shown. The toast offers Undo."""
    given = {name: ctx.form.value(name) for name in FILLABLE if ctx.form.value(name)}
    try:
        async with ctx.writing() as tx:
            command = validated(AcceptValues, {"values": given})
            accepted = await acceptance.accept_values(tx, ctx.actor, lead_id=ctx.id(), command=command)
    except (FieldsTaken, FoundValueChanged) as error:
        return Redirect(_address(ctx), [Toast(str(error), "warn")])
    if accepted.changeset_id is None:
        return Redirect(_address(ctx), [Toast("No changes needed.", "info")])
    undo = f"/changesets/{accepted.changeset_id}/undos"
    return Redirect(_address(ctx), [Toast(f"{plural(len(accepted.fields), 'value')} accepted.", undo=undo)])


@pages.post("/leads/{id}/deletion", LEADS_WRITE)
async def delete_lead(ctx: PageContext) -> PageResult:
    """Delete the lead. Its toast and its page offer to restore it, for as long as it is stored."""
    lead_id = ctx.id()
    async with ctx.writing() as tx:
        await service.delete_lead(tx, ctx.actor, lead_id=lead_id)
    undo, link = f"/leads/{lead_id}/restorations", f"/leads/deleted/{lead_id}"
    return Redirect(list_of(ctx).url(), [Toast("Lead deleted.", undo=undo, link=link, link_text="Details")])


@pages.post("/leads/{id}/restorations", LEADS_WRITE)
async def restore_lead(ctx: PageContext) -> PageResult:
    """Bring a deleted lead back."""
    async with ctx.writing() as tx:
        await service.restore_lead(tx, ctx.actor, lead_id=ctx.id(), trace=ctx.trace)
    return Redirect(_address(ctx), [Toast("Lead restored.")])


def _address(ctx: PageContext, **query: str) -> str:
    return url(f"/leads/{ctx.id()}", {"list": ctx.query.get("list")}, **query)


async def _page(
    ctx: PageContext,
    *,
    editing: str | None = None,
    form: Form | None = None,
    status: int = 200,
    conflict: EditConflict | None = None,
    toasts: list[Toast] | None = None,
) -> PageResponse:
    async with ctx.reading() as tx:
        context = await lead_context(tx, ctx, ctx.id())
        context["here"] = await load_place(tx, ctx, ctx.id())
    if editing and ctx.may("leads:write"):
        context["editing"] = editing
    if conflict is not None and form is not None:
        context["conflict"] = shown_conflict(conflict, LeadEdit(form), context)
    if form is not None:
        context |= {"form": form, "bases": bases(context["bases"], form_of(context["lead"]), form)}
    return PageResponse(
        "leads/lead.html", context, status, part="lead_fields" if ctx.form.fields else None, toasts=toasts or ()
    )
