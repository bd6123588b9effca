"""A row of a file as a new lead: the very contract of `POST /v1/leads` decides, here a cell at a time."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from leadflood.domains.imports.models.fields import CUSTOM, Target
from leadflood.domains.imports.models.format import restore
from leadflood.domains.imports.models.states import InvalidValues
from leadflood.domains.leads.contracts import CreateLead
from leadflood.domains.leads.models import search_text
from leadflood.kernel.contract import field_errors
from leadflood.kernel.errors import FieldError
from leadflood.kernel.text import search_key

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
_LONGEST_SOURCE: Final = 64
_CUSTOM_POINTER: Final = "/customFields/"


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a new lead gets where the file says nothing."""

    source: str
    owner_id: UUID | None = None
    country: str | None = None


@dataclass(slots=True)
class StagedRow:
    """What came of a row: a lead to be, or faults; `faults` of a lead to be are values that were dropped."""

    number: int
    lead: CreateLead | None = None
    search_text: str | None = None
    faults: list[FieldError] = field(default_factory=list)
    raw: list[str] | None = None

    @property
    def blank(self) -> bool:
        """Whether nothing was in the row at all."""
        return self.lead is None and not self.faults


class RowReader:
    """Turns the cells of rows into leads, by one mapping."""

    def __init__(
        self,
        targets: Sequence[str],
        *,
        owners: Mapping[str, UUID],
        defaults: Defaults,
        invalid: InvalidValues = InvalidValues.REJECT,
    ) -> None:
        """Args: targets: what each column becomes. owners: members by id and by address, both in lower case."""
        self._columns = [(index, target) for index, target in enumerate(targets) if target != Target.IGNORE]
        self._width = len(targets)
        self._owners = owners
        self._defaults = defaults
        self._drops = invalid is InvalidValues.DROP

    def read(self, number: int, cells: Sequence[str]) -> StagedRow:
        """The lead that a row stands for, or why it is none."""
        if not any(cells):
            return StagedRow(number)
        faults: list[FieldError] = []
        given = self._values(cells, faults)
        lead = self._lead(given, faults)
        row = StagedRow(number, lead, faults=faults)
        if lead is None:
            row.raw = [*cells]
        else:
            row.search_text = search_text(lead.first_name, lead.last_name, lead.email.display, lead.company)
        return row

    def _values(self, cells: Sequence[str], faults: list[FieldError]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        custom: dict[str, str] = {}
        if len(cells) > self._width and any(cells[self._width :]):
            message = f"The row has more cells than the {self._width} columns. Is a delimiter not in quotation marks?"
            faults.append(FieldError("", "too_many_cells", message))
        for index, target in self._columns:
            cell = restore(cells[index].strip()) if index < len(cells) else ""
            if not cell:
                continue
            if target in _PLAIN:
                given[target] = cell
            elif target.startswith(CUSTOM):
                custom[target.removeprefix(CUSTOM)] = cell
            else:
                self._odd(Target(target), cell, given, faults)
        if custom:
            given["customFields"] = custom
        if self._defaults.country and "phone" in given:
            given.setdefault("country", self._defaults.country)
        return given

    def _odd(self, target: Target, cell: str, given: dict[str, Any], faults: list[FieldError]) -> None:
        if target is Target.FULL_NAME:
            for name, part in _split_name(cell).items():
                if part:
                    given.setdefault(name, part)
        elif target is Target.SOURCE:
            token = _NO_TOKEN.sub("-", search_key(cell)).strip("-._:")[:_LONGEST_SOURCE]
            given["source"] = token or cell
        else:
            owner = self._owners.get(cell.lower())
            if owner is None:
                message = "Give the e-mail address or id of a member of this workspace, or leave the cell empty."
                faults.append(FieldError("/ownerId", "unknown_owner", message))
            else:
                given["ownerId"] = str(owner)

    def _lead(self, given: dict[str, Any], faults: list[FieldError]) -> CreateLead | None:
        lead = _validated(given, faults)
        if lead is None and self._drops:
            for fault in faults:
                _drop(given, fault.pointer)
            lead = _validated(given, [])
        return lead if self._drops or not faults else None


def stored_values(lead: CreateLead, defaults: Defaults) -> dict[str, Any]:
    """The columns of a lead as `POST /v1/leads` stores them."""
    return {
        "email": lead.email.display,
        "email_norm": lead.email.norm,
        "first_name": lead.first_name,
        "last_name": lead.last_name,
        "company": lead.company,
        "job_title": lead.job_title,
        "phone": lead.phone,
        "website": lead.website,
        "country": lead.country,
        "source": lead.source,
        "owner_id": lead.owner_id,
        "custom_fields": json.dumps(lead.custom_fields) if lead.custom_fields else None,
        "new_source": lead.source or defaults.source,
        "new_owner_id": lead.owner_id or defaults.owner_id,
    }


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
