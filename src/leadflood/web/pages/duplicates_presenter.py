"""Two leads in words: what they have in common, and where they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadflood.domains.duplicates.contracts import MERGED_FIELDS, DuplicateView
from leadflood.domains.duplicates.models import ReasonKind
from leadflood.domains.fields.models import CustomField
from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.domains.leads.contracts import LeadView
from leadflood.web import labels
from leadflood.web.field_text import Names
from leadflood.web.formats import percent
from leadflood.web.forms import Form
from leadflood.web.pages.lead_form import FieldRow, rows_of


@dataclass(frozen=True, slots=True)
class ShownReason:
    """Something that two leads have in common: label, tone, and description."""

    text: str
    tone: str
    why: str


_REASONS: Mapping[ReasonKind, tuple[str, str, str]] = {
    ReasonKind.SAME_MAILBOX: ("inbox", "ok", "Both emails go to the same inbox."),
    ReasonKind.SIMILAR_EMAIL: ("email", "info", "One of the emails looks like a typo of the other."),
    ReasonKind.SAME_PHONE: ("phone", "ok", "Same phone number."),
    ReasonKind.SIMILAR_NAME: ("name", "info", "Names match closely."),
    ReasonKind.SIMILAR_COMPANY: ("company", "neutral", "Same company, or a similar name."),
    ReasonKind.SIMILAR_FIELD: ("field", "neutral", "Few other leads have this value."),
}


def shown_reasons(pair: DuplicateView, custom: Mapping[str, str]) -> list[ShownReason]:
    """Reasons of a pair. `custom`: labels of custom fields by name, which are shown as they are."""
    shown = []
    for reason in pair.reasons:
        word, tone, why = _REASONS[reason.kind]
        if reason.field is not None:
            label = labels.field(reason.field)
            word = custom.get(reason.field) or (label[:1].lower() + label[1:] if label[1:2].islower() else label)
        text = f"Same {word}" if reason.similarity == 1 else f"Similar {word} ({percent(reason.similarity)})"
        shown.append(ShownReason(text, tone, why))
    return shown


@dataclass(frozen=True, slots=True)
class ComparedField:
    """One field of two leads; None is empty.

    Attributes:
        differs: they have two values. choice: whose stays, where that can be chosen: "survivor" or "other".
    """

    name: str
    label: str
    survivor: str | None
    other: str | None
    differs: bool
    choice: str | None


def compared_fields(
    survivor: LeadView,
    other: LeadView,
    owners: Names,
    custom: Sequence[CustomField],
    form: Form | None = None,
) -> list[ComparedField]:
    """All fields that either has, those in which they differ first. What was chosen in a form stays chosen."""
    ours = {row.name: row for row in rows_of(survivor, owners, custom)}
    theirs = {row.name: row for row in rows_of(other, owners, custom)}
    rows = []
    for name in dict.fromkeys((*ours, *theirs)):
        known = ours.get(name) or theirs[name]
        one = _value(survivor, ours.get(name))
        two = _value(other, theirs.get(name))
        if one is None and two is None:
            continue
        differs = one != two
        choosable = differs and (name in MERGED_FIELDS or name.startswith(CUSTOM_FIELD))
        default = "other" if one is None else "survivor"
        choice = (form.value(f"fields.{name}", default) if form else default) if choosable else None
        rows.append(ComparedField(name, known.label, one, two, differs, choice))
    return sorted(rows, key=lambda row: (row.name != "email", not row.differs))


def _value(lead: LeadView, row: FieldRow | None) -> str | None:
    if row is None or (row.name in MERGED_FIELDS and getattr(lead, MERGED_FIELDS[row.name]) is None):
        return None
    return row.value
