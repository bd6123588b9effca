"""SQL that writes the definitions of custom fields."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.fields.contracts import stored_options
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import Sql, assemble, assignments, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.field_types import FieldType, Option

# Changes of a workspace's fields wait for each other here, so that no position is used twice.
_LOCK_ALL = sql("SELECT pg_advisory_xact_lock(hashtextextended('custom_fields ' || :workspace_id::uuid::text, 0))")

# Fields of a subject in display order.
_ORDERED = sql("""
SELECT id, key FROM field_definitions WHERE workspace_id = :workspace_id AND subject = :subject ORDER BY position, id
""")

# Insert fields at their positions.
_INSERT = sql("""
INSERT INTO field_definitions (workspace_id, id, subject, key, label, type, options, position)
SELECT :workspace_id, f.id, :subject, f.key, f.label, :type, :options, f.position
FROM unnest(:ids::uuid[], :keys::text[], :labels::text[], :positions::integer[]) AS f (id, key, label, position)
""")

# A field, locked.
_LOCK = sql("""
SELECT id, subject, key, label, type, options, archived_at IS NOT NULL AS archived, version
FROM field_definitions WHERE workspace_id = :workspace_id AND id = :field_id FOR UPDATE
""")

# Change some columns of a field.
_UPDATE = sql("""
UPDATE field_definitions SET {assignments}, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :field_id AND version = :expected_version
""")

_COLUMNS: Mapping[str, Sql] = {
    "label": sql("label = :label"),
    "type": sql("type = :type"),
    "options": sql("options = :options"),
    "archived": sql("archived_at = CASE WHEN :archived THEN coalesce(archived_at, now()) END"),
    "position": sql("position = position"),
}
"""The columns that a change can set. Positions are set for all fields together."""

# Set the positions of fields.
_ORDER = sql("""
UPDATE field_definitions f SET position = n.position - 1
FROM unnest(:field_ids::uuid[]) WITH ORDINALITY AS n (id, position)
WHERE f.workspace_id = :workspace_id AND f.id = n.id AND f.position <> n.position - 1
""")

# Delete a field. The values of its key stay, without a type.
_DELETE = sql("DELETE FROM field_definitions WHERE workspace_id = :workspace_id AND id = :field_id")


async def lock_order(tx: Transaction, workspace_id: UUID, subject: str) -> dict[UUID, str]:
    """The keys of a subject's fields by ID, in order; locked against insertion and reordering until the end."""
    await tx.execute(_LOCK_ALL, {"workspace_id": workspace_id})
    rows = await tx.all(_ORDERED, {"workspace_id": workspace_id, "subject": subject})
    return {row.id: row.key for row in rows}


async def insert_fields(
    tx: Transaction,
    workspace_id: UUID,
    subject: str,
    fields: Mapping[UUID, tuple[str, str]],
    *,
    kind: FieldType,
    options: Sequence[Option] = (),
    first: int,
) -> None:
    """Insert fields of one type. Args: fields: key and label by ID. first: position of the first one."""
    values = {
        "workspace_id": workspace_id,
        "subject": subject,
        "ids": list(fields),
        "keys": [key for key, _ in fields.values()],
        "labels": [label for _, label in fields.values()],
        "positions": list(range(first, first + len(fields))),
        "type": kind,
        "options": json.dumps(stored_options(options)),
    }
    await tx.execute(_INSERT, values)


async def lock_field(tx: Transaction, workspace_id: UUID, field_id: UUID) -> Row | None:
    """A field, locked for this transaction."""
    return await tx.first(_LOCK, {"workspace_id": workspace_id, "field_id": field_id})


async def update_field(
    tx: Transaction, workspace_id: UUID, field_id: UUID, *, expected_version: int, values: Mapping[str, Any]
) -> int:
    """Change a field at the expected version. Returns the number of changed rows."""
    keys = {"workspace_id": workspace_id, "field_id": field_id, "expected_version": expected_version}
    written = dict(values)
    if "options" in written:
        written["options"] = json.dumps(stored_options(written["options"]))
    return await tx.changed(assemble(_UPDATE, assignments=assignments(_COLUMNS, written)), {**written, **keys})


async def order_fields(tx: Transaction, workspace_id: UUID, field_ids: Sequence[UUID]) -> None:
    """Set the positions of fields, in this order from 0."""
    await tx.execute(_ORDER, {"workspace_id": workspace_id, "field_ids": list(field_ids)})


async def delete_field(tx: Transaction, workspace_id: UUID, field_id: UUID) -> int:
    """Delete a field. Returns the number of deleted rows."""
    return await tx.changed(_DELETE, {"workspace_id": workspace_id, "field_id": field_id})
