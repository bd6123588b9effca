"""SQL that reads tags."""

from collections.abc import Collection, Sequence
from uuid import UUID

from leadflood.domains.leads import queries as leads
from leadflood.domains.tags.contracts import LeadTags, TagRef, TagView
from leadflood.domains.tags.errors import TagNotFound
from leadflood.domains.tags.models import MAX_TAGS, name_key
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut
from leadflood.kernel.schema import Count

MAX_COUNT = 1000
"""As far as the leads of a tag are counted."""

# A tag that is not deleted.
_TAG = sql("""
SELECT id, name, color, version, created_at, updated_at FROM tags
WHERE workspace_id = :workspace_id AND id = :tag_id AND deleted_at IS NULL
""")

# The next tags by name, each with its leads as far as they are counted.
_TAGS = sql("""
SELECT t.id, t.name, t.name_key, t.color, t.version, t.created_at, t.updated_at, counted.leads
FROM (
    SELECT * FROM tags
    WHERE workspace_id = :workspace_id AND deleted_at IS NULL AND starts_with(name_key, :prefix)
      AND (:after_id::uuid IS NULL OR (name_key, id) > (:after_key, :after_id))
    ORDER BY name_key, id LIMIT :limit
) t CROSS JOIN LATERAL (
    SELECT count(*) AS leads FROM (
        SELECT FROM lead_tags g JOIN leads l ON l.workspace_id = g.workspace_id AND l.id = g.lead_id
        WHERE g.workspace_id = t.workspace_id AND g.tag_id = t.id AND l.deleted_at IS NULL LIMIT :counted
    ) found
) counted
ORDER BY t.name_key, t.id
""")

# All tags by name.
_NAMES = sql("""
SELECT id, name, color FROM tags WHERE workspace_id = :workspace_id AND deleted_at IS NULL
ORDER BY name_key, id LIMIT :limit
""")

# The tags of these names.
_NAMED = sql("""
SELECT id, name, name_key, color FROM tags
WHERE workspace_id = :workspace_id AND name_key = ANY (:keys::text[]) AND deleted_at IS NULL
""")

# The names of tags, deleted ones too.
_BY_ID = sql("SELECT id, name FROM tags WHERE workspace_id = :workspace_id AND id = ANY (:tag_ids::uuid[])")

# The tags of leads, by name.
_OF_LEADS = sql("""
SELECT g.lead_id, t.id, t.name, t.color
FROM lead_tags g JOIN tags t ON t.workspace_id = g.workspace_id AND t.id = g.tag_id AND t.deleted_at IS NULL
WHERE g.workspace_id = :workspace_id AND g.lead_id = ANY (:lead_ids::uuid[])
ORDER BY t.name_key, t.id
""")


async def get_tag(tx: Transaction, actor: Actor, *, tag_id: UUID) -> TagView:
    """Raises: TagNotFound: also for a deleted tag."""
    row = await tx.first(_TAG, {"workspace_id": actor.workspace_id, "tag_id": tag_id})
    if row is None:
        raise TagNotFound
    return TagView(**dict(row))


async def list_tags(
    tx: Transaction, actor: Actor, *, prefix: str = "", after: Position | None = None, limit: int
) -> Page[TagView]:
    """The tags of the workspace by name. `prefix`: only those whose names start with it, ignoring case."""
    values = {
        "workspace_id": actor.workspace_id,
        "prefix": name_key(prefix),
        "after_key": after.value if after else None,
        "after_id": after.id if after else None,
        "limit": limit + 1,
        "counted": MAX_COUNT + 1,
    }
    return cut(await tx.all(_TAGS, values), limit, lambda row: Position(row.name_key, row.id)).map(_counted)


async def all_tags(tx: Transaction, actor: Actor) -> list[TagRef]:
    """All tags of the workspace by name, to choose from."""
    rows = await tx.all(_NAMES, {"workspace_id": actor.workspace_id, "limit": MAX_TAGS})
    return [TagRef(**dict(row)) for row in rows]


async def tag_names(tx: Transaction, actor: Actor) -> dict[str, str]:
    """The names of all tags by id, for filters."""
    return {str(tag.id): tag.name for tag in await all_tags(tx, actor)}


async def named(tx: Transaction, workspace_id: UUID, names: Collection[str]) -> dict[str, TagRef]:
    """The tags of these names, by `name_key`."""
    keys = sorted({name_key(name) for name in names})
    rows = await tx.all(_NAMED, {"workspace_id": workspace_id, "keys": keys})
    return {row.name_key: TagRef(id=row.id, name=row.name, color=row.color) for row in rows}


async def names_of(tx: Transaction, actor: Actor, tag_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of tags by id, deleted ones too."""
    rows = await tx.all(_BY_ID, {"workspace_id": actor.workspace_id, "tag_ids": sorted(tag_ids)})
    return {row.id: row.name for row in rows}


async def tags_of_lead(tx: Transaction, actor: Actor, *, lead_id: UUID) -> LeadTags:
    """The tags of a lead by name. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    await leads.get_lead(tx, actor, lead_id=lead_id)
    return LeadTags(items=(await tags_of_leads(tx, actor, [lead_id])).get(lead_id, []))


async def tags_of_leads(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> dict[UUID, list[TagRef]]:
    """The tags of many leads, by lead and name; leads without any are left out."""
    found: dict[UUID, list[TagRef]] = {}
    for row in await tx.all(_OF_LEADS, {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids)}):
        found.setdefault(row.lead_id, []).append(TagRef(id=row.id, name=row.name, color=row.color))
    return found


def _counted(row: Row) -> TagView:
    return TagView(
        id=row.id,
        name=row.name,
        color=row.color,
        leads=Count.up_to(MAX_COUNT, row.leads),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
