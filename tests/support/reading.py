"""Files parsed like an import does, without a database."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.domains.imports.adapters.csv_format.encoding import Utf8Check
from leadflood.domains.imports.contracts import ImportOptions
from leadflood.domains.imports.models.column_detection import Analysis
from leadflood.domains.imports.models.format import FileFormat, KnownFile, stored_format
from leadflood.domains.imports.service.parsing import analyse, read_rows
from leadflood.domains.imports.store.staging import COLUMNS

MEMBER = UUID("01900000-0000-7000-8000-000000000001")
OWNERS = {"me@acme.com": MEMBER, str(MEMBER): MEMBER}


@dataclass(frozen=True)
class ReadFile:
    """Analysis and parsed rows of a file, by row number."""

    analysis: Analysis
    rows: Mapping[int, Mapping[str, Any]]
    filled: Sequence[str]

    @property
    def targets(self) -> list[str]:
        """Targets of the columns."""
        return [column.target for column in self.analysis.columns]

    @property
    def notices(self) -> set[str]:
        """Codes of the notices."""
        return {notice.code for notice in self.analysis.notices}

    @property
    def leads(self) -> list[Mapping[str, Any]]:
        """Valid rows, without empty fields."""
        return [
            {name: value for name, value in row.items() if value is not None and name not in _OF_ROWS}
            for row in self.rows.values()
            if row["forced_action"] is None
        ]

    @property
    def rejected(self) -> dict[int, set[str]]:
        """Errors of rejected rows, by row number, as field and code."""
        return {number: _codes(row["faults"]) for number, row in self.rows.items() if row["forced_action"] == "reject"}

    @property
    def left_out(self) -> dict[int, set[str]]:
        """Values left out of leads, by row number, as field and code."""
        found = {number: _codes(row["faults"]) for number, row in self.rows.items() if row["forced_action"] is None}
        return {number: faults for number, faults in found.items() if faults}

    def column(self, field: str) -> list[Any]:
        """One field of all leads; a custom field by `custom:KEY`."""
        key = field.removeprefix("custom:")
        if key != field:
            return [lead.get("custom_fields", {}).get(key) for lead in self.leads]
        return [lead.get(field) for lead in self.leads]


def read_file(
    data: bytes,
    *,
    wanted: FileFormat | None = None,
    targets: Sequence[str] | None = None,
    fields: Mapping[str, Mapping[str, Any]] | None = None,
    **options: Any,  # noqa: ANN401  JSON
) -> ReadFile:
    """Parse a file. `targets`: instead of the detected ones. `options`: of the import.

    Raises: UnreadableFile.
    """
    check = Utf8Check()
    check.add(data, final=True)
    known = KnownFile(len(data), check.utf8, check.invalid, wanted, header_wanted=wanted is not None)
    analysis = analyse(io.BytesIO(data), known)
    chosen = ImportOptions.model_validate(options)
    request = {
        "format": stored_format(analysis.format),
        "targets": list(targets or [column.target for column in analysis.columns]),
        "owners": {name: str(id_) for name, id_ in OWNERS.items()},
        "fields": fields or {},
        "defaults": {"source": "import", "owner": None, "country": chosen.country},
        "invalid": chosen.invalid,
        "keeps_cells": False,
        "after": 0,
        "size": len(data),
        "batch": 1000,
    }
    rows: dict[int, Mapping[str, Any]] = {}
    filled: list[str] = []
    for batch in read_rows(io.BytesIO(data), request):
        records, _, filled, _ = batch
        for record in records:
            row = dict(zip(COLUMNS, record, strict=True))
            for name in ("custom_fields", "faults", "raw"):
                row[name] = json.loads(row[name]) if row[name] else None
            rows[row["row_no"]] = row
    return ReadFile(analysis, rows, filled)


_OF_ROWS = ("row_no", "forced_action", "reason", "lead_id", "faults", "raw", "new_source", "new_owner_id", "email_norm")


def _codes(faults: Sequence[Mapping[str, str]] | None) -> set[str]:
    return {f"{fault['field']} {fault['code']}" for fault in faults or ()}
