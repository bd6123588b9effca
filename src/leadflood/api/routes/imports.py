"""Imports over HTTP: upload, map, preview, commit, undo."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from leadflood.api.deps import InPages, InUnit, Listing, ResourceId
from leadflood.api.errors import UnsupportedMediaType
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.imports import queries
from leadflood.domains.imports.contracts import (
    MAX_FILENAME,
    ImportDetail,
    ImportRowView,
    ImportView,
    MapColumns,
    ReadAs,
    parse_filename,
)
from leadflood.domains.imports.models.states import RowAction
from leadflood.domains.imports.service import control, mapping, rejected, uploads
from leadflood.kernel.actor import Permission
from leadflood.kernel.bodies import read_pieces
from leadflood.kernel.text import FromText

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=EdgeRoute)

_FORMS = ("multipart/", "application/x-www-form-urlencoded", "application/json")
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, CSV or XLSX, as it is.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_TABLE: dict[int | str, dict[str, Any]] = {
    200: {"description": "CSV.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
_CONFLICT: dict[int | str, dict[str, Any]] = {409: {}}
Filename = Annotated[
    Annotated[str, FromText(parse_filename, {"minLength": 1, "maxLength": MAX_FILENAME, "examples": ["leads.csv"]})],
    Query(description="The name of the file, for people."),
]


class TableResponse(StreamingResponse):
    """A table as CSV."""

    media_type = "text/csv"


@router.post("", status_code=201, summary="Upload a file", openapi_extra=_FILE, responses=_CONFLICT)
@requires(Permission.LEADS_WRITE, transaction=False, streams=True)
async def create_import(filename: Filename, request: Request, response: Response, unit: InUnit) -> ImportDetail:
    """Store the file that is the body, and guess how to read it and what its columns are. No lead is touched.

    Send the file as it is (`curl --data-binary @leads.csv -H 'Content-Type: text/csv'`), not as a form. Its size is
    limited by LEADFLOOD_MAX_IMPORT_BYTES, that of all uncommitted files of the workspace together by
    LEADFLOOD_MAX_UNCOMMITTED_IMPORT_BYTES: beyond, 409 names the largest of them. Takes no Idempotency-Key: a file sent
    twice is a second import, and to commit both changes no more than to commit one.
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
@requires(Permission.LEADS_READ)
async def list_imports(pages: InPages, unit: InUnit) -> Listing[ImportView]:
    """The imports of the workspace, with how far they are and what their rows do."""
    return pages.answer(await queries.list_imports(unit.tx, unit.actor, after=pages.after, limit=pages.limit))


@router.get("/{id}", summary="Read an import")
@requires(Permission.LEADS_READ)
async def get_import(import_id: ResourceId, unit: InUnit) -> ImportDetail:
    """How an import stands: ask again while it is `staging`, `committing` or `undoing`."""
    return await queries.get_import(unit.tx, unit.actor, import_id=import_id)


@router.delete("/{id}", status_code=204, summary="Delete an import")
@requires(Permission.LEADS_WRITE)
async def delete_import(import_id: ResourceId, unit: InUnit) -> None:
    """Remove the file and what is known of its rows. Leads that it wrote stay. 409 while a worker has it."""
    await control.delete_import(unit.tx, unit.actor, import_id=import_id)


@router.put("/{id}/format", summary="Read the file in another way", responses=_CONFLICT)
@requires(Permission.LEADS_WRITE, transaction=False, whole_file=True)
async def read_import_as(import_id: ResourceId, command: ReadAs, unit: InUnit) -> ImportDetail:
    """Say encoding, delimiter, header or sheet where the guess is wrong; the columns are guessed anew.

    Takes no Idempotency-Key: saying the same twice changes nothing.
    """
    return await uploads.read_as(
        unit.parts.database, unit.parts.sandbox, unit.actor, import_id=import_id, command=command
    )


@router.put("/{id}/mapping", summary="Say what the columns are and what rows do")
@requires(Permission.LEADS_WRITE)
async def map_import(import_id: ResourceId, command: MapColumns, unit: InUnit) -> ImportDetail:
    """Replaces the mapping and makes an earlier preview void. Kept for the next file with the same columns."""
    return await mapping.map_columns(unit.tx, unit.actor, import_id=import_id, command=command)


@router.post("/{id}/previews", status_code=202, summary="Find out what an import would do")
@requires(Permission.LEADS_WRITE)
async def preview_import(import_id: ResourceId, unit: InUnit) -> ImportDetail:
    """Has a worker read the file and compare it with the leads; nothing is written to them. Then it is `previewed`."""
    return await control.preview_import(unit.tx, unit.actor, import_id=import_id, trace=unit.trace)


@router.get("/{id}/rows", summary="Read what each row does")
@requires(Permission.LEADS_READ)
async def list_import_rows(
    import_id: ResourceId,
    pages: InPages,
    unit: InUnit,
    action: Annotated[RowAction | None, Query(description="Only rows that do this.")] = None,
) -> Listing[ImportRowView]:
    """The rows of the file with what they create, change (before and after), or why they do not."""
    page = await queries.list_rows(
        unit.tx, unit.actor, import_id=import_id, action=action, after=pages.after, limit=pages.limit
    )
    return pages.answer(page)


@router.post("/{id}/commits", status_code=202, summary="Write what the preview shows")
@requires(Permission.LEADS_WRITE)
async def commit_import(import_id: ResourceId, unit: InUnit) -> ImportDetail:
    """Has a worker write it, in chunks that each are complete; also goes on after a pause or a failure.

    A row whose lead was changed since the preview so that it no longer fits becomes a `conflict` and is not written.
    """
    return await control.commit_import(unit.tx, unit.actor, import_id=import_id, trace=unit.trace)


@router.post("/{id}/pauses", status_code=202, summary="Pause a commit")
@requires(Permission.LEADS_WRITE)
async def pause_import(import_id: ResourceId, unit: InUnit) -> ImportDetail:
    """Stops at once: the rows that are being written are left out. Commit again to go on."""
    return await control.pause_import(unit.tx, unit.actor, import_id=import_id)


@router.post("/{id}/cancellations", status_code=202, summary="Cancel an import")
@requires(Permission.LEADS_WRITE)
async def cancel_import(import_id: ResourceId, unit: InUnit) -> ImportDetail:
    """Stops for good. What is written by then stays, and can be undone."""
    return await control.cancel_import(unit.tx, unit.actor, import_id=import_id)


@router.post("/{id}/undos", status_code=202, summary="Undo an import")
@requires(Permission.LEADS_WRITE)
async def undo_import(import_id: ResourceId, unit: InUnit) -> ImportDetail:
    """Takes back what it wrote: new leads are deleted, changed fields go back. What was edited since is kept.

    The changeset of the import tells which fields were kept. Opt-outs are never touched.
    """
    return await control.undo_import(unit.tx, unit.actor, import_id=import_id, trace=unit.trace)


@router.get(
    "/{id}/rejected-rows", summary="Get the rejected rows as a file", response_class=TableResponse, responses=_TABLE
)
@requires(Permission.LEADS_READ, transaction=False)
async def get_rejected_rows(import_id: ResourceId, unit: InUnit) -> Response:
    """CSV with the columns of the file and `leadflood_error`. Correct it and import it: that column is ignored.

    Cells that a spreadsheet would run as a formula have an apostrophe before them, which importing takes away.
    """
    pieces: AsyncIterator[bytes] = await rejected.rejected_file(unit.parts.database, unit.actor, import_id=import_id)
    name = f'attachment; filename="rejected-{import_id}.csv"'
    return TableResponse(pieces, headers={"Content-Disposition": name})
