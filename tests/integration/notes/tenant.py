"""Notes for the tests of tenants."""

from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.notes import service
from leadflood.domains.notes.contracts import WriteNote
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database

SEARCHED = ("lead_notes",)


async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """Write a note on a lead."""
    async with database.transaction(actor.workspace_id) as tx:
        command = WriteNote.model_validate({"text": "Met in Berlin"})
        note = await service.add_note(tx, actor, lead_id=ids["leads"], command=command)
    return {"notes": note.id}
