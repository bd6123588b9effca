"""Texts of a lead's timeline and its enriched values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from leadflood.domains.enrichment.contracts import (
    EnrichmentRunView,
    EnrichmentValueView,
    LeadEnrichmentView,
    SourceStepView,
)
from leadflood.domains.enrichment.models.fact_fields import FactType
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.fields.models import CustomField
from leadflood.domains.identity.labels import actor_label
from leadflood.domains.leads.contracts import LeadEventView
from leadflood.domains.leads.events import LeadEventKind
from leadflood.kernel.field_types import shown_value
from leadflood.kernel.pages import TimelineKind
from leadflood.web import labels
from leadflood.web.field_text import Names, definition_of, field_text
from leadflood.web.templating import brief

_CHANNELS: Final = {
    "api": "Created via API",
    "cli": "Created from the CLI",
    "import": "Imported",
    "manual": "Created manually",
}
"""Labels for the creation of a lead, by source, if nothing more specific is known."""
_NO_NOTES: Final[Mapping[str, str]] = MappingProxyType({})
_MAX_NAMED: Final = 3
_ENRICHMENT: Final = "enrichment."
_MIN_FOLDED: Final = 2
"""Entries of enrichment in a row that are put behind the newest of them."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A changed field: old and new value; None is empty."""

    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """An entry of a timeline."""

    title: str
    glyph: str
    tone: str
    at: datetime
    by: str
    text: str = ""
    changes: list[FieldChange] = field(default_factory=list)
    kind: str = ""
    earlier: list["TimelineEntry"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EnrichedField:
    """Enriched values of one field: the chosen one, and the others.

    Attributes:
        id: unique on the page.
        fills: whether the lead has such a field itself, which people edit.
    """

    id: str
    label: str
    type: FactType
    value: EnrichmentValueView
    others: list[EnrichmentValueView]
    fills: bool = False


def timeline_entries(
    events: Sequence[LeadEventView],
    names: Mapping[UUID, str],
    kinds: Mapping[str, TimelineKind],
    *,
    owners: Names,
    imports: Mapping[str, str],
    notes: Mapping[str, str] = _NO_NOTES,
    custom: Sequence[CustomField] = (),
) -> list[TimelineEntry]:
    """The timeline with texts, in the given order. `kinds`: declared by the domains.

    `imports`: file names by ID. `notes`: texts by ID.
    """
    texts = _Texts(owners, {field.key: field for field in custom})
    entries = [_entry(event, names, kinds, texts, imports) for event in events]
    written = [notes.get(str(event.data.get("noteId")), "") for event in events]
    return [replace(entry, text=text) if text else entry for entry, text in zip(entries, written, strict=True)]


def imports_of(events: Sequence[LeadEventView]) -> set[str]:
    """The IDs of the imports that caused entries."""
    return {str(event.data["importId"]) for event in events if event.data.get("importId")}


def notes_of(events: Sequence[LeadEventView]) -> set[UUID]:
    """The IDs of the notes that entries are about."""
    return {UUID(str(event.data["noteId"])) for event in events if event.data.get("noteId")}


def enrichment_context(known: LeadEnrichmentView) -> dict[str, Any]:
    """Found values and the sources asked, for templates."""
    run = known.latest_run
    return {
        "found": enriched_fields(known),
        "steps": source_steps(known),
        "asked_again": None if run is None else run.not_before,
    }


def folded(entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """The same, with each series of enrichment entries behind its newest one: attempts, retries."""
    result: list[TimelineEntry] = []
    for is_enrichment, group in groupby(entries, key=lambda item: item.kind.startswith(_ENRICHMENT)):
        first, *others = list(group)
        if is_enrichment and len(others) >= _MIN_FOLDED:
            result.append(replace(first, earlier=others))
        else:
            result += [first, *others]
    return result


def enriched_fields(known: LeadEnrichmentView) -> list[EnrichedField]:
    """The found values by field, the chosen one first."""
    ordered = sorted(known.values, key=lambda item: (item.field, not item.chosen, not item.competes, -item.confidence))
    result = []
    for name, group in groupby(ordered, key=lambda item: item.field):
        first, *others = list(group)
        kind = PERSON_FIELDS[name].type if name in PERSON_FIELDS else FactType.TEXT
        fills = name in PERSON_FIELDS and PERSON_FIELDS[name].fills is not None
        result.append(EnrichedField(f"receipt-{name}", labels.field(name), kind, first, others, fills))
    return result


def source_steps(known: LeadEnrichmentView) -> list[SourceStepView]:
    """The sources that answer immediately, by name, then those of the latest run."""
    steps = [] if known.latest_run is None else known.latest_run.steps
    latest: dict[str, EnrichmentRunView] = {}
    for run in known.runs:  # newest first
        latest.setdefault(run.source, run)
    others = [latest[name] for name in sorted(latest.keys() - {step.source for step in steps})]
    return [*(_answered_step(run, known.values) for run in others), *steps]


def _answered_step(run: EnrichmentRunView, values: Sequence[EnrichmentValueView]) -> SourceStepView:
    """The step of an answer that belongs to no run."""
    facts = sum(value.source == run.source for value in values)
    return SourceStepView(
        source=run.source,
        state=StepState.REFUSED if run.error else StepState.FOUND if facts else StepState.MISSED,
        message=run.error or "",
        facts=facts,
        seconds=(run.finished_at - run.started_at).total_seconds(),
        stored=False,
        until=None,
    )


def display_value(value: object) -> str:
    """A stored value as text."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return brief(str(value))


def _entry(
    event: LeadEventView,
    names: Mapping[UUID, str],
    kinds: Mapping[str, TimelineKind],
    texts: "_Texts",
    imports: Mapping[str, str],
) -> TimelineEntry:
    data: dict[str, Any] = dict(event.data)
    changes = data.get("changes")
    changed = texts.changes(changes) if isinstance(changes, dict) else []
    kind = kinds.get(event.kind) or TimelineKind(event.kind, labels.field(event.kind), "circle")
    return TimelineEntry(
        _title(kind, data, changed, imports),
        kind.icon,
        kind.tone,
        event.at,
        actor_label(event.actor.kind, event.actor.id, names),
        kind.text(data) if kind.text is not None else _text(event.kind, data),
        changed,
        event.kind,
    )


def _title(
    shown: TimelineKind, data: Mapping[str, Any], changed: Sequence[FieldChange], imports: Mapping[str, str]
) -> str:
    kind, title = shown.kind, shown.title
    file = imports.get(str(data.get("importId")), "")
    origin = f" from {file}" if file else ""
    if kind == LeadEventKind.CREATED:
        return f"Imported{origin}" if "importId" in data else _CHANNELS.get(str(data.get("source")), title)
    if kind == LeadEventKind.CHANGED and changed:
        listed = ", ".join(item.label for item in changed[:_MAX_NAMED])
        more = f" and {len(changed) - _MAX_NAMED} more" if len(changed) > _MAX_NAMED else ""
        return f"Updated {listed}{more}{origin}"
    other = data.get("otherEmail") or data.get("survivorEmail")
    if not other:
        return title
    return {
        LeadEventKind.MERGED: f"Merged with {other}",
        LeadEventKind.MERGED_INTO: f"Merged into {other}",
        LeadEventKind.UNMERGED: f"Unmerged {other}",
    }.get(LeadEventKind(kind), title)


def _text(kind: str, data: Mapping[str, Any]) -> str:
    source = data.get("source")
    if kind == LeadEventKind.CREATED and source and source not in _CHANNELS:
        return f"Source: {labels.lead_source(str(source))}"
    if found_by := data.get("foundBy"):
        return "Found by " + ", ".join(sorted({labels.source(str(name)) for name in found_by.values()}))
    return str(data.get("error") or "")


@dataclass(frozen=True, slots=True)
class _Texts:
    """Labels and values of changed fields. `owners`: names of members by ID. `custom`: custom fields by key."""

    owners: Names
    custom: Mapping[str, CustomField]

    def changes(self, changes: Mapping[str, Any]) -> list[FieldChange]:
        listed: list[FieldChange] = []
        for name, (before, after) in changes.items():
            if name == "custom_fields":
                old, new = before or {}, after or {}
                changed = [key for key in {**old, **new} if old.get(key) != new.get(key)]
                listed += [self._custom(key, old.get(key), new.get(key)) for key in changed]
            else:
                listed.append(FieldChange(labels.field(name), self._shown(name, before), self._shown(name, after)))
        return listed

    def _custom(self, key: str, before: object, after: object) -> FieldChange:
        field = self.custom.get(key)
        options = field.options if field is not None else ()
        shown = [None if item is None else brief(shown_value(item, options, self.owners)) for item in (before, after)]
        return FieldChange(field.label if field is not None else key, *shown)

    def _shown(self, name: str, value: object) -> str | None:
        if value is None:
            return None
        definition = definition_of(name)
        return display_value(value) if definition is None else field_text(definition, str(value), self.owners)
