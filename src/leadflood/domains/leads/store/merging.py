"""SQL that merges and unmerges leads, as part of a changeset."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from leadflood.domains.leads.columns import LEAD
from leadflood.domains.leads.contracts.lead_records import StoredLead
from leadflood.domains.leads.models import Change
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction

# Those of the leads that are active, locked in ID order.
_LOCK_ACTIVE = assemble(
    sql("""
SELECT {columns} FROM leads
WHERE workspace_id = :workspace_id AND id = ANY(:lead_ids) AND deleted_at IS NULL
ORDER BY id FOR NO KEY UPDATE
"""),
    columns=LEAD,
)

# The leads, also deleted ones, locked in ID order.
_LOCK_ANY = assemble(
    sql("""
SELECT {columns} FROM leads WHERE workspace_id = :workspace_id AND id = ANY(:lead_ids) ORDER BY id FOR NO KEY UPDATE
"""),
    columns=LEAD,
)

# Before-images of these leads.
_IMAGES = sql("""
SELECT id, lead_image(l)::text AS image FROM leads l
WHERE workspace_id = :workspace_id AND id = ANY(:lead_ids)
""")

# Store before and after of the leads that differ from their earlier images.
_RECORD = sql("""
INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, before, after)
SELECT l.workspace_id, :changeset_id, l.id, n.change, d.before, d.after
FROM unnest(:lead_ids::uuid[], :changes::text[], :images::text[]) AS n (id, change, image)
JOIN leads l ON l.workspace_id = :workspace_id AND l.id = n.id
CROSS JOIN LATERAL lead_difference(n.image::jsonb, lead_image(l)) d
WHERE d.after IS NOT NULL
RETURNING change
""")

# A field that an undo kept because a later merge had overwritten it: that merge, once undone, must restore the value
# before this one. The first that changed the field says whether it was the value before, or an edit.
_REBASE = sql("""
WITH touched AS (
    SELECT DISTINCT ON (l.lead_id, f.name) l.changeset_id, l.lead_id, f.name,
           l.before -> f.name = e.after -> f.name AS ours, coalesce(e.before -> f.name, 'null') AS value
    FROM lead_changes e CROSS JOIN unnest(e.kept) AS f (name)
    JOIN lead_changes l ON l.workspace_id = e.workspace_id AND l.changeset_id = ANY(:later) AND l.lead_id = e.lead_id
    WHERE e.workspace_id = :workspace_id AND e.changeset_id = :changeset_id AND l.after ? f.name
    ORDER BY l.lead_id, f.name, l.changeset_id
), patch AS (
    SELECT changeset_id, lead_id, jsonb_object_agg(name, value) AS fields FROM touched WHERE ours GROUP BY 1, 2
)
UPDATE lead_changes l SET before = l.before || patch.fields
FROM patch
WHERE l.workspace_id = :workspace_id AND l.changeset_id = patch.changeset_id AND l.lead_id = patch.lead_id
""")

# Marks of `store.undo`: changesets that were undone while the lead was merged into another one.
_DEFERRED = sql("""
SELECT c.changeset_id
FROM lead_changesets s
JOIN lead_changes c ON c.workspace_id = s.workspace_id AND c.changeset_id = s.id AND c.lead_id = :lead_id
WHERE s.workspace_id = :workspace_id AND s.kept_leads > 0 AND 'merged_into' = ANY(c.kept)
ORDER BY c.changeset_id DESC
""")

# Removing a mark completes the undo for the lead. The merge's own change goes, so that its undo does not restore it.
_COMPLETE = sql("""
WITH unmarked AS (
    UPDATE lead_changes SET kept = nullif(array_remove(kept, 'merged_into'), '{}')
    WHERE workspace_id = :workspace_id AND changeset_id = ANY(:changeset_ids) AND lead_id = :lead_id
), counted AS (
    UPDATE lead_changesets SET kept = kept - 1, kept_leads = kept_leads - 1, undone = undone + 1
    WHERE workspace_id = :workspace_id AND id = ANY(:changeset_ids)
), unmerged AS (
    DELETE FROM lead_changes
    WHERE workspace_id = :workspace_id AND changeset_id = :merge_changeset_id AND lead_id = :lead_id
)
UPDATE leads SET deleted_at = now(), updated_at = now(), version = version + 1
WHERE workspace_id = :workspace_id AND id = :lead_id
""")


# Those last deleted by a merge, as long as their survivor exists.
MERGED = sql("""
SELECT lead_id, (data ->> 'mergeId')::uuid AS merge_id, (data ->> 'survivorId')::uuid AS survivor_id,
       data ->> 'survivorEmail' AS survivor_email
FROM (
    SELECT DISTINCT ON (lead_id) workspace_id, lead_id, kind, data FROM lead_events
    WHERE workspace_id = :workspace_id AND lead_id = ANY(:lead_ids) AND kind IN ('lead.deleted', 'lead.merged_into')
    ORDER BY lead_id, id DESC
) deletion
WHERE kind = 'lead.merged_into' AND EXISTS (
    SELECT FROM leads l WHERE l.workspace_id = :workspace_id AND l.id = (data ->> 'survivorId')::uuid)
""")


async def merged_among(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """Those of deleted leads that were merged, with their merge and the survivor's ID and address."""
    rows = await tx.all(MERGED, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return {row.lead_id: row for row in rows}


async def lock_pair(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, StoredLead]:
    """Those of the leads that are active, locked in the order of their IDs, like all changes of several leads."""
    rows = await tx.all(_LOCK_ACTIVE, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return {row.id: StoredLead.of(row) for row in rows}


async def lock_any(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, StoredLead]:
    """The leads, also deleted ones, locked in ID order."""
    rows = await tx.all(_LOCK_ANY, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return {row.id: StoredLead.of(row) for row in rows}


async def images(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Before-images of locked leads."""
    rows = await tx.all(_IMAGES, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)})
    return {row.id: row.image for row in rows}


async def record_changes(
    tx: Transaction,
    workspace_id: UUID,
    changeset_id: UUID,
    changes: Mapping[UUID, Change],
    before: Mapping[UUID, str],
) -> list[Change]:
    """Store before- and after-images of changed leads. Returns the images of the others."""
    values = {
        "workspace_id": workspace_id,
        "changeset_id": changeset_id,
        "lead_ids": list(changes),
        "changes": list(changes.values()),
        "images": [before[lead_id] for lead_id in changes],
    }
    return [Change(row.change) for row in await tx.all(_RECORD, values)]


async def deferred_undos(tx: Transaction, workspace_id: UUID, lead_id: UUID) -> list[UUID]:
    """Changesets that were undone while the locked lead was merged; newest first."""
    rows = await tx.all(_DEFERRED, {"workspace_id": workspace_id, "lead_id": lead_id})
    return [row.changeset_id for row in rows]


async def complete_undos(
    tx: Transaction, workspace_id: UUID, lead_id: UUID, *, changeset_ids: Sequence[UUID], merge_changeset_id: UUID
) -> None:
    """Keep a lead deleted when its merge is undone, as the undo of these changesets requires."""
    values = {"workspace_id": workspace_id, "lead_id": lead_id, "changeset_ids": list(changeset_ids)}
    await tx.execute(_COMPLETE, {**values, "merge_changeset_id": merge_changeset_id})


async def rebase(tx: Transaction, workspace_id: UUID, changeset_id: UUID, later: Sequence[UUID]) -> None:
    """Let later changesets restore the value before a merge that is undone now, if they overwrote its values."""
    values = {"workspace_id": workspace_id, "changeset_id": changeset_id, "later": list(later)}
    await tx.execute(_REBASE, values)
