"""Duplicates: pairs to review side by side, merge or dismiss; and merges to undo."""

from functools import partial
from typing import Any
from uuid import UUID

from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import DuplicateView, MergeLeads, MergeView
from leadflood.domains.duplicates.models import CandidateStatus, ScanStatus
from leadflood.domains.duplicates.service import merging, review, scanning
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.labels import name_of
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.errors import AppError
from leadflood.web import labels
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import member_names
from leadflood.web.pages.duplicates_presenter import compared_fields, shown_reasons
from leadflood.web.pages.lead_form import custom_fields_of, custom_labels
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_ROWS = 50
_UNDER_WAY = (ScanStatus.QUEUED, ScanStatus.RUNNING)


@pages.get("/duplicates", LEADS_READ, live=("duplicates_scan", "duplicates_list"))
async def list_duplicates(ctx: PageContext) -> PageResult:
    """Pairs to review, best matches first; reviewed ones with `?show=dismissed` or `merged`."""
    shown = ctx.query.get("show", "")
    shown = shown if shown in ("dismissed", "merged") else ""
    scope = f"duplicates {shown}"
    context: dict[str, Any] = {"shown": shown, "pairs": [], "merges": [], "name_of": name_of}
    async with ctx.reading() as tx:
        if shown == "merged":
            merges = await queries.list_merges(
                tx, ctx.actor, ctx.parts.participants, after=ctx.after(scope), limit=_ROWS
            )
            context |= {"merges": merges.items, "next": ctx.cursor(merges, scope)}
        else:
            status = CandidateStatus.DISMISSED if shown else CandidateStatus.OPEN
            pairs = await queries.list_duplicates(tx, ctx.actor, status=status, after=ctx.after(scope), limit=_ROWS)
            context |= {"pairs": pairs.items, "next": ctx.cursor(pairs, scope)}
        scan = await queries.find_scan(tx, ctx.actor)
        custom = custom_labels(await custom_fields_of(tx, ctx.actor))
    context["reasons"] = partial(shown_reasons, custom=custom)
    under_way = scan is not None and scan.status in _UNDER_WAY
    return PageResponse(
        "duplicates/list.html",
        {**context, "scan": scan, "under_way": under_way, "paged": "after" in ctx.query},
    )


@pages.post("/duplicates/scans", LEADS_WRITE)
async def scan(ctx: PageContext) -> PageResult:
    """Start a scan."""
    async with ctx.writing() as tx:
        await scanning.request_scan(tx, ctx.actor, trace=ctx.trace)
    return Redirect("/duplicates", [Toast("Scanning…", "info")])


@pages.get("/duplicates/{id}", LEADS_READ)
async def show_duplicate(ctx: PageContext) -> PageResult:
    """A pair side by side. `?survivor=…` chooses the lead that is kept."""
    return await _review(ctx, ctx.id())


@pages.post("/duplicates/{id}/merges", LEADS_WRITE)
async def merge(ctx: PageContext) -> PageResult:
    """Merge two leads."""
    duplicate_id, form = ctx.id(), ctx.form
    try:
        command = form.read(MergeLeads)
        async with ctx.writing() as tx:
            made = await merging.merge(tx, ctx.actor, ctx.parts.participants, command=command)
    except AppError as error:
        if error.status in (404, 503):
            raise
        return await _review(ctx, duplicate_id, form.refused(error), error.status)
    return Redirect("/duplicates", [Toast("Leads merged.", undo=f"/duplicates/merges/{made.id}/undos")])


@pages.post("/duplicates/{id}/dismissals", LEADS_WRITE)
async def dismiss(ctx: PageContext) -> PageResult:
    """Dismiss a pair."""
    async with ctx.writing() as tx:
        await review.dismiss(tx, ctx.actor, duplicate_id=ctx.id())
    return Redirect("/duplicates", [Toast("Dismissed.", undo=f"/duplicates/{ctx.id()}/reopenings")])


@pages.post("/duplicates/{id}/reopenings", LEADS_WRITE)
async def reopen(ctx: PageContext) -> PageResult:
    """Reopen a dismissed pair."""
    async with ctx.writing() as tx:
        await review.reopen(tx, ctx.actor, duplicate_id=ctx.id())
    return Redirect(f"/duplicates/{ctx.id()}", [Toast("Moved back to review.")])


@pages.post("/duplicates/merges/{id}/undos", LEADS_WRITE)
async def undo_merge(ctx: PageContext) -> PageResult:
    """Unmerge two leads."""
    async with ctx.writing() as tx:
        undone = await merging.undo_merge(tx, ctx.actor, ctx.parts.participants, merge_id=ctx.id(), trace=ctx.trace)
    return Redirect("/duplicates", [_undone(undone)])


def _undone(merge: MergeView) -> Toast:
    link = f"/leads/{merge.other_id}"
    if merge.other_deleted:
        text = f"Unmerged. {merge.other_email} stays deleted: the change that created or restored it was undone."
        return Toast(text, "warn", link=link)
    kept = sorted({name for item in merge.kept_fields for name in item.fields})
    if not kept:
        return Toast(f"{merge.other_email} unmerged.", link=link)
    names = ", ".join(map(labels.field, kept))
    text = f"{merge.other_email} unmerged. Kept fields edited since: {names}."
    return Toast(text, "warn", link=link)


async def _review(ctx: PageContext, duplicate_id: UUID, form: Form | None = None, status: int = 200) -> PageResponse:
    async with ctx.reading() as tx:
        pair = await queries.get_duplicate(tx, ctx.actor, duplicate_id=duplicate_id)
        wanted = form.value("survivorId") if form else ctx.query.get("survivor", "")
        survivor, other = _sides(pair, wanted)
        owners = await member_names(tx, ctx.actor)
        custom = await custom_fields_of(tx, ctx.actor)
    context = {
        "pair": pair,
        "survivor": survivor,
        "other": other,
        "rows": compared_fields(survivor, other, owners, custom, form),
        "form": form or Form(),
        "reasons": partial(shown_reasons, custom=custom_labels(custom)),
        "name_of": name_of,
    }
    return PageResponse("duplicates/review.html", context, status)


def _sides(pair: DuplicateView, wanted: str) -> tuple[LeadView, LeadView]:
    """The survivor and the other lead: the older one survives, unless the request says otherwise."""
    older, younger = pair.leads
    return (younger, older) if str(younger.id) == wanted.lower() else (older, younger)
