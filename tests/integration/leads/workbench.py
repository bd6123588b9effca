"""The verbs on changesets, each in a transaction of its own, next to those of the desk."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.changesets import ChangesetView, KeptLeadView
from leadflood.domains.leads.models import ChangesetKind
from leadflood.domains.leads.queries.changesets import get_changeset, list_kept
from leadflood.domains.leads.service import bulk, changesets
from leadflood.kernel.db.sql import sql
from tests.integration.leads.desk import Desk

ALL = sql("SELECT * FROM leads WHERE workspace_id = :workspace_id")


@dataclass(frozen=True)
class Workbench:
    """Changes many leads of one workspace."""

    desk: Desk
    trace: dict[str, str] = field(default_factory=dict)

    async def change(self, **body: object) -> ChangesetView:
        command = BulkChange.model_validate(body)
        async with self.desk.database.transaction(self.desk.actor.workspace_id) as tx:
            return await bulk.change_leads(tx, self.desk.actor, command=command, trace=self.trace)

    async def set(self, lead_ids: list[UUID], **changes: object) -> ChangesetView:
        return await self.change(action="set", changes=changes, leadIds=[str(lead_id) for lead_id in lead_ids])

    async def delete(self, lead_ids: list[UUID]) -> ChangesetView:
        return await self.change(action="delete", leadIds=[str(lead_id) for lead_id in lead_ids])

    async def created(self, lead_ids: list[UUID]) -> UUID:
        """Say that these leads came with one import."""
        actor = self.desk.actor
        async with self.desk.database.transaction(actor.workspace_id) as tx:
            changeset_id = await changesets.open_changeset(tx, actor, kind=ChangesetKind.IMPORT, label="leads.csv")
            await changesets.record_created(tx, actor, changeset_id=changeset_id, lead_ids=lead_ids)
            await changesets.close_changeset(tx, actor, changeset_id=changeset_id)
        return changeset_id

    async def undo(self, changeset_id: UUID) -> ChangesetView:
        async with self.desk.database.transaction(self.desk.actor.workspace_id) as tx:
            return await changesets.undo_changeset(
                tx, self.desk.actor, LEAD_PARTICIPANTS, changeset_id=changeset_id, trace=self.trace
            )

    async def view(self, changeset_id: UUID) -> ChangesetView:
        async with self.desk.database.transaction(self.desk.actor.workspace_id, read_only=True) as tx:
            return await get_changeset(tx, self.desk.actor, changeset_id=changeset_id)

    async def kept(self, changeset_id: UUID) -> list[KeptLeadView]:
        async with self.desk.database.transaction(self.desk.actor.workspace_id, read_only=True) as tx:
            return list((await list_kept(tx, self.desk.actor, changeset_id=changeset_id, limit=200)).items)

    async def rows(self) -> dict[UUID, dict[str, Any]]:
        """All leads, deleted ones included, as they are stored, but for when and how often they were touched."""
        async with self.desk.database.transaction(self.desk.actor.workspace_id, read_only=True) as tx:
            found = await tx.all(ALL, {"workspace_id": self.desk.actor.workspace_id})
        return {
            row.id: {key: value for key, value in row.items() if key not in {"version", "updated_at"}} for row in found
        }
