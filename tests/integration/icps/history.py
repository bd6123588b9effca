"""Leads with a past: rows with the times that a test gives them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.models.filling import FillPolicies
from leadflood.domains.icps.models.catalog import STANDARD
from leadflood.domains.icps.queries.as_of import FactsWanted, facts_before
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

ADD_LEAD = sql("""
INSERT INTO leads (workspace_id, id, email, email_norm, source, search_text, status, country, created_at)
VALUES (:workspace_id, :id, :email, :email, 'test', '', 'new', :country, :at)
""")
CHANGE = sql("""
INSERT INTO lead_field_history (workspace_id, lead_id, field, old_value, new_value, at, actor_kind, source)
VALUES (:workspace_id, :lead_id, 'country', to_jsonb(:old::text), to_jsonb(:new::text), :at, 'system', 'edit')
""")
ADD_COMPANY = sql("""
WITH made AS (
    INSERT INTO companies (workspace_id, id, domain, sort_key, source)
    VALUES (:workspace_id, :company_id, :domain, :domain, 'lead')
)
INSERT INTO company_leads (workspace_id, lead_id, company_id, domain, how, linked_at)
VALUES (:workspace_id, :lead_id, :company_id, :domain, 'email', :at)
""")
ANSWER = sql("""
WITH asked AS (
    INSERT INTO lookups (workspace_id, id, company_id, source, source_version, state, answered_at)
    VALUES (:workspace_id, :id, :company_id, :source, '1', 'found', :at)
)
INSERT INTO found_values (workspace_id, lookup_id, id, field, value, confidence, method, evidence, observed_at)
VALUES (:workspace_id, :id, :id, :field, :value, :confidence, 'test', 'test', :at)
""")
CHOOSE = sql("""
INSERT INTO chosen_values (workspace_id, subject_kind, subject_id, field, lookup_id, value_id, confidence, because,
                           chosen_at)
VALUES (:workspace_id, 'company', :company_id, :field, :id, :id, :confidence, 'only', :at)
ON CONFLICT (workspace_id, subject_id, field, item) DO UPDATE
SET lookup_id = excluded.lookup_id, value_id = excluded.value_id, confidence = excluded.confidence,
    chosen_at = excluded.chosen_at
""")
RETRACT = sql("""
WITH made AS (
    INSERT INTO retractions (workspace_id, id, source, since, until, actor_kind, created_at)
    VALUES (:workspace_id, :retraction_id, 'test', :at::timestamptz - interval '1 year', :at, 'system', :at)
), unchosen AS (
    DELETE FROM chosen_values WHERE workspace_id = :workspace_id AND value_id = :id
)
UPDATE found_values SET retraction_id = :retraction_id WHERE workspace_id = :workspace_id AND id = :id
""")
MERGE = sql("""
WITH other AS (
    INSERT INTO companies (workspace_id, id, domain, sort_key, source, merged_into)
    VALUES (:workspace_id, :id, :domain, :domain, 'lead', :company_id)
)
INSERT INTO company_merges (workspace_id, id, kind, company_id, other_id, domains, pinned_leads, created_at)
VALUES (:workspace_id, :id, 'merge', :company_id, :id, '{}', '{}', :at)
""")
REJECT = sql("""
INSERT INTO rejected_values (workspace_id, id, company_id, field, source, value_key, value, actor_kind, created_at)
VALUES (:workspace_id, :id, :company_id, :field, 'test', :key, :value, 'system', :at)
""")


@dataclass
class Past:
    """A lead that was created ten days ago, with a company. Times are days before now."""

    tx: Transaction
    workspace_id: UUID
    lead_id: UUID
    company_id: UUID
    now: datetime

    @classmethod
    async def of(cls, tx: Transaction, workspace_id: UUID, *, country: str | None = None, linked: float = 10) -> "Past":
        """`linked`: when it got its company."""
        made = cls(tx, workspace_id, new_id(), new_id(), utc_now())
        await made._run(ADD_LEAD, 10, id=made.lead_id, email=f"{made.lead_id.hex}@acme.test", country=country)
        await made._run(ADD_COMPANY, linked, lead_id=made.lead_id, domain=f"{made.company_id.hex}.test")
        return made

    async def changed(self, days: float, old: str | None, new: str | None) -> None:
        """The country was changed."""
        await self._run(CHANGE, days, lead_id=self.lead_id, old=old, new=new)

    async def found(
        self,
        days: float,
        value: object,
        *,
        field: str = "employees",
        source: str = "test",
        confidence: float = 0.9,
        chosen: bool = True,
    ) -> UUID:
        """A source has found a value of the company."""
        same = {"id": new_id(), "field": field, "confidence": confidence}
        await self._run(ANSWER, days, **same, source=source, value=json.dumps(value))
        if chosen:
            await self._run(CHOOSE, days, **same)
        return same["id"]  # type: ignore[return-value]

    async def retracted(self, days: float, value_id: UUID) -> None:
        """A value was retracted."""
        await self._run(RETRACT, days, id=value_id, retraction_id=new_id())

    async def merged(self, days: float) -> None:
        """Another company was merged into the company."""
        other = new_id()
        await self._run(MERGE, days, id=other, domain=f"{other.hex}.test")

    async def rejected(self, days: float, value: object) -> None:
        """A person rejected a number of employees."""
        await self._run(REJECT, days, id=new_id(), field="employees", key=str(value), value=json.dumps(value))

    async def before(self, days: float) -> Mapping[str, Any] | None:
        """Country and employees, as they were known then."""
        wanted = [FactsWanted(self.lead_id, self.now - timedelta(days=days))]
        keys = ("lead.country", "company.employees", "lead.createdAt")
        (facts,) = await facts_before(
            self.tx,
            self.workspace_id,
            wanted=wanted,
            catalog=STANDARD,
            keys=keys,
            policies=FillPolicies(),
            companies={},
        )
        if facts is None:
            return None
        return {key: value for key, value in facts.values.items() if key != "lead.createdAt"}

    async def _run(self, statement: Any, days: float, **values: object) -> None:  # noqa: ANN401  SQL
        same = {"workspace_id": self.workspace_id, "company_id": self.company_id, "at": self.now - timedelta(days=days)}
        await self.tx.execute(statement, {**same, **values})
