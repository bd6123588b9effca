"""Imports: the uploaded files, and the upload page."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from leadflood.domains.imports import queries
from leadflood.domains.imports.contracts import MAX_FILENAME, parse_filename
from leadflood.domains.imports.models.pasted import FILENAME, as_file
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
        return await _opened(ctx, _filename(ctx.upload.filename), ctx.upload.pieces, ctx.upload.declared)
    except AppError as error:
        if error.status == _AWAY:
            raise
        return _page(ctx, ctx.form.refused(error), error.status)


@pages.post(f"{_LIST}/pasted", LEADS_WRITE)
async def paste_rows(ctx: PageContext) -> PageResult:
    """Store pasted rows as a file, and open its import."""

    async def pieces() -> AsyncIterator[bytes]:
        yield data

    data = as_file(ctx.form.value("rows"))
    try:
        if not data.strip():
            fault = FieldError("/rows", "required", "Paste at least one row.")
            raise InvalidInput("No rows pasted.", errors=[fault])
        return await _opened(ctx, FILENAME, pieces(), len(data))
    except AppError as error:
        if error.status == _AWAY:
            raise
        return _page(ctx, Form(), error.status, pasted=ctx.form.refused(error))


async def _opened(ctx: PageContext, filename: str, stream: AsyncIterable[bytes], declared: int | None) -> Redirect:
    """Store a file, and go to its import. Raises: as `uploads.upload`."""
    import_id = await uploads.upload(
        ctx.parts.database,
        ctx.parts.sandbox,
        ctx.actor,
        filename=filename,
        stream=stream,
        declared=declared,
        limit=ctx.parts.settings.max_import_bytes,
        quota=ctx.parts.settings.max_uncommitted_import_bytes,
    )
    return Redirect(f"{_LIST}/{import_id}")


def _filename(text: str) -> str:
    try:
        return parse_filename(text[-MAX_FILENAME:])
    except InvalidValue:
        return "Unnamed file"


def _page(ctx: PageContext, form: Form, status: int = 200, *, pasted: Form | None = None) -> PageResponse:
    """Args: pasted: the form with pasted rows, if it was refused."""
    settings = ctx.parts.settings
    context = {
        "form": form,
        "pasted": pasted or Form(),
        "pasting": pasted is not None,
        "limit": settings.max_import_bytes,
        "retention_days": settings.lead_retention_days,
    }
    return PageResponse("imports/new.html", context, status)
