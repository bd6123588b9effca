"""Repair of rows with invalid values: these are corrected or left out, and reported."""

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from leadflood.domains.imports.contracts.lead_row import FieldRules, LeadColumns, RowDefaults, columns_of
from leadflood.domains.imports.contracts.rows import CUT, OTHER_VALUE, PLACEHOLDER, RowFault
from leadflood.domains.imports.models.cells import addresses_in, parts_of, says_nothing, without_controls
from leadflood.domains.imports.models.fields import Target
from leadflood.domains.leads.contracts import MAX_CUSTOM_BYTES, MAX_CUSTOM_FIELDS, CreateLead
from leadflood.domains.leads.models import clean_custom_value
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.field_types import MAX_TEXT, FieldValue
from leadflood.kernel.schema import field_errors
from leadflood.kernel.text import InvalidValue, is_blank

CUSTOM_POINTER: Final = "/customFields/"
_NAMES: Final = (Target.FIRST_NAME, Target.LAST_NAME, Target.COMPANY, Target.JOB_TITLE)


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
        for target in _NAMES:
            self._text(target, given, faults)
        self._website(given, faults)
        self._country(given, faults)
        self._phone(given, faults)
        _email(given, faults)
        if Target.SOURCE in given:
            self._text(Target.SOURCE, given, faults)
        if "customFields" in given:
            _custom_fields(given, faults)

    def _text(self, target: Target, given: dict[str, Any], faults: list[RowFault]) -> None:
        cell = given.get(target)
        if cell is None:
            return
        rule = self._rules.source if target is Target.SOURCE else self._rules.name
        try:
            given[target] = rule(cell)
        except InvalidValue as error:
            del given[target]
            faults.append(RowFault.of(f"/{target}", error.code, str(error), cell))
            if error.code == "invalid_characters" and (cleaned := without_controls(cell).strip()):
                given[target] = cleaned
                self._text(target, given, [])

    def _website(self, given: dict[str, Any], faults: list[RowFault]) -> None:
        cell = given.get(Target.WEBSITE)
        if cell is None:
            return
        try:
            given[Target.WEBSITE] = self._rules.website(cell)
        except InvalidValue as error:
            del given[Target.WEBSITE]
            found = [site for part in parts_of(cell) if (site := self._website_of(part))]
            if found and len(found) == len(parts_of(cell)):
                given[Target.WEBSITE] = found[0]
            faults.append(_outcome(Target.WEBSITE, error, cell, found))

    def _website_of(self, part: str) -> str | None:
        try:
            return self._rules.website(part)
        except InvalidValue:
            return None

    def _country(self, given: dict[str, Any], faults: list[RowFault]) -> None:
        cell = given.get(Target.COUNTRY)
        if cell is None:
            return
        try:
            given[Target.COUNTRY] = self._rules.country(cell)
        except InvalidValue as error:
            del given[Target.COUNTRY]
            faults.append(_outcome(Target.COUNTRY, error, cell, []))

    def _phone(self, given: dict[str, Any], faults: list[RowFault]) -> None:
        cell, country = given.get(Target.PHONE), given.get(Target.COUNTRY)
        if cell is None:
            return
        try:
            given[Target.PHONE] = self._rules.phone(cell, country)
        except InvalidValue as error:
            del given[Target.PHONE]
            found = [phone for part in parts_of(cell) if (phone := self._phone_of(part, country))]
            if found:
                given[Target.PHONE] = found[0]
            faults.append(_outcome(Target.PHONE, error, cell, found))

    def _phone_of(self, part: str, country: str | None) -> str | None:
        try:
            return self._rules.phone(part, country)
        except InvalidValue:
            return None


def by_contract(given: Mapping[str, Any], defaults: RowDefaults, faults: list[RowFault]) -> LeadColumns | None:
    """The columns of a lead by the contract of `POST /v1/leads`; errors are added to `faults`."""
    try:
        return columns_of(CreateLead.model_validate(given), defaults)
    except ValidationError as refusal:
        faults.extend(RowFault(fault.pointer, fault.code, fault.message) for fault in field_errors(refusal))
        return None


def _outcome(target: Target, error: InvalidValue, cell: str, found: list[str]) -> RowFault:
    """The report of a cell without a single valid value: a placeholder, several values, or an invalid one."""
    pointer = f"/{target}"
    if len(found) > 1:
        message = f"Only the first value is used. Left out: {', '.join(dict.fromkeys(found[1:]))}."
        return RowFault.of(pointer, OTHER_VALUE, message, cell)
    if not found and says_nothing(cell):
        return placeholder(pointer, cell)
    return RowFault.of(pointer, error.code, str(error), cell)


def placeholder(pointer: str, cell: str) -> RowFault:
    """The report of a placeholder."""
    return RowFault.of(pointer, PLACEHOLDER, "Treated as empty.", cell)


def _email(given: dict[str, Any], faults: list[RowFault]) -> None:
    cell = given.get(Target.EMAIL)
    if cell is None:
        return
    try:
        parse_email(cell)
    except InvalidValue as error:
        del given[Target.EMAIL]
        found = addresses_in(cell)
        if found:
            given[Target.EMAIL] = found[0].display
        if not found:
            faults.append(RowFault.of("/email", error.code, str(error), cell))
        elif len(found) > 1:
            others = ", ".join(address.display for address in found[1:])
            message = f"Only the first address is used. Left out: {others}."
            faults.append(RowFault.of("/email", OTHER_VALUE, message, cell))


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
            key, message = list(kept)[-1], f"Left out: a lead can have {MAX_CUSTOM_FIELDS} custom fields."
        elif len(json.dumps(kept, ensure_ascii=False).encode()) > MAX_CUSTOM_BYTES:
            key = max(kept, key=lambda name: len(json.dumps(kept[name])))
            message = f"Left out: custom fields of a lead can take {MAX_CUSTOM_BYTES:,} bytes."
        else:
            return
        faults.append(RowFault.of(CUSTOM_POINTER + key, "too_long", message, str(kept.pop(key))))
