"""SQL that reads engagements and their sums."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from leadflood.domains.engagement.contracts import (
    EngagementMatrix,
    EngagementRef,
    EngagementSettings,
    EngagementView,
    LeadEngagementView,
    MatrixCell,
)
from leadflood.domains.engagement.errors import EngagementNotFound
from leadflood.domains.engagement.models import LEVELS, EngagementSource, Rules, decayed
from leadflood.domains.icps.permissions import ICPS_READ
from leadflood.domains.icps.queries import main_profile
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts import ActorView
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut

# The next engagements of a lead, the latest first.
_OF_LEAD = sql("""
SELECT id, lead_id, kind, points, at, note, external_key, source, actor_kind, actor_id, recorded_at FROM engagements
WHERE workspace_id = :workspace_id AND lead_id = :lead_id
  AND (:after_id::uuid IS NULL OR (at, id) < (:after, :after_id))
ORDER BY at DESC, id DESC LIMIT :limit
""")

# An engagement of an active lead.
_ONE = sql("""
SELECT e.id, e.lead_id, e.kind, e.points, e.at, e.note, e.external_key, e.source, e.actor_kind,
       e.actor_id, e.recorded_at
FROM engagements e JOIN leads l ON l.workspace_id = e.workspace_id AND l.id = e.lead_id
WHERE e.workspace_id = :workspace_id AND e.id = :engagement_id AND l.deleted_at IS NULL
""")

# The engagement that is recorded already.
_SAME = sql("""
SELECT id FROM engagements
WHERE workspace_id = :workspace_id
  AND CASE WHEN :external_key::text IS NULL
           THEN external_key IS NULL AND lead_id = :lead_id AND kind = :kind AND at = :at
           ELSE external_key = :external_key END
""")

# The leads that have engagements with these keys.
_LEADS_BY_KEY = sql("""
SELECT external_key, lead_id FROM engagements
WHERE workspace_id = :workspace_id AND external_key = ANY (:keys::text[])
""")

# Settings of the workspace.
_SETTINGS = sql("""
SELECT half_life_days, border_1, border_2, points, version FROM engagement_settings WHERE workspace_id = :workspace_id
""")

# Levels of leads.
_LEVELS = sql("""
SELECT lead_id, level, points, engagements FROM engagement_levels
WHERE workspace_id = :workspace_id AND lead_id = ANY (:lead_ids::uuid[])
""")

# Priorities of leads.
_PRIORITIES = sql("""
SELECT lead_id, priority FROM lead_priorities
WHERE workspace_id = :workspace_id AND lead_id = ANY (:lead_ids::uuid[])
""")

# Leads by tier and level.
_MATRIX = sql("""
SELECT m.tier, coalesce(v.level, '3') AS level, count(*) AS leads
FROM leads l
LEFT JOIN main_icp_scores m ON m.workspace_id = l.workspace_id AND m.lead_id = l.id
LEFT JOIN engagement_levels v ON v.workspace_id = l.workspace_id AND v.lead_id = l.id
WHERE l.workspace_id = :workspace_id AND l.deleted_at IS NULL
GROUP BY m.tier, coalesce(v.level, '3')
""")

# Leads with at least so many engagements.
_FULL = sql("""
SELECT lead_id FROM lead_engagement
WHERE workspace_id = :workspace_id AND lead_id = ANY (:lead_ids::uuid[]) AND engagements >= :most
""")


async def settings(tx: Transaction, actor: Actor) -> EngagementSettings:
    """Settings of the workspace: its own, or the defaults, which have version 0."""
    row = await tx.first(_SETTINGS, {"workspace_id": actor.workspace_id})
    usual = Rules()
    return EngagementSettings(
        half_life_days=row.half_life_days if row else usual.half_life_days,
        level_1_from=row.border_1 if row else usual.level_1_from,
        level_2_from=row.border_2 if row else usual.level_2_from,
        own_points=row.points if row else {},
        version=row.version if row else 0,
    )


async def rules(tx: Transaction, actor: Actor) -> Rules:
    """Rules of the workspace: its own, or the defaults."""
    found = await settings(tx, actor)
    return Rules(found.half_life_days, found.level_1_from, found.level_2_from, found.own_points)


async def engagement_of_leads(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> dict[UUID, EngagementRef]:
    """Levels and points of leads now."""
    rows = await tx.all(_LEVELS, {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids)})
    return {
        row.lead_id: EngagementRef(level=int(row.level), points=round(row.points, 2), engagements=row.engagements)
        for row in rows
    }


async def priorities_of(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Priorities of those of the leads that have a tier."""
    rows = await tx.all(_PRIORITIES, {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids)})
    return {row.lead_id: row.priority for row in rows}


async def matrix(tx: Transaction, actor: Actor) -> EngagementMatrix:
    """Leads by tier of the main profile and level. Raises: leadflood.kernel.actor.MissingPermission."""
    actor.require(ICPS_READ)
    live = await main_profile(tx, actor)
    rows = await tx.all(_MATRIX, {"workspace_id": actor.workspace_id})
    counts = {(row.tier, row.level): row.leads for row in rows}
    tiers = [*(tier.name for tier in live.tiers)] if live is not None else []
    return EngagementMatrix(
        cells=[
            MatrixCell(tier=tier, level=int(level), leads=counts.get((tier, level), 0))
            for tier in [*tiers, None]
            for level in LEVELS
        ]
    )


async def get_summary(tx: Transaction, actor: Actor, *, lead_id: UUID) -> LeadEngagementView:
    """The engagement of a lead now. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    await leads.get_lead(tx, actor, lead_id=lead_id)
    return await summary_of(tx, actor, lead_id=lead_id)


async def summary_of(tx: Transaction, actor: Actor, *, lead_id: UUID) -> LeadEngagementView:
    """As `get_summary`, for a lead that is known to exist. The priority is for those who may see profiles."""
    ref = (await engagement_of_leads(tx, actor, [lead_id])).get(lead_id) or EngagementRef.none()
    found = await priorities_of(tx, actor, [lead_id]) if ICPS_READ in actor.permissions else {}
    return LeadEngagementView(
        level=ref.level, points=ref.points, engagements=ref.engagements, priority=found.get(lead_id)
    )


async def list_engagements(
    tx: Transaction, actor: Actor, *, lead_id: UUID, after: Position | None = None, limit: int
) -> Page[EngagementView]:
    """The engagements of a lead, the latest first. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    await leads.get_lead(tx, actor, lead_id=lead_id)
    return await engagements_of(tx, actor, lead_id=lead_id, after=after, limit=limit)


async def engagements_of(
    tx: Transaction, actor: Actor, *, lead_id: UUID, after: Position | None = None, limit: int
) -> Page[EngagementView]:
    """As `list_engagements`, for a lead that is known to exist."""
    values = {
        "workspace_id": actor.workspace_id,
        "lead_id": lead_id,
        "after": after.time if after else None,
        "after_id": after.id if after else None,
        "limit": limit + 1,
    }
    rows = await tx.all(_OF_LEAD, values)
    counted, now = await rules(tx, actor), utc_now()
    return cut(rows, limit, lambda row: Position.at(row.at, row.id)).map(lambda row: _view(row, counted, now))


async def get_engagement(tx: Transaction, actor: Actor, *, engagement_id: UUID) -> EngagementView:
    """An engagement of an active lead. Raises: EngagementNotFound."""
    row = await tx.first(_ONE, {"workspace_id": actor.workspace_id, "engagement_id": engagement_id})
    if row is None:
        raise EngagementNotFound
    return _view(row, await rules(tx, actor), utc_now())


async def same_engagement(
    tx: Transaction, actor: Actor, *, lead_id: UUID, kind: str, at: datetime, external_key: str | None
) -> UUID | None:
    """The ID of the engagement with this key, or without a key, of this lead, kind and time."""
    values = {
        "workspace_id": actor.workspace_id,
        "lead_id": lead_id,
        "kind": kind,
        "at": at,
        "external_key": external_key,
    }
    found: UUID | None = await tx.scalar(_SAME, values)
    return found


async def leads_by_key(tx: Transaction, actor: Actor, *, keys: Collection[str]) -> dict[str, UUID]:
    """The leads that have engagements with these external keys."""
    rows = await tx.all(_LEADS_BY_KEY, {"workspace_id": actor.workspace_id, "keys": list(keys)}) if keys else []
    return {row.external_key: row.lead_id for row in rows}


async def full_leads(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID], most: int) -> set[UUID]:
    """Those of the leads that have as many engagements as a lead can have."""
    values = {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids), "most": most}
    return {row.lead_id for row in await tx.all(_FULL, values)}


def _view(row: Row, counted: Rules, now: datetime) -> EngagementView:
    return EngagementView(
        id=row.id,
        lead_id=row.lead_id,
        kind=row.kind,
        points=row.points,
        decayed_points=round(decayed(row.points, row.at, half_life_days=counted.half_life_days, now=now), 2),
        at=row.at,
        note=row.note,
        external_key=row.external_key,
        source=EngagementSource(row.source),
        recorded_by=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        recorded_at=row.recorded_at,
    )
