"""A row of a file as a new lead, validated cell by cell by the rules of `POST /v1/leads`."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from leadflood.domains.imports.contracts.full_names import split_name
from leadflood.domains.imports.contracts.lead_row import FieldRules, LeadColumns, RowDefaults
from leadflood.domains.imports.contracts.row_repair import (
    CUSTOM_POINTER,
    RowRepair,
    by_contract,
    placeholder,
    settle_email,
)
from leadflood.domains.imports.contracts.rows import CUT, EXTRA_CELLS, HARMLESS, TOO_MANY_CELLS, RowFault, StagedRow
from leadflood.domains.imports.models.cells import EMPTY_WORDS, addresses_in, begins_with_sign, says_nothing, strip_cell
from leadflood.domains.imports.models.fields import CUSTOM, OTHER_EMAIL, TARGETS, Target, custom_key_of
from leadflood.domains.imports.models.format import guard_of
from leadflood.domains.imports.models.header_names import name_key
from leadflood.domains.imports.models.states import InvalidValues
from leadflood.domains.leads.catalog import FINDABLE_FIELDS, LEAD_FIELDS
from leadflood.domains.lists.models import MAX_NAME as MAX_LIST_NAME
from leadflood.domains.stages.models import stage_key
from leadflood.domains.tags.models import clean_name
from leadflood.kernel.email_address import MAX_EMAIL_OCTETS
from leadflood.kernel.field_types import AllowedValues, FieldType, FieldValue, Option, parse_value
from leadflood.kernel.name_lists import split_names
from leadflood.kernel.text import InvalidValue, clean_line, search_key

_PLAIN: Final = frozenset(TARGETS) - {
    Target.SOURCE,
    Target.OWNER,
    Target.STAGE,
    Target.TAGS,
    Target.LISTS,
    Target.FOUND_FIELDS,
    Target.IGNORE,
}
"""Targets whose cells are read as they are."""
_POINTERS: Final = {field.short_name: f"/{field.api_name}" for field in LEAD_FIELDS}
_FINDABLE: Final = {
    name_key(name): field.short_name for field in FINDABLE_FIELDS for name in (field.api_name, field.label)
}
"""Fields by the names that a cell of `foundFields` may have."""
_RELATED: Final[Mapping[str, Callable[[str], str]]] = {
    Target.TAGS: clean_name,
    Target.LISTS: partial(clean_line, max_length=MAX_LIST_NAME),
}
"""Targets that are names of records of other domains, with the rules of a name."""
_RELATED_KEY: Final = "related"
_MAX_NAMES: Final = 50
_NAMIBIA: Final = "NA"
_NO_TOKEN: Final = re.compile(r"[^a-z0-9._:-]+")
_MAX_SOURCE: Final = 64
_PLAIN_TEXT: Final = (FieldType.TEXT, AllowedValues())
_NO_STAGES: Final[Mapping[str, str]] = MappingProxyType({})
_NO_FIELDS: Final[Mapping[str, tuple[FieldType, Sequence[Option]]]] = MappingProxyType({})


class RowReader:
    """Converts rows to leads by a mapping."""

    def __init__(  # noqa: PLR0913  what cells are compared with, and how the file is read
        self,
        targets: Sequence[str],
        *,
        owners: Mapping[str, UUID],
        stages: Mapping[str, str] = _NO_STAGES,
        fields: Mapping[str, tuple[FieldType, Sequence[Option]]] = _NO_FIELDS,
        defaults: RowDefaults,
        invalid: InvalidValues = InvalidValues.DROP,
        keeps_cells: bool = False,
        cells_shift: bool = True,
        delimiter: str | None = None,
    ) -> None:
        """Args: targets: target of each column. owners: members by ID and by address, both in lower case.

        `stages`: keys of stages by the keys of their names. `fields`: types and options of custom fields, by key; other
        values are text.

        `keeps_cells`: whether the cells of valid rows are kept, as they may be rejected later. `cells_shift`: whether
        an extra cell means that the others may be in the wrong columns, as in delimited text. `delimiter`: of that.
        """
        self._columns = [
            (index, target, target in _PLAIN) for index, target in enumerate(targets) if target != Target.IGNORE
        ]
        self._width = len(targets)
        self._email = targets.index(Target.EMAIL) if Target.EMAIL in targets else None
        self._owners = owners
        self._stages = stages
        self._fields = {key: (kind, AllowedValues(options, owners)) for key, (kind, options) in fields.items()}
        self._defaults = defaults
        self._rules = FieldRules(defaults)
        self._repair = RowRepair(self._rules)
        self._drops = invalid is InvalidValues.DROP
        self._keeps_cells = keeps_cells
        self._cells_shift = cells_shift
        self._restore = guard_of(delimiter).restore
        self.filled: set[str] = set()
        """Keys of custom fields with a value in at least one lead."""

    def read(self, number: int, cells: Sequence[str]) -> StagedRow:
        """The lead of a row, or its errors."""
        faults: list[RowFault] = []
        if len(cells) > self._width and any(map(strip_cell, cells[self._width :])):
            faults.append(self._too_many_cells(cells))
            if self._cells_shift:
                return self._rejected(number, cells, faults)
        given = self._values(cells, faults)
        related = given.pop(_RELATED_KEY, None)
        if not given and not faults and not any(map(strip_cell, cells)):
            return StagedRow(number)
        lead = None if begins_with_sign(given.get(Target.EMAIL, "")) else self._rules.columns(given)
        if lead is None:
            lead = self._repaired(given, faults)
        if lead is None or (faults and not self._drops and any(fault.code not in HARMLESS for fault in faults)):
            return self._rejected(number, cells, faults)
        if "customFields" in given:
            self.filled.update(given["customFields"])
        return StagedRow(number, lead, faults, related=related, raw=[*cells] if self._keeps_cells else None)

    def _repaired(self, given: dict[str, Any], faults: list[RowFault]) -> LeadColumns | None:
        self._repair.repair(given, faults)
        if Target.EMAIL not in given and any(fault.pointer == "/email" for fault in faults):
            return None
        lead = self._rules.columns(given)
        return lead or by_contract(given, self._defaults, faults)

    def _rejected(self, number: int, cells: Sequence[str], faults: list[RowFault]) -> StagedRow:
        place = self._email
        email = strip_cell(cells[place])[:MAX_EMAIL_OCTETS] if place is not None and place < len(cells) else ""
        return StagedRow(number, None, faults, email.replace("\0", "") or None, raw=[*cells])

    def _values(self, cells: Sequence[str], faults: list[RowFault]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        custom: dict[str, FieldValue] = {}
        others: list[tuple[str, str]] = []
        width = len(cells)
        for index, target, plain in self._columns:
            cell = cells[index] if index < width else ""
            if cell:
                cell = self._bare(cell)
            if not cell:
                continue
            if cell in EMPTY_WORDS:
                self._nothing(target, cell, faults)
            elif plain:
                given[target] = cell
            elif target.startswith(OTHER_EMAIL):
                others.append((target.removeprefix(OTHER_EMAIL), cell))
            elif target.startswith(CUSTOM):
                self._custom_value(target.removeprefix(CUSTOM), cell, custom, faults)
            else:
                self._odd(target, cell, given, faults)
        for key, cell in settle_email(given, others, faults) if others else ():
            self._custom_value(key, cell, custom, faults)
        return self._settled(cells, given, custom, faults)

    def _settled(
        self, cells: Sequence[str], given: dict[str, Any], custom: dict[str, FieldValue], faults: list[RowFault]
    ) -> dict[str, Any]:
        """The values of a row, with cells that are about other cells brought to those."""
        if custom:
            given["customFields"] = custom
        _settle(given)
        if given.get(Target.COUNTRY) == _NAMIBIA:
            _require_namibia(cells, given, faults)
        return given

    def _bare(self, cell: str) -> str:
        cell = cell.strip() if cell.isascii() and cell[0] != "=" else strip_cell(cell)
        return self._restore(cell) if "'" in cell else cell

    def _nothing(self, target: str, cell: str, faults: list[RowFault]) -> None:
        if target == Target.EMAIL:
            return  # a missing address is reported as that
        key = custom_key_of(target)
        faults.append(placeholder(_pointer(target) if key is None else CUSTOM_POINTER + key, cell))

    def _custom_value(self, key: str, cell: str, custom: dict[str, FieldValue], faults: list[RowFault]) -> None:
        kind, allowed = self._fields.get(key, _PLAIN_TEXT)
        if kind is FieldType.TEXT:
            custom[key] = cell
            return
        try:
            value = parse_value(kind, cell, allowed)
        except InvalidValue as error:
            pointer = CUSTOM_POINTER + key
            nothing = says_nothing(cell)
            faults.append(placeholder(pointer, cell) if nothing else RowFault.of(pointer, error.code, str(error), cell))
        else:
            if value is not None:
                custom[key] = value

    def _odd(self, target: str, cell: str, given: dict[str, Any], faults: list[RowFault]) -> None:
        if target == Target.SOURCE:
            given["source"] = _source_token(cell)
            return
        if target == Target.FOUND_FIELDS:
            given[target] = [found for name in split_names(cell) if (found := _FINDABLE.get(name_key(name)))]
            return
        if target in _RELATED:
            given[_RELATED_KEY] = given.get(_RELATED_KEY, {}) | {target: _names(target, cell, faults)}
            return
        if target == Target.STAGE:
            self._stage(cell, given, faults)
            return
        owner = self._owners.get(cell.lower())
        if owner is None:
            named = [self._owners.get(address.norm) for address in addresses_in(cell)]
            owner = next((found for found in named if found is not None), None)
        if owner is not None:
            given["ownerId"] = owner
        elif says_nothing(cell):
            faults.append(placeholder("/ownerId", cell))
        else:
            message = "Not a member of this workspace."
            faults.append(RowFault.of("/ownerId", "unknown_owner", message, cell))

    def _stage(self, cell: str, given: dict[str, Any], faults: list[RowFault]) -> None:
        """The key of the stage that a cell names. An unknown one is left out and reported."""
        key = self._stages.get(_word(cell))
        if key is not None:
            given["stage"] = key
        elif says_nothing(cell):
            faults.append(placeholder("/stage", cell))
        else:
            faults.append(RowFault.of("/stage", "unknown_stage", "Not a stage of this workspace.", cell))

    def _too_many_cells(self, cells: Sequence[str]) -> RowFault:
        extra = ", ".join(cell for cell in map(strip_cell, cells[self._width :]) if cell)
        if self._cells_shift:
            message = f"The row has more cells than the {self._width} columns. Check for a delimiter that isn't quoted."
            return RowFault.of("", TOO_MANY_CELLS, message, extra)
        return RowFault.of("", EXTRA_CELLS, f"Cells beyond the {self._width} columns aren't imported.", extra)


@lru_cache(1024)
def _word(cell: str) -> str:
    try:
        return stage_key(cell)
    except InvalidValue:
        return ""


def _pointer(target: str) -> str:
    return _POINTERS.get(target, f"/{target}")


def _names(target: str, cell: str, faults: list[RowFault]) -> list[str]:
    """Names of tags or lists in a cell. Invalid ones are left out."""
    found: dict[str, None] = {}
    names = split_names(cell)
    if len(names) > _MAX_NAMES:
        message = f"Only the first {_MAX_NAMES} names are used."
        faults.append(RowFault.of(f"/{target}", CUT, message, ", ".join(names[_MAX_NAMES:])))
    for name in names[:_MAX_NAMES]:
        try:
            found[_RELATED[target](name)] = None
        except InvalidValue as error:
            faults.append(RowFault.of(f"/{target}", error.code, str(error), name))
    return list(found)


def _settle(given: dict[str, Any]) -> None:
    """Bring cells that are about other cells to those."""
    if Target.FOUND_FIELDS in given:
        # They would become values that a file wrote.
        for name in given.pop(Target.FOUND_FIELDS):
            given.pop(name, None)
    if Target.FULL_NAME in given:
        _fill_names(given)


def _fill_names(given: dict[str, Any]) -> None:
    """Fill in first and last name from the full name where they are missing."""
    full = given.pop(Target.FULL_NAME)
    if Target.FIRST_NAME in given and Target.LAST_NAME in given:
        return
    first, last = split_name(full)
    if first:
        given.setdefault(Target.FIRST_NAME, first)
    if last:
        given.setdefault(Target.LAST_NAME, last)


def _require_namibia(cells: Sequence[str], given: dict[str, Any], faults: list[RowFault]) -> None:
    """Remove the code of Namibia if other cells have it, too: statistics programs write NA for missing values."""
    if [*map(str.strip, cells)].count(_NAMIBIA) > 1:
        faults.append(placeholder("/country", given.pop(Target.COUNTRY)))


@lru_cache(1024)
def _source_token(cell: str) -> str:
    return _NO_TOKEN.sub("-", search_key(cell)).strip("-._:")[:_MAX_SOURCE] or cell
