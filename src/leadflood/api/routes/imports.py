"""Imports over HTTP: upload, map, preview, commit, undo."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.errors import UnsupportedMediaType
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.imports import queries
from leadflood.domains.imports.contracts import (
    MAX_FILENAME,
    ImportDetail,
    ImportRowView,
    ImportView,
    MapColumns,
    ReadFormat,
    parse_filename,
)
from leadflood.domains.imports.models.states import RowAction
from leadflood.domains.imports.service import lifecycle, mapping, rejected, uploads
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.downloads import attachment
from leadflood.kernel.request_bodies import read_pieces
from leadflood.kernel.text import FromText

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=EdgeRoute)

_FORMS = ("multipart/", "application/x-www-form-urlencoded", "application/json")
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The CSV or XLSX file.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_TABLE: dict[int | str, dict[str, Any]] = {
    200: {"description": "CSV.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
_CONFLICT: dict[int | str, dict[str, Any]] = {409: {}}
Filename = Annotated[
    Annotated[str, FromText(parse_filename, {"minLength": 1, "maxLength": MAX_FILENAME, "examples": ["leads.csv"]})],
    Query(description="File name."),
]


class TableResponse(StreamingResponse):
    """A table as CSV."""

    media_type = "text/csv"


@router.post("", status_code=201, summary="Create an import", openapi_extra=_FILE, responses=_CONFLICT)
@requires(LEADS_WRITE, transaction=False, streams=True)
async def create_import(filename: Filename, request: Request, response: Response, unit: UnitOfWorkDep) -> ImportDetail:
    """Upload a file and detect its format and columns. No leads are changed.

    Send the file as the raw body (`curl --data-binary @leads.csv -H 'Content-Type: text/csv'`), not as a form. Limits:
    `LEADFLOOD_MAX_IMPORT_BYTES` per file, and `LEADFLOOD_MAX_UNCOMMITTED_IMPORT_BYTES` for all uncommitted files of the
    workspace; above that, 409 names the largest ones. There is no `Idempotency-Key`: uploading a file twice creates two
    imports, and committing both has the effect of committing one.
    """
    content_type = request.headers.get("content-type", "").lower()
    if content_type.startswith(_FORMS):
        detail = "Send the file itself as the body, with the header Content-Type: application/octet-stream."
        raise UnsupportedMediaType(detail, headers={"Accept": "text/csv, application/octet-stream"})
    declared = request.headers.get("content-length", "")
    database = unit.parts.database
    import_id = await uploads.upload(
        database,
        unit.parts.sandbox,
        unit.actor,
        filename=filename,
        stream=read_pieces(request.receive, unit.parts.body_timeout),
        declared=int(declared) if declared.isdecimal() else None,
        limit=unit.parts.settings.max_import_bytes,
        quota=unit.parts.settings.max_uncommitted_import_bytes,
    )
    response.headers["Location"] = f"/v1/imports/{import_id}"
    async with database.transaction(unit.actor.workspace_id, read_only=True) as tx:
        return await queries.get_import(tx, unit.actor, import_id=import_id)


@router.get("", summary="List imports, newest first")
@requires(LEADS_READ)
async def list_imports(pages: InPages, unit: UnitOfWorkDep) -> Listing[ImportView]:
    """The imports of the workspace, with progress and row counts."""
    return pages.answer(await queries.list_imports(unit.tx, unit.actor, after=pages.after, limit=pages.limit))


@router.get("/{id}", summary="Retrieve an import")
@requires(LEADS_READ)
async def get_import(import_id: ResourceId, unit: UnitOfWorkDep) -> ImportDetail:
    """The import and its progress. Poll while it is `staging`, `committing` or `undoing`."""
    return await queries.get_import(unit.tx, unit.actor, import_id=import_id)


@router.delete("/{id}", status_code=204, summary="Delete an import")
@requires(LEADS_WRITE)
async def delete_import(import_id: ResourceId, unit: UnitOfWorkDep) -> None:
    """Delete the file and its row history. Leads aren't affected. Returns 409 while a worker processes it."""
    await lifecycle.delete_import(unit.tx, unit.actor, import_id=import_id)


@router.put("/{id}/format", summary="Set the file format", responses=_CONFLICT)
@requires(LEADS_WRITE, transaction=False, whole_file=True)
async def read_import_as(import_id: ResourceId, command: ReadFormat, unit: UnitOfWorkDep) -> ImportDetail:
    """Override the detected encoding, delimiter, header row or sheet. Columns are detected again.

    There is no `Idempotency-Key`: the request is idempotent.
    """
    return await uploads.read_as(
        unit.parts.database, unit.parts.sandbox, unit.actor, import_id=import_id, command=command
    )


@router.put("/{id}/mapping", summary="Set the mapping")
@requires(LEADS_WRITE)
async def map_import(import_id: ResourceId, command: MapColumns, unit: UnitOfWorkDep) -> ImportDetail:
    """Replaces the mapping and invalidates earlier previews. Remembered for files with the same columns."""
    return await mapping.map_columns(unit.tx, unit.actor, import_id=import_id, command=command)


@router.post("/{id}/previews", status_code=202, summary="Preview an import")
@requires(LEADS_WRITE)
async def preview_import(import_id: ResourceId, unit: UnitOfWorkDep) -> ImportDetail:
    """Starts a background comparison of the file with your leads. No leads are changed. Ends as `previewed`."""
    return await lifecycle.preview_import(unit.tx, unit.actor, import_id=import_id, trace=unit.trace)


@router.get("/{id}/rows", summary="List the rows of an import")
@requires(LEADS_READ)
async def list_import_rows(
    import_id: ResourceId,
    pages: InPages,
    unit: UnitOfWorkDep,
    *,
    action: Annotated[RowAction | None, Query(description="Filter by action.")] = None,
    errors: Annotated[bool, Query(description="Only rows with values that are invalid or left out.")] = False,
) -> Listing[ImportRowView]:
    """Each row with the values it creates, its changes (before and after), or why it is skipped."""
    page = await queries.list_rows(
        unit.tx,
        unit.actor,
        import_id=import_id,
        action=action,
        with_errors=errors,
        after=pages.after,
        limit=pages.limit,
    )
    return pages.answer(page)


@router.post("/{id}/commits", status_code=202, summary="Commit an import")
@requires(LEADS_WRITE)
async def commit_import(import_id: ResourceId, unit: UnitOfWorkDep) -> ImportDetail:
    """Starts the import in the background, or resumes it after a pause or failure.

    Rows whose lead was changed since the preview, so that they no longer apply, become a `conflict` and are not
    written.
    """
    return await lifecycle.commit_import(unit.tx, unit.actor, import_id=import_id, trace=unit.trace)


@router.post("/{id}/pauses", status_code=202, summary="Pause a commit")
@requires(LEADS_WRITE)
async def pause_import(import_id: ResourceId, unit: UnitOfWorkDep) -> ImportDetail:
    """Pauses immediately; rows in progress are rolled back. Commit again to resume."""
    return await lifecycle.pause_import(unit.tx, unit.actor, import_id=import_id)


@router.post("/{id}/cancellations", status_code=202, summary="Cancel an import")
@requires(LEADS_WRITE)
async def cancel_import(import_id: ResourceId, unit: UnitOfWorkDep) -> ImportDetail:
    """Stops the import permanently. Rows already written are kept and can be undone."""
    return await lifecycle.cancel_import(unit.tx, unit.actor, import_id=import_id)


@router.post("/{id}/undos", status_code=202, summary="Undo an import")
@requires(LEADS_WRITE)
async def undo_import(import_id: ResourceId, unit: UnitOfWorkDep) -> ImportDetail:
    """Deletes the leads it created and reverts the fields it changed. Later edits are kept.

    The import's changeset lists the fields that were kept. Opt-outs are never changed.
    """
    return await lifecycle.undo_import(
        unit.tx, unit.actor, unit.parts.participants, import_id=import_id, trace=unit.trace
    )


@router.get("/{id}/rejected-rows", summary="Download rejected rows", response_class=TableResponse, responses=_TABLE)
@requires(LEADS_READ, transaction=False)
async def get_rejected_rows(import_id: ResourceId, unit: UnitOfWorkDep) -> Response:
    """CSV with the file's columns and delimiter, and `leadflood_error`. Fix the rows and import the file again.

    Text that a spreadsheet would run as a formula gets a leading apostrophe; imports remove it.
    """
    file = await rejected.rejected_file(unit.parts.database, unit.actor, import_id=import_id)
    return TableResponse(file.pieces, headers={"Content-Disposition": attachment(file.filename)})
