"""SQL that writes many leads, from temporary tables that this module creates and fills.

A chunk of 10,000 leads, their timeline and their images takes a few statements. Rows are joined with the table by key,
one lookup each: without statistics of the temporary tables, PostgreSQL would otherwise read the whole table of leads.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.domains.leads.catalog import PLAIN_FIELDS, TEXT_FIELDS
from leadflood.domains.leads.contracts.bulk_write import IncomingRows, WriteContext
from leadflood.kernel.db import planner
from leadflood.kernel.db.sql import assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

_TABLES = (
    # New leads.
    assemble(
        sql("""
CREATE TEMPORARY TABLE incoming_leads (
    id uuid NOT NULL, email text, email_norm text COLLATE "C", {fields}, custom_fields jsonb
) ON COMMIT DROP
"""),
        fields=PLAIN_FIELDS.sql(sql("{field} {type}")),
    ),
    # Changes of existing ones.
    sql("""
CREATE TEMPORARY TABLE incoming_changes (
    lead_id uuid NOT NULL, version integer, changes jsonb NOT NULL
) ON COMMIT DROP
"""),
)

# New leads, column by column by name.
_PUT_CREATES = sql("""
INSERT INTO incoming_leads (id, email, email_norm, {fields}, custom_fields)
SELECT id, email, email_norm, {fields}, custom_fields FROM ({rows}) AS given
""")

# Changes, column by column by name.
_PUT_CHANGES = sql("""
INSERT INTO incoming_changes (lead_id, version, changes) SELECT lead_id, version, changes FROM ({rows}) AS given
""")

CREATE = assemble(
    sql_file("leadflood.domains.leads.sql", "create_incoming"),
    fields=TEXT_FIELDS.columns,
    new_fields=TEXT_FIELDS.new_columns,
    pairs=TEXT_FIELDS.sql(sql("'{field}', {field}")),
)
CHANGE = assemble(
    sql_file("leadflood.domains.leads.sql", "change_incoming"),
    fields=TEXT_FIELDS.sql(sql("{field} = coalesce(c.changes -> '{field}' ->> 1, l.{field})")),
)

# New leads that were skipped.
NOT_CREATED = sql("""
SELECT i.id FROM incoming_leads i
WHERE NOT EXISTS (SELECT FROM leads l WHERE l.workspace_id = :workspace_id AND l.id = i.id)
""")

# Lock the leads of changes in ID order, like all changes of many leads.
LOCK = sql("""
SELECT count(*) FROM (
    SELECT FROM incoming_changes c
    JOIN leads l ON l.workspace_id = :workspace_id AND l.id = c.lead_id AND l.deleted_at IS NULL
    ORDER BY l.id FOR NO KEY UPDATE OF l
) AS locked
""")

# Changes that were skipped: the lead is deleted, already has the values, or was edited.
NOT_CHANGED = sql("""
SELECT c.lead_id, l.id IS NULL AS deleted,
       l.id IS NOT NULL AND NOT EXISTS (
           SELECT FROM jsonb_each(c.changes) e
           WHERE coalesce(lead_image(l) -> e.key, 'null') <> e.value -> 1) AS unchanged
FROM incoming_changes c
LEFT JOIN leads l ON l.workspace_id = :workspace_id AND l.id = c.lead_id AND l.deleted_at IS NULL
WHERE NOT EXISTS (SELECT FROM lead_changes h
                  WHERE h.workspace_id = :workspace_id AND h.changeset_id = :changeset_id AND h.lead_id = c.lead_id)
""")


@dataclass(frozen=True, slots=True)
class SkippedLead:
    """A skipped lead: deleted, unchanged, or else edited."""

    lead_id: UUID
    deleted: bool
    unchanged: bool


async def put(tx: Transaction, rows: IncomingRows) -> None:
    """Create the temporary tables and fill them with a chunk.

    Raises: asyncpg.PostgresError: a column is missing or has another type.
    """
    for table in _TABLES:
        await tx.execute(table)
    await planner.apply(tx, planner.INCOMING)
    if rows.creates_count:
        await tx.execute(assemble(_PUT_CREATES, fields=PLAIN_FIELDS.columns, rows=rows.creates), rows.values)
    if rows.changes_count:
        await tx.execute(assemble(_PUT_CHANGES, rows=rows.changes), rows.values)


async def create(tx: Transaction, context: WriteContext) -> list[UUID]:
    """Insert the new leads. Returns their IDs: those whose email an active lead has are skipped."""
    created: list[UUID] = await tx.scalar(CREATE, _parameters(context))
    return created


async def not_created(tx: Transaction, context: WriteContext) -> list[UUID]:
    """The IDs of new leads that `create` skipped."""
    rows = await tx.all(NOT_CREATED, {"workspace_id": context.actor.workspace_id})
    return [row.id for row in rows]


async def lock(tx: Transaction, context: WriteContext) -> None:
    """Lock the leads to change."""
    await tx.execute(LOCK, {"workspace_id": context.actor.workspace_id})


async def change(tx: Transaction, context: WriteContext) -> list[UUID]:
    """Change leads. Returns their IDs: values that no longer match are skipped."""
    changed: list[UUID] = await tx.scalar(CHANGE, _parameters(context))
    return changed


async def not_changed(tx: Transaction, context: WriteContext) -> list[SkippedLead]:
    """The leads that `change` skipped, with the reason."""
    values = {"workspace_id": context.actor.workspace_id, "changeset_id": context.changeset_id}
    return [SkippedLead(**row) for row in await tx.all(NOT_CHANGED, values)]


def _parameters(context: WriteContext) -> dict[str, Any]:
    """One event ID serves all entries of the chunk: each is in the timeline of its own lead."""
    return {
        "workspace_id": context.actor.workspace_id,
        "changeset_id": context.changeset_id,
        "event_id": new_id(),
        "actor_kind": context.actor.kind,
        "actor_id": context.actor.id,
        "origin": str(context.import_id),
    }
