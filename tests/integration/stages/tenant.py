"""Stages for the tests of tenants."""

from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.stages import service
from leadflood.domains.stages.contracts import CreateStage
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database

WITHOUT_PERSONAL_DATA = {"lead_stages": "names and colors that the team chose"}


async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """Create a stage."""
    async with database.transaction(actor.workspace_id) as tx:
        made = await service.create_stage(tx, actor, command=CreateStage.model_validate({"name": "Demo booked"}))
    return {"stages": made.id}
