"""SQL that undoes a changeset, a chunk at a time, three-way: what was edited since is kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

FIND_CHUNK = sql("""
WITH chunk AS (
    SELECT lead_id FROM lead_changes
    WHERE workspace_id = :workspace_id AND changeset_id = :changeset_id AND lead_id > :after
    ORDER BY lead_id LIMIT :batch
)
SELECT count(*) AS changes, (SELECT lead_id FROM chunk ORDER BY lead_id DESC LIMIT 1) AS last FROM chunk
""")

# Leads are locked in the order of their ids, as all that changes many does: two of them cannot deadlock.
LOCK_CHUNK = sql("""
WITH held AS (
    SELECT l.id
    FROM lead_changes c JOIN leads l ON l.workspace_id = c.workspace_id AND l.id = c.lead_id
    WHERE c.workspace_id = :workspace_id AND c.changeset_id = :changeset_id
      AND c.lead_id > :after AND c.lead_id <= :until
    ORDER BY l.id FOR NO KEY UPDATE OF l
)
SELECT count(*) FROM held
""")

# `back`: the fields that go back, with their values. `kept`: those that are neither as written nor as before.
# A lead that the undo would delete stays if another one was merged into it since (`merged`). One that was itself merged
# into another is marked `merged_into`: undoing that merge leaves it deleted (see `store.merging`). A lead whose address
# another one has by now stays deleted, or keeps the address that it has. An owner who left is removed. The search text
# is the one of before only if all that it is made of goes back; the rest is `stale`.
UNDO_CHUNK = sql("""
WITH chunk AS MATERIALIZED (
    SELECT c.lead_id, c.change, c.before, c.after, lead_image(l) AS present, l.deleted_at IS NOT NULL AS gone,
           CASE WHEN c.change NOT IN ('created', 'restored') OR l.version = 1 THEN NULL
                WHEN EXISTS (SELECT FROM (
                         SELECT DISTINCT ON (data ->> 'otherId') kind FROM lead_events e
                         WHERE e.workspace_id = :workspace_id AND e.lead_id = l.id
                           AND e.kind IN ('lead.merged', 'lead.unmerged')
                         ORDER BY data ->> 'otherId', e.id DESC) latest
                     WHERE kind = 'lead.merged') THEN 'merged'
                WHEN l.deleted_at IS NOT NULL AND (
                         SELECT kind FROM lead_events e
                         WHERE e.workspace_id = :workspace_id AND e.lead_id = l.id
                           AND e.kind IN ('lead.deleted', 'lead.merged_into')
                         ORDER BY e.id DESC LIMIT 1) = 'lead.merged_into' THEN 'merged_into' END AS merge
    FROM lead_changes c
    JOIN leads l ON l.workspace_id = c.workspace_id AND l.id = c.lead_id
    WHERE c.workspace_id = :workspace_id AND c.changeset_id = :changeset_id
      AND c.lead_id > :after AND c.lead_id <= :until
), compared AS (
    SELECT lead_id, change, before, after, present, gone,
           CASE WHEN merge IS NULL THEN f.back ELSE f.back - 'deleted_at' END AS back,
           CASE WHEN merge IS NULL THEN f.kept
                ELSE array_remove(coalesce(f.kept, '{}'), 'deleted_at') || merge END AS kept
    FROM chunk CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(key, before -> key) FILTER (WHERE value = coalesce(present -> key, 'null')) AS back,
               array_agg(key) FILTER (WHERE coalesce(present -> key, 'null') NOT IN (value, before -> key)) AS kept
        FROM jsonb_each(after - '{email_norm,search_text}'::text[])
    ) f
    WHERE change <> 'created'
    UNION ALL
    SELECT lead_id, change, before, after, present, gone,
           CASE WHEN f.kept IS NULL THEN jsonb_build_object('deleted_at', extract(epoch FROM now())) END, f.kept
    FROM chunk CROSS JOIN LATERAL (
        SELECT jsonb_strip_nulls(after) - '{email_norm,search_text}'::text[] AS made,
               jsonb_strip_nulls(present) - '{email_norm,search_text,deleted_at}'::text[] AS found
        OFFSET 0
    ) i CROSS JOIN LATERAL (
        SELECT CASE WHEN merge = 'merged' THEN ARRAY[merge]
                    WHEN made <> found
                    THEN (SELECT array_agg(key) FROM lead_difference(made, found) d, jsonb_object_keys(d.after) AS key)
                    WHEN merge = 'merged_into' THEN ARRAY[merge] END AS kept
    ) f
    WHERE change = 'created' AND (NOT gone OR merge IS NOT NULL)
), addressed AS (
    SELECT *, back -> 'deleted_at' = 'null' AS returns,
           CASE WHEN back -> 'deleted_at' = 'null' OR NOT gone AND back ? 'email' AND before ? 'email_norm'
                THEN CASE WHEN back ? 'email' AND before ? 'email_norm' THEN before ->> 'email_norm'
                          ELSE present ->> 'email_norm' END END AS address
    FROM compared
), contested AS (
    SELECT *, address IS NOT NULL AND (
               row_number() OVER (PARTITION BY address ORDER BY lead_id) > 1
               OR EXISTS (SELECT FROM leads other
                          WHERE other.workspace_id = :workspace_id AND other.email_norm = address
                            AND other.deleted_at IS NULL AND other.id <> lead_id)) AS taken
    FROM addressed
), verdict AS MATERIALIZED (
    SELECT lead_id, before, after, present, gone,
           coalesce(CASE WHEN taken AND returns THEN NULL WHEN taken THEN back - 'email' ELSE back END, '{}') AS back,
           coalesce(kept, '{}') || CASE WHEN taken THEN '{email}'::text[] ELSE '{}' END AS kept
    FROM contested
), moved AS (
    UPDATE leads l
    SET email = CASE WHEN back ? 'email' THEN back ->> 'email' ELSE l.email END,
        email_norm = CASE WHEN back ? 'email' AND before ? 'email_norm' THEN before ->> 'email_norm'
                          ELSE l.email_norm END,
        first_name = CASE WHEN back ? 'first_name' THEN back ->> 'first_name' ELSE l.first_name END,
        last_name = CASE WHEN back ? 'last_name' THEN back ->> 'last_name' ELSE l.last_name END,
        company = CASE WHEN back ? 'company' THEN back ->> 'company' ELSE l.company END,
        job_title = CASE WHEN back ? 'job_title' THEN back ->> 'job_title' ELSE l.job_title END,
        phone = CASE WHEN back ? 'phone' THEN back ->> 'phone' ELSE l.phone END,
        website = CASE WHEN back ? 'website' THEN back ->> 'website' ELSE l.website END,
        country = CASE WHEN back ? 'country' THEN back ->> 'country' ELSE l.country END,
        source = CASE WHEN back ? 'source' THEN back ->> 'source' ELSE l.source END,
        owner_id = CASE WHEN back ? 'owner_id'
                        THEN (SELECT m.user_id FROM memberships m
                              WHERE m.workspace_id = :workspace_id AND m.user_id = (back ->> 'owner_id')::uuid)
                        ELSE l.owner_id END,
        custom_fields = coalesce(
            (SELECT (l.custom_fields - array_agg(substr(key, 15)))
                    || coalesce(jsonb_object_agg(substr(key, 15), value) FILTER (WHERE value <> 'null'), '{}')
             FROM jsonb_each(back) WHERE starts_with(key, 'custom_fields.') HAVING count(*) > 0),
            l.custom_fields),
        search_text = CASE WHEN l.search_text = after ->> 'search_text'
                           THEN before ->> 'search_text' ELSE l.search_text END,
        deleted_at = CASE WHEN back ? 'deleted_at' THEN to_timestamp((back ->> 'deleted_at')::double precision)
                          ELSE l.deleted_at END,
        version = l.version + 1, updated_at = now()
    FROM verdict
    WHERE l.workspace_id = :workspace_id AND l.id = verdict.lead_id AND back <> '{}'
    RETURNING l.id, l.version, l.first_name, l.last_name, l.email, l.company, present, back,
              after ?| '{first_name,last_name,email,company}' AND before IS NOT NULL
                  AND (kept && '{first_name,last_name,email,company}'
                       OR present -> 'search_text' <> coalesce(after -> 'search_text', present -> 'search_text'))
                  AS stale,
              back -> 'deleted_at' = 'null' AND l.status IN ('new', 'processing') AS unfinished
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY id) AS number FROM moved
), told AS (
    INSERT INTO lead_events (workspace_id, lead_id, id, kind, actor_kind, actor_id, data)
    SELECT :workspace_id, n.id, (:event_ids::uuid[])[n.number],
           CASE WHEN back -> 'deleted_at' = 'null' THEN 'lead.restored' WHEN back ? 'deleted_at' THEN 'lead.deleted'
                ELSE 'lead.changed' END,
           :actor_kind, :actor_id,
           jsonb_build_object('changesetId', :changeset_id, 'undo', true, 'version', n.version) || coalesce(
               (SELECT jsonb_build_object('changes', jsonb_object_agg(
                    key, jsonb_build_array(coalesce(present -> key, 'null'), value)))
                FROM jsonb_each(back - 'deleted_at') HAVING count(*) > 0), '{}')
    FROM numbered n
)
SELECT NULL AS id, NULL AS first_name, NULL AS last_name, NULL AS email, NULL AS company, false AS stale,
       false AS unfinished, '{}'::text[] AS kept, count(*) AS undone
FROM moved
UNION ALL
SELECT id, first_name, last_name, email, company, coalesce(stale, false), coalesce(unfinished, false), '{}', 0
FROM moved WHERE stale OR unfinished
UNION ALL
SELECT lead_id, NULL, NULL, NULL, NULL, false, false, kept, 0 FROM verdict WHERE kept <> '{}'
""")

# Where another chunk is expected, or nobody wants the undo any more, nothing is kept.
_KEEP = sql("""
UPDATE lead_changesets
SET undo_position = :until, updated_at = clock_timestamp(), undone = undone + :undone, kept = kept + :kept,
    kept_leads = kept_leads + :kept_leads
WHERE workspace_id = :workspace_id AND id = :changeset_id AND status = 'undoing'
  AND coalesce(undo_position, '00000000-0000-0000-0000-000000000000') = :after
""")

# Fields as JSON, one array a lead. Not part of the statement above: PostgreSQL expects one row of the verdict, and
# would compare each with each.
_REPORT = sql("""
UPDATE lead_changes c SET kept = ARRAY(SELECT jsonb_array_elements_text(n.kept::jsonb))
FROM unnest(:lead_ids::uuid[], :kept::text[]) AS n (lead_id, kept)
WHERE c.workspace_id = :workspace_id AND c.changeset_id = :changeset_id AND c.lead_id = n.lead_id
""")

_REBUILD = sql("""
UPDATE leads l SET search_text = n.search_text
FROM unnest(:lead_ids::uuid[], :search_texts::text[]) AS n (id, search_text)
WHERE l.workspace_id = :workspace_id AND l.id = n.id
""")

# Whether an undo goes on where an earlier one ended: `undo_position` stays when it is given up.
_BEGIN = sql("""
UPDATE lead_changesets
SET status = 'undoing', job_id = NULL, undone_by_kind = :actor_kind, undone_by = :actor_id, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :changeset_id AND status = 'applied'
""")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some changes of a changeset: those after one lead id, up to another."""

    after: UUID
    until: UUID
    changes: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many leads of a chunk were put back; how many fields, of how many leads, were kept as they are."""

    undone: int
    kept: int
    kept_leads: int


async def begin(tx: Transaction, workspace_id: UUID, changeset_id: UUID, *, kind: str, actor_id: UUID | None) -> bool:
    """Take an applied changeset to `undoing`; False if it is not applied."""
    keys = {"workspace_id": workspace_id, "changeset_id": changeset_id}
    return await tx.changed(_BEGIN, {**keys, "actor_kind": kind, "actor_id": actor_id}) == 1


def position(changeset: Row) -> UUID:
    """The lead of the last change that is undone."""
    return changeset.undo_position or UUID(int=0)


async def find_chunk(tx: Transaction, changeset: Row, after: UUID, *, batch: int) -> Chunk | None:
    """The next changes to undo; None at the end."""
    keys = {"workspace_id": changeset.workspace_id, "changeset_id": changeset.id}
    row = await tx.first(FIND_CHUNK, {**keys, "after": after, "batch": batch})
    return Chunk(after, row.last, row.changes) if row is not None and row.changes else None


async def lock_chunk(tx: Transaction, changeset: Row, chunk: Chunk) -> int:
    """Lock the leads of a chunk. Returns how many there are."""
    keys = {"workspace_id": changeset.workspace_id, "changeset_id": changeset.id}
    leads: int = await tx.scalar(LOCK_CHUNK, {**keys, "after": chunk.after, "until": chunk.until})
    return leads


async def undo_chunk(tx: Transaction, changeset: Row, chunk: Chunk, *, leads: int) -> Sequence[Row]:
    """Undo the changes of a chunk whose `leads` are locked.

    Returns how many are `undone`, in a row without an id, and what SQL leaves: leads to find by a new text, to enrich,
    or to report.

    Raises: IntegrityError: somebody took an address, or an owner left, at this very moment.
    """
    values: Mapping[str, Any] = {
        "workspace_id": changeset.workspace_id,
        "changeset_id": changeset.id,
        "after": chunk.after,
        "until": chunk.until,
        "actor_kind": changeset.undone_by_kind,
        "actor_id": changeset.undone_by,
        "event_ids": [new_id() for _ in range(leads)],
    }
    return await tx.all(UNDO_CHUNK, values)


async def keep_chunk(tx: Transaction, changeset: Row, chunk: Chunk, tally: Tally) -> bool:
    """Count a chunk, if the changeset is still being undone and has come to where the chunk begins."""
    values = {
        "workspace_id": changeset.workspace_id,
        "changeset_id": changeset.id,
        "after": chunk.after,
        "until": chunk.until,
        "undone": tally.undone,
        "kept": tally.kept,
        "kept_leads": tally.kept_leads,
    }
    return await tx.changed(_KEEP, values) == 1


async def report_kept(tx: Transaction, workspace_id: UUID, changeset_id: UUID, kept: Mapping[UUID, list[str]]) -> None:
    """Keep which fields of which leads were not put back."""
    fields = [json.dumps(each) for each in kept.values()]
    values = {"workspace_id": workspace_id, "changeset_id": changeset_id, "lead_ids": list(kept), "kept": fields}
    await tx.execute(_REPORT, values)


async def rebuild_search(tx: Transaction, workspace_id: UUID, texts: Mapping[UUID, str]) -> None:
    """Set what leads are found by."""
    ids, built = list(texts), list(texts.values())
    await tx.execute(_REBUILD, {"workspace_id": workspace_id, "lead_ids": ids, "search_texts": built})
