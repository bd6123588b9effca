"""SQL that writes many leads at a time, from temporary tables that this module makes and fills.

A chunk of 10,000 leads, their timeline and their images takes a handful of statements. Rows meet the table by key, one
look-up each: with no statistics of the temporary tables, PostgreSQL would read the whole table of leads for them.
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
    pairs=TEXT_FIELDS.sql(sql("'{field}', {field}")),
)
CHANGE = assemble(
    sql_file("leadflood.domains.leads.sql", "change_incoming"),
    fields=TEXT_FIELDS.sql(sql("{field} = coalesce(c.changes -> '{field}' ->> 1, l.{field})")),
)

# New leads that were left out.
NOT_CREATED = sql("""
SELECT i.id FROM incoming_leads i
WHERE NOT EXISTS (SELECT FROM leads l WHERE l.workspace_id = :workspace_id AND l.id = i.id)
""")

# Lock the leads of changes in the order of ids, as all that changes many does.
LOCK = sql("""
SELECT count(*) FROM (
    SELECT FROM incoming_changes c
    JOIN leads l ON l.workspace_id = :workspace_id AND l.id = c.lead_id AND l.deleted_at IS NULL
    ORDER BY l.id FOR NO KEY UPDATE OF l
) AS locked
""")

# Changes that were left out: the lead is gone, has the values already, or was edited.
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
    """A lead that was not changed: gone, the same already, or else edited."""

    lead_id: UUID
    deleted: bool
    unchanged: bool


async def put(tx: Transaction, rows: IncomingRows) -> None:
    """Make the temporary tables and fill them with a chunk.

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
    """Insert the new leads. Returns which: an address that a living lead has is left out."""
    created: list[UUID] = await tx.scalar(CREATE, _parameters(context))
    return created


async def not_created(tx: Transaction, context: WriteContext) -> list[UUID]:
    """The ids of new leads that `create` left out."""
    rows = await tx.all(NOT_CREATED, {"workspace_id": context.actor.workspace_id})
    return [row.id for row in rows]


async def lock(tx: Transaction, context: WriteContext) -> None:
    """Lock the leads that change."""
    await tx.execute(LOCK, {"workspace_id": context.actor.workspace_id})


async def change(tx: Transaction, context: WriteContext) -> list[UUID]:
    """Change leads. Returns which: what is no longer as it was, is left as it is."""
    changed: list[UUID] = await tx.scalar(CHANGE, _parameters(context))
    return changed


async def not_changed(tx: Transaction, context: WriteContext) -> list[SkippedLead]:
    """What `change` left out."""
    values = {"workspace_id": context.actor.workspace_id, "changeset_id": context.changeset_id}
    return [SkippedLead(**row) for row in await tx.all(NOT_CHANGED, values)]


def _parameters(context: WriteContext) -> dict[str, Any]:
    """One id serves all entries of the chunk: each is in the timeline of its own lead."""
    return {
        "workspace_id": context.actor.workspace_id,
        "changeset_id": context.changeset_id,
        "event_id": new_id(),
        "actor_kind": context.actor.kind,
        "actor_id": context.actor.id,
        "origin": str(context.import_id),
    }
