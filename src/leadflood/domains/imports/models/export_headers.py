"""Headers of our own exports, by which an import recognizes their columns."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from leadflood.domains.imports.models.fields import CUSTOM, TARGETS, Target, about_permission
from leadflood.domains.imports.models.header_names import match_header, name_key
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.field_types import check_field_key
from leadflood.kernel.text import InvalidValue

CUSTOM_PREFIX: Final = "custom."
ENRICHED_PREFIX: Final = "enriched."
SYSTEM_LABELS: Final[Mapping[str, str]] = {
    "id": "Lead ID",
    "ownerId": "Owner ID",
    "status": "Enrichment status",
    "version": "Version",
    "createdAt": "Created (UTC)",
    "updatedAt": "Updated (UTC)",
    "enrichedAt": "Enriched (UTC)",
    "error": "Enrichment error",
    "foundFields": "Found fields",
}
"""Labels of the columns of a lead that an import cannot set, by API name; the owner's ID is set by email."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{1,6})?Z?")
_TESTS: Final[Mapping[str, Callable[[str], object]]] = {
    "id": _UUID.fullmatch,
    "ownerId": _UUID.fullmatch,
    "status": {item.value for item in LeadStatus}.__contains__,
    "createdAt": _TIME.fullmatch,
    "updatedAt": _TIME.fullmatch,
    "enrichedAt": _TIME.fullmatch,
}
"""Cells of system columns. A file with such a column is ours."""
_QUALIFIED: Final = re.compile(r".*\(custom\.([A-Za-z][A-Za-z0-9_]{0,63})\)")
_FOUND: Final = re.compile(r".+ \(found\)")
_OWN_TARGETS: Final[Mapping[str, str]] = {
    name_key(label): target
    for target, label in (*((field.short_name, field.label) for field in LEAD_FIELDS if field.importable),)
}
_FOUND_FIELDS: Final = frozenset({"foundFields", SYSTEM_LABELS["foundFields"]})
_RESERVED: Final = frozenset(map(name_key, [*_OWN_TARGETS, *SYSTEM_LABELS.values(), "leadflood_error"]))


def custom_label(key: str, label: str, *, unique: bool) -> str:
    """The header of a custom field: its label, with its key if an import could take it for something else.

    Args: unique: no other field of the workspace has this label, and the field is known to imports by it.
    """
    ambiguous = name_key(label) in _RESERVED or match_header(label) is not None or about_permission(label)
    looks_ours = _QUALIFIED.fullmatch(label) or _FOUND.fullmatch(label)
    return label if unique and not ambiguous and not looks_ours else f"{label} ({CUSTOM_PREFIX}{key})"


def found_label(field: str) -> str:
    """The header of an enriched field."""
    return f"{field.replace('_', ' ').capitalize()} (found)"


def export_only_labels() -> dict[str, str]:
    """Labels of the columns of other domains that exports have and imports ignore, by API name."""
    files = LEAD_EXTENSIONS.file_columns
    return {name: related.label for name, related in files.items() if name not in TARGETS}


def exported_targets(
    columns: Sequence[tuple[str, Sequence[str]]], export_only: Mapping[str, str] | None = None
) -> dict[int, str]:
    """Targets of the columns that our own exports have, by position: importing an export changes nothing.

    Args:
        columns: header and non-empty cells of each.
        export_only: `export_only_labels`, which a process that parses files gets from the one that starts it.
    """
    system = {**(export_only or {}), **SYSTEM_LABELS}
    named = _named_for_people(columns, system) | _named_for_programs([name for name, _ in columns], system)
    return named | {index: Target.FOUND_FIELDS for index, (name, _) in enumerate(columns) if name in _FOUND_FIELDS}


def _named_for_programs(names: Sequence[str], system: Mapping[str, str]) -> dict[int, str]:
    """Targets by the names of the API."""
    found: dict[int, str] = {}
    whole = {"email", "createdAt"} <= set(names)
    for index, name in enumerate(names):
        if name == "ownerId":
            found[index] = Target.OWNER
        elif whole and name in TARGETS:
            found[index] = name
        elif name.startswith(ENRICHED_PREFIX) or (whole and name in system):
            found[index] = Target.IGNORE
        elif name.startswith(CUSTOM_PREFIX) and (target := _custom_target(name.removeprefix(CUSTOM_PREFIX))):
            found[index] = target
    return found


def _named_for_people(columns: Sequence[tuple[str, Sequence[str]]], labels: Mapping[str, str]) -> dict[int, str]:
    """Targets by labels."""
    names = {label: name for name, label in labels.items()}
    system = {index: names[name] for index, (name, _) in enumerate(columns) if name in names}
    proven = {
        index
        for index, name in system.items()
        if (test := _TESTS.get(name)) and columns[index][1] and all(map(test, columns[index][1]))
    }
    found: dict[int, str] = dict.fromkeys(proven, Target.IGNORE)
    for index, (name, _) in enumerate(columns):
        qualified = _QUALIFIED.fullmatch(name)
        if qualified and (target := _custom_target(qualified[1])):
            found[index] = target
        elif proven and (index in system or _FOUND.fullmatch(name)):
            found[index] = Target.IGNORE
        elif proven and name_key(name) in _OWN_TARGETS:
            found[index] = _OWN_TARGETS[name_key(name)]
    return found


def _custom_target(key: str) -> str | None:
    try:
        return Target.IGNORE if about_permission(key) else CUSTOM + check_field_key(key)
    except InvalidValue:
        return None
