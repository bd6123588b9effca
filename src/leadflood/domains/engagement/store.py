"""SQL that writes engagements and their sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from leadflood.domains.engagement.models import FIXED_TIME, OFFSET, EngagementSource
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# Keeps the settings of the workspace as they are until the end of the transaction. After the locks of leads.
_KEEP_SETTINGS = sql("""
SELECT pg_advisory_xact_lock_shared(hashtextextended('engagement ' || :workspace_id::uuid::text, 0))
""")

# Add engagements that are not recorded yet. In the order of leads, which the foreign key locks.
_INSERT = sql("""
INSERT INTO engagements (workspace_id, id, lead_id, kind, points, at, note, external_key, source, actor_kind, actor_id)
SELECT :workspace_id, id, lead_id, kind, points, at, note, external_key, :source, :actor_kind, :actor_id::uuid
FROM unnest(:ids::uuid[], :lead_ids::uuid[], :kinds::text[], :points::integer[], :times::timestamptz[], :notes::text[],
            :keys::text[]) AS given (id, lead_id, kind, points, at, note, external_key)
ORDER BY lead_id, at, kind
ON CONFLICT DO NOTHING
RETURNING id
""")

# Delete an engagement of a lead.
_DELETE = sql("""
DELETE FROM engagements WHERE workspace_id = :workspace_id AND id = :engagement_id AND lead_id = :lead_id
RETURNING kind, points
""")

# Move the engagements of a lead to another one that does not have the same.
_MOVE_ALL = sql("""
UPDATE engagements e SET lead_id = :to_lead::uuid
WHERE workspace_id = :workspace_id AND lead_id = :from_lead
  AND NOT EXISTS (SELECT FROM engagements same
                  WHERE same.workspace_id = e.workspace_id AND same.lead_id = :to_lead::uuid
                    AND same.kind = e.kind AND same.at = e.at
                    AND same.external_key IS NULL AND e.external_key IS NULL)
RETURNING id
""")

# Move engagements back that one of the holders still has.
_MOVE_BACK = sql("""
UPDATE engagements e SET lead_id = :to_lead::uuid
WHERE workspace_id = :workspace_id AND id = ANY (:engagement_ids::uuid[]) AND lead_id = ANY (:holders::uuid[])
  AND NOT EXISTS (SELECT FROM engagements same
                  WHERE same.workspace_id = e.workspace_id AND same.lead_id = :to_lead::uuid
                    AND same.kind = e.kind AND same.at = e.at
                    AND same.external_key IS NULL AND e.external_key IS NULL)
""")

# Sums of the points of leads at their latest engagement, in an order that does not depend on that of recording.
_SUMS: Final = sql("""
SELECT lead_id, count(*)::integer AS engagements, max(at) AS latest_at,
       sum(points * power(2::float8, greatest(-1000, extract(epoch FROM at - latest)::float8 / 86400 / :half_life)
           ) ORDER BY at, points) AS total
FROM (SELECT lead_id, points, at, max(at) OVER (PARTITION BY lead_id) AS latest
      FROM engagements WHERE workspace_id = :workspace_id AND {which}) found
GROUP BY lead_id
""")
_SORT_KEY: Final = sql("""
CASE WHEN total = 0 THEN 0
     ELSE sign(total) * (:offset::float8 + ln(abs(total)) / ln(2::float8)
                         + extract(epoch FROM latest_at - :fixed_time::timestamptz)::float8 / 86400 / :half_life) END
""")

# Add up the engagements of some leads.
_ADD_UP = assemble(
    sql("""
INSERT INTO lead_engagement (workspace_id, lead_id, sort_key, engagements, latest_at)
SELECT :workspace_id, lead_id, {sort_key}, engagements, latest_at FROM ({sums}) sums
ORDER BY lead_id
ON CONFLICT (workspace_id, lead_id) DO UPDATE
    SET sort_key = excluded.sort_key, engagements = excluded.engagements, latest_at = excluded.latest_at
"""),
    sort_key=_SORT_KEY,
    sums=assemble(_SUMS, which=sql("lead_id = ANY (:lead_ids::uuid[])")),
)

# Remove the sums of leads without engagements.
_REMOVE_EMPTY = sql("""
DELETE FROM lead_engagement s
WHERE workspace_id = :workspace_id AND lead_id = ANY (:lead_ids::uuid[])
  AND NOT EXISTS (SELECT FROM engagements e WHERE e.workspace_id = s.workspace_id AND e.lead_id = s.lead_id)
""")


# Let no transaction record engagements until the end of this one.
_LOCK_SETTINGS = sql("""
SELECT pg_advisory_xact_lock(hashtextextended('engagement ' || :workspace_id::uuid::text, 0))
""")

# Write the settings.
_SAVE_SETTINGS = sql("""
INSERT INTO engagement_settings (workspace_id, half_life_days, border_1, border_2, points)
VALUES (:workspace_id, :half_life_days, :border_1, :border_2, :points)
ON CONFLICT (workspace_id) DO UPDATE
    SET half_life_days = excluded.half_life_days, border_1 = excluded.border_1, border_2 = excluded.border_2,
        points = excluded.points, version = engagement_settings.version + 1, updated_at = now()
""")

# Add up the engagements of all leads.
_ADD_UP_ALL = assemble(
    sql("""
UPDATE lead_engagement s SET sort_key = added.sort_key
FROM (SELECT lead_id, {sort_key} AS sort_key FROM ({sums}) sums) added
WHERE s.workspace_id = :workspace_id AND s.lead_id = added.lead_id
"""),
    sort_key=_SORT_KEY,
    sums=assemble(_SUMS, which=sql("true")),
)


@dataclass(frozen=True, slots=True)
class NewEngagement:
    """An engagement to record."""

    lead_id: UUID
    kind: str
    points: int
    at: datetime
    note: str | None = None
    external_key: str | None = None

    @property
    def identity(self) -> tuple[object, ...]:
        """The values that its repetitions have, too."""
        return (self.external_key,) if self.external_key else (self.lead_id, self.kind, self.at)


async def keep_settings(tx: Transaction, workspace_id: UUID) -> None:
    """Keep the settings as they are until the end of the transaction. Lock leads before."""
    await tx.execute(_KEEP_SETTINGS, {"workspace_id": workspace_id})


async def lock_settings(tx: Transaction, workspace_id: UUID) -> None:
    """Let no other transaction read or change the settings for its writes until the end of this one."""
    await tx.execute(_LOCK_SETTINGS, {"workspace_id": workspace_id})


async def save_settings(
    tx: Transaction, workspace_id: UUID, *, half_life_days: int, borders: tuple[int, int], points: str
) -> None:
    """Write the settings, as the next version. `points`: JSON."""
    values = {"half_life_days": half_life_days, "border_1": borders[0], "border_2": borders[1], "points": points}
    await tx.execute(_SAVE_SETTINGS, {"workspace_id": workspace_id, **values})


async def insert(
    tx: Transaction, actor: Actor, *, engagements: Sequence[NewEngagement], source: EngagementSource
) -> list[UUID | None]:
    """Add engagements. Returns the ID of each; None for those that are recorded already."""
    ids = [new_id() for _ in engagements]
    values = {
        "workspace_id": actor.workspace_id,
        "source": source,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "ids": ids,
        "lead_ids": [each.lead_id for each in engagements],
        "kinds": [each.kind for each in engagements],
        "points": [each.points for each in engagements],
        "times": [each.at for each in engagements],
        "notes": [each.note for each in engagements],
        "keys": [each.external_key for each in engagements],
    }
    made = {row.id for row in await tx.all(_INSERT, values)} if engagements else set()
    return [each if each in made else None for each in ids]


async def delete(tx: Transaction, workspace_id: UUID, engagement_id: UUID, *, lead_id: UUID) -> Row | None:
    """Delete an engagement of a lead. Returns its kind and points."""
    values = {"workspace_id": workspace_id, "engagement_id": engagement_id, "lead_id": lead_id}
    return await tx.first(_DELETE, values)


async def add_up(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID], *, half_life_days: int) -> None:
    """Add up the engagements of locked leads."""
    if not lead_ids:
        return
    values = {"workspace_id": workspace_id, "lead_ids": sorted(set(lead_ids))}
    await tx.execute(_REMOVE_EMPTY, values)
    constants = {"half_life": half_life_days, "offset": OFFSET, "fixed_time": FIXED_TIME}
    await tx.execute(_ADD_UP, values | constants)


async def add_up_all(tx: Transaction, workspace_id: UUID, *, half_life_days: int) -> None:
    """Add up the engagements of all leads, with the settings locked."""
    constants = {"half_life": half_life_days, "offset": OFFSET, "fixed_time": FIXED_TIME}
    await tx.execute(_ADD_UP_ALL, {"workspace_id": workspace_id, **constants})


async def move_all(tx: Transaction, workspace_id: UUID, from_lead: UUID, to_lead: UUID) -> list[UUID]:
    """Move the engagements of a lead. Those that the other one has as well stay. Returns the IDs of those moved."""
    values = {"workspace_id": workspace_id, "from_lead": from_lead, "to_lead": to_lead}
    return [row.id for row in await tx.all(_MOVE_ALL, values)]


async def move_back(
    tx: Transaction, workspace_id: UUID, engagement_ids: Sequence[UUID], *, holders: Sequence[UUID], to_lead: UUID
) -> None:
    """Move engagements that one of the holders has."""
    values = {"engagement_ids": list(engagement_ids), "holders": list(holders), "to_lead": to_lead}
    await tx.execute(_MOVE_BACK, {"workspace_id": workspace_id, **values})
