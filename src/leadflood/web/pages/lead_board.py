"""Moving a lead on the board: by dragging, by keyboard, or in a form that needs neither."""

from typing import Any, Final
from uuid import UUID

from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.contracts.bulk import BulkAction, BulkChange
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.errors import LeadVersionConflict
from leadflood.domains.leads.labels import name_of
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.service import bulk
from leadflood.domains.stages.models import StageList
from leadflood.domains.stages.queries import stages_of
from leadflood.kernel.errors import AppError
from leadflood.web.cookies import Toast
from leadflood.web.forms import validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import member_names
from leadflood.web.pages.lead_edit import BASE, EditConflict, LeadEdit, shown_conflict
from leadflood.web.pages.lead_list_params import LeadListParams
from leadflood.web.pages.lead_rows import last_changed_by
from leadflood.web.pages.leads import list_page
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect
from leadflood.web.templating import url

pages = Pages()

_NOT_FOUND: Final = 404
_ROUNDS: Final = 3


@pages.get("/leads/{id}/moves", LEADS_WRITE)
async def choose_stage(ctx: PageContext) -> PageResult:
    """Form with the stages to move a lead to: a page, or a dialog over the board. The query is that of the list."""
    state = LeadListParams.read(ctx.request.query_params.multi_items())
    async with ctx.reading() as tx:
        lead = await queries.get_lead(tx, ctx.actor, lead_id=ctx.id())
        stages = await stages_of(tx, ctx.actor.workspace_id)
    context: dict[str, Any] = {
        "lead": lead,
        "name": name_of(lead),
        "stages": stages,
        "base": BASE + "stage",
        "action": _address(lead.id, state),
        "back": _list_address(state),
    }
    return PageResponse("leads/move.html", context)


@pages.post("/leads/{id}/moves", LEADS_WRITE)
async def move_lead(ctx: PageContext) -> PageResult:
    """Set the stage of a lead, with undo. If someone else has moved it meanwhile, it asks."""
    state, edit = LeadListParams.read(ctx.request.query_params.multi_items()), LeadEdit(ctx.form)
    lead_id, part = ctx.id(), "leads_list" if ctx.wants_part else None
    try:
        lead, stages, done = await _moved(ctx, lead_id, edit)
    except EditConflict as conflict:
        more = await _conflict(ctx, conflict, edit, state)
        return await list_page(ctx, state, status=409, part=part, more=more)
    except AppError as error:
        if error.is_fault or error.status == _NOT_FOUND:
            raise
        return await list_page(ctx, state, status=error.status, part=part, toasts=[Toast(error.detail, "bad")])
    stage = stages.labels.get(ctx.form.value("stage"), "No stage")
    toast = Toast("No changes needed.", "info")
    if done is not None and done.changed:
        toast = Toast(f"{name_of(lead)} moved to {stage}.", undo=f"/changesets/{done.id}/undos")
    if part is None:
        return Redirect(_list_address(state), [toast])
    return await list_page(ctx, state, part=part, toasts=[toast])


async def _moved(ctx: PageContext, lead_id: UUID, edit: LeadEdit) -> tuple[LeadView, StageList, ChangesetView | None]:
    """As `_move`, again if someone saves the lead at the same time."""
    for attempt in range(1, _ROUNDS + 1):
        try:
            return await _move(ctx, lead_id, edit)
        except LeadVersionConflict:
            if attempt == _ROUNDS:
                raise
    raise AssertionError


async def _move(ctx: PageContext, lead_id: UUID, edit: LeadEdit) -> tuple[LeadView, StageList, ChangesetView | None]:
    """Raises: EditConflict, LeadVersionConflict, LeadNotFound, UnknownStage, InvalidInput."""
    async with ctx.writing() as tx:
        lead = await queries.get_lead(tx, ctx.actor, lead_id=lead_id)
        stages = await stages_of(tx, ctx.actor.workspace_id)
        if "stage" not in edit.changed(lead):
            return lead, stages, None
        changes = {"stage": edit.form.value("stage") or None}
        given = {"action": BulkAction.SET.value, "changes": changes, "leadIds": [str(lead_id)]}
        command = validated(BulkChange, given)
        done = await bulk.change_leads(tx, ctx.actor, command=command, trace=ctx.trace)
        version = (await queries.get_lead(tx, ctx.actor, lead_id=lead_id)).version
        if version != lead.version + done.changed:
            raise LeadVersionConflict(version)
        return lead, stages, done


async def _conflict(ctx: PageContext, conflict: EditConflict, edit: LeadEdit, state: LeadListParams) -> dict[str, Any]:
    async with ctx.reading() as tx:
        people = await member_names(tx, ctx.actor)
        changed_by = await last_changed_by(tx, ctx, conflict.stored)
    words = {"people": people, "custom": [], "named": {}, "changed_by": changed_by}
    return {
        "conflict": shown_conflict(conflict, edit, words),
        "conflict_action": _address(conflict.stored.id, state),
    }


def _address(lead_id: UUID, state: LeadListParams) -> str:
    return url(f"/leads/{lead_id}/moves", state.parameters, more=state.more_pairs)


def _list_address(state: LeadListParams) -> str:
    return state.url(more=state.more_pairs)
