"""Exports: the leads of a list as a file, downloaded immediately or prepared by a worker, and past exports."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.responses import StreamingResponse

from leadflood.domains.exports import queries
from leadflood.domains.exports.contracts import CreateExport
from leadflood.domains.exports.models import (
    ALL,
    ALL_ENRICHED,
    CUSTOM,
    DIRECT_LIMIT,
    FIELDS,
    FOUND,
    OWNER,
    ExportFormat,
    HeaderStyle,
)
from leadflood.domains.exports.permissions import LEADS_EXPORT
from leadflood.domains.exports.service import files, streaming
from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.queries import active_leads
from leadflood.domains.leads.queries.search import count_leads
from leadflood.kernel.errors import AppError
from leadflood.kernel.schema import Count
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import actors_of, member_names
from leadflood.web.pages.lead_form import custom_fields_of
from leadflood.web.pages.lead_list_params import LeadListParams
from leadflood.web.pages.leads_filter import FilterWords, whole_in_words
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect
from leadflood.web.templating import url

pages = Pages()

_FILES = "/exports"
_FORM = "/leads/export"
_ROWS = 50
_NAMED_OTHERWISE = {"name": ("firstName", "lastName")}
_MAX_IDS = 100
"""Leads that fit into a URL: more than the list has on a page."""


@pages.get("/leads/export", LEADS_EXPORT)
async def show_export(ctx: PageContext) -> PageResult:
    """The form of an export: the filters of the URL, which are those of the list, or selected leads; and the format."""
    parameters = ctx.request.query_params.multi_items()
    ids = [value for name, value in parameters if name == "ids"]
    return await _page(ctx, LeadListParams.read(parameters), Form({"ids": ids[:_MAX_IDS]} if ids else {}))


@pages.post("/leads/export/selections", LEADS_EXPORT)
async def export_selected(ctx: PageContext) -> PageResult:
    """The form for the leads selected in the list, or for all that match."""
    form = ctx.form
    state = LeadListParams.read(parse_qsl(form.value("matching"), keep_blank_values=True))
    ids = form.values("ids")[:_MAX_IDS]
    if form.checked("all") or not ids:
        return Redirect(url(_FORM, state.parameters))
    return Redirect(url(_FORM, state.parameters, ids=ids))


@pages.post("/leads/export", LEADS_EXPORT)
async def export_leads(ctx: PageContext) -> PageResult:
    """Download few leads immediately; for many, or on request, a worker prepares a file."""
    form = ctx.form
    state = LeadListParams.read(parse_qsl(form.value("matching"), keep_blank_values=True))
    try:
        command = _command(ctx, state)
        if form.checked("later") or await _is_large(ctx, command):
            return await _later(ctx, command)
        stream = await streaming.open_stream(
            ctx.parts.database,
            ctx.actor,
            selection=command.selection,
            layout=command.layout,
            max_count=DIRECT_LIMIT,
        )
    except AppError as error:
        if error.is_fault:
            raise
        return await _page(ctx, state, form.refused(error), error.status)
    headers = {"Content-Disposition": f'attachment; filename="{stream.filename}"'}
    return StreamingResponse(stream.pieces(), headers=headers, media_type=command.format.media_type)


@pages.get(_FILES, LEADS_EXPORT, live=("exports_list",))
async def list_exports(ctx: PageContext) -> PageResult:
    """The exports of the workspace: in progress, and ready to download."""
    async with ctx.reading() as tx:
        page = await queries.list_exports(tx, ctx.actor, after=ctx.after("exports"), limit=_ROWS)
        asked_by = await actors_of(tx, ctx.actor, [item.actor for item in page.items])
        people, custom = await member_names(tx, ctx.actor), await custom_fields_of(tx, ctx.actor, archived=True)
    words = FilterWords(people.all, custom, ctx.time_zone)
    context: dict[str, Any] = {
        "filters": {item.id: whole_in_words(item.filter, words) for item in page.items},
        "exports": page.items,
        "asked_by": asked_by,
        "next": ctx.cursor(page, "exports"),
        "paged": "after" in ctx.query,
    }
    return PageResponse("exports/list.html", context)


@pages.get(f"{_FILES}/{{id}}/file", LEADS_EXPORT)
async def download_export(ctx: PageContext) -> PageResult:
    """Download a file."""
    file = await files.open_file(ctx.parts.database, ctx.actor, export_id=ctx.id())
    headers = {
        "Content-Disposition": f'attachment; filename="{file.view.filename}"',
        "Content-Length": str(file.view.size_bytes),
    }
    return StreamingResponse(file.pieces, headers=headers, media_type=file.view.format.media_type)


@pages.post(f"{_FILES}/{{id}}/deletions", LEADS_EXPORT)
async def delete_export(ctx: PageContext) -> PageResult:
    """Delete a file."""
    async with ctx.writing() as tx:
        await files.delete_export(tx, ctx.actor, export_id=ctx.id())
    return Redirect(_FILES, [Toast("Export deleted.")])


def _command(ctx: PageContext, state: LeadListParams) -> CreateExport:
    """The command of the form. Raises: InvalidInput."""
    form = ctx.form
    columns = list(_as_shown(state.columns)) if form.value("columns") == "shown" else [ALL]
    if form.checked("enriched"):
        columns.append(ALL_ENRICHED)
    given = {
        "format": form.value("format") or ExportFormat.CSV,
        "columns": columns,
        "headers": HeaderStyle.NAMES if form.checked("names") else HeaderStyle.LABELS,
        "bom": True,  # exported files are opened in spreadsheets
        **({"leadIds": form.values("ids")} if form.values("ids") else {"filter": state.query}),
    }
    return validated(CreateExport, given)


def _as_shown(columns: Iterable[str]) -> Iterable[str]:
    """The columns of the list, as columns of a file, with the values that the list shows."""
    for name in columns:
        if name.startswith(CUSTOM_FIELD):
            yield CUSTOM + name.removeprefix(CUSTOM_FIELD)
        else:
            known = name in FIELDS or name == OWNER or name in LEAD_EXTENSIONS.file_columns
            yield from _NAMED_OTHERWISE.get(name, (name,) if known else ())
    yield FOUND


async def _is_large(ctx: PageContext, command: CreateExport) -> bool:
    if command.lead_ids is not None:
        return False
    async with ctx.reading() as tx:
        count = await count_leads(tx, ctx.actor, filters=command.filter.lead_filter(), max_count=DIRECT_LIMIT)
    return not count.exact


async def _later(ctx: PageContext, command: CreateExport) -> PageResult:
    async with ctx.writing() as tx:
        await files.request_export(tx, ctx.actor, command=command, trace=ctx.trace)
    return Redirect(_FILES, [Toast("Preparing your export. It will be available here for 7 days.", "info")])


async def _page(ctx: PageContext, state: LeadListParams, form: Form, status: int = 200) -> PageResponse:
    selected = form.values("ids")
    async with ctx.reading() as tx:
        if selected:
            active = await active_leads(tx, ctx.actor, lead_ids=_ids(selected))
            count = Count(value=len(active), exact=True)
        else:
            count = await count_leads(tx, ctx.actor, filters=state.lead_filter, max_count=DIRECT_LIMIT)
    context: dict[str, Any] = {
        "state": state,
        "form": form,
        "count": count,
        "limit": DIRECT_LIMIT,
        "selected": selected,
    }
    return PageResponse("exports/new.html", context, status)


def _ids(texts: Iterable[str]) -> list[UUID]:
    """Those of the texts that are IDs."""
    found: list[UUID] = []
    for text in texts:
        with suppress(ValueError):
            found.append(UUID(text))
    return found
