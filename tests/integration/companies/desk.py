"""The verbs of companies, each in a transaction of its own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.domains.companies import service
from leadflood.domains.companies.contracts import CompanyLink
from leadflood.domains.leads.contracts import LeadCreated
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import Sql, sql
from tests.integration.leads.desk import Desk as LeadDesk

_LINK = sql("""
SELECT c.domain, l.how, l.pinned FROM company_leads l
LEFT JOIN companies c ON c.workspace_id = l.workspace_id AND c.id = l.company_id
WHERE l.workspace_id = :workspace_id AND l.lead_id = :lead_id
""")
_COMPANIES = sql("SELECT domain FROM companies WHERE workspace_id = :workspace_id ORDER BY domain")
_PIN = sql("""
INSERT INTO company_leads AS l (workspace_id, lead_id, company_id, domain, how, pinned)
SELECT workspace_id, :lead_id, id, domain, 'manual', true FROM companies
WHERE workspace_id = :workspace_id AND domain = :domain
ON CONFLICT (workspace_id, lead_id) DO UPDATE
SET company_id = excluded.company_id, domain = excluded.domain, how = excluded.how, pinned = true
""")

_TOLD = sql("""
SELECT subject_ids FROM outbox_events
WHERE workspace_id = :workspace_id AND kind = 'lead.company_changed.v1' ORDER BY id
""")


@dataclass(frozen=True)
class Desk:
    """A workspace with companies."""

    database: Database
    actor: Actor

    @property
    def leads(self) -> LeadDesk:
        """The verbs of leads."""
        return LeadDesk(self.database, self.actor)

    async def lead(self, email: str, **fields: object) -> UUID:
        """A lead that is not linked yet."""
        made: LeadCreated = await self.leads.create(email, **fields)
        return made.lead_id

    async def relink(self, lead_ids: Collection[UUID]) -> Mapping[UUID, CompanyLink]:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await service.relink(tx, self.actor, lead_ids=lead_ids)

    async def pin(self, lead_id: UUID, domain: str) -> None:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await tx.execute(_PIN, {"workspace_id": self.actor.workspace_id, "lead_id": lead_id, "domain": domain})

    async def link(self, lead_id: UUID) -> tuple[str | None, str, bool] | None:
        """Main domain of the lead's company, the part of the lead that names it, and whether it is pinned."""
        rows = await self.rows(_LINK, lead_id=lead_id)
        return (rows[0][0], rows[0][1], rows[0][2]) if rows else None

    async def companies(self) -> list[str]:
        """The main domains of all companies."""
        return [domain for (domain,) in await self.rows(_COMPANIES)]

    async def told(self) -> list[UUID]:
        """The leads that events name whose company changed, in order."""
        return [lead_id for (lead_ids,) in await self.rows(_TOLD) for lead_id in lead_ids]

    async def rows(self, statement: Sql, **values: object) -> list[tuple[Any, ...]]:
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            found = await tx.all(statement, {"workspace_id": self.actor.workspace_id, **values})
            return [tuple(row.values()) for row in found]
