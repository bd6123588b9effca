"""A workspace with a profile, and helpers that publish and read scores."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from leadflood.domains.icps import service
from leadflood.domains.icps.contracts.icps import CreateIcp, Publish
from leadflood.domains.icps.service import backtests, publishing
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from tests.support.api import Caller

SCORES = sql("""
SELECT lead_id, score, tier FROM live_icp_scores WHERE workspace_id = :workspace_id AND icp_id = :icp_id
""")


def criterion(name: str, test: object, points: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    return {"key": name, "label": name.capitalize(), "test": test, "points": points, **more}


GERMAN = criterion("german", {"field": "lead.country", "in": ["DE"]}, 20)
BIG = criterion("big", {"field": "company.employees", "atLeast": 50}, 30)


def body_of(*criteria: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    tiers = [{"name": "A", "atLeast": 40}, {"name": "B", "atLeast": 20}, {"name": "C"}]
    return {"groups": [{"name": "All", "criteria": list(criteria)}], "tiers": tiers, **more}


@dataclass
class Desk:
    """A caller with a profile."""

    toys: httpx.AsyncClient
    caller: Caller
    database: Database

    @property
    def actor(self) -> Actor:
        return Actor.system(self.caller.workspace_id)

    async def ask(self, method: str, path: str, *, status: int = 200, match: str | None = None, **body: Any) -> Any:  # noqa: ANN401  JSON
        headers = {**self.caller.headers, **({"If-Match": match} if match else {})}
        answer = await self.toys.request(method, path, headers=headers, json=body or None)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def lead(self, **fields: Any) -> str:  # noqa: ANN401  JSON
        email = f"{new_id().hex}@acme.test"
        return str((await self.ask("POST", "/v1/leads", status=201, email=email, **fields))["leadId"])

    async def profile(self, *criteria: dict[str, Any], name: str = "Fit", **more: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
        made: dict[str, Any] = await self.ask(
            "POST", "/v1/icps", status=201, name=name, body=body_of(*(criteria or (GERMAN, BIG)), **more)
        )
        return made

    async def publish(self, icp_id: str, number: int) -> None:
        """Publish a version, as its job does."""
        started = await self.ask("POST", f"/v1/icps/{icp_id}/publications", status=202, number=number)
        await self.score_all(UUID(started["publishing"]["id"]))

    async def score_all(self, version_id: UUID) -> None:
        after_id: UUID | None = None
        while True:
            async with self.database.transaction(self.caller.workspace_id) as tx:
                after_id = await publishing.score_chunk(tx, self.actor, version_id=version_id, after_id=after_id)
                if after_id is None:
                    await publishing.finish(tx, self.actor, version_id=version_id)
                    return

    async def backtest(self, icp_id: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
        """Test a version, as its job does. Returns the result."""
        started = await self.ask("POST", f"/v1/icps/{icp_id}/backtests", status=202, **(body or {"facts": "before"}))
        backtest_id = UUID(started["id"])

        def reading() -> AbstractAsyncContextManager[Transaction]:
            return self.database.transaction(self.caller.workspace_id)

        result = await backtests.measure(reading, self.actor, backtest_id=backtest_id)
        async with reading() as tx:
            await backtests.finish(tx, self.actor, backtest_id=backtest_id, result=result)
        found: dict[str, Any] = (await self.ask("GET", f"/v1/backtests/{backtest_id}"))["result"]
        return found

    async def scores(self, icp_id: str) -> dict[str, tuple[int, str | None]]:
        """Score and tier of each lead, as lists show them."""
        async with self.database.transaction(self.caller.workspace_id, read_only=True) as tx:
            rows = await tx.all(SCORES, {"workspace_id": self.caller.workspace_id, "icp_id": UUID(icp_id)})
        return {str(row.lead_id): (row.score, row.tier) for row in rows}


async def publish_profile(database: Database, actor: Actor, body: dict[str, Any], *, name: str = "Fit") -> UUID:
    """Publish a profile without HTTP. Returns its ID."""
    async with database.transaction(actor.workspace_id) as tx:
        made = await service.create_icp(tx, actor, command=CreateIcp.model_validate({"name": name, "body": body}))
        started = await publishing.start(tx, actor, icp_id=made.id, command=Publish.model_validate({"number": 1}))
        assert started.publishing is not None
        version_id = started.publishing.id
        await publishing.score_chunk(tx, actor, version_id=version_id, after_id=None)
        await publishing.finish(tx, actor, version_id=version_id)
    return made.id
