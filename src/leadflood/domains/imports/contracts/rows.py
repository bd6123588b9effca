"""A row of a file as a new lead, validated cell by cell by the contract of `POST /v1/leads`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from leadflood.domains.imports.contracts.lead_row import FastRowValidator, LeadColumns, RowDefaults, columns_of
from leadflood.domains.imports.models.fields import CUSTOM, Target
from leadflood.domains.imports.models.format import restore
from leadflood.domains.imports.models.states import InvalidValues
from leadflood.domains.leads.contracts import CreateLead
from leadflood.kernel.errors import FieldError
from leadflood.kernel.field_types import AllowedValues, FieldType, FieldValue, Option, parse_value
from leadflood.kernel.schema import field_errors
from leadflood.kernel.text import InvalidValue, search_key

_PLAIN: Final = frozenset(
    {
        Target.EMAIL,
        Target.FIRST_NAME,
        Target.LAST_NAME,
        Target.COMPANY,
        Target.JOB_TITLE,
        Target.PHONE,
        Target.WEBSITE,
        Target.COUNTRY,
    }
)
_NO_TOKEN: Final = re.compile(r"[^a-z0-9._:-]+")
_MAX_SOURCE: Final = 64
_CUSTOM_POINTER: Final = "/customFields/"
_PLAIN_TEXT: Final = (FieldType.TEXT, AllowedValues())
_NO_FIELDS: Final[Mapping[str, tuple[FieldType, Sequence[Option]]]] = MappingProxyType({})


@dataclass(slots=True)
class StagedRow:
    """Result of parsing a row: the values of a lead, or errors; `faults` of a valid row are dropped values."""

    number: int
    lead: LeadColumns | None = None
    faults: list[FieldError] = field(default_factory=list)
    raw: list[str] | None = None

    @property
    def blank(self) -> bool:
        """Whether the row is empty."""
        return self.lead is None and not self.faults


class RowReader:
    """Converts rows to leads by a mapping."""

    def __init__(
        self,
        targets: Sequence[str],
        *,
        owners: Mapping[str, UUID],
        fields: Mapping[str, tuple[FieldType, Sequence[Option]]] = _NO_FIELDS,
        defaults: RowDefaults,
        invalid: InvalidValues = InvalidValues.REJECT,
    ) -> None:
        """Args: targets: what each column becomes. owners: members by id and by address, both in lower case.

        `fields`: types and options of custom fields, by key. Values under another key are text.
        """
        self._columns = [
            (index, target, target in _PLAIN) for index, target in enumerate(targets) if target != Target.IGNORE
        ]
        self._width = len(targets)
        self._owners = owners
        self._fields = {key: (kind, AllowedValues(options, owners)) for key, (kind, options) in fields.items()}
        self._defaults = defaults
        self._sound = FastRowValidator(defaults)
        self._drops = invalid is InvalidValues.DROP

    def read(self, number: int, cells: Sequence[str]) -> StagedRow:
        """The lead of a row, or its errors."""
        if not any(cells):
            return StagedRow(number)
        faults: list[FieldError] = []
        given = self._values(cells, faults)
        lead = None if faults else self._sound.columns(given)
        if lead is not None:
            return StagedRow(number, lead)
        lead = self._lead(given, faults)
        return StagedRow(number, lead, faults, None if lead else [*cells])

    def _values(self, cells: Sequence[str], faults: list[FieldError]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        custom: dict[str, FieldValue] = {}
        width = len(cells)
        if width > self._width and any(cells[self._width :]):
            message = f"The row has more cells than the {self._width} columns. Check for a delimiter that isn't quoted."
            faults.append(FieldError("", "too_many_cells", message))
        for index, target, plain in self._columns:
            cell = cells[index].strip() if index < width else ""
            if cell[:1] == "'":
                cell = restore(cell)
            if not cell:
                continue
            if plain:
                given[target] = cell
            elif target.startswith(CUSTOM):
                self._custom_value(target.removeprefix(CUSTOM), cell, custom, faults)
            else:
                self._odd(Target(target), cell, given, faults)
        if custom:
            given["customFields"] = custom
        if self._defaults.country and "phone" in given:
            given.setdefault("country", self._defaults.country)
        return given

    def _custom_value(self, key: str, cell: str, custom: dict[str, FieldValue], faults: list[FieldError]) -> None:
        kind, allowed = self._fields.get(key, _PLAIN_TEXT)
        if kind is FieldType.TEXT:
            custom[key] = cell
            return
        try:
            value = parse_value(kind, cell, allowed)
        except InvalidValue as error:
            faults.append(FieldError(_CUSTOM_POINTER + key, error.code, str(error)))
        else:
            if value is not None:
                custom[key] = value

    def _odd(self, target: Target, cell: str, given: dict[str, Any], faults: list[FieldError]) -> None:
        if target is Target.FULL_NAME:
            for name, part in _split_name(cell).items():
                if part:
                    given.setdefault(name, part)
        elif target is Target.SOURCE:
            token = _NO_TOKEN.sub("-", search_key(cell)).strip("-._:")[:_MAX_SOURCE]
            given["source"] = token or cell
        else:
            owner = self._owners.get(cell.lower())
            if owner is None:
                message = "Must be the email or ID of a workspace member, or empty."
                faults.append(FieldError("/ownerId", "unknown_owner", message))
            else:
                given["ownerId"] = owner

    def _lead(self, given: dict[str, Any], faults: list[FieldError]) -> LeadColumns | None:
        lead = _validated(given, faults)
        if lead is None and self._drops:
            for fault in faults:
                _drop(given, fault.pointer)
            lead = _validated(given, [])
        return columns_of(lead, self._defaults) if lead and (self._drops or not faults) else None


def _validated(given: Mapping[str, Any], faults: list[FieldError]) -> CreateLead | None:
    try:
        return CreateLead.model_validate(given)
    except ValidationError as exc:
        faults.extend(field_errors(exc))
        return None


def _drop(given: dict[str, Any], pointer: str) -> None:
    if pointer.startswith(_CUSTOM_POINTER):
        given["customFields"].pop(pointer.removeprefix(_CUSTOM_POINTER), None)
    else:
        given.pop(pointer.removeprefix("/"), None)


def _split_name(text: str) -> dict[str, str]:
    from nameparser import HumanName  # noqa: PLC0415  takes time to load, and only full names need it

    name = HumanName(text)
    last = " ".join(part for part in (name.last, name.suffix) if part)
    first = " ".join(part for part in (name.first, name.middle) if part)
    return {"firstName": first, "lastName": last} if first or last else {"firstName": text}
