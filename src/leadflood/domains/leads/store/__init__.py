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
from leadflood.domains.leads.store.found_values import ASSIGNED, GIVEN, found_columns
from leadflood.domains.leads.timeline import TIMELINE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import EMPTY, Sql, assemble, assignments, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

INSERT = assemble(
    sql_file("leadflood.domains.leads.sql", "insert"),
    arrays=PLAIN_FIELDS.sql(sql(":{field}::{type}[]")),
    fields=PLAIN_FIELDS.columns,
    new_fields=PLAIN_FIELDS.new_columns,
)

# In ID order, and NO KEY: rows that reference the lead can still be written.
LOCK_MANY = assemble(
    sql("""
SELECT id, email_norm, {fields} FROM leads
WHERE workspace_id = :workspace_id AND id = ANY (:lead_ids) AND deleted_at IS NULL
ORDER BY id
FOR NO KEY UPDATE
"""),
    fields=LEAD_FIELDS.columns,
)

# Lock those of the leads that are active, like HOLD; only their IDs.
LOCK_ACTIVE = sql("""
WITH held AS (
    SELECT id FROM leads
    WHERE workspace_id = :workspace_id AND id = ANY (:lead_ids) AND deleted_at IS NULL
    ORDER BY id
    FOR NO KEY UPDATE
)
SELECT array_agg(id ORDER BY id) AS ids FROM held
""")

# Change the status of leads from one of the expected ones, with an entry in the timeline of each.
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

_DIRECT_TRANSITION = sql_file("leadflood.domains.leads.sql", "direct_transition")
DIRECT_TRANSITION = assemble(_DIRECT_TRANSITION, found=EMPTY, given=EMPTY, matched=EMPTY)
# The same, which also sets the found values of the leads.
DIRECT_TRANSITION_WITH_FOUND = assemble(
    _DIRECT_TRANSITION,
    found=assemble(sql(", {assigned}"), assigned=ASSIGNED),
    given=assemble(sql("FROM {given}\n    "), given=GIVEN),
    matched=sql(" AND id = given.lead_id"),
)

# The active leads with these emails.
_EXISTING = sql("""
SELECT email_norm, id FROM leads
WHERE workspace_id = :workspace_id AND email_norm = ANY (:email_norms) AND deleted_at IS NULL
""")

# An active or a deleted lead, locked. NO KEY: rows that reference the lead can still be written.
_LOCK = assemble(
    sql("""
SELECT {columns} FROM leads
WHERE workspace_id = :workspace_id AND id = :lead_id AND (deleted_at IS NOT NULL) = :deleted
FOR NO KEY UPDATE
"""),
    columns=LEAD,
)

# In ID order, like all statements that lock several.
_LOCK_FOR_ERASURE = sql("""
SELECT FROM leads WHERE workspace_id = :workspace_id AND id = ANY (:lead_ids) ORDER BY id FOR UPDATE
""")

# Update some fields of a lead.
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
"""The columns that a change can set."""

# Delete or restore a lead that is not, or is, deleted.
_SET_DELETED = sql("""
UPDATE leads SET deleted_at = CASE WHEN :deleted THEN now() END, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :lead_id AND (deleted_at IS NOT NULL) <> :deleted
""")

# The undo of a restore sets an old `deleted_at` again, so both times count. Leads deleted by a change are kept for as
# long as the change can be undone; only changes that took a long time are older than one of their deletions.
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
    """Insert leads with their first entries. Returns the IDs of those whose email no active lead had.

    Waits for concurrent inserts of the same emails to end.

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
    """Lock leads, deleted ones included, so that no references to them are written until they are gone."""
    await tx.execute(_LOCK_FOR_ERASURE, {"workspace_id": workspace_id, "lead_ids": sorted(lead_ids)})


async def lock(tx: Transaction, workspace_id: UUID, lead_id: UUID, *, deleted: bool = False) -> Row | None:
    """An active (or a deleted) lead, locked for this transaction."""
    return await tx.first(_LOCK, {"workspace_id": workspace_id, "lead_id": lead_id, "deleted": deleted})


async def update_lead(
    tx: Transaction, workspace_id: UUID, lead_id: UUID, *, expected_version: int, values: Mapping[str, Any]
) -> bool:
    """Update fields of a lead at the expected version. `values`: by column.

    Raises: asyncpg.IntegrityConstraintViolationError: the email is taken, or the owner is not a member.
    """
    statement = assemble(_UPDATE, assignments=assignments(_FIELDS, [*values, "version"]))
    keys = {"workspace_id": workspace_id, "lead_id": lead_id, "expected_version": expected_version}
    written = dict(values)
    if "custom_fields" in written:
        written["custom_fields"] = json.dumps(written["custom_fields"])
    return await tx.changed(statement, {**written, **keys}) == 1


async def set_deleted(tx: Transaction, workspace_id: UUID, lead_id: UUID, *, deleted: bool) -> bool:
    """Delete, or restore.

    Raises: asyncpg.IntegrityConstraintViolationError: on restoring if the email is taken again.
    """
    return await tx.changed(_SET_DELETED, {"workspace_id": workspace_id, "lead_id": lead_id, "deleted": deleted}) == 1


async def lock_many(tx: Transaction, workspace_id: UUID, lead_ids: Collection[UUID]) -> dict[UUID, LeadDetails]:
    """Those of the leads that are active, locked for this transaction, by ID."""
    rows = await tx.all(LOCK_MANY, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return {row.id: LeadDetails.of(row) for row in rows}


async def lock_active(tx: Transaction, workspace_id: UUID, lead_ids: Collection[UUID]) -> list[UUID]:
    """Like `hold`, with only the IDs, in their order."""
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
    """Change the status of leads from one of the expected ones, each with an entry in its timeline.

    Deleted ones, too: they can be restored.

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
    """Like `move`, from one of the expected states through `processing` to `enriched`, with their found values."""
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
    if any(item.found is not None for item in passes):
        found = found_columns([item.found or {} for item in passes])
        await tx.execute(DIRECT_TRANSITION_WITH_FOUND, {**values, **found})
    else:
        await tx.execute(DIRECT_TRANSITION, values)


async def purge(tx: Transaction, *, days: int, batch: int) -> list[tuple[UUID, UUID]]:
    """Delete up to `batch` leads that were deleted more than `days` ago. Returns workspace and ID of each."""
    return [(row.workspace_id, row.id) for row in await tx.all(PURGE, {"days": days, "batch": batch})]


async def record(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID], kind: str, data: Mapping[str, Any]) -> None:
    """Add one entry to the timeline of each lead."""
    await record_each(tx, actor, kind, dict.fromkeys(lead_ids, data))


async def record_each(tx: Transaction, actor: Actor, kind: str, entries: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Add an entry to the timeline of each lead, each with its own data."""
    await TIMELINE.record(tx, actor, kind=kind, entries=entries)


async def existing_ids(tx: Transaction, workspace_id: UUID, email_norms: Sequence[str]) -> dict[str, UUID]:
    """The active leads with these emails, by email."""
    rows = await tx.all(_EXISTING, {"workspace_id": workspace_id, "email_norms": list(email_norms)})
    return {row.email_norm: row.id for row in rows}
