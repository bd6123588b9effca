"""SQL that writes leads and their timeline. Every state change names the state it expects."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from leadflood.domains.leads.catalog import LEAD_FIELDS, PLAIN_FIELDS
from leadflood.domains.leads.columns import LEAD
from leadflood.domains.leads.contracts import NewLead
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.domains.leads.events import LeadEventKind
from leadflood.domains.leads.models import DirectTransition, LeadStatus
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import Sql, assemble, assignments, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

INSERT = assemble(
    sql_file("leadflood.domains.leads.sql", "insert"),
    arrays=PLAIN_FIELDS.sql(sql(":{field}::{type}[]")),
    fields=PLAIN_FIELDS.columns,
)

# In id order, and NO KEY: rows that refer to the lead go on being written.
LOCK_MANY = sql("""
SELECT id, email, email_norm, first_name, last_name, company, job_title, phone, website, country
FROM leads
WHERE workspace_id = :workspace_id AND id = ANY (:lead_ids) AND deleted_at IS NULL
ORDER BY id
FOR NO KEY UPDATE
""")

# Lock those of the leads that live, as HOLD does; their ids alone.
LOCK_ACTIVE = sql("""
WITH held AS (
    SELECT id FROM leads
    WHERE workspace_id = :workspace_id AND id = ANY (:lead_ids) AND deleted_at IS NULL
    ORDER BY id
    FOR NO KEY UPDATE
)
SELECT array_agg(id ORDER BY id) AS ids FROM held
""")

# Take leads from one of the expected states to another, with an entry in the timeline of each.
TRANSITION = sql("""
WITH moved AS (
    UPDATE leads
    SET status = :status::text, error = :error::text, updated_at = now(), version = version + 1,
        enriched_at = CASE WHEN :status::text = 'enriched' THEN now() ELSE enriched_at END
    WHERE workspace_id = :workspace_id::uuid AND id = ANY (:lead_ids::uuid[]) AND status = ANY (:expected::text[])
    RETURNING id, version
)
INSERT INTO lead_events (workspace_id, lead_id, id, kind, actor_kind, actor_id, data)
SELECT :workspace_id::uuid, given.lead_id, given.event_id, :event::text, :actor_kind::text,
       :actor_id::uuid, given.data::jsonb || jsonb_build_object('version', moved.version)
FROM unnest(:lead_ids::uuid[], :event_ids::uuid[], :data::text[]) AS given (lead_id, event_id, data)
JOIN moved ON moved.id = given.lead_id
RETURNING lead_id
""")

DIRECT_TRANSITION = sql_file("leadflood.domains.leads.sql", "pass_through")

# The living leads with these addresses.
_EXISTING = sql("""
SELECT email_norm, id FROM leads
WHERE workspace_id = :workspace_id AND email_norm = ANY (:email_norms) AND deleted_at IS NULL
""")

# A living or a deleted lead, locked. NO KEY: rows that refer to the lead go on being written.
_LOCK = assemble(
    sql("""
SELECT {columns} FROM leads
WHERE workspace_id = :workspace_id AND id = :lead_id AND (deleted_at IS NOT NULL) = :deleted
FOR NO KEY UPDATE
"""),
    columns=LEAD,
)

# In id order, as everything that locks several.
_LOCK_FOR_ERASURE = sql("""
SELECT FROM leads WHERE workspace_id = :workspace_id AND id = ANY (:lead_ids) ORDER BY id FOR UPDATE
""")

# Change some fields of a lead.
_UPDATE = sql("""
UPDATE leads SET {assignments}
WHERE workspace_id = :workspace_id AND id = :lead_id AND version = :expected_version AND deleted_at IS NULL
""")

_FIELDS: Mapping[str, Sql] = {
    **{field.name: assemble(sql("{field} = :{field}"), field=field.column) for field in LEAD_FIELDS if field.updatable},
    "version": sql("version = version + 1, updated_at = now()"),
    "email_norm": sql("email_norm = :email_norm"),
    "custom_fields": sql("custom_fields = :custom_fields"),
}
"""The columns that a change may set."""

# Delete or restore a lead that is not, or is, deleted.
_SET_DELETED = sql("""
UPDATE leads SET deleted_at = CASE WHEN :deleted THEN now() END, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :lead_id AND (deleted_at IS NOT NULL) <> :deleted
""")

# Add an entry to the timeline of each of these leads.
_RECORD = sql("""
INSERT INTO lead_events (workspace_id, lead_id, id, kind, actor_kind, actor_id, data)
SELECT :workspace_id, lead_id, id, :kind, :actor_kind, :actor_id, data::jsonb
FROM unnest(:lead_ids::uuid[], :ids::uuid[], :data::text[]) AS entry (lead_id, id, data)
""")

# The undo of a restore puts an old `deleted_at` back, so both times count. What a change deleted is kept for as long as
# the change can be undone; only changes that were written over a long time are older than a deletion of theirs.
PURGE = sql("""
DELETE FROM leads WHERE (workspace_id, id) IN (
    SELECT l.workspace_id, l.id FROM leads l
    WHERE l.deleted_at < now() - make_interval(days => :days) AND l.updated_at < now() - make_interval(days => :days)
      AND NOT EXISTS (
          SELECT FROM lead_changesets s
          JOIN lead_changes c ON c.workspace_id = s.workspace_id AND c.changeset_id = s.id AND c.lead_id = l.id
          WHERE s.workspace_id = l.workspace_id AND s.forgotten_at IS NULL AND s.status <> 'undone'
            AND s.created_at < now() - make_interval(days => :days) AND c.change = 'deleted')
    LIMIT :batch
)
RETURNING workspace_id, id
""")


async def insert_leads(tx: Transaction, workspace_id: UUID, new: Sequence[NewLead]) -> set[UUID]:
    """Insert leads with their first entries. Returns the ids of those whose address no living lead had.

    Waits for concurrent inserts of the same addresses to end.

    Raises: asyncpg.IntegrityConstraintViolationError: an unknown owner.
    """
    commands = [lead.command for lead in new]
    columns = {
        "ids": [lead.id for lead in new],
        "emails": [command.email.display for command in commands],
        "email_norms": [command.email.norm for command in commands],
        **{field.name: [getattr(command, field.name) for command in commands] for field in PLAIN_FIELDS},
        "source": [lead.source for lead in new],
        "custom_fields": [json.dumps(command.custom_fields) if command.custom_fields else "{}" for command in commands],
        "job_ids": [lead.job_id for lead in new],
        "event_ids": [new_id() for _ in new],
        "actor_kinds": [lead.actor.kind for lead in new],
        "actor_ids": [lead.actor.id for lead in new],
    }
    rows = await tx.all(INSERT, {"workspace_id": workspace_id, "kind": LeadEventKind.CREATED, **columns})
    return {row.id for row in rows}


async def lock_for_erasure(tx: Transaction, workspace_id: UUID, lead_ids: Collection[UUID]) -> None:
    """Lock leads, deleted ones included, so that nothing that refers to them is written until they are gone."""
    await tx.execute(_LOCK_FOR_ERASURE, {"workspace_id": workspace_id, "lead_ids": sorted(lead_ids)})


async def lock(tx: Transaction, workspace_id: UUID, lead_id: UUID, *, deleted: bool = False) -> Row | None:
    """A living (or a deleted) lead, locked for this transaction."""
    return await tx.first(_LOCK, {"workspace_id": workspace_id, "lead_id": lead_id, "deleted": deleted})


async def update_lead(
    tx: Transaction, workspace_id: UUID, lead_id: UUID, *, expected_version: int, values: Mapping[str, Any]
) -> bool:
    """Change fields of a lead at the version expected. `values`: by column.

    Raises: asyncpg.IntegrityConstraintViolationError: the address is taken, or the owner is not a member.
    """
    statement = assemble(_UPDATE, assignments=assignments(_FIELDS, [*values, "version"]))
    keys = {"workspace_id": workspace_id, "lead_id": lead_id, "expected_version": expected_version}
    written = dict(values)
    if "custom_fields" in written:
        written["custom_fields"] = json.dumps(written["custom_fields"])
    return await tx.changed(statement, {**written, **keys}) == 1


async def set_deleted(tx: Transaction, workspace_id: UUID, lead_id: UUID, *, deleted: bool) -> bool:
    """Delete, or restore.

    Raises: asyncpg.IntegrityConstraintViolationError: on restoring when the address is taken again.
    """
    return await tx.changed(_SET_DELETED, {"workspace_id": workspace_id, "lead_id": lead_id, "deleted": deleted}) == 1


async def lock_many(tx: Transaction, workspace_id: UUID, lead_ids: Collection[UUID]) -> dict[UUID, LeadDetails]:
    """Those of the leads that live, locked for this transaction, by id."""
    rows = await tx.all(LOCK_MANY, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return {row.id: LeadDetails.of(row) for row in rows}


async def lock_active(tx: Transaction, workspace_id: UUID, lead_ids: Collection[UUID]) -> list[UUID]:
    """As `hold`, of which only the ids are given, in their order."""
    ids: list[UUID] | None = await tx.scalar(LOCK_ACTIVE, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return ids or []


async def transition(
    tx: Transaction,
    actor: Actor,
    transitions: Sequence[tuple[UUID, Mapping[str, Any]]],
    *,
    expected: Collection[LeadStatus],
    status: LeadStatus,
    event: LeadEventKind,
    error: str | None,
) -> set[UUID]:
    """Move leads from one of the expected states, each with an entry in its timeline.

    Deleted ones move, too: they may come back.

    Args: transitions: a lead, and what its entry says. Returns: those that moved.
    """
    values = {
        "workspace_id": actor.workspace_id,
        "lead_ids": [lead_id for lead_id, _ in transitions],
        "event_ids": [new_id() for _ in transitions],
        "data": [json.dumps(dict(data)) for _, data in transitions],
        "expected": sorted(expected),
        "status": status,
        "error": error,
        "event": event,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
    }
    return {row.lead_id for row in await tx.all(TRANSITION, values)}


async def direct_transition(
    tx: Transaction, actor: Actor, passes: Sequence[DirectTransition], *, expected: Collection[LeadStatus]
) -> None:
    """As `move`, from one of the expected states through `processing` to `enriched`."""
    values = {
        "workspace_id": actor.workspace_id,
        "lead_ids": [item.lead_id for item in passes],
        "begun_ids": [new_id() for _ in passes],
        "ended_ids": [new_id() for _ in passes],
        "begun_at": [item.begun_at for item in passes],
        "begun": [to_json(item.begun).decode() for item in passes],
        "ended": [to_json(item.ended).decode() for item in passes],
        "expected": sorted(expected),
        "begun_kind": LeadEventKind.ENRICHMENT_STARTED,
        "ended_kind": LeadEventKind.ENRICHMENT_COMPLETED,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
    }
    await tx.execute(DIRECT_TRANSITION, values)


async def purge(tx: Transaction, *, days: int, batch: int) -> list[tuple[UUID, UUID]]:
    """Remove up to `batch` leads that were deleted more than `days` ago. Returns workspace and id of each."""
    return [(row.workspace_id, row.id) for row in await tx.all(PURGE, {"days": days, "batch": batch})]


async def record(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID], kind: str, data: Mapping[str, Any]) -> None:
    """Add one entry to the timeline of each lead."""
    await record_each(tx, actor, kind, dict.fromkeys(lead_ids, data))


async def record_each(tx: Transaction, actor: Actor, kind: str, entries: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Add one entry to the timeline of each lead, with data of its own."""
    await tx.execute(
        _RECORD,
        {
            "workspace_id": actor.workspace_id,
            "kind": kind,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "lead_ids": list(entries),
            "ids": [new_id() for _ in entries],
            "data": [json.dumps(dict(data)) for data in entries.values()],
        },
    )


async def existing_ids(tx: Transaction, workspace_id: UUID, email_norms: Sequence[str]) -> dict[str, UUID]:
    """The living leads with these addresses, by address."""
    rows = await tx.all(_EXISTING, {"workspace_id": workspace_id, "email_norms": list(email_norms)})
    return {row.email_norm: row.id for row in rows}
