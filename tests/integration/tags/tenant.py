"""Tags for the tests of tenants."""

from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.tags import service
from leadflood.domains.tags.contracts import TagNames
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database

SEARCHED = ("tags", "lead_tags")
WITHOUT_PERSONAL_DATA = {"tags": "names and colors that the team chose"}
BODY_REFUSALS = {("mergeTag", "intoId"): (400, "unknown_tag")}


async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """Tag a lead."""
    async with database.transaction(actor.workspace_id) as tx:
        names = TagNames.model_validate({"names": ["VIP"]})
        found = await service.add_tags(tx, actor, lead_id=ids["leads"], command=names)
    return {"tags": found.items[0].id}
