"""Lists for the tests of tenants."""

from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.lists import service
from leadflood.domains.lists.contracts import CreateList, OneList
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database

SEARCHED = ("lists", "list_leads")
WITHOUT_PERSONAL_DATA = {"lists": "names and descriptions that the team chose"}
BODY_REFUSALS = {
    ("addLeadToList", "listId"): (400, "unknown_list"),
    ("removeLeadFromList", "listId"): (400, "unknown_list"),
}


async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """Create a list with a lead."""
    async with database.transaction(actor.workspace_id) as tx:
        made = await service.create_list(tx, actor, command=CreateList.model_validate({"name": "Guests"}))
        one = OneList.model_validate({"listId": str(made.id)})
        await service.add_lead(tx, actor, lead_id=ids["leads"], command=one)
    return {"lists": made.id}
