"""SQL that writes changesets: what was changed, as it was before and after, and the three-way undo.

An image of a lead is what the function `lead_image` of the schema makes of it: its columns, and each custom field by
itself as `custom_fields.<key>`. `before` and `after` hold only what differs, by `lead_difference`; `after` of a created
lead is its whole image without nulls. A statement that changes leads keeps the images itself:

    WITH before AS (SELECT id, lead_image(l) AS image FROM leads l WHERE …),  -- locked in an earlier statement
         changed AS (UPDATE leads … RETURNING id, lead_image(leads) AS image)
    INSERT INTO lead_changes SELECT …, d.before, d.after
    FROM changed JOIN before USING (id) CROSS JOIN LATERAL lead_difference(before.image, changed.image) d
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, insert, select, update

from leadflood.domains.leads.models import ChangesetStatus
from leadflood.domains.leads.tables import lead_changesets
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

_KEYS = (bindparam("workspace_id", type_=Uuid), bindparam("changeset_id", type_=Uuid))

RECORD_CREATED = sql("""
INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, after)
SELECT l.workspace_id, :changeset_id, l.id, 'created',
       jsonb_strip_nulls(lead_image(l)) - '{email_norm,search_text}'::text[]
FROM leads l
WHERE l.workspace_id = :workspace_id AND l.id = ANY(:lead_ids)
""")

ADVANCE = sql("""
UPDATE lead_changesets
SET done = done + :done, created = created + :created, updated = updated + :updated, deleted = deleted + :deleted,
    restored = restored + :restored, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :changeset_id AND status = 'open'
""")

_MOVE = sql("""
UPDATE lead_changesets
SET status = :status, updated_at = now(),
    applied_at = CASE WHEN :status = 'applied' THEN coalesce(applied_at, now()) ELSE applied_at END,
    undone_at = CASE WHEN :status = 'undone' THEN now() END
WHERE workspace_id = :workspace_id AND id = :changeset_id AND status = :expected
""")

# What is still written or being undone is kept: it can be undone for all of its days once it is applied.
_FORGET = sql("""
UPDATE lead_changesets SET forgotten_at = now()
WHERE updated_at < now() - make_interval(days => :days) AND forgotten_at IS NULL AND status IN ('applied', 'undone')
""")

_PURGE_CHANGES = sql("""
DELETE FROM lead_changes WHERE (workspace_id, changeset_id, lead_id) IN (
    SELECT c.workspace_id, c.changeset_id, c.lead_id
    FROM lead_changesets s
    JOIN lead_changes c ON c.workspace_id = s.workspace_id AND c.changeset_id = s.id
    WHERE s.forgotten_at IS NOT NULL LIMIT :batch
)
""")

_PURGE_CHANGESETS = sql("DELETE FROM lead_changesets WHERE forgotten_at IS NOT NULL")


# What changes many leads looks each of them up by its key. Where the statistics are old, as in the hour after a first
# large import, PostgreSQL holds the table for tiny and reads it whole, once a lead.
_BY_KEYS = sql("""
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
       set_config('plan_cache_mode', 'force_custom_plan', true)
""")


async def look_up_by_keys(tx: Transaction) -> None:
    """Let the rest of this transaction read tables by index alone: for statements over thousands of leads."""
    await tx.execute(_BY_KEYS)


async def insert_changeset(
    tx: Transaction, actor: Actor, *, kind: str, label: str, wanted: int, request: Mapping[str, Any]
) -> UUID:
    """A new changeset, `open`. Returns its id."""
    changeset_id = new_id()
    row = {
        "workspace_id": actor.workspace_id,
        "id": changeset_id,
        "kind": kind,
        "label": label,
        "request": dict(request),
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "wanted": wanted,
    }
    await tx.execute(insert(lead_changesets).values(row))
    return changeset_id


async def lock_changeset(tx: Transaction, workspace_id: UUID, changeset_id: UUID) -> Row | None:
    """A changeset, locked for this transaction: chunks of one changeset follow each other."""
    query = select(lead_changesets).where(
        lead_changesets.c.workspace_id == workspace_id, lead_changesets.c.id == changeset_id
    )
    return await tx.first(query.with_for_update(key_share=True))


async def record_created(tx: Transaction, workspace_id: UUID, changeset_id: UUID, lead_ids: Sequence[UUID]) -> int:
    """Remember that the changeset created these leads, which are there already. Returns how many."""
    values = {"workspace_id": workspace_id, "changeset_id": changeset_id, "lead_ids": list(lead_ids)}
    return await tx.changed(RECORD_CREATED, values)


async def advance(tx: Transaction, workspace_id: UUID, changeset_id: UUID, counts: Mapping[str, int]) -> bool:
    """Add to the counts of an open changeset; False if it is not open."""
    nothing = {"done": 0, "created": 0, "updated": 0, "deleted": 0, "restored": 0}
    values = {**nothing, **counts, "workspace_id": workspace_id, "changeset_id": changeset_id}
    return await tx.changed(ADVANCE, values) == 1


async def move(
    tx: Transaction, workspace_id: UUID, changeset_id: UUID, *, expected: ChangesetStatus, status: ChangesetStatus
) -> bool:
    """Take a changeset from the expected state to another."""
    values = {"workspace_id": workspace_id, "changeset_id": changeset_id, "expected": expected, "status": status}
    return await tx.changed(_MOVE, values) == 1


async def set_fields(tx: Transaction, workspace_id: UUID, changeset_id: UUID, **values: Any) -> None:  # noqa: ANN401  columns
    """Set columns of a changeset that is locked."""
    await tx.execute(
        update(lead_changesets)
        .where(lead_changesets.c.workspace_id == workspace_id, lead_changesets.c.id == changeset_id)
        .values(**values)
    )


async def forget(tx: Transaction, *, days: int) -> int:
    """Close the time to undo for what was applied, or undone, `days` ago, over all workspaces. Returns how many."""
    return await tx.changed(_FORGET, {"days": days})


async def purge_changes(tx: Transaction, *, batch: int) -> int:
    """Remove up to `batch` images of forgotten changesets, and such changesets that have none. Returns how many."""
    removed = await tx.changed(_PURGE_CHANGES, {"batch": batch})
    if removed < batch:
        await tx.execute(_PURGE_CHANGESETS)
    return removed
