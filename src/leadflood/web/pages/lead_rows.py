"""The rows of the list of leads, and an edit in one of their cells."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from leadflood.domains.enrichment.queries.effective import effective_values_of
from leadflood.domains.fields.models import CustomField
from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.errors import DuplicateLead
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.labels import name_of
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError
from leadflood.web.field_text import Names
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import actors_of, member_names
from leadflood.web.pages.lead_columns import columns_of, text_cells
from leadflood.web.pages.lead_edit import EditConflict, LeadEdit, save_edit, shown_conflict
from leadflood.web.pages.lead_form import custom_fields_of, custom_labels
from leadflood.web.pages.lead_list_params import LeadListParams
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_NOT_FOUND: Final = 404
_MOMENTS: Final[Mapping[str, Callable[[LeadView], datetime | None]]] = {
    "createdAt": lambda lead: lead.created_at,
    "updatedAt": lambda lead: lead.updated_at,
    "enrichedAt": lambda lead: lead.enriched_at,
}
_IN_CARD: Final = 2
"""Columns that a narrow window shows below the name of a lead."""


async def row_context(
    tx: Transaction,
    ctx: PageContext,
    state: LeadListParams,
    leads: Sequence[LeadView],
    *,
    people: Names,
    custom: Sequence[CustomField],
) -> dict[str, Any]:
    """Data of rows: one statement for found values and for each column of another domain, whatever their number."""
    columns = columns_of(state, custom)
    textual = [column for column in columns if column.is_text]
    templates = {name: LEAD_EXTENSIONS.fields[name].cell for name in state.columns if name in LEAD_EXTENSIONS.columns}
    effective = await effective_values_of(tx, ctx.actor, leads=leads)
    shown = [name for name in templates if ctx.may(LEAD_EXTENSIONS.fields[name].permission)]
    return {
        "state": state,
        "columns": columns,
        "cells": {lead.id: text_cells(textual, lead, people, effective[lead.id]) for lead in leads},
        "card": [column.name for column in textual if column is not columns[0]][:_IN_CARD],
        "moments": _MOMENTS,
        "templates": templates,
        "related": await LEAD_EXTENSIONS.load(tx, ctx.actor, shown, [lead.id for lead in leads]),
        "name_of": name_of,
        "stages": people.stages,
    }


@pages.post("/leads/{id}/cells", LEADS_WRITE)
async def change_cell(ctx: PageContext) -> PageResult:
    """Change the field of a cell, and answer with the row as it is then, in the list that the query names."""
    lead_id, edit = ctx.id(), LeadEdit(ctx.form)
    state = LeadListParams.read(ctx.request.query_params.multi_items())
    conflict, status = None, 200
    try:
        await save_edit(ctx, lead_id, edit)
    except EditConflict as met:
        conflict, status = met, 409
    except AppError as error:
        if error.is_fault or error.status == _NOT_FOUND:
            raise
        return _refused(ctx, edit, error)
    if ctx.wants_part is None:
        return Redirect(state.url())
    async with ctx.reading() as tx:
        lead = await queries.get_lead(tx, ctx.actor, lead_id=lead_id)
        people = await member_names(tx, ctx.actor)
        custom = await custom_fields_of(tx, ctx.actor)
        context = await row_context(tx, ctx, state, [lead], people=people, custom=custom)
        changed_by = await last_changed_by(tx, ctx, lead) if conflict else ""
    context |= {"lead": lead, "error": "", "conflict": None}
    if conflict is not None:
        words = {"people": people, "custom": custom, "named": custom_labels(custom)}
        context["conflict"] = shown_conflict(conflict, edit, {**words, "changed_by": changed_by})
    return PageResponse("leads/row.html", context, status, part="leads_row")


def _refused(ctx: PageContext, edit: LeadEdit, error: AppError) -> PageResponse:
    form = ctx.form.refused(error)
    message = next((text for name in edit.fields if (text := form.error(name))), error.detail)
    existing = error.extra["existingId"] if isinstance(error, DuplicateLead) else None
    return PageResponse("leads/row.html", {"error": message, "existing": existing}, error.status, part="leads_row")


async def last_changed_by(tx: Transaction, ctx: PageContext, lead: LeadView) -> str:
    """Name of the last person or program that changed the lead."""
    events = await queries.list_events(tx, ctx.actor, lead_id=lead.id, limit=1)
    words = await actors_of(tx, ctx.actor, [event.actor for event in events.items])
    return next(iter(words.values()), "")
