"""Duplicates: pairs to review side by side, merge or dismiss; and merges to undo."""

from functools import partial
from typing import Any
from uuid import UUID

from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import DecisionKind, DuplicateView, MergeLeads, MergeView
from leadflood.domains.duplicates.errors import DuplicateNotFound, MergeRunActive, MergeRunNotUndoable, NoCertainPairs
from leadflood.domains.duplicates.models import CandidateStatus, ScanStatus
from leadflood.domains.duplicates.service import merge_runs, merging, review, scanning
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.errors import MatchCountExceeded
from leadflood.domains.leads.labels import name_of
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError
from leadflood.web import labels
from leadflood.web.cookies import Toast
from leadflood.web.formats import plural
from leadflood.web.forms import Form
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import actors_of, member_names
from leadflood.web.pages.duplicates_presenter import compared_fields, shown_reasons
from leadflood.web.pages.lead_form import custom_fields_of, custom_labels
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_ROWS = 50
_UNDER_WAY = (ScanStatus.QUEUED, ScanStatus.RUNNING)


@pages.get("/duplicates", LEADS_READ, live=("duplicates_scan", "duplicates_list"))
async def list_duplicates(ctx: PageContext) -> PageResult:
    """Pairs to review, best matches first; reviewed ones with `?show=dismissed`, `merged` or `history`."""
    shown = ctx.query.get("show", "")
    shown = shown if shown in ("dismissed", "merged", "history") else ""
    scope = f"duplicates {shown}"
    async with ctx.reading() as tx:
        context = await _listed(tx, ctx, shown, scope)
        scan = await queries.find_scan(tx, ctx.actor)
        custom = custom_labels(await custom_fields_of(tx, ctx.actor, archived=True))
        context |= {
            "counts": await queries.count_pairs(tx, ctx.actor),
            "run": await queries.find_merge_run(tx, ctx.actor),
            "last": await queries.last_decision(tx, ctx.actor),
        }
    context["reasons"] = partial(shown_reasons, custom=custom)
    under_way = scan is not None and scan.status in _UNDER_WAY
    return PageResponse(
        "duplicates/list.html",
        {**context, "scan": scan, "under_way": under_way, "paged": "after" in ctx.query},
    )


async def _listed(tx: Transaction, ctx: PageContext, shown: str, scope: str) -> dict[str, Any]:
    """The rows of one of the lists."""
    after = ctx.after(scope)
    context: dict[str, Any] = {"shown": shown, "pairs": [], "merges": [], "decisions": [], "name_of": name_of}
    if shown == "merged":
        merges = await queries.list_merges(tx, ctx.actor, ctx.parts.participants, after=after, limit=_ROWS)
        return context | {"merges": merges.items, "next": ctx.cursor(merges, scope)}
    if shown == "history":
        decisions = await queries.list_decisions(tx, ctx.actor, after=after, limit=_ROWS)
        by = await actors_of(tx, ctx.actor, [item.actor for item in decisions.items if item.actor])
        return context | {"decisions": decisions.items, "by": by, "next": ctx.cursor(decisions, scope)}
    status = CandidateStatus.DISMISSED if shown else CandidateStatus.OPEN
    pairs = await queries.list_duplicates(tx, ctx.actor, status=status, after=after, limit=_ROWS)
    return context | {"pairs": pairs.items, "next": ctx.cursor(pairs, scope)}


@pages.post("/duplicates/scans", LEADS_WRITE)
async def scan(ctx: PageContext) -> PageResult:
    """Start a scan."""
    async with ctx.writing() as tx:
        await scanning.request_scan(tx, ctx.actor, trace=ctx.trace)
    return Redirect("/duplicates", [Toast("Scanning…", "info")])


@pages.post("/duplicates/runs", LEADS_WRITE)
async def merge_certain(ctx: PageContext) -> PageResult:
    """Merge all certain pairs in the background."""
    expected = ctx.form.number("expected")
    try:
        async with ctx.writing() as tx:
            run = await merge_runs.merge_certain(
                tx, ctx.actor, expected_count=expected if isinstance(expected, int) else 0, trace=ctx.trace
            )
    except (MatchCountExceeded, NoCertainPairs, MergeRunActive) as error:
        return Redirect("/duplicates", [Toast(_refusal(error), "warn")])
    return Redirect("/duplicates", [Toast(f"Merging {plural(run.total, 'pair')}…", "info")])


@pages.post("/duplicates/runs/{id}/undos", LEADS_WRITE)
async def undo_run(ctx: PageContext) -> PageResult:
    """Undo the merges of a run in the background."""
    try:
        async with ctx.writing() as tx:
            run = await merge_runs.undo_run(tx, ctx.actor, run_id=ctx.id(), trace=ctx.trace)
    except (MergeRunNotUndoable, MergeRunActive) as error:
        return Redirect("/duplicates", [Toast(_refusal(error), "warn")])
    return Redirect("/duplicates", [Toast(f"Undoing {plural(run.merged, 'merge')}…", "info")])


@pages.post("/duplicates/undos", LEADS_WRITE)
async def undo_last(ctx: PageContext) -> PageResult:
    """Undo the user's own latest decision: a merge, a dismissed pair, or the merge of all certain pairs."""
    async with ctx.writing() as tx:
        last = await queries.last_decision(tx, ctx.actor)
        if last is None:
            return Redirect("/duplicates", [Toast("There is no decision of yours to undo.", "info")])
        if last.kind is DecisionKind.RUN:
            await merge_runs.undo_run(tx, ctx.actor, run_id=last.id, trace=ctx.trace)
            return Redirect("/duplicates", [Toast(f"Undoing {plural(last.count, 'merge')}…", "info")])
        if last.kind is DecisionKind.DISMISSAL:
            await review.reopen(tx, ctx.actor, duplicate_id=last.id)
            return Redirect(f"/duplicates/{last.id}", [Toast("Moved back to review.")])
        undone = await merging.undo_merge(tx, ctx.actor, ctx.parts.participants, merge_id=last.id, trace=ctx.trace)
    return Redirect("/duplicates", [_undone(undone)])


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
        score = await _score(ctx, duplicate_id)
        async with ctx.writing() as tx:
            made = await merging.merge(tx, ctx.actor, ctx.parts.participants, command=command)
    except AppError as error:
        if error.status in (404, 503):
            raise
        return await _review(ctx, duplicate_id, form.refused(error), error.status)
    toast = Toast("Leads merged.", undo=f"/duplicates/merges/{made.id}/undos")
    return Redirect(await _following(ctx, duplicate_id, score), [toast])


@pages.post("/duplicates/{id}/dismissals", LEADS_WRITE)
async def dismiss(ctx: PageContext) -> PageResult:
    """Dismiss a pair. `lead`: the lead on whose page that was done, which is shown again."""
    async with ctx.writing() as tx:
        dismissed = await review.dismiss(tx, ctx.actor, duplicate_id=ctx.id())
    toast = Toast("Not a duplicate.", undo=f"/duplicates/{ctx.id()}/reopenings")
    lead_id = next((lead.id for lead in dismissed.leads if str(lead.id) == ctx.form.value("lead")), None)
    if lead_id is not None:
        return Redirect(f"/leads/{lead_id}", [toast])
    return Redirect(await _following(ctx, ctx.id(), dismissed.score), [toast])


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


async def _score(ctx: PageContext, duplicate_id: UUID) -> int | None:
    """The score of a pair. None if one of its leads is deleted, which the merge reports."""
    try:
        async with ctx.reading() as tx:
            return (await queries.get_duplicate(tx, ctx.actor, duplicate_id=duplicate_id)).score
    except DuplicateNotFound:
        return None


async def _following(ctx: PageContext, duplicate_id: UUID, score: int | None) -> str:
    """The page after a decision: the next pair, or the list if it was decided there or no pair is left."""
    if ctx.form.value("next") == "list" or score is None:
        return "/duplicates"
    async with ctx.reading() as tx:
        near = await queries.neighbors(tx, ctx.actor, duplicate_id=duplicate_id, score=score)
    return f"/duplicates/{near['next']}" if "next" in near else "/duplicates"


def _refusal(error: AppError) -> str:
    if isinstance(error, MatchCountExceeded):
        return "More pairs are certain now. Check the number and confirm again."
    return str(error)


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
        custom = await custom_fields_of(tx, ctx.actor, archived=True)
        near = await queries.neighbors(tx, ctx.actor, duplicate_id=duplicate_id, score=pair.score)
        counts = await queries.count_pairs(tx, ctx.actor)
        last = await queries.last_decision(tx, ctx.actor)
    context = {
        "near": near,
        "counts": counts,
        "last": last,
        "pair": pair,
        "survivor": survivor,
        "other": other,
        "rows": compared_fields(survivor, other, owners, [field for field in custom if not field.archived], form),
        "form": form or Form(),
        "reasons": partial(shown_reasons, custom=custom_labels(custom)),
        "name_of": name_of,
    }
    return PageResponse("duplicates/review.html", context, status)


def _sides(pair: DuplicateView, wanted: str) -> tuple[LeadView, LeadView]:
    """The survivor and the other lead: the older one survives, unless the request says otherwise."""
    older, younger = pair.leads
    return (younger, older) if str(younger.id) == wanted.lower() else (older, younger)
