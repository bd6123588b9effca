"""Engagement for the tests of tenants."""

from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.engagement.contracts import RecordEngagement
from leadflood.domains.engagement.models import EngagementSource
from leadflood.domains.engagement.service import record_engagement
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql

SEARCHED = ("lead_engagement", "engagement_settings")
WITHOUT_PERSONAL_DATA = {"engagement_settings": "numbers that the team chose"}
SETTINGS = sql("""
INSERT INTO engagement_settings (workspace_id, half_life_days, border_1, border_2) VALUES (:workspace_id, 30, 50, 20)
""")


async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """Choose settings, and record an engagement of a lead."""
    command = RecordEngagement.model_validate({"kind": "demo_requested"})
    async with database.transaction(actor.workspace_id) as tx:
        await tx.execute(SETTINGS, {"workspace_id": actor.workspace_id})
        made = await record_engagement(tx, actor, lead_id=ids["leads"], command=command, source=EngagementSource.API)
    return {"engagements": made.id}
