"""Change history: bulk changes, imports and merges, with counts and undo."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from leadflood.domains.duplicates.service import merging
from leadflood.domains.imports.errors import ImportNotFound
from leadflood.domains.imports.queries import get_import
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.leads.queries import changesets as queries
from leadflood.kernel.db.transaction import Transaction
from leadflood.web.cookies import Toast, local_path
from leadflood.web.formats import plural
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import actors_of
from leadflood.web.pages.changes_presenter import counts, kind_of, name_of, progress, skip_reason, subjects
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_LIST = "/changes"
_ROWS = 50


@pages.get(_LIST, LEADS_READ, live=("changes_list",))
async def list_changes(ctx: PageContext) -> PageResult:
    """The changes of many leads, newest first."""
    days = ctx.parts.settings.lead_retention_days
    async with ctx.reading() as tx:
        page = await queries.list_changesets(tx, ctx.actor, after=ctx.after("changes"), limit=_ROWS)
        people = await actors_of(tx, ctx.actor, [item.actor for item in page.items])
    context: dict[str, Any] = {
        "changes": [item.dated(days) for item in page.items],
        "people": people,
        "days": days,
        "next": ctx.cursor(page, "changes"),
        "paged": "after" in ctx.query,
        "kind_of": kind_of,
        "subjects": subjects,
        "summary": counts,
        "name_of": name_of,
        "progress": progress,
    }
    return PageResponse("changes/list.html", context)


@pages.get("/changes/{id}", LEADS_READ, live=("change_state",))
async def show_change(ctx: PageContext) -> PageResult:
    """One change: its effect, its progress or that of its undo, and what the undo kept."""
    change_id = ctx.id()
    async with ctx.reading() as tx:
        change = await queries.get_changeset(tx, ctx.actor, changeset_id=change_id)
        kept = await queries.list_kept(tx, ctx.actor, changeset_id=change_id, after=ctx.after("kept"), limit=_ROWS)
        actors = [change.actor, *([change.undone_by] if change.undone_by else [])]
        people = await actors_of(tx, ctx.actor, actors)
        import_id = await _import_id(tx, ctx, change)
    context: dict[str, Any] = {
        "import_id": import_id,
        "change": change.dated(ctx.parts.settings.lead_retention_days),
        "name": name_of(change),
        "people": people,
        "kind_of": kind_of,
        "subjects": subjects,
        "summary": counts,
        "progress": progress,
        "kept": kept.items,
        "kept_why": skip_reason,
        "next": ctx.cursor(kept, "kept"),
        "paged": "after" in ctx.query,
    }
    return PageResponse("changes/change.html", context)


@pages.post("/changesets/{id}/undos", LEADS_WRITE)
async def undo_change(ctx: PageContext) -> PageResult:
    """Undo a change; later edits are kept."""
    async with ctx.writing() as tx:
        undone = await merging.undo_change(
            tx, ctx.actor, ctx.parts.participants, changeset_id=ctx.id(), trace=ctx.trace
        )
    return Redirect(local_path(_next(ctx), "/leads"), [_undo_toast(undone)])


async def _import_id(tx: Transaction, ctx: PageContext, change: ChangesetView) -> UUID | None:
    """The import of the change, unless it is deleted."""
    try:
        return (await get_import(tx, ctx.actor, import_id=change.import_id)).id if change.import_id else None
    except ImportNotFound:
        return None


def _undo_toast(undone: ChangesetView) -> Toast:
    link = f"/changes/{undone.id}"
    if undone.job_id is not None and undone.undone_at is None:
        return Toast("Undoing in the background.", "info", link=link, link_text="View progress")
    if undone.kept_leads:
        text = f"Undone. Kept {plural(undone.kept_leads, 'lead')} edited since."
        return Toast(text, "warn", link=link, link_text="Details")
    return Toast(f"Undone: {subjects(undone, undone.reverted)} restored.")


def _next(ctx: PageContext) -> str:
    """The next page: from the form, or else the page of the request."""
    came_from = urlsplit(ctx.request.headers.get("referer", ""))
    return ctx.form.value("next") or came_from._replace(scheme="", netloc="", fragment="").geturl()
