"""Fields of a lead for people: labels, order, and edit forms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from leadflood.domains.fields import queries as fields
from leadflood.domains.fields.models import CustomField
from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.domains.leads.catalog import LEAD_FIELDS as CATALOG
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.models import CustomValue
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.field_types import FieldType, shown_value
from leadflood.web import formats
from leadflood.web.forms import Form
from leadflood.web.labels import LEAD_FIELDS

_TYPES: Final = {field.api_name: field.type for field in CATALOG}
_YES_NO: Final = {"true": "Yes", "false": "No"}
_FORMATS: Final[Mapping[str, Callable[[str], str | None]]] = {"country": formats.country, "phone": formats.phone}


def country_choices() -> list[tuple[str, str]]:
    """All countries, for a `select`."""
    return [("", "Select country"), *formats.countries().items()]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field of a lead. `href`: link target of the value; `field`: definition of a custom field, for editing."""

    name: str
    label: str
    value: str | None
    href: str | None = None
    field: CustomField | None = None


async def custom_fields_of(tx: Transaction, actor: Actor) -> list[CustomField]:
    """Custom fields of forms and pages, in order."""
    found = await fields.custom_fields(tx, actor.workspace_id, subject=LEAD)
    return [field for field in found.values() if not field.archived]


def custom_labels(custom: Sequence[CustomField]) -> dict[str, str]:
    """Labels of custom fields, by their form names."""
    return {CUSTOM_FIELD + field.key: field.label for field in custom}


def name_of(lead: LeadView) -> str:
    """The person's name, or else the email."""
    return " ".join(part for part in (lead.first_name, lead.last_name) if part) or lead.email


def form_of(lead: LeadView) -> Form:
    """A form with the stored values."""
    stored = lead.model_dump(mode="json")
    custom = {CUSTOM_FIELD + name: value for name, value in lead.custom_fields.items()}
    return Form.of({name: stored[name] for name in LEAD_FIELDS} | custom)


def text_in_form(name: str, form: Form, people: Mapping[str, str], custom: Sequence[CustomField]) -> str:
    """A field of a form as text for people. `people`: names of members by ID."""
    field = next((each for each in custom if CUSTOM_FIELD + each.key == name), None)
    values = [value for value in form.values(name) if value.strip()]
    if name in _FORMATS:
        return "; ".join(_FORMATS[name](value) or value for value in values)
    if name == "ownerId":
        return "; ".join(people.get(value, "Former member") for value in values)
    if field is not None and field.type is FieldType.BOOLEAN:
        return "; ".join(_YES_NO.get(value, value) for value in values)
    return "; ".join(shown_value(value, field.options if field else (), people) for value in values)


def choices_of(name: str, people: Mapping[str, str], custom: CustomField | None) -> list[tuple[str, str]] | None:
    """Options of a field for a `select`, with the empty one; None if it is typed in."""
    kind = custom.type if custom is not None else _TYPES.get(name, FieldType.TEXT)
    if kind is FieldType.PERSON:
        return [("", "Unassigned"), *people.items()]
    if kind is FieldType.BOOLEAN:
        return [("", "Unknown"), *_YES_NO.items()]
    if kind is not FieldType.CHOICE:
        return None
    return [("", "None"), *custom.choices] if custom is not None else country_choices()


def rows_of(lead: LeadView, owners: Mapping[str, str], custom: Sequence[CustomField]) -> list[FieldRow]:
    """The fields of the contract, then custom fields in order, then values without a field."""
    stored = form_of(lead)
    shown = {
        "email": (lead.email, f"mailto:{lead.email}"),
        "phone": (formats.phone(lead.phone), f"tel:{lead.phone}"),
        "website": ((lead.website or "").removeprefix("https://") or None, lead.website),
        "country": (formats.country(lead.country), None),
        "ownerId": (owners.get(str(lead.owner_id)), None),
    }
    plain = [
        FieldRow(name, label, *shown.get(name, (stored.value(name) or None, None)))
        for name, label in LEAD_FIELDS.items()
    ]
    return plain + [_custom_row(field, lead, owners) for field in all_custom(lead, custom)]


def all_custom(lead: LeadView, custom: Sequence[CustomField]) -> list[CustomField]:
    """The custom fields, followed by text fields for other keys that have values."""
    known = {field.key for field in custom}
    others = (key for key in sorted(lead.custom_fields) if key not in known)
    return [*custom, *(CustomField(lead.id, key, key, FieldType.TEXT) for key in others)]


def custom_changes(form: Form, lead: LeadView, custom: Sequence[CustomField]) -> dict[str, CustomValue | None]:
    """The custom fields that a form changes. Text without a field keeps the stored type.

    What reads as it did stays as it is; an emptied field is removed.
    """
    defined, shown = {field.key for field in custom}, form_of(lead)
    changed: dict[str, CustomValue | None] = {}
    for name in form.fields:
        key, given = name.removeprefix(CUSTOM_FIELD), form.one_or_several(name)
        given = given.strip() if isinstance(given, str) else given
        if not name.startswith(CUSTOM_FIELD) or given == _as_given(shown.one_or_several(name)):
            continue
        changed[key] = (
            (given or None) if key in defined or isinstance(given, list) else _typed(given, lead.custom_fields.get(key))
        )
    return changed


def _as_given(value: str | list[str]) -> str | list[str]:
    return value.strip() if isinstance(value, str) else value


def _typed(text: str, stored: CustomValue | None) -> CustomValue | None:
    if not text:
        return None
    if isinstance(stored, bool):
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)
    if isinstance(stored, int | float):
        try:
            return int(text) if text.lstrip("-").isdecimal() else float(text)
        except ValueError:
            return text
    return text


def _custom_row(field: CustomField, lead: LeadView, owners: Mapping[str, str]) -> FieldRow:
    value = lead.custom_fields.get(field.key)
    shown = None if value is None else shown_value(value, field.options, owners)
    href = str(value) if value is not None and field.type is FieldType.URL else None
    return FieldRow(CUSTOM_FIELD + field.key, field.label, shown, href, field)
