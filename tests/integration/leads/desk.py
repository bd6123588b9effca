"""The verbs of leads, each in a transaction of its own, for somebody who may do everything in one workspace."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import CreateLead, LeadCreated, LeadEventView, LeadView, UpdateLead
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.pagination import Page, Position

EVERYTHING = LeadFilter()

# As time and the worker would have it.
_SET_STATUS = sql("UPDATE leads SET status = :status WHERE workspace_id = :workspace_id AND id = :id")
_AGE = sql("""
UPDATE leads SET created_at = created_at - make_interval(days => :days),
                 updated_at = updated_at - make_interval(days => :days),
                 deleted_at = deleted_at - make_interval(days => :days)
WHERE workspace_id = :workspace_id AND id = :id
""")


@dataclass(frozen=True)
class Desk:
    """Works on the leads of one workspace."""

    database: Database
    actor: Actor

    async def create(self, email: str, **fields: object) -> LeadCreated:
        command = CreateLead.model_validate({"email": email, **fields})
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await service.create_lead(tx, self.actor, command=command, trace={})

    async def update(self, lead_id: UUID, version: int, **fields: object) -> LeadView:
        command = UpdateLead.model_validate(fields)
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await service.update_lead(tx, self.actor, lead_id=lead_id, command=command, expected_version=version)

    async def delete(self, lead_id: UUID, version: int | None = None) -> None:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await service.delete_lead(tx, self.actor, lead_id=lead_id, expected_version=version)

    async def restore(self, lead_id: UUID) -> LeadView:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await service.restore_lead(tx, self.actor, lead_id=lead_id)

    async def get(self, lead_id: UUID) -> LeadView:
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return await queries.get_lead(tx, self.actor, lead_id=lead_id)

    async def page(
        self,
        filters: LeadFilter = EVERYTHING,
        sort: LeadSort = LeadSort.NEWEST,
        *,
        after: Position | None = None,
        limit: int = 200,
    ) -> Page[LeadView]:
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return await queries.list_leads(tx, self.actor, filters=filters, sort=sort, after=after, limit=limit)

    async def pages(
        self, filters: LeadFilter = EVERYTHING, sort: LeadSort = LeadSort.NEWEST, *, limit: int
    ) -> AsyncIterator[Page[LeadView]]:
        """One page after the other, to the end."""
        page = await self.page(filters, sort, limit=limit)
        yield page
        while page.after is not None:
            page = await self.page(filters, sort, after=page.after, limit=limit)
            yield page

    async def walk(
        self, filters: LeadFilter = EVERYTHING, sort: LeadSort = LeadSort.NEWEST, *, limit: int
    ) -> list[LeadView]:
        return [lead async for page in self.pages(filters, sort, limit=limit) for lead in page.items]

    async def found(self, needle: str) -> set[str]:
        """The addresses that a search finds."""
        return {lead.email for lead in (await self.page(LeadFilter(q=needle))).items}

    async def timeline(self, lead_id: UUID) -> list[LeadEventView]:
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return list((await queries.list_events(tx, self.actor, lead_id=lead_id, limit=200)).items)

    async def timeline_of_deleted(self, lead_id: UUID) -> list[LeadEventView]:
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return list((await queries.list_events(tx, self.actor, lead_id=lead_id, deleted=True, limit=200)).items)

    async def count(self, statement: str) -> int:
        """Result of a `SELECT count(*)` in the workspace."""
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return int(await tx.scalar(sql(statement)))

    async def set_status(self, lead_id: UUID, status: LeadStatus) -> None:
        """Set the status as if a job had reached it."""
        await self._plant(_SET_STATUS, {"id": lead_id, "status": status.value})

    async def age(self, lead_id: UUID, days: int) -> None:
        """Move all times of the workspace back by this many days."""
        await self._plant(_AGE, {"id": lead_id, "days": days})

    async def _plant(self, statement: Any, values: dict[str, Any]) -> None:  # noqa: ANN401  an SQLAlchemy text
        async with self.database.transaction(self.actor.workspace_id) as tx:
            assert await tx.changed(statement, {**values, "workspace_id": self.actor.workspace_id}) == 1
