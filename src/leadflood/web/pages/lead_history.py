"""The history of a lead's fields: who or what set which value, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from leadflood.domains.fields.models import CustomField
from leadflood.domains.identity.labels import actor_label
from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.domains.leads.contracts.history import FieldChangeView
from leadflood.domains.leads.labels import FIELDS, name_of
from leadflood.domains.leads.models import FieldSource
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.leads.queries import get_lead
from leadflood.domains.leads.queries.history import field_history
from leadflood.kernel.field_types import shown_value
from leadflood.web import labels
from leadflood.web.field_text import Names, definition_of, field_text
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import member_names, names_of_actors
from leadflood.web.pages.lead_form import all_custom, custom_fields_of
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult
from leadflood.web.templating import brief, url

pages = Pages()

_ROWS: Final = 50
_SOURCES: Final = {
    FieldSource.EDIT: "Edit",
    FieldSource.IMPORT: "Import",
    FieldSource.BULK: "Bulk change",
    FieldSource.MERGE: "Merge",
    FieldSource.UNDO: "Undo",
    FieldSource.CONVERSION: "New field type",
    FieldSource.SYSTEM: "System",
}


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A changed field in words; a value of None is empty."""

    label: str
    before: str | None
    after: str | None
    at: datetime
    by: str
    how: str


@pages.get("/leads/{id}/history", LEADS_READ)
async def show_history(ctx: PageContext) -> PageResult:
    """The changes of a lead's fields, newest first. `?field=` shows one field."""
    lead_id, field = ctx.id(), ctx.query.get("field", "")
    scope = f"history {lead_id} {field}"
    async with ctx.reading() as tx:
        lead = await get_lead(tx, ctx.actor, lead_id=lead_id)
        custom = all_custom(lead, await custom_fields_of(tx, ctx.actor))
        choices = {**FIELDS, **{CUSTOM_FIELD + each.key: each.label for each in custom}}
        page = await field_history(
            tx,
            ctx.actor,
            lead_id=lead_id,
            field=field if field in choices else None,
            after=ctx.after(scope),
            limit=_ROWS,
        )
        people = await member_names(tx, ctx.actor)
        names = await names_of_actors(tx, ctx.actor, [change.actor for change in page.items])
    path, after = f"/leads/{lead_id}/history", ctx.cursor(page, scope)
    context: dict[str, Any] = {
        "lead": lead,
        "title": name_of(lead),
        "changes": [
            _row(change, custom, people, actor_label(change.actor.kind, change.actor.id, names))
            for change in page.items
        ],
        "field": field if field in choices else "",
        "choices": [("", "All fields"), *choices.items()],
        "next": url(path, {"field": field}, after=after) if after else None,
        "first": url(path, {"field": field}) if "after" in ctx.query else None,
    }
    return PageResponse("leads/history.html", context)


def _row(change: FieldChangeView, custom: Sequence[CustomField], people: Names, by: str) -> HistoryRow:
    known = next((each for each in custom if CUSTOM_FIELD + each.key == change.field), None)
    label = known.label if known is not None else labels.field(change.field)

    how = f"Accepted from {labels.source(change.found_by)}" if change.found_by else _SOURCES[change.source]

    def text(value: object) -> str | None:
        if value is None:
            return None
        definition = definition_of(change.field)
        if definition is not None:
            return brief(field_text(definition, str(value), people) or "Former member")
        return brief(shown_value(value, known.options if known is not None else (), people))

    return HistoryRow(label, text(change.old_value), text(change.new_value), change.at, by, how)
