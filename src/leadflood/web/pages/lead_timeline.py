"""What happened to a lead, and what enrichment found of it, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.contracts import EnrichmentValueView, LeadEnrichmentView
from leadflood.domains.leads.contracts import LeadEventView
from leadflood.web.pages.actor_names import actor_label
from leadflood.web.templating import brief

_KINDS = {
    "lead.created": ("Lead created", "user-plus", "info"),
    "lead.changed": ("Fields changed", "pencil", "neutral"),
    "lead.deleted": ("Lead deleted", "trash-2", "bad"),
    "lead.restored": ("Lead restored", "rotate-cw", "neutral"),
    "lead.merged": ("Another lead became part of this one", "users", "info"),
    "lead.merged_into": ("Became part of another lead", "users", "neutral"),
    "lead.unmerged": ("Merge undone", "rotate-cw", "neutral"),
    "enrichment.requested": ("Enrichment requested", "sparkles", "neutral"),
    "enrichment.started": ("Enrichment started", "loader-circle", "info"),
    "enrichment.completed": ("Enriched", "circle-check", "ok"),
    "enrichment.failed": ("Enrichment failed", "circle-x", "bad"),
}
_COLUMNS = {
    "email": "E-mail",
    "first_name": "First name",
    "last_name": "Last name",
    "company": "Company",
    "job_title": "Job title",
    "phone": "Phone",
    "website": "Website",
    "country": "Country",
    "source": "Source",
    "owner_id": "Owner",
}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a change, before and after; None is empty."""

    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One entry of a timeline."""

    title: str
    glyph: str
    tone: str
    at: datetime
    by: str
    text: str = ""
    changes: list[FieldChange] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EnrichedField:
    """What enrichment holds for one field: the value shown, and those that lost to it."""

    label: str
    value: EnrichmentValueView
    text: str
    others: list[tuple[EnrichmentValueView, str]]


def timeline_entries(
    events: Sequence[LeadEventView], names: Mapping[UUID, str], *, owners: Mapping[str, str]
) -> list[TimelineEntry]:
    """The timeline in words, in the order given."""
    return [_entry(event, names, owners) for event in events]


def enriched_fields(known: LeadEnrichmentView) -> list[EnrichedField]:
    """The found values by field, the chosen one first."""
    ordered = sorted(known.values, key=lambda each: (each.field, not each.chosen, -each.confidence))
    result = []
    for name, group in groupby(ordered, key=lambda each: each.field):
        first, *others = list(group)
        label = name.replace("_", " ").capitalize()
        result.append(
            EnrichedField(
                label, first, display_value(first.value), [(each, display_value(each.value)) for each in others]
            )
        )
    return result


def display_value(value: object) -> str:
    """A stored value as text."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return brief(str(value))


def _entry(event: LeadEventView, names: Mapping[UUID, str], owners: Mapping[str, str]) -> TimelineEntry:
    title, glyph, tone = _KINDS.get(
        event.kind, (event.kind.replace(".", " ").replace("_", " ").capitalize(), "circle", "neutral")
    )
    data: dict[str, Any] = dict(event.data)
    text = str(data.get("error") or "")
    if event.kind == "lead.created":
        text = f"Source: {data.get('source')}"
    elif event.kind in ("lead.merged", "lead.unmerged"):
        text = str(data.get("otherEmail") or "")
    elif event.kind == "lead.merged_into":
        text = str(data.get("survivorEmail") or "")
    changes = data.get("changes")
    return TimelineEntry(
        title,
        glyph,
        tone,
        event.at,
        actor_label(event.actor.kind, event.actor.id, names),
        text,
        _changes(changes, owners) if isinstance(changes, dict) else [],
    )


def _changes(changes: Mapping[str, Any], owners: Mapping[str, str]) -> list[FieldChange]:
    listed: list[FieldChange] = []
    for name, (before, after) in changes.items():
        if name == "custom_fields":
            keys = [
                key for key in {**(before or {}), **(after or {})} if (before or {}).get(key) != (after or {}).get(key)
            ]
            listed += [FieldChange(key, _text((before or {}).get(key)), _text((after or {}).get(key))) for key in keys]
        elif name == "owner_id":
            listed.append(FieldChange("Owner", owners.get(str(before)), owners.get(str(after))))
        else:
            listed.append(FieldChange(_COLUMNS.get(name, name), _text(before), _text(after)))
    return listed


def _text(value: object) -> str | None:
    return None if value is None else display_value(value)
