"""Extension of leads by engagement: level and priority as columns, filters and columns of files, and a panel."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from leadflood.domains.engagement import queries
from leadflood.domains.engagement.contracts import EngagementRef
from leadflood.domains.engagement.models import LEVELS, decayed
from leadflood.domains.engagement.permissions import ENGAGEMENT_READ
from leadflood.domains.icps.permissions import ICPS_READ
from leadflood.domains.icps.queries import main_profile
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import Extension, Panel, RelatedField, RelatedOrder
from leadflood.kernel.filters import Column, FilterField, Kind, Relation

SHOWN: Final = 20
"""Engagements in the panel of a lead."""
_LEVELS: Final = Relation(
    "engagement_levels",
    sql("""
EXISTS (SELECT FROM engagement_levels related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
)
_PRIORITIES: Final = Relation(
    "lead_priorities",
    sql("""
EXISTS (SELECT FROM lead_priorities related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
)


async def _priorities(tx: Transaction, actor: Actor) -> dict[str, str]:
    """The priorities that there are: tiers of the main profile, each with the levels."""
    live = await main_profile(tx, actor)
    names = [f"{tier.name}{level}" for tier in live.tiers for level in LEVELS] if live is not None else []
    return {name: name for name in names}


FILTERS: Final = (
    FilterField(
        "engagement",
        "Engagement",
        Kind.CHOICE,
        Column("level", sql("related.level")),
        _LEVELS,
        nullable=False,
        choices={level: f"Level {level}" for level in LEVELS},
        absent=LEVELS[-1],
    ),
    FilterField(
        "engagementPoints",
        "Engagement points",
        Kind.NUMBER,
        Column("points", sql("related.points")),
        _LEVELS,
    ),
    FilterField(
        "priority",
        "Priority",
        Kind.CHOICE,
        Column("priority", sql("related.priority")),
        _PRIORITIES,
        options=_priorities,
    ),
)


async def _load_panel(tx: Transaction, actor: Actor, lead_id: UUID) -> dict[str, Any]:
    rules, now = await queries.rules(tx, actor), utc_now()
    page = await queries.engagements_of(tx, actor, lead_id=lead_id, limit=SHOWN)
    summary = await queries.summary_of(tx, actor, lead_id=lead_id)
    shown = sum(decayed(each.points, each.at, half_life_days=rules.half_life_days, now=now) for each in page.items)
    return {
        "engagements": page.items,
        "summary": summary,
        "rules": rules,
        "older": summary.engagements - len(page.items),
        "older_points": summary.points - shown,
        "options": [(kind, f"{points} points") for kind, points in rules.all_points.items()],
    }


def _level_and_points(ref: EngagementRef) -> list[str]:
    return [f"{ref.level} ({ref.points:.1f})"] if ref.engagements else []


def _name(priority: str | None) -> list[str]:
    return [priority] if priority else []


async def _load_priorities(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> dict[UUID, str]:
    actor.require(ICPS_READ)
    return await queries.priorities_of(tx, actor, lead_ids)


EXTENSION: Final = Extension(
    fields=(
        RelatedField(
            name="engagement",
            label="Engagement",
            load=queries.engagement_of_leads,
            schema=EngagementRef,
            empty=EngagementRef.none,
            permission=ENGAGEMENT_READ,
            cell="engagement/_cell.html",
            names=_level_and_points,
            order=RelatedOrder(
                "engagement",
                sql("SELECT lead_id, sort_key FROM lead_engagement WHERE workspace_id = :workspace_id"),
                fractional=True,
            ),
        ),
        RelatedField(
            name="priority",
            label="Priority",
            load=_load_priorities,
            schema=str | None,
            permission=ENGAGEMENT_READ,
            cell="engagement/_priority.html",
            names=_name,
        ),
    ),
    panels=(
        Panel(
            name="engagement",
            title="Engagement",
            template="engagement/_panel.html",
            load=_load_panel,
            permission=ENGAGEMENT_READ,
            order=25,
        ),
    ),
)
