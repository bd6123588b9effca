"""Bulk changes of selected leads, or of all that match. Large ones and deletions need confirmation."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl

from leadflood.domains.leads.contracts.bulk import BulkAction, BulkChange, LeadChanges
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.errors import MatchCountExceeded
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.queries.search import count_leads
from leadflood.domains.leads.service import bulk
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.web.cookies import Toast, local_path
from leadflood.web.formats import number, plural
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_list_params import LeadListParams
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

UNASKED = 50
"""Leads that can be changed without confirmation; to delete more, the user types the number."""
_MAX_COUNT = 1_000_000
_RUNNING = {"set": "Updating", "delete": "Deleting", "enrich": "Re-enriching"}
_DONE = {"set": "updated", "delete": "deleted", "restore": "restored"}
_SET: Final = {
    "owner_id": ("Assign an owner to", "Assign owner"),
    "stage": ("Set the stage of", "Set stage"),
    "company": ("Set the company of", "Set company"),
}
"""Text before a number of leads, and of the button, for each field that the list sets."""
_CONFIRMATION = ("csrf", "confirmed", "typed", "expected")


@pages.post("/leads/bulk-changes", LEADS_WRITE)
async def change_leads(ctx: PageContext) -> PageResult:
    """Apply a change to the selected leads, or to all that match, after confirmation."""
    form = ctx.form
    command = _command(ctx)
    if _asks(command) and not form.checked("confirmed"):
        return await _confirm(ctx, command)
    if _typed(command) and re.sub(r"\D", "", form.value("typed")) != str(_size(command)):
        fault = FieldError("/typed", "required", f"Type {number(_size(command))} to confirm.")
        return await _confirm(ctx, command, form.refused(InvalidInput("Not confirmed.", errors=[fault])), 400)
    try:
        async with ctx.writing() as tx:
            done = await bulk.change_leads(tx, ctx.actor, command=command, trace=ctx.trace)
    except MatchCountExceeded as error:
        return await _confirm(ctx, command, form.refused(error), error.status)
    return Redirect(local_path(form.value("next"), "/leads"), [_result_toast(command, done)])


async def _confirm(ctx: PageContext, command: BulkChange, form: Form | None = None, status: int = 200) -> PageResponse:
    count = _size(command)
    if command.matching is not None:
        async with ctx.reading() as tx:
            count = (
                await count_leads(tx, ctx.actor, filters=command.matching.lead_filter(), max_count=_MAX_COUNT)
            ).value
    fields = [(name, value) for name, values in ctx.form.fields.items() for value in values]
    context: dict[str, Any] = {
        "form": form or Form(),
        "count": count,
        "deletes": command.action is BulkAction.DELETE,
        "typed": command.action is BulkAction.DELETE and count > UNASKED,
        "more": status == MatchCountExceeded.status,
        "heading": _heading(command, count),
        "verb": _verb(command),
        "fields": [(name, value) for name, value in fields if name not in _CONFIRMATION],
        "back": local_path(ctx.form.value("next"), "/leads"),
        "days": ctx.parts.settings.lead_retention_days,
    }
    return PageResponse("leads/confirm.html", context, status)


def _size(command: BulkChange) -> int:
    return len(set(command.lead_ids)) if command.lead_ids is not None else command.expected_count or 0


def _asks(command: BulkChange) -> bool:
    return command.action is BulkAction.DELETE or _size(command) > UNASKED


def _typed(command: BulkChange) -> bool:
    return command.action is BulkAction.DELETE and _size(command) > UNASKED


def _heading(command: BulkChange, count: int) -> str:
    leads = plural(count, "lead")
    if (operation := LEAD_EXTENSIONS.operations.get(command.action)) is not None:
        return f"{operation.heading} {leads}?"
    if command.changes is not None:
        return f"{_SET[_changed(command.changes)][0]} {leads}?"
    return f"Delete {leads}?" if command.action is BulkAction.DELETE else f"Re-enrich {leads}?"


def _verb(command: BulkChange) -> str:
    if (operation := LEAD_EXTENSIONS.operations.get(command.action)) is not None:
        return operation.label
    if command.changes is not None:
        return _SET[_changed(command.changes)][1]
    return "Delete" if command.action is BulkAction.DELETE else "Re-enrich"


def _changed(changes: LeadChanges) -> str:
    return next(name for name in _SET if name in changes.model_fields_set)


def _command(ctx: PageContext) -> BulkChange:
    form = ctx.form
    action = form.value("action")
    given: dict[str, Any] = {"action": action}
    if action.startswith("set:"):
        name = action.removeprefix("set:")
        given = {"action": BulkAction.SET.value, "changes": {name: form.value(name) or None}}
    if action in LEAD_EXTENSIONS.operations:
        given["arguments"] = LEAD_EXTENSIONS.operations[action].read(form.fields)
    if form.checked("all"):
        state = LeadListParams.read(parse_qsl(form.value("matching"), keep_blank_values=True))
        given |= {"matching": state.query, "expectedCount": form.number("expected")}
    elif form.values("ids"):
        given["leadIds"] = form.values("ids")
    else:
        fault = FieldError("/ids", "required", "Select at least one lead.")
        raise InvalidInput("Select at least one lead.", errors=[fault])
    return validated(BulkChange, given)


def _result_toast(command: BulkChange, done: ChangesetView) -> Toast:
    operation = LEAD_EXTENSIONS.operations.get(command.action)
    if done.applied_at is None and done.job_id is not None:
        verb = operation.running if operation else _RUNNING[command.action]
        text = f"{verb} {plural(done.total, 'lead')} in the background."
        return Toast(text, "info", link=f"/changes/{done.id}", link_text="View progress")
    if command.action is BulkAction.ENRICH:
        return Toast(f"{plural(done.processed, 'lead')} queued for enrichment.")
    if not done.changed:
        return Toast("No changes needed.", "info")
    verb = operation.done if operation else _DONE[command.action]
    return Toast(
        f"{plural(done.changed, 'lead')} {verb}.",
        undo=f"/changesets/{done.id}/undos",
        link=f"/changes/{done.id}",
        link_text="Details",
    )
