"""Imports: the uploaded files, and the upload page."""

from typing import Any

from leadflood.domains.imports import queries
from leadflood.domains.imports.contracts import MAX_FILENAME, parse_filename
from leadflood.domains.imports.service import uploads
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.errors import AppError, FieldError, InvalidInput
from leadflood.kernel.text import InvalidValue
from leadflood.web.forms import Form
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import actors_of
from leadflood.web.pages.imports_presenter import summary
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_LIST = "/imports"
_ROWS = 50
_AWAY = 503


@pages.get(_LIST, LEADS_READ, live=("imports_list",))
async def list_imports(ctx: PageContext) -> PageResult:
    """The imports of the workspace with their status, newest first."""
    async with ctx.reading() as tx:
        page = await queries.list_imports(tx, ctx.actor, after=ctx.after("imports"), limit=_ROWS)
        asked_by = await actors_of(tx, ctx.actor, [item.actor for item in page.items])
    context: dict[str, Any] = {
        "imports": page.items,
        "summary": summary,
        "asked_by": asked_by,
        "next": ctx.cursor(page, "imports"),
        "paged": "after" in ctx.query,
    }
    return PageResponse("imports/list.html", context)


@pages.get("/imports/new", LEADS_WRITE)
async def show_upload(ctx: PageContext) -> PageResult:
    """The upload page."""
    return _page(ctx, Form())


@pages.post(_LIST, LEADS_WRITE, uploads=True)
async def upload_file(ctx: PageContext) -> PageResult:
    """Store the file as a stream, and open its import."""
    try:
        if ctx.upload is None:
            fault = FieldError("/file", "required", "Select a CSV or XLSX file.")
            raise InvalidInput("No file selected.", errors=[fault])
        import_id = await uploads.upload(
            ctx.parts.database,
            ctx.parts.sandbox,
            ctx.actor,
            filename=_filename(ctx.upload.filename),
            stream=ctx.upload.pieces,
            declared=ctx.upload.declared,
            limit=ctx.parts.settings.max_import_bytes,
            quota=ctx.parts.settings.max_uncommitted_import_bytes,
        )
    except AppError as error:
        if error.status == _AWAY:
            raise
        return _page(ctx, ctx.form.refused(error), error.status)
    return Redirect(f"{_LIST}/{import_id}")


def _filename(text: str) -> str:
    try:
        return parse_filename(text[-MAX_FILENAME:])
    except InvalidValue:
        return "Unnamed file"


def _page(ctx: PageContext, form: Form, status: int = 200) -> PageResponse:
    settings = ctx.parts.settings
    context = {"form": form, "limit": settings.max_import_bytes, "retention_days": settings.lead_retention_days}
    return PageResponse("imports/new.html", context, status)
