"""One lead: details, enrichment, current job, and timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadflood.domains.enrichment import queries as enrichment
from leadflood.domains.identity import queries as identity
from leadflood.domains.imports.queries import filenames
from leadflood.domains.jobs import queries as jobs
from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import LeadView, UpdateLead
from leadflood.domains.leads.errors import LeadNotFound, LeadVersionConflict
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.leads.queries import deleted
from leadflood.kernel.errors import AppError, InvalidInput
from leadflood.web import labels
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import member_names, owner_choices
from leadflood.web.pages.lead_form import (
    all_custom,
    country_choices,
    custom_changes,
    custom_fields_of,
    custom_labels,
    form_of,
    name_of,
    rows_of,
)
from leadflood.web.pages.lead_panels import load_panels
from leadflood.web.pages.lead_timeline import TimelineEntry, enrichment_context, imports_of, timeline_entries
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH = "/leads/{id}"
_LIVE = ("lead_status", "lead_fields", "lead_panels", "lead_job", "lead_found", "lead_side_panels", "lead_timeline")
_EVENTS = 50
_NOT_FIELDS = ("csrf", "version")


@dataclass(frozen=True, slots=True)
class EditConflict:
    """An edit conflict: for each differing field, the submitted value and the current one."""

    fields: list[tuple[str, str, str]]
    version: int
    by: str


@pages.get(_PATH, LEADS_READ, live=_LIVE)
async def show_lead(ctx: PageContext) -> PageResult:
    """The page of a lead. `?edit=company` opens that field. A deleted lead has its own page."""
    try:
        return await _page(ctx, editing=ctx.query.get("edit"))
    except LeadNotFound:
        lead_id, days = ctx.id(), ctx.parts.settings.lead_retention_days
        async with ctx.reading() as tx:
            await deleted.get_deleted_lead(tx, ctx.actor, lead_id=lead_id, retention_days=days)
        return Redirect(f"/leads/deleted/{lead_id}")


@pages.post(_PATH, LEADS_WRITE)
async def change_lead(ctx: PageContext) -> PageResult:
    """Update the fields of the form, unless another user changed the lead since it was shown."""
    form, lead_id = ctx.form, ctx.id()
    fields = [name for name in form.fields if name not in _NOT_FIELDS]
    editing = fields[0] if len(fields) == 1 else "all"
    try:
        version = _version(form)
        async with ctx.writing() as tx:
            stored = await queries.get_lead(tx, ctx.actor, lead_id=lead_id)
            given = form.given(UpdateLead, blank=None)
            given.pop("customFields", None)
            if changes := custom_changes(form, stored, await custom_fields_of(tx, ctx.actor)):
                given["customFields"] = changes
            if not given:
                return Redirect(f"/leads/{lead_id}")
            command = validated(UpdateLead, given)
            await service.update_lead(tx, ctx.actor, lead_id=lead_id, command=command, expected_version=version)
    except LeadVersionConflict:
        return await _page(ctx, editing=editing, form=form, status=409, conflicts=True)
    except AppError as error:
        if error.status in (404, 503):
            raise
        return await _page(ctx, editing=editing, form=form.refused(error), status=error.status)
    if ctx.wants_part is None:
        return Redirect(f"/leads/{lead_id}", [Toast("Saved.")])
    return await _page(ctx, toasts=[Toast(f"{'Lead' if editing == 'all' else labels.field(editing)} saved.")])


@pages.post("/leads/{id}/enrichments", LEADS_WRITE)
async def request_enrichment(ctx: PageContext) -> PageResult:
    """Queue a new enrichment; the page shows its progress."""
    async with ctx.writing() as tx:
        await service.request_enrichment(tx, ctx.actor, lead_id=ctx.id(), trace=ctx.trace)
    return Redirect(f"/leads/{ctx.id()}")


@pages.post("/leads/{id}/deletion", LEADS_WRITE)
async def delete_lead(ctx: PageContext) -> PageResult:
    """Delete the lead. The toast and the page offer to restore it during the retention period."""
    lead_id = ctx.id()
    async with ctx.writing() as tx:
        await service.delete_lead(tx, ctx.actor, lead_id=lead_id)
    undo, link = f"/leads/{lead_id}/restorations", f"/leads/deleted/{lead_id}"
    return Redirect("/leads", [Toast("Lead deleted.", undo=undo, link=link, link_text="Details")])


@pages.post("/leads/{id}/restorations", LEADS_WRITE)
async def restore_lead(ctx: PageContext) -> PageResult:
    """Restore a deleted lead."""
    lead_id = ctx.id()
    async with ctx.writing() as tx:
        await service.restore_lead(tx, ctx.actor, lead_id=lead_id, trace=ctx.trace)
    return Redirect(f"/leads/{lead_id}", [Toast("Lead restored.")])


async def _page(
    ctx: PageContext,
    *,
    editing: str | None = None,
    form: Form | None = None,
    status: int = 200,
    conflicts: bool = False,
    toasts: list[Toast] | None = None,
) -> PageResponse:
    lead_id = ctx.id()
    async with ctx.reading() as tx:
        lead = await queries.get_lead(tx, ctx.actor, lead_id=lead_id)
        known = await enrichment.get_lead_enrichment(tx, ctx.actor, lead_id=lead_id)
        runs = await jobs.list_jobs(tx, ctx.actor, subject_id=lead_id, limit=5)
        events = await queries.list_events(tx, ctx.actor, lead_id=lead_id, after=ctx.after("events"), limit=_EVENTS)
        names = await identity.actor_names(tx, ctx.actor, [item.actor.id for item in events.items if item.actor.id])
        imports = await filenames(tx, ctx.actor, import_ids=imports_of(events.items))
        owners = await member_names(tx, ctx.actor)
        custom = await custom_fields_of(tx, ctx.actor)
        panels = await load_panels(tx, ctx, lead_id)
    entries = timeline_entries(events.items, names, ctx.parts.timeline, owners=owners, imports=imports)
    context: dict[str, Any] = {
        "lead": lead,
        "title": name_of(lead),
        "rows": rows_of(lead, owners, custom),
        "editing": editing if ctx.may("leads:write") else None,
        "form": form or form_of(lead),
        "conflict": _conflict(lead, form, custom_labels(custom), entries) if conflicts and form else None,
        **enrichment_context(known),
        "jobs": runs.items,
        "events": entries,
        "older": ctx.cursor(events, "events"),
        "owners": owner_choices(owners),
        "countries": country_choices(),
        "custom": all_custom(lead, custom),
        "named": custom_labels(custom),
        **panels,
    }
    return PageResponse(
        "leads/lead.html", context, status, part="lead_fields" if ctx.form.fields else None, toasts=toasts or ()
    )


def _conflict(lead: LeadView, form: Form, named: Mapping[str, str], entries: Sequence[TimelineEntry]) -> EditConflict:
    by = entries[0].by if entries else ""
    stored = form_of(lead)
    differing = [
        (named.get(name) or labels.field(name), form.value(name), stored.value(name))
        for name in form.fields
        if name not in _NOT_FIELDS and form.value(name).strip() != stored.value(name)
    ]
    return EditConflict(differing, lead.version, by)


def _version(form: Form) -> int:
    version = form.number("version")
    if not isinstance(version, int):
        raise InvalidInput("This page is out of date. Reload and try again.")
    return version
