"""SQL that writes many leads at a time, from temporary tables that the caller fills in the same transaction.

A chunk of 10,000 leads, their timeline and their images takes a handful of statements. Rows meet the table by key, one
look-up each: with no statistics of the temporary tables, PostgreSQL would read the whole table of leads for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

_ROOM = (
    sql("""
CREATE TEMPORARY TABLE incoming_leads (
    id uuid NOT NULL, email text, email_norm text COLLATE "C", first_name text, last_name text, company text,
    job_title text, phone text, website text, country text, source text, owner_id uuid, custom_fields jsonb,
    search_text text
) ON COMMIT DROP
"""),
    sql("""
CREATE TEMPORARY TABLE incoming_changes (
    lead_id uuid NOT NULL, version integer, changes jsonb NOT NULL
) ON COMMIT DROP
"""),
    sql("""
CREATE TEMPORARY TABLE incoming_texts (
    lead_id uuid PRIMARY KEY, old_text text, new_text text
) ON COMMIT DROP
"""),
    sql("SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)"),
)

_KEYS = (
    bindparam("workspace_id", type_=Uuid),
    bindparam("changeset_id", type_=Uuid),
    bindparam("event_id", type_=Uuid),
    bindparam("actor_kind", type_=Text),
    bindparam("actor_id", type_=Uuid),
    bindparam("origin", type_=Text),
)

# The image is written out here: `lead_image` takes three times as long, and a new lead has no other state than this.
# In the order of their addresses, as two imports with the same new addresses must not wait for each other in turns.
CREATE = sql("""
WITH made AS (
    INSERT INTO leads (workspace_id, id, email, email_norm, first_name, last_name, company, job_title, phone, website,
                       country, source, custom_fields, owner_id, search_text)
    SELECT :workspace_id, i.id, i.email, i.email_norm, i.first_name, i.last_name, i.company, i.job_title, i.phone,
           i.website, i.country, i.source, coalesce(i.custom_fields, '{}'),
           (SELECT m.user_id FROM memberships m WHERE m.workspace_id = :workspace_id AND m.user_id = i.owner_id),
           i.search_text
    FROM incoming_leads i
    ORDER BY i.email_norm
    ON CONFLICT (workspace_id, email_norm) WHERE deleted_at IS NULL DO NOTHING
    RETURNING id, email, first_name, last_name, company, job_title, phone, website, country, source, owner_id,
              custom_fields
), told AS (
    INSERT INTO lead_events (workspace_id, lead_id, id, kind, actor_kind, actor_id, data)
    SELECT :workspace_id, id, :event_id, 'lead.created', :actor_kind, :actor_id,
           jsonb_build_object('source', source, 'changesetId', :changeset_id::uuid::text, 'importId', :origin::text,
                              'version', 1)
    FROM made
), noted AS (
    INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, after)
    SELECT :workspace_id, :changeset_id::uuid, id, 'created', jsonb_strip_nulls(jsonb_build_object(
               'email', email, 'first_name', first_name, 'last_name', last_name, 'company', company,
               'job_title', job_title, 'phone', phone, 'website', website, 'country', country, 'source', source,
               'owner_id', owner_id
           )) || CASE WHEN custom_fields = '{}' THEN '{}' ELSE (
               SELECT jsonb_object_agg('custom_fields.' || key, value) FROM jsonb_each(custom_fields)) END
    FROM made
)
SELECT count(*) FROM made
""")

NOT_CREATED = sql("""
SELECT i.id FROM incoming_leads i
WHERE NOT EXISTS (SELECT FROM leads l WHERE l.workspace_id = :workspace_id AND l.id = i.id)
""")

# Locked in the order of ids, as all that changes many does. Only those whose search text changes are told.
RENAMED = sql("""
WITH held AS MATERIALIZED (
    SELECT l.id, l.first_name, l.last_name, l.email, l.company, l.search_text, c.changes
    FROM incoming_changes c
    JOIN leads l ON l.workspace_id = :workspace_id AND l.id = c.lead_id AND l.deleted_at IS NULL
    ORDER BY l.id FOR NO KEY UPDATE OF l
)
SELECT id, email, search_text, coalesce(changes -> 'first_name' ->> 1, first_name) AS first_name,
       coalesce(changes -> 'last_name' ->> 1, last_name) AS last_name,
       coalesce(changes -> 'company' ->> 1, company) AS company
FROM held WHERE changes ?| '{first_name,last_name,company}'
""")

# A lead at the version of the preview is as it was then. Another may still be changed, if what is to change is as it
# was: somebody's edit of other fields is no conflict.
UPDATE = sql("""
WITH changed AS (
    UPDATE leads l
    SET first_name = coalesce(c.changes -> 'first_name' ->> 1, l.first_name),
        last_name = coalesce(c.changes -> 'last_name' ->> 1, l.last_name),
        company = coalesce(c.changes -> 'company' ->> 1, l.company),
        job_title = coalesce(c.changes -> 'job_title' ->> 1, l.job_title),
        phone = coalesce(c.changes -> 'phone' ->> 1, l.phone),
        website = coalesce(c.changes -> 'website' ->> 1, l.website),
        country = coalesce(c.changes -> 'country' ->> 1, l.country),
        source = coalesce(c.changes -> 'source' ->> 1, l.source),
        owner_id = coalesce(
            (SELECT m.user_id FROM memberships m
             WHERE m.workspace_id = :workspace_id AND m.user_id = (c.changes -> 'owner_id' ->> 1)::uuid),
             l.owner_id),
        custom_fields = l.custom_fields || coalesce(
            (SELECT jsonb_object_agg(substr(key, 15), value -> 1) FROM jsonb_each(c.changes)
             WHERE starts_with(key, 'custom_fields.')), '{}'),
        search_text = coalesce(t.new_text, l.search_text),
        version = l.version + 1, updated_at = now()
    FROM incoming_changes c LEFT JOIN incoming_texts t ON t.lead_id = c.lead_id
    WHERE l.workspace_id = :workspace_id AND l.id = c.lead_id AND l.deleted_at IS NULL
      AND (l.version = c.version OR NOT EXISTS (
               SELECT FROM jsonb_each(c.changes) e
               WHERE coalesce(lead_image(l) -> e.key, 'null') <> e.value -> 0))
    RETURNING l.id, l.version, c.changes, t.old_text, t.new_text
), told AS (
    INSERT INTO lead_events (workspace_id, lead_id, id, kind, actor_kind, actor_id, data)
    SELECT :workspace_id, id, :event_id, 'lead.changed', :actor_kind, :actor_id,
           jsonb_build_object('changes', changes, 'changesetId', :changeset_id::uuid::text, 'importId', :origin::text,
                              'version', version)
    FROM changed
), noted AS (
    INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, before, after)
    SELECT :workspace_id, :changeset_id::uuid, id, 'updated',
           before || CASE WHEN new_text <> old_text THEN jsonb_build_object('search_text', old_text) ELSE '{}' END,
           after || CASE WHEN new_text <> old_text THEN jsonb_build_object('search_text', new_text) ELSE '{}' END
    FROM changed CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(key, value -> 0) AS before, jsonb_object_agg(key, value -> 1) AS after
        FROM jsonb_each(changes)
    ) images
)
SELECT count(*) FROM changed
""")

NOT_CHANGED = sql("""
SELECT c.lead_id, l.id IS NULL AS gone,
       l.id IS NOT NULL AND NOT EXISTS (
           SELECT FROM jsonb_each(c.changes) e
           WHERE coalesce(lead_image(l) -> e.key, 'null') <> e.value -> 1) AS same
FROM incoming_changes c
LEFT JOIN leads l ON l.workspace_id = :workspace_id AND l.id = c.lead_id AND l.deleted_at IS NULL
WHERE NOT EXISTS (SELECT FROM lead_changes h
                  WHERE h.workspace_id = :workspace_id AND h.changeset_id = :changeset_id AND h.lead_id = c.lead_id)
""")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who writes a chunk, into which changeset, and what it comes from."""

    actor: Actor
    changeset_id: UUID
    import_id: UUID

    def parameters(self) -> dict[str, Any]:
        """The bind parameters. One id serves all entries of the chunk: each is in the timeline of its own lead."""
        return {
            "workspace_id": self.actor.workspace_id,
            "changeset_id": self.changeset_id,
            "event_id": new_id(),
            "actor_kind": self.actor.kind,
            "actor_id": self.actor.id,
            "origin": str(self.import_id),
        }


async def make_room(tx: Transaction) -> None:
    """Make the temporary tables `incoming_leads`, `incoming_changes` and `incoming_texts`, empty."""
    for statement in _ROOM:
        await tx.execute(statement)


async def create(tx: Transaction, origin: Origin) -> int:
    """Insert `incoming_leads`. Returns how many: an address that a living lead has is left out."""
    created: int = await tx.scalar(CREATE, origin.parameters())
    return created


async def not_created(tx: Transaction, origin: Origin) -> list[UUID]:
    """The ids in `incoming_leads` that `create` left out."""
    rows = await tx.all(NOT_CREATED, {"workspace_id": origin.actor.workspace_id})
    return [row.id for row in rows]


async def renamed(tx: Transaction, origin: Origin) -> Sequence[Row]:
    """Lock the leads of `incoming_changes`; returns those whose search text changes, as they are going to be."""
    return await tx.all(RENAMED, {"workspace_id": origin.actor.workspace_id})


async def put_texts(tx: Transaction, texts: Mapping[UUID, tuple[str, str]]) -> None:
    """Fill `incoming_texts`: of each lead the search text that it has, and the one that it gets."""
    records = [(lead_id, old, new) for lead_id, (old, new) in texts.items()]
    await tx.copy("incoming_texts", ("lead_id", "old_text", "new_text"), records)


async def change(tx: Transaction, origin: Origin) -> int:
    """Make `incoming_changes`. Returns how many: what is no more as it was, is left as it is."""
    changed: int = await tx.scalar(UPDATE, origin.parameters())
    return changed


async def not_changed(tx: Transaction, origin: Origin) -> Sequence[Row]:
    """What `change` left out: `gone`, the `same` already, or else edited."""
    values = {"workspace_id": origin.actor.workspace_id, "changeset_id": origin.changeset_id}
    return await tx.all(NOT_CHANGED, values)
