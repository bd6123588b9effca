"""Imports: the files that came in, and the page that takes a new one."""

from typing import Any

from leadflood.domains.imports import queries
from leadflood.domains.imports.contracts import MAX_FILENAME, parse_filename
from leadflood.domains.imports.service import uploads
from leadflood.kernel.actor import Permission
from leadflood.kernel.errors import AppError, FieldError, InvalidInput
from leadflood.kernel.text import InvalidValue
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.forms import Form
from leadflood.web.pages.imports_told import summary
from leadflood.web.pages.people import actors_told
from leadflood.web.pipeline import Pages
from leadflood.web.visit import Visit

pages = Pages()

_LIST = "/imports"
_ROWS = 50
_AWAY = 503


@pages.get(_LIST, Permission.LEADS_READ, live=("imports_list",))
async def list_imports(visit: Visit) -> Answer:
    """The imports of the workspace, newest first, as far as they are."""
    async with visit.reading() as tx:
        page = await queries.list_imports(tx, visit.actor, after=visit.after("imports"), limit=_ROWS)
        asked_by = await actors_told(tx, visit.actor, [each.actor for each in page.items])
    context: dict[str, Any] = {
        "imports": page.items,
        "summary": summary,
        "asked_by": asked_by,
        "next": visit.cursor(page, "imports"),
        "paged": "after" in visit.query,
    }
    return Page("imports/list.html", context)


@pages.get("/imports/new", Permission.LEADS_WRITE)
async def show_upload(visit: Visit) -> Answer:
    """Where a file is chosen, or dropped."""
    return _page(visit, Form())


@pages.post(_LIST, Permission.LEADS_WRITE, uploads=True)
async def upload_file(visit: Visit) -> Answer:
    """Store the file as it comes in, and go to its import."""
    try:
        if visit.upload is None:
            fault = FieldError("/file", "required", "Choose a CSV or XLSX file.")
            raise InvalidInput("No file was chosen.", errors=[fault])
        import_id = await uploads.upload(
            visit.parts.database,
            visit.parts.sandbox,
            visit.actor,
            filename=_filename(visit.upload.filename),
            stream=visit.upload.pieces,
            declared=visit.upload.declared,
            limit=visit.parts.settings.max_import_bytes,
            quota=visit.parts.settings.max_uncommitted_import_bytes,
        )
    except AppError as error:
        if error.status == _AWAY:
            raise
        return _page(visit, visit.form.refused(error), error.status)
    return Redirect(f"{_LIST}/{import_id}")


def _filename(text: str) -> str:
    try:
        return parse_filename(text[-MAX_FILENAME:])
    except InvalidValue:
        return "Unnamed file"


def _page(visit: Visit, form: Form, status: int = 200) -> Page:
    return Page("imports/new.html", {"form": form, "limit": visit.parts.settings.max_import_bytes}, status)
