"""The forms of the panel of notes on the lead page, and the page to edit a note."""

from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.labels import name_of
from leadflood.domains.notes import queries, service
from leadflood.domains.notes.contracts import WriteNote
from leadflood.domains.notes.models import MAX_TEXT
from leadflood.domains.notes.permissions import NOTES_WRITE
from leadflood.kernel.errors import AppError
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_panels import panel_response
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_NOTE = "/notes/{id}"


@pages.post("/leads/{id}/notes", NOTES_WRITE)
async def add_note(ctx: PageContext) -> PageResult:
    """Write a note on a lead."""
    try:
        command = ctx.form.read(WriteNote)
        async with ctx.writing() as tx:
            await service.add_note(tx, ctx.actor, lead_id=ctx.id(), command=command)
    except AppError as error:
        return await panel_response(ctx, "notes", ctx.id(), error=error)
    return await panel_response(ctx, "notes", ctx.id())


@pages.get(_NOTE, NOTES_WRITE)
async def show_note(ctx: PageContext) -> PageResult:
    """The form to edit an own note."""
    return await _page(ctx)


@pages.post(_NOTE, NOTES_WRITE)
async def change_note(ctx: PageContext) -> PageResult:
    """Replace the text of an own note."""
    form = ctx.form
    try:
        command = form.read(WriteNote)
        async with ctx.writing() as tx:
            note = await service.update_note(
                tx, ctx.actor, note_id=ctx.id(), command=command, expected_version=form.version()
            )
    except AppError as error:
        if error.is_fault:
            raise
        return await _page(ctx, form=form.refused(error), status=error.status)
    return Redirect(f"/leads/{note.lead_id}#panel-notes", [Toast("Note saved.")])


@pages.post(f"{_NOTE}/deletion", NOTES_WRITE)
async def delete_note(ctx: PageContext) -> PageResult:
    """Delete a note; its toast offers to restore it."""
    async with ctx.writing() as tx:
        note = await service.delete_note(tx, ctx.actor, note_id=ctx.id())
    toast = Toast("Note deleted.", undo=f"/notes/{note.id}/restorations")
    return await panel_response(ctx, "notes", note.lead_id, toast=toast)


@pages.post(f"{_NOTE}/restorations", NOTES_WRITE)
async def restore_note(ctx: PageContext) -> PageResult:
    """Restore a deleted note on its lead."""
    async with ctx.writing() as tx:
        note = await service.restore_note(tx, ctx.actor, note_id=ctx.id())
    return Redirect(f"/leads/{note.lead_id}#panel-notes", [Toast("Note restored.")])


async def _page(ctx: PageContext, *, form: Form | None = None, status: int = 200) -> PageResponse:
    async with ctx.reading() as tx:
        note = await queries.get_note(tx, ctx.actor, note_id=ctx.id())
        lead = await leads.get_lead(tx, ctx.actor, lead_id=note.lead_id)
    context = {"note": note, "name": name_of(lead), "form": form or Form.of({"text": note.text}), "most": MAX_TEXT}
    return PageResponse("notes/note.html", context, status)
