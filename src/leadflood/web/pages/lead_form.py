"""The fields of a lead as people see them: labels, order, and the forms they are edited in."""

from collections.abc import Mapping
from dataclasses import dataclass

from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.models import CustomValue
from leadflood.web import formats
from leadflood.web.forms import Form
from leadflood.web.labels import LEAD_FIELDS


def country_choices() -> list[tuple[str, str]]:
    """All countries, for a `select`."""
    return [("", "Select country"), *formats.countries().items()]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One line of a lead's fields. `href` is where its value leads."""

    name: str
    label: str
    value: str | None
    href: str | None = None


def name_of(lead: LeadView) -> str:
    """The person's name, or else the address."""
    return " ".join(part for part in (lead.first_name, lead.last_name) if part) or lead.email


def form_of(lead: LeadView) -> Form:
    """A form with the stored values."""
    stored = lead.model_dump(mode="json")
    custom = {f"customFields.{name}": value for name, value in lead.custom_fields.items()}
    return Form.of({name: stored[name] for name in LEAD_FIELDS} | custom)


def rows_of(lead: LeadView, owners: Mapping[str, str]) -> list[FieldRow]:
    """The fields of the contract, then the custom ones."""
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
    custom = sorted(lead.custom_fields.items())
    return plain + [FieldRow(f"customFields.{name}", name, _plain(value)) for name, value in custom]


def custom_changes(form: Form, lead: LeadView) -> dict[str, CustomValue | None]:
    """The custom fields that a form changes, each of the type that is stored: a form knows text only.

    What reads as it did stays as it is; an emptied field is removed.
    """
    prefix, shown = "customFields.", form_of(lead)
    changed = {name: form.value(name).strip() for name in form.fields if name.startswith(prefix)}
    return {
        name.removeprefix(prefix): _typed(text, lead.custom_fields.get(name.removeprefix(prefix)))
        for name, text in changed.items()
        if text != shown.value(name).strip()
    }


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


def _plain(value: object) -> str:
    return ("Yes" if value else "No") if isinstance(value, bool) else str(value)
