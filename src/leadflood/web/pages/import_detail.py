"""One import: file format, preview, progress, results, and undo."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

from starlette.responses import StreamingResponse

from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.labels import actor_label
from leadflood.domains.imports import queries
from leadflood.domains.imports.contracts import ImportDetail, NoticeView, ReadFormat
from leadflood.domains.imports.errors import ImportNotReady
from leadflood.domains.imports.models.fields import UPDATABLE
from leadflood.domains.imports.models.format import ENCODINGS
from leadflood.domains.imports.models.notices import ABOUT_ROWS
from leadflood.domains.imports.models.states import ImportStage, RowAction
from leadflood.domains.imports.service import lifecycle, mapping, rejected, uploads
from leadflood.domains.imports.service.sandboxed_parser import DEFAULT_SOURCE
from leadflood.domains.leads.errors import ChangesetNotFound
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.leads.queries import changesets
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.downloads import attachment
from leadflood.kernel.errors import AppError
from leadflood.kernel.filters import Condition, Group, Operator
from leadflood.web import labels
from leadflood.web.cookies import Toast
from leadflood.web.field_text import Names
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages import import_mapping
from leadflood.web.pages.actor_names import member_names, owner_choices
from leadflood.web.pages.changes_presenter import skip_reason
from leadflood.web.pages.import_mapping import column_rows, mapping_form, read_mapping
from leadflood.web.pages.imports_presenter import ACTIONS, NOTES, error_counts, preview_rows
from leadflood.web.pages.lead_form import country_choices, custom_fields_of
from leadflood.web.pages.leads_filter import write_tree
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH = "/imports/{id}"
_ROWS = 50
_KEPT = 50
_MAPPABLE = (ImportStage.UPLOADED, ImportStage.PREVIEWED, ImportStage.CANCELLED, ImportStage.FAILED)
_UNDOABLE = (ImportStage.COMMITTED, ImportStage.PAUSED, ImportStage.CANCELLED, ImportStage.FAILED)
_BEFORE_ROWS = (ImportStage.UPLOADING, ImportStage.UPLOADED, ImportStage.STAGING)
_DELETABLE = (*_MAPPABLE, ImportStage.COMMITTED, ImportStage.UNDONE)


@pages.get(_PATH, LEADS_READ, live=("import_status", "import_state"))
async def show_import(ctx: PageContext) -> PageResult:
    """The state of an import. `?step=mapping` returns to the columns, `?action=…` filters the rows."""
    return await _page(ctx)


@pages.post(f"{_PATH}/format", LEADS_WRITE, whole_file=True)
async def read_otherwise(ctx: PageContext) -> PageResult:
    """Read the file in another format; its columns are detected again."""
    form = ctx.form
    try:
        given = {**form.given(ReadFormat), "header": form.checked("header")}
        command = validated(ReadFormat, given)
        await uploads.read_as(ctx.parts.database, ctx.parts.sandbox, ctx.actor, import_id=ctx.id(), command=command)
    except AppError as error:
        return _not_done(ctx, error)
    return Redirect(f"/imports/{ctx.id()}", [Toast("Format updated. Columns re-detected.")])


@pages.post(f"{_PATH}/previews", LEADS_WRITE)
async def preview_import(ctx: PageContext) -> PageResult:
    """Save the mapping, and start the preview."""
    form, import_id = ctx.form, ctx.id()
    try:
        async with ctx.writing() as tx:
            found = await queries.get_import(tx, ctx.actor, import_id=import_id)
            command = read_mapping(form, len(found.columns))
            await mapping.map_columns(tx, ctx.actor, import_id=import_id, command=command)
            await lifecycle.preview_import(tx, ctx.actor, import_id=import_id, trace=ctx.trace)
    except ImportNotReady as error:
        return _not_done(ctx, error)
    except AppError as error:
        if error.status in (404, 503):
            raise
        return await _page(ctx, form.refused(error), error.status)
    return Redirect(f"/imports/{import_id}")


@pages.get(f"{_PATH}/previews", LEADS_READ)
async def show_preview(ctx: PageContext) -> PageResult:
    """The URL of a refused mapping, requested again."""
    return Redirect(f"/imports/{ctx.id()}")


@pages.post(f"{_PATH}/commits", LEADS_WRITE)
async def commit_import(ctx: PageContext) -> PageResult:
    """Commit the import, or resume it."""
    return await _do(ctx, partial(lifecycle.commit_import, trace=ctx.trace))


@pages.post(f"{_PATH}/pauses", LEADS_WRITE)
async def pause_import(ctx: PageContext) -> PageResult:
    """Pause immediately; rows in progress are rolled back."""
    return await _do(ctx, lifecycle.pause_import)


@pages.post(f"{_PATH}/cancellations", LEADS_WRITE)
async def cancel_import(ctx: PageContext) -> PageResult:
    """Cancel the import."""
    return await _do(ctx, lifecycle.cancel_import)


@pages.post(f"{_PATH}/undos", LEADS_WRITE)
async def undo_import(ctx: PageContext) -> PageResult:
    """Undo the import."""
    return await _do(ctx, partial(lifecycle.undo_import, participants=ctx.parts.participants, trace=ctx.trace))


@pages.post(f"{_PATH}/deletions", LEADS_WRITE)
async def delete_import(ctx: PageContext) -> PageResult:
    """Delete the file and its row history."""
    done = await _do(ctx, lifecycle.delete_import)
    return done if done.toasts else Redirect("/imports", [Toast("Import record deleted.")])


@pages.get(f"{_PATH}/rejected-rows", LEADS_READ)
async def download_rejected(ctx: PageContext) -> PageResult:
    """The rejected rows as CSV, each with the reason."""
    file = await rejected.rejected_file(ctx.parts.database, ctx.actor, import_id=ctx.id())
    return StreamingResponse(
        file.pieces, headers={"Content-Disposition": attachment(file.filename)}, media_type="text/csv"
    )


async def _do(ctx: PageContext, verb: Callable[..., Awaitable[object]]) -> Redirect:
    """Call a verb of `service.lifecycle`."""
    try:
        async with ctx.writing() as tx:
            await verb(tx, ctx.actor, import_id=ctx.id())
    except ImportNotReady as error:
        return _not_done(ctx, error)
    return Redirect(f"/imports/{ctx.id()}")


def _not_done(ctx: PageContext, error: AppError) -> Redirect:
    """The state has changed meanwhile: show the page as it is now. Raises: `error`: there is no such page."""
    if error.status in (404, 503):
        raise error
    said = " ".join([error.detail, *(item.message for item in error.errors)])
    return Redirect(f"/imports/{ctx.id()}", [Toast(said, "warn")])


async def _page(ctx: PageContext, form: Form | None = None, status: int = 200) -> PageResponse:
    async with ctx.reading() as tx:
        found = await queries.get_import(tx, ctx.actor, import_id=ctx.id())
        names = await identity.actor_names(tx, ctx.actor, [found.actor.id] if found.actor.id else [])
        owners = await member_names(tx, ctx.actor)
        context: dict[str, Any] = {
            "found": found,
            "by": actor_label(found.actor.kind, found.actor.id, names),
            "owners": owners,
            "can": _can(found),
            "changeset": None,
            "kept": [],
            "kept_why": skip_reason,
            "row_notices": [] if found.status in _BEFORE_ROWS else _about_rows(found),
            "retention_days": ctx.parts.settings.lead_retention_days,
            "form": None,
        }
        if found.changeset_id is not None:
            context |= await _written(ctx, tx, found, found.changeset_id)
        if form is not None or _maps(ctx, found):
            context |= _mapping(found, form or mapping_form(found), owners)
        elif found.status is ImportStage.PREVIEWED or found.changeset_id is not None:
            context |= await _rows(ctx, tx, found, owners)
    return PageResponse("imports/import.html", context, status)


def _about_rows(found: ImportDetail) -> list[NoticeView]:
    return [notice for notice in found.notices if notice.code in ABOUT_ROWS]


def _maps(ctx: PageContext, found: ImportDetail) -> bool:
    """Whether the columns are shown: after the upload, and on returning to them."""
    if found.status is ImportStage.UPLOADED:
        return True
    return _can(found)["map"] and ctx.query.get("step") == "mapping"


def _can(found: ImportDetail) -> dict[str, bool]:
    """Actions that are available in the import's state."""
    wrote = found.changeset_id is not None
    return {
        "map": found.status in _MAPPABLE and not wrote and found.format is not None,
        "resume": wrote and found.status in (ImportStage.PAUSED, ImportStage.FAILED),
        "undo": wrote and found.status in _UNDOABLE,
        "cancel": found.status in (ImportStage.STAGING, ImportStage.COMMITTING, ImportStage.PAUSED),
        "delete": found.status in _DELETABLE,
    }


def _mapping(found: ImportDetail, form: Form, owners: Names) -> dict[str, Any]:
    columns = column_rows(found, form)
    return {
        "form": form,
        "columns": columns,
        "named": {f"targets.{column.index}": column.header for column in columns},
        "choices": import_mapping,
        "updatable": UPDATABLE,
        "encodings": [(encoding, labels.encoding(encoding)) for encoding in ENCODINGS],
        "owner_choices": owner_choices(owners),
        "countries": country_choices(),
        "default_source": DEFAULT_SOURCE,
    }


async def _written(ctx: PageContext, tx: Transaction, found: ImportDetail, changeset_id: UUID) -> dict[str, Any]:
    """The changeset of the import and what its undo kept; None after the undo period."""
    try:
        changeset = await changesets.get_changeset(tx, ctx.actor, changeset_id=changeset_id)
    except ChangesetNotFound:
        return {"can": {**_can(found), "undo": False}}
    context: dict[str, Any] = {"changeset": changeset}
    if changeset.kept_leads:
        kept = await changesets.list_kept(
            tx, ctx.actor, changeset_id=changeset.id, after=ctx.after("kept", "kept"), limit=_KEPT
        )
        context |= {"kept": kept.items, "kept_next": ctx.cursor(kept, "kept")}
    return context


async def _rows(ctx: PageContext, tx: Transaction, found: ImportDetail, owners: Names) -> dict[str, Any]:
    action = next((item for item in RowAction if item.value == ctx.query.get("action")), None)
    left_out = ctx.query.get("values") == "left_out"
    scope = f"import {found.id} {action} {left_out}"
    page = await queries.list_rows(
        tx,
        ctx.actor,
        import_id=found.id,
        action=action,
        with_errors=left_out,
        after=ctx.after(scope),
        limit=_ROWS,
    )
    custom = await custom_fields_of(tx, ctx.actor)
    return {
        "rows": preview_rows(page.items, found.columns, owners, custom, written=found.status is ImportStage.COMMITTED),
        "action": action,
        "left_out": left_out,
        "actions": ACTIONS,
        "notes": NOTES,
        "faults": error_counts(found.errors, custom),
        "next": ctx.cursor(page, scope),
        "paged": "after" in ctx.query,
        "of_import": write_tree(Group("all", (Condition("import", Operator.IS, str(found.id)),))),
    }
