"""Fields of a lead for people: labels, order, and edit forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final
from uuid import UUID

from leadflood.domains.enrichment.contracts import EnrichmentValueView
from leadflood.domains.enrichment.models.fact_fields import FactType, SubjectKind
from leadflood.domains.enrichment.models.filling import FillState
from leadflood.domains.enrichment.queries.effective import EffectiveValue
from leadflood.domains.fields import queries as fields
from leadflood.domains.fields.models import CustomField
from leadflood.domains.leads.catalog import CUSTOM_FIELD, LEAD_FIELDS
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.models import CustomValue
from leadflood.domains.stages.models import StageList
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.field_types import FieldType, shown_value
from leadflood.kernel.fields import FieldDefinition
from leadflood.web import formats
from leadflood.web.field_text import Names, definition_of, field_text
from leadflood.web.forms import Form

_SCHEMES: Final = {"email": "mailto:", "tel": "tel:"}
KEPT_VALUES: Final = ("ownerId", "stage")
"""Fields with a default in the form of a new lead; they keep their value for another lead."""
_YES_NO: Final = {"true": "Yes", "false": "No"}


def country_choices() -> list[tuple[str, str]]:
    """All countries, for a `select`."""
    return [("", "Select country"), *formats.countries().items()]


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A found value of an empty field. `id`: of its receipt, unique on the page. `accepted`: the value to accept."""

    id: str
    value: EnrichmentValueView
    type: FactType
    accepted: str
    is_suggested: bool
    of_company: bool
    others: Sequence[EnrichmentValueView] = ()


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field of a lead with its value.

    Attributes:
        found: what sources found, if the field is empty.
        href: link target of the value.
        field: definition of a custom field, for editing. definition: of one of the catalog.
    """

    name: str
    label: str
    value: str | None
    href: str | None = None
    field: CustomField | None = None
    definition: FieldDefinition | None = None
    found: FoundRow | None = None


async def custom_fields_of(tx: Transaction, actor: Actor, *, archived: bool = False) -> list[CustomField]:
    """Custom fields of forms and pages, in order. `archived`: with those that are, which filters may still name."""
    found = await fields.custom_fields(tx, actor.workspace_id, subject=LEAD)
    return [field for field in found.values() if archived or not field.archived]


def new_lead_values(user_id: UUID, stages: StageList) -> dict[str, str]:
    """Default values of a new lead that a user enters."""
    return dict(zip(KEPT_VALUES, (str(user_id), stages.active[0].key), strict=True))


def custom_labels(custom: Sequence[CustomField]) -> dict[str, str]:
    """Labels of custom fields, by their form names."""
    return {CUSTOM_FIELD + field.key: field.label for field in custom}


def form_of(lead: LeadView) -> Form:
    """A form with the stored values."""
    stored = lead.model_dump(mode="json")
    custom = {CUSTOM_FIELD + name: value for name, value in lead.custom_fields.items()}
    return Form.of({field.api_name: stored[field.api_name] for field in LEAD_FIELDS} | custom)


def text_in_form(name: str, form: Form, people: Names, custom: Sequence[CustomField]) -> str:
    """A field of a form as text for people. `people`: names of members by ID."""
    values = [value for value in form.values(name) if value.strip()]
    definition = definition_of(name)
    if definition is not None:
        return "; ".join(field_text(definition, value, people) or "Former member" for value in values)
    field = next((each for each in custom if CUSTOM_FIELD + each.key == name), None)
    if field is not None and field.type is FieldType.BOOLEAN:
        return "; ".join(_YES_NO.get(value, value) for value in values)
    return "; ".join(shown_value(value, field.options if field else (), people) for value in values)


def choices_of(name: str, people: Names, custom: CustomField | None) -> list[tuple[str, str]] | None:
    """Options of a field for a `select`, with the empty one; None if it is typed in."""
    definition = definition_of(name)
    kind = custom.type if custom is not None else definition.type if definition is not None else FieldType.TEXT
    if kind is FieldType.PERSON:
        return [("", "Unassigned"), *people.items()]
    if kind is FieldType.BOOLEAN:
        return [("", "Unknown"), *_YES_NO.items()]
    if kind is not FieldType.CHOICE:
        return None
    if custom is not None:
        return [("", "None"), *custom.choices]
    if definition is not None and definition.listed_by_workspace:
        return [("", "None"), *people.stages.choices()]
    return [("", "None"), *definition.choices.items()] if definition and definition.choices else country_choices()


def rows_of(
    lead: LeadView,
    owners: Names,
    custom: Sequence[CustomField],
    effective: Mapping[str, EffectiveValue] = MappingProxyType({}),
) -> list[FieldRow]:
    """The fields of the catalog, then custom fields in order, then values without a field.

    `effective`: found values of empty fields.
    """
    stored = form_of(lead)
    plain = [
        replace(_row(field, stored.value(field.api_name), owners), found=_found(effective.get(field.api_name)))
        for field in LEAD_FIELDS
    ]
    return plain + [_custom_row(field, lead, owners) for field in all_custom(lead, custom)]


def _found(value: EffectiveValue | None) -> FoundRow | None:
    if value is None:
        return None
    return FoundRow(
        f"effective-{value.field}",
        value.receipt,
        value.found.type,
        value.view.value,
        is_suggested=value.view.state is FillState.SUGGESTED,
        of_company=value.view.subject is SubjectKind.COMPANY,
    )


def _row(field: FieldDefinition, value: str, owners: Names) -> FieldRow:
    shown = field_text(field, value, owners) if value else None
    href = None
    if value and field.type is FieldType.URL:
        shown, href = value.removeprefix("https://"), value
    elif value and field.keyboard in _SCHEMES:
        href = _SCHEMES[field.keyboard] + value
    return FieldRow(field.api_name, field.label, shown or None, href, definition=field)


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


def _custom_row(field: CustomField, lead: LeadView, owners: Names) -> FieldRow:
    value = lead.custom_fields.get(field.key)
    shown = None if value is None else shown_value(value, field.options, owners)
    href = str(value) if value is not None and field.type is FieldType.URL else None
    return FieldRow(CUSTOM_FIELD + field.key, field.label, shown, href, field)
