"""Repair of rows with invalid values: these are corrected or left out, and reported."""

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from leadflood.domains.fields.models import label_of
from leadflood.domains.imports.contracts.lead_row import FieldRules, LeadColumns, RowDefaults, columns_of
from leadflood.domains.imports.contracts.rows import CUT, OTHER_COLUMN, OTHER_VALUE, PLACEHOLDER, RowFault
from leadflood.domains.imports.models.cells import addresses_in, parts_of, says_nothing, without_controls
from leadflood.domains.imports.models.fields import Target
from leadflood.domains.leads.catalog import PLAIN_FIELDS
from leadflood.domains.leads.contracts import MAX_CUSTOM_BYTES, MAX_CUSTOM_FIELDS, CreateLead
from leadflood.domains.leads.models import clean_custom_value
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.field_types import MAX_TEXT, FieldType, FieldValue
from leadflood.kernel.fields import FieldDefinition
from leadflood.kernel.schema import field_errors
from leadflood.kernel.text import InvalidValue, is_blank

CUSTOM_POINTER: Final = "/customFields/"
_IN_ORDER: Final = [field for field in PLAIN_FIELDS.by_dependency if field.type is not FieldType.PERSON]


class RowRepair:
    """Corrects the values of a row field by field, or leaves them out."""

    def __init__(self, rules: FieldRules) -> None:
        self._rules = rules

    def repair(self, given: dict[str, Any], faults: list[RowFault]) -> None:
        """Reduce `given` to valid values, and add the others to `faults`.

        A missing or invalid address is left out, too: then there is no lead.
        """
        for target in [name for name, cell in given.items() if isinstance(cell, str) and is_blank(cell)]:
            del given[target]
        for field in _IN_ORDER:
            self._field(field, given, faults)
        _email(given, faults)
        if "customFields" in given:
            _custom_fields(given, faults)

    def _field(self, field: FieldDefinition, given: dict[str, Any], faults: list[RowFault]) -> None:
        name = field.api_name
        cell = given.get(name)
        if not isinstance(cell, str):
            return
        try:
            given[name] = self._parsed(field, cell, given)
        except InvalidValue as error:
            del given[name]
            if _is_prose(field):
                faults.append(RowFault.of(f"/{name}", error.code, str(error), cell))
                if error.code == "invalid_characters" and (cleaned := without_controls(cell).strip()):
                    given[name] = cleaned
                    self._field(field, given, [])
                return
            found = self._found(field, cell, given)
            if found:
                given[name] = found[0]
            faults.append(_outcome(name, error, cell, found))

    def _parsed(self, field: FieldDefinition, text: str, given: Mapping[str, Any]) -> str:
        if field.name == "phone":
            return self._rules.phone(text, given.get(Target.COUNTRY))
        return self._rules.parse(field.api_name, text)

    def _found(self, field: FieldDefinition, cell: str, given: Mapping[str, Any]) -> list[str]:
        """The valid values of a cell with several. One of web addresses is used only if all of them are valid."""
        parts = [] if field.type is FieldType.CHOICE else parts_of(cell)
        found: list[str] = []
        for part in parts:
            try:
                found.append(self._parsed(field, part, given))
            except InvalidValue:
                if field.type is FieldType.URL:
                    return []
        return found


def _is_prose(field: FieldDefinition) -> bool:
    """Whether a field takes any line of text, so that only unsupported characters make it invalid."""
    return field.type is FieldType.TEXT and not field.depends_on


def by_contract(given: Mapping[str, Any], defaults: RowDefaults, faults: list[RowFault]) -> LeadColumns | None:
    """The columns of a lead by the contract of `POST /v1/leads`; errors are added to `faults`."""
    try:
        return columns_of(CreateLead.model_validate(given), defaults)
    except ValidationError as refusal:
        faults.extend(RowFault(fault.pointer, fault.code, fault.message) for fault in field_errors(refusal))
        return None


def _outcome(name: str, error: InvalidValue, cell: str, found: list[str]) -> RowFault:
    """The report of a cell without a single valid value: a placeholder, several values, or an invalid one."""
    pointer = f"/{name}"
    if len(found) > 1:
        message = f"Only the first value is used. Skipped: {', '.join(dict.fromkeys(found[1:]))}."
        return RowFault.of(pointer, OTHER_VALUE, message, cell)
    if not found and says_nothing(cell):
        return placeholder(pointer, cell)
    return RowFault.of(pointer, error.code, str(error), cell)


def placeholder(pointer: str, cell: str) -> RowFault:
    """The report of a placeholder."""
    return RowFault.of(pointer, PLACEHOLDER, "Treated as empty.", cell)


def settle_email(given: dict[str, Any], others: list[tuple[str, str]], faults: list[RowFault]) -> list[tuple[str, str]]:
    """The address of the row from its first column that has one; returns the cells that were not used for it.

    Args: others: keys and cells of the further columns, from left to right.
    """
    cell = given.get(Target.EMAIL, "")
    if addresses_in(cell):
        return others
    used = next((place for place, (_, other) in enumerate(others) if addresses_in(other)), None)
    if used is None:
        return others
    key, other = others[used]
    if cell:
        faults.append(placeholder("/email", cell) if says_nothing(cell) else _no_address(cell))
    message = f"Taken from {label_of(key)}, as this column has no valid address."
    faults.append(RowFault.of("/email", OTHER_COLUMN, message, other))
    given[Target.EMAIL] = other
    return others[:used] + others[used + 1 :]


def _email(given: dict[str, Any], faults: list[RowFault]) -> None:
    cell = given.get(Target.EMAIL)
    if cell is None:
        return
    found = addresses_in(cell)
    if not found:
        del given[Target.EMAIL]
        faults.append(_no_address(cell))
        return
    given[Target.EMAIL] = found[0].display
    if len(found) > 1:
        others = ", ".join(address.display for address in found[1:])
        message = f"Only the first address is used. Skipped: {others}."
        faults.append(RowFault.of("/email", OTHER_VALUE, message, cell))


def _no_address(cell: str) -> RowFault:
    try:
        parse_email(cell)
    except InvalidValue as error:
        return RowFault.of("/email", error.code, str(error), cell)
    return RowFault.of("/email", "invalid_format", "Enter a valid email address.", cell)


def _custom_fields(given: dict[str, Any], faults: list[RowFault]) -> None:
    kept: dict[str, FieldValue] = {}
    for key, value in given["customFields"].items():
        try:
            if (cleaned := clean_custom_value(value)) is not None:
                kept[key] = cleaned
        except InvalidValue as error:
            cut = _shortened(value, error)
            if cut is not None:
                kept[key] = cut
            code, message = (
                (CUT, f"Cut to {MAX_TEXT:,} characters.")
                if cut and error.code == "too_long"
                else (
                    error.code,
                    str(error),
                )
            )
            faults.append(RowFault.of(CUSTOM_POINTER + key, code, message, str(value)))
    _fit(kept, faults)
    if kept:
        given["customFields"] = kept
    else:
        del given["customFields"]


def _shortened(value: object, error: InvalidValue) -> FieldValue | None:
    """Text cut to the maximum length, without unsupported characters; None for other values."""
    if not isinstance(value, str) or error.code not in ("too_long", "invalid_characters"):
        return None
    try:
        return clean_custom_value(without_controls(value[:MAX_TEXT])) or None
    except InvalidValue:
        return None


def _fit(kept: dict[str, FieldValue], faults: list[RowFault]) -> None:
    """Leave out custom fields above the limits of a lead: the last ones by number, the longest by bytes."""
    while kept:
        if len(kept) > MAX_CUSTOM_FIELDS:
            key, message = list(kept)[-1], f"Skipped: a lead can have {MAX_CUSTOM_FIELDS} custom fields."
        elif len(json.dumps(kept, ensure_ascii=False).encode()) > MAX_CUSTOM_BYTES:
            key = max(kept, key=lambda name: len(json.dumps(kept[name])))
            message = f"Skipped: custom fields of a lead can take {MAX_CUSTOM_BYTES:,} bytes."
        else:
            return
        faults.append(RowFault.of(CUSTOM_POINTER + key, "too_long", message, str(kept.pop(key))))
