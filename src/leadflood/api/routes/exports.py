"""Exports over HTTP: leads in the response, or a file written by a job."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routes.leads import Filters
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.exports import queries
from leadflood.domains.exports.contracts import ColumnNames, CreateExport, ExportView, SelectedIds, chosen_leads
from leadflood.domains.exports.models import ALL, DIRECT_LIMIT, ExportFormat, ExportLayout, HeaderStyle
from leadflood.domains.exports.permissions import LEADS_EXPORT
from leadflood.domains.exports.service import files, streaming
from leadflood.domains.leads.permissions import LEADS_READ

router = APIRouter(tags=["exports"], route_class=EdgeRoute)

_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The leads, in the requested format.",
        "content": {
            ExportFormat.CSV.media_type: {"schema": {"type": "string"}},
            ExportFormat.XLSX.media_type: {"schema": {"type": "string", "format": "binary"}},
            ExportFormat.NDJSON.media_type: {"schema": {"type": "string"}},
            ExportFormat.PARQUET.media_type: {"schema": {"type": "string", "format": "binary"}},
        },
    },
    409: {},
}
Columns = Annotated[
    ColumnNames,
    Query(
        description="Comma-separated: `*`, field names, `owner`, `custom.KEY`, `custom.*`, `enriched.FIELD`, `tags`, "
        "`lists`."
    ),
]
Selected = Annotated[
    SelectedIds | None,
    Query(alias="leads", description="Comma-separated IDs of up to 100 leads, instead of filters."),
]


class FileResponse(StreamingResponse):
    """A file in one of the formats, as a download."""

    media_type = None


def _attachment(pieces: AsyncIterator[bytes], name: str, kind: ExportFormat, size: int | None = None) -> FileResponse:
    """The response with a file. `size`: its length in bytes, if known."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    if size is not None:
        headers["Content-Length"] = str(size)
    return FileResponse(pieces, headers=headers, media_type=kind.media_type)


@router.get("/v1/leads/exports", summary="Download leads", response_class=FileResponse, responses=_FILE)
@requires(LEADS_EXPORT, transaction=False)
async def export_leads(
    *,
    filters: Filters,
    unit: UnitOfWorkDep,
    file_format: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.CSV,
    columns: Columns = ALL,
    headers: Annotated[
        HeaderStyle, Query(description="CSV and XLSX: headers are labels, such as *First name*, or API names.")
    ] = HeaderStyle.LABELS,
    lead_ids: Selected = None,
    bom: Annotated[bool, Query(description="CSV: write a UTF-8 BOM (for Excel).")] = False,
) -> Response:
    """Streams up to 50,000 matching leads, or selected ones, newest first. Recorded in the audit log.

    In CSV, text that a spreadsheet would run as a formula gets an apostrophe; imports remove it. Phone numbers stay as
    they are. Not a snapshot: rows reflect their state when read. Importing the file again changes nothing.
    """
    selected = None if lead_ids is None else [UUID(text) for text in dict.fromkeys(lead_ids.split(","))]
    stream = await streaming.open_stream(
        unit.parts.database,
        unit.actor,
        selection=chosen_leads(filters, selected),
        layout=ExportLayout(file_format, columns.split(","), headers, bom),
        max_count=DIRECT_LIMIT,
    )
    return _attachment(stream.pieces(), stream.filename, file_format)


@router.post("/v1/exports", status_code=201, summary="Create an export")
@requires(LEADS_EXPORT)
async def create_export(command: CreateExport, response: Response, unit: UnitOfWorkDep) -> ExportView:
    """Starts a background export of any number of leads. Recorded in the audit log.

    The file is kept for 7 days.
    """
    created = await files.request_export(unit.tx, unit.actor, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/exports/{created.id}"
    return created


@router.get("/v1/exports", summary="List exports, newest first")
@requires(LEADS_READ)
async def list_exports(pages: InPages, unit: UnitOfWorkDep) -> Listing[ExportView]:
    """The exports of the workspace, with their progress."""
    return pages.answer(await queries.list_exports(unit.tx, unit.actor, after=pages.after, limit=pages.limit))


@router.get("/v1/exports/{id}", summary="Retrieve an export")
@requires(LEADS_READ)
async def get_export(export_id: ResourceId, unit: UnitOfWorkDep) -> ExportView:
    """The export and its progress. Poll while it is `writing`."""
    return await queries.get_export(unit.tx, unit.actor, export_id=export_id)


@router.get("/v1/exports/{id}/file", summary="Download an export", response_class=FileResponse, responses=_FILE)
@requires(LEADS_EXPORT, transaction=False)
async def get_export_file(export_id: ResourceId, unit: UnitOfWorkDep) -> Response:
    """Returns the file of a `ready` export. Recorded in the audit log."""
    file = await files.open_file(unit.parts.database, unit.actor, export_id=export_id)
    return _attachment(file.pieces, file.view.filename, file.view.format, file.view.size_bytes)


@router.delete("/v1/exports/{id}", status_code=204, summary="Delete an export")
@requires(LEADS_EXPORT)
async def delete_export(export_id: ResourceId, unit: UnitOfWorkDep) -> None:
    """Delete the file, or cancel the export if it is still `writing`."""
    await files.delete_export(unit.tx, unit.actor, export_id=export_id)
