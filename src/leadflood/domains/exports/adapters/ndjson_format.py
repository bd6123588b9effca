"""NDJSON: one line per lead, as in the API."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from leadflood.domains.exports.models import (
    ALL,
    ALL_CUSTOM,
    CUSTOM,
    ENRICHED,
    FIELDS,
    FOUND,
    OWNER,
    ExportRecord,
    getter,
    resolved,
)
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS


class NdjsonEncoder:
    """Writes NDJSON."""

    def __init__(self, columns: Sequence[str]) -> None:
        """Args: columns: as requested; a star for custom fields means all that a lead has."""
        named = list(
            dict.fromkeys(name for column in columns for name in ([*FIELDS, FOUND] if column == ALL else [column]))
        )
        named = resolved(named, ())
        self._fields = [name for name in named if name in FIELDS]
        self._other = [name for name in named if name in (OWNER, FOUND) or name in LEAD_EXTENSIONS.file_columns]
        self._all_custom = ALL in columns or ALL_CUSTOM in columns
        self._custom = frozenset(_without(CUSTOM, named))
        self._enriched = _without(ENRICHED, named)
        self._whole = list(columns) == [ALL]

    def begin(self) -> bytes:
        """Nothing."""
        return b""

    def rows(self, records: Sequence[ExportRecord]) -> bytes:
        """One line per record."""
        return "".join(f"{self._line(record)}\n" for record in records).encode()

    def end(self) -> Iterable[bytes]:
        """Nothing."""
        return ()

    def close(self) -> None:
        """Nothing to release."""

    def _line(self, record: ExportRecord) -> str:
        view = record.lead
        if self._whole:
            return f'{view.model_dump_json()[:-1]},"{FOUND}":{json.dumps(record.found)}}}'
        known = view.model_dump(mode="json")
        shown: dict[str, Any] = {name: known[name] for name in self._fields}
        if self._all_custom or self._custom:
            fields = known["customFields"].items()
            shown["customFields"] = {key: value for key, value in fields if self._all_custom or key in self._custom}
        shown |= {name: getter(name)(record) for name in self._other}
        if self._enriched:
            shown["enriched"] = {name: record.enriched.get(name) for name in self._enriched}
        return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _without(prefix: str, columns: Sequence[str]) -> list[str]:
    return [column.removeprefix(prefix) for column in columns if column.startswith(prefix)]
