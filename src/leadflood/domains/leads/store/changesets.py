"""SQL that writes changesets: what was changed, as it was before and after, and the three-way undo.

An image of a lead is what the function `lead_image` of the schema makes of it: its columns, and each custom field by
itself as `custom_fields.<key>`. `before` and `after` hold only what differs, by `lead_difference`; `after` of a created
lead is its whole image without nulls. A statement that changes leads keeps the images itself:

    WITH before AS (SELECT id, lead_image(l) AS image FROM leads l WHERE …),  -- locked in an earlier statement
         changed AS (UPDATE leads … RETURNING id, lead_image(leads) AS image)
    INSERT INTO lead_changes SELECT …, d.before, d.after
    FROM changed JOIN before USING (id) CROSS JOIN LATERAL lead_difference(before.image, changed.image) d
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.leads.columns import CHANGESET
from leadflood.domains.leads.models import ChangesetStatus
from leadflood.kernel.actor import Actor
from leadflood.kernel.changesets import StoredChange, UndoChunk
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# A new changeset, `open`.
_INSERT = sql("""
INSERT INTO lead_changesets (workspace_id, id, kind, subject_kind, label, request, actor_kind, actor_id, wanted)
VALUES (:workspace_id, :changeset_id, :kind, :subject_kind, :label, :request, :actor_kind, :actor_id, :wanted)
""")

# A changeset, locked: chunks of one changeset are serialized.
_LOCK = assemble(
    sql("""
SELECT {columns} FROM lead_changesets WHERE workspace_id = :workspace_id AND id = :changeset_id FOR NO KEY UPDATE
"""),
    columns=CHANGESET,
)

# Set the job that writes the changeset.
_SET_JOB = sql("""
UPDATE lead_changesets SET job_id = :job_id WHERE workspace_id = :workspace_id AND id = :changeset_id
""")

# Store the position up to which leads are changed.
_SET_POSITION = sql("""
UPDATE lead_changesets SET position = :position WHERE workspace_id = :workspace_id AND id = :changeset_id
""")

# Record that the changeset created these leads.
RECORD_CREATED = sql("""
INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, after)
SELECT l.workspace_id, :changeset_id, l.id, 'created',
       jsonb_strip_nulls(lead_image(l)) - '{email_norm,search_text}'::text[]
FROM leads l
WHERE l.workspace_id = :workspace_id AND l.id = ANY(:lead_ids)
""")

# The image of a lead, which is locked.
_IMAGE = sql("SELECT lead_image(l)::text FROM leads l WHERE l.workspace_id = :workspace_id AND l.id = :lead_id")

# Store the change of a lead since its image was taken.
_RECORD_UPDATED = sql("""
INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, before, after)
SELECT l.workspace_id, :changeset_id, l.id, 'updated', d.before, d.after
FROM leads l CROSS JOIN LATERAL lead_difference(:image::text::jsonb, lead_image(l)) d
WHERE l.workspace_id = :workspace_id AND l.id = :lead_id
""")

# Store undo data of operations of other domains. The leads themselves did not change.
_RECORD_RELATED = sql("""
INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, before, after, related)
SELECT :workspace_id, :changeset_id, n.lead_id, 'updated', '{}', '{}',
       jsonb_build_object(:operation::text, n.data::jsonb)
FROM unnest(:lead_ids::uuid[], :data::text[]) AS n (lead_id, data)
""")

# Store changes of subjects with their values before and after.
_RECORD_CHANGES = sql("""
INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, before, after)
SELECT :workspace_id, :changeset_id, n.id, n.change, n.before::jsonb, n.after::jsonb
FROM unnest(:ids::uuid[], :changes::text[], :befores::text[], :afters::text[]) AS n (id, change, before, after)
""")

# The changes of a chunk of a changeset.
_CHANGES = sql("""
SELECT lead_id AS subject_id, change, before, after FROM lead_changes
WHERE workspace_id = :workspace_id AND changeset_id = :changeset_id AND lead_id > :after AND lead_id <= :until
ORDER BY lead_id
""")

# Add to the counts of an open changeset.
ADVANCE = sql("""
UPDATE lead_changesets
SET done = done + :done, created = created + :created, updated = updated + :updated, deleted = deleted + :deleted,
    restored = restored + :restored, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :changeset_id AND status = 'open'
""")

# Change the state of a changeset from the expected one.
_TRANSITION = sql("""
UPDATE lead_changesets
SET status = :status, updated_at = now(),
    applied_at = CASE WHEN :status = 'applied' THEN coalesce(applied_at, now()) ELSE applied_at END,
    undone_at = CASE WHEN :status = 'undone' THEN now() END
WHERE workspace_id = :workspace_id AND id = :changeset_id AND status = :expected
""")

# Changesets that are being written or undone are kept: once applied, they can be undone for the full period.
_PURGE_EXPIRED = sql("""
UPDATE lead_changesets SET forgotten_at = now()
WHERE updated_at < now() - make_interval(days => :days) AND forgotten_at IS NULL AND status IN ('applied', 'undone')
""")

# Delete some images of expired changesets.
_PURGE_CHANGES = sql("""
DELETE FROM lead_changes WHERE (workspace_id, changeset_id, lead_id) IN (
    SELECT c.workspace_id, c.changeset_id, c.lead_id
    FROM lead_changesets s
    JOIN lead_changes c ON c.workspace_id = s.workspace_id AND c.changeset_id = s.id
    WHERE s.forgotten_at IS NOT NULL LIMIT :batch
)
""")

# Delete expired changesets.
_PURGE_CHANGESETS = sql("DELETE FROM lead_changesets WHERE forgotten_at IS NOT NULL")


async def insert_changeset(
    tx: Transaction, actor: Actor, *, kind: str, subject: str, label: str, wanted: int, request: Mapping[str, Any]
) -> UUID:
    """A new changeset, `open`. Returns its id."""
    changeset_id = new_id()
    row = {
        "workspace_id": actor.workspace_id,
        "changeset_id": changeset_id,
        "kind": kind,
        "subject_kind": subject,
        "label": label,
        "request": json.dumps(dict(request)),
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "wanted": wanted,
    }
    await tx.execute(_INSERT, row)
    return changeset_id


async def lock_changeset(tx: Transaction, workspace_id: UUID, changeset_id: UUID) -> Row | None:
    """A changeset, locked for this transaction: chunks of one changeset are serialized."""
    return await tx.first(_LOCK, {"workspace_id": workspace_id, "changeset_id": changeset_id})


async def record_created(tx: Transaction, workspace_id: UUID, changeset_id: UUID, lead_ids: Sequence[UUID]) -> int:
    """Record that the changeset created these existing leads. Returns the number."""
    values = {"workspace_id": workspace_id, "changeset_id": changeset_id, "lead_ids": list(lead_ids)}
    return await tx.changed(RECORD_CREATED, values)


async def image_of(tx: Transaction, workspace_id: UUID, lead_id: UUID) -> str:
    """The image of a locked lead, as JSON."""
    image: str = await tx.scalar(_IMAGE, {"workspace_id": workspace_id, "lead_id": lead_id})
    return image


async def record_updated(tx: Transaction, workspace_id: UUID, changeset_id: UUID, lead_id: UUID, *, image: str) -> None:
    """Store how a lead differs from its earlier image."""
    values = {"workspace_id": workspace_id, "changeset_id": changeset_id, "lead_id": lead_id, "image": image}
    await tx.execute(_RECORD_UPDATED, values)


async def record_related(
    tx: Transaction, workspace_id: UUID, changeset_id: UUID, operation: str, changed: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """Store the undo data of an operation of another domain, by lead."""
    values = {"workspace_id": workspace_id, "changeset_id": changeset_id, "operation": operation}
    data = [json.dumps(dict(item)) for item in changed.values()]
    await tx.execute(_RECORD_RELATED, {**values, "lead_ids": list(changed), "data": data})


async def advance(tx: Transaction, workspace_id: UUID, changeset_id: UUID, counts: Mapping[str, int]) -> bool:
    """Add to the counts of an open changeset; False if it is not open."""
    nothing = {"done": 0, "created": 0, "updated": 0, "deleted": 0, "restored": 0}
    values = {**nothing, **counts, "workspace_id": workspace_id, "changeset_id": changeset_id}
    return await tx.changed(ADVANCE, values) == 1


async def transition(
    tx: Transaction, workspace_id: UUID, changeset_id: UUID, *, expected: ChangesetStatus, status: ChangesetStatus
) -> bool:
    """Change the state of a changeset from the expected one."""
    values = {"workspace_id": workspace_id, "changeset_id": changeset_id, "expected": expected, "status": status}
    return await tx.changed(_TRANSITION, values) == 1


async def set_job(tx: Transaction, workspace_id: UUID, changeset_id: UUID, job_id: UUID) -> None:
    """Set the job that writes a changeset, which is locked or new."""
    await tx.execute(_SET_JOB, {"workspace_id": workspace_id, "changeset_id": changeset_id, "job_id": job_id})


async def set_position(
    tx: Transaction, workspace_id: UUID, changeset_id: UUID, position: Mapping[str, Any] | None
) -> None:
    """Store the write position of a locked changeset."""
    kept = None if position is None else json.dumps(position)
    await tx.execute(_SET_POSITION, {"workspace_id": workspace_id, "changeset_id": changeset_id, "position": kept})


async def purge_expired(tx: Transaction, *, days: int) -> int:
    """End the undo period of changesets applied or undone `days` ago, over all workspaces. Returns the number."""
    return await tx.changed(_PURGE_EXPIRED, {"days": days})


async def purge_changes(tx: Transaction, *, batch: int) -> int:
    """Delete up to `batch` images of expired changesets, and expired changesets without any. Returns the number."""
    removed = await tx.changed(_PURGE_CHANGES, {"batch": batch})
    if removed < batch:
        await tx.execute(_PURGE_CHANGESETS)
    return removed


async def record_changes(
    tx: Transaction, workspace_id: UUID, changeset_id: UUID, changes: Sequence[StoredChange]
) -> None:
    """Store changes of subjects other than leads, whose changes are stored with their images.

    Raises: asyncpg.IntegrityConstraintViolationError: the changeset has one of the subjects already.
    """
    values = {
        "workspace_id": workspace_id,
        "changeset_id": changeset_id,
        "ids": [item.subject_id for item in changes],
        "changes": [item.change for item in changes],
        "befores": [None if item.before is None else json.dumps(dict(item.before)) for item in changes],
        "afters": [json.dumps(dict(item.after)) for item in changes],
    }
    await tx.execute(_RECORD_CHANGES, values)


async def changes_of(tx: Transaction, workspace_id: UUID, changeset_id: UUID, chunk: UndoChunk) -> list[StoredChange]:
    """The changes of a chunk, in the order of their subjects."""
    keys = {"workspace_id": workspace_id, "changeset_id": changeset_id, "after": chunk.after, "until": chunk.until}
    return [StoredChange(**row) for row in await tx.all(_CHANGES, keys)]
