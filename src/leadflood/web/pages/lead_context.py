"""Data of a lead for its page, and for its preview beside the list."""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from leadflood.domains.enrichment import queries as enrichment
from leadflood.domains.enrichment.queries.effective import effective_name, effective_values
from leadflood.domains.identity import queries as identity
from leadflood.domains.imports.queries import filenames
from leadflood.domains.jobs import queries as jobs
from leadflood.domains.leads import queries
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.domains.leads.queries.neighbors import Neighbors, neighbors
from leadflood.domains.notes import queries as notes
from leadflood.domains.notes.permissions import NOTES_READ
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import InvalidInput
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import member_names, owner_choices
from leadflood.web.pages.lead_edit import bases
from leadflood.web.pages.lead_form import (
    all_custom,
    country_choices,
    custom_fields_of,
    custom_labels,
    form_of,
    rows_of,
)
from leadflood.web.pages.lead_list_params import LeadListParams
from leadflood.web.pages.lead_panels import load_panels
from leadflood.web.pages.lead_timeline import enrichment_context, folded, imports_of, notes_of, timeline_entries
from leadflood.web.templating import url

_RUNS: Final = 5
_EVENTS: Final = 50


@dataclass(frozen=True, slots=True)
class LeadPlace:
    """A lead in the list that one came from: its address, and those of the leads before and after it."""

    lead_id: UUID
    list: LeadListParams
    neighbors: Neighbors = field(default_factory=Neighbors)

    def url(self, lead_id: UUID | None = None, **query: str | None) -> str:
        """The address of this lead, or of another one in the same list."""
        return url(f"/leads/{lead_id or self.lead_id}", {"list": self.list.query_string}, **query)

    @property
    def acceptances(self) -> str:
        """The address that found values are accepted at."""
        return url(f"/leads/{self.lead_id}/acceptances", {"list": self.list.query_string})

    @property
    def previous(self) -> str | None:
        """The address of the lead before it."""
        return self.url(self.neighbors.previous) if self.neighbors.previous else None

    @property
    def next(self) -> str | None:
        """The address of the lead after it."""
        return self.url(self.neighbors.next) if self.neighbors.next else None


def list_of(ctx: PageContext) -> LeadListParams:
    """The list that the address of a lead names: the whole list without one, or where it cannot be read."""
    try:
        return LeadListParams.read(parse_qsl(ctx.query.get("list", ""), keep_blank_values=True))
    except InvalidInput:
        return LeadListParams()


async def load_place(tx: Transaction, ctx: PageContext, lead_id: UUID) -> LeadPlace:
    """The place of a lead in its list. A live update has no neighbors, which no live block shows."""
    shown = list_of(ctx)
    found = Neighbors()
    if not ctx.live:
        found = await neighbors(tx, ctx.actor, lead_id=lead_id, filters=shown.lead_filter, sort=shown.sort)
    return LeadPlace(lead_id, shown, found)


async def lead_context(tx: Transaction, ctx: PageContext, lead_id: UUID) -> dict[str, Any]:
    """Everything about a lead, in a number of statements that doesn't depend on rows. Raises: LeadNotFound."""
    lead = await queries.get_lead(tx, ctx.actor, lead_id=lead_id)
    known = await enrichment.get_lead_enrichment(tx, ctx.actor, lead_id=lead_id)
    effective = await effective_values(tx, ctx.actor, lead=lead)
    runs = await jobs.list_jobs(tx, ctx.actor, subject_id=lead_id, limit=_RUNS)
    events = await queries.list_events(tx, ctx.actor, lead_id=lead_id, after=ctx.after("events"), limit=_EVENTS)
    names = await identity.actor_names(tx, ctx.actor, [item.actor.id for item in events.items if item.actor.id])
    people = await member_names(tx, ctx.actor)
    custom = await custom_fields_of(tx, ctx.actor)
    imports = await filenames(tx, ctx.actor, import_ids=imports_of(events.items))
    written = await notes.texts_of(tx, ctx.actor, note_ids=notes_of(events.items)) if ctx.may(NOTES_READ) else {}
    entries = timeline_entries(
        events.items, names, ctx.parts.timeline, owners=people, imports=imports, notes=written, custom=custom
    )
    stored, rows = form_of(lead), rows_of(lead, people, custom, effective)
    return {
        "lead": lead,
        "lead_id": lead_id,
        "title": effective_name(lead, effective),
        "accepted": [(name, item.view.value) for name, item in effective.items()],
        "rows": rows,
        "form": stored,
        "bases": bases([row.name for row in rows], stored),
        **enrichment_context(known),
        "jobs": runs.items,
        "events": folded(entries),
        "older": ctx.cursor(events, "events"),
        "owners": _with_current(owner_choices(people), stored.value("ownerId")),
        "people": people,
        "stages": people.stages,
        "countries": country_choices(),
        "field_rows": LEAD_FIELDS.rows,
        "custom": all_custom(lead, custom),
        "named": custom_labels(custom),
        "changed_by": entries[0].by if entries else "",
        "editing": None,
        "conflict": None,
        **await load_panels(tx, ctx, lead_id),
    }


def _with_current(choices: list[tuple[str, str]], chosen: str) -> list[tuple[str, str]]:
    """The choices with the one that is stored, which a list of the first members may not have."""
    known = {value for value, _ in choices}
    return choices if chosen in known else [*choices, (chosen, "Former member")]
