"""SQL that reads rows to compare with each other, and stores the notices about them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from leadflood.domains.imports.models.column_detection import Notice
from leadflood.domains.imports.models.notices import NamedRow
from leadflood.domains.imports.store import StoredImport
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction

# The first rows that become or change a lead. Rows that were combined with an earlier one are part of that.
_PEOPLE = assemble(
    sql("""
SELECT row_no, {fields}, coalesce(custom_fields, '{}') AS custom_fields FROM import_rows
WHERE workspace_id = :workspace_id AND import_id = :import_id AND action IN ('create', 'update', 'unchanged')
ORDER BY row_no LIMIT :limit
"""),
    fields=LEAD_FIELDS.where(lambda field: field.personal).columns,
)

# Replace the notices with these codes.
_REPLACE_NOTICES = sql("""
UPDATE imports SET notices = :notices::jsonb || coalesce((
    SELECT jsonb_agg(n ORDER BY place) FROM jsonb_array_elements(notices) WITH ORDINALITY AS o (n, place)
    WHERE n ->> 'code' <> ALL (:codes::text[])), '[]')
WHERE workspace_id = :workspace_id AND id = :import_id
""")


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A row with a lead: its number, and its personal fields and custom fields by column."""

    number: int
    values: Mapping[str, Any]

    @property
    def named(self) -> NamedRow:
        """Number and email."""
        return self.number, self.values["email"]


async def people(tx: Transaction, found: StoredImport, *, limit: int) -> list[PersonRow]:
    """The first rows with a lead, in the order of the file."""
    rows = await tx.all(_PEOPLE, {**found.key, "limit": limit})
    return [PersonRow(row.row_no, dict(row)) for row in rows]


async def replace_notices(
    tx: Transaction, found: StoredImport, *, codes: Sequence[str], notices: Sequence[Notice]
) -> None:
    """Store notices in place of those with these codes."""
    values = {"codes": list(codes), "notices": json.dumps([asdict(notice) for notice in notices])}
    await tx.execute(_REPLACE_NOTICES, {**found.key, **values})
