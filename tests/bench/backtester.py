"""A process of the part `backtests`: tests a profile of twelve criteria on all outcomes of a workspace.

`python -m tests.bench.backtester URL WORKSPACE`. Prints seconds and peak memory, as JSON.
"""

import asyncio
import json
import resource
import sys
from typing import Any
from uuid import UUID

from leadflood.bootstrap import SUBSCRIBERS
from leadflood.domains.icps import service
from leadflood.domains.icps.contracts.backtests import StartBacktest
from leadflood.domains.icps.contracts.icps import CreateIcp, SaveDraft
from leadflood.domains.icps.service import backtests
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import monotonic
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.postgres import PostgresQueueBackend

TESTS: list[dict[str, Any]] = [
    {"field": "lead.country", "in": ["DE", "AT", "CH"]},
    {"field": "lead.jobTitle", "in": ["Head of Sales", "Owner", "CEO"]},
    {"field": "company.employees", "between": [50, 500]},
    {"field": "company.employees", "atLeast": 20},
    {"field": "company.founded", "atLeast": 1990},
    {"field": "company.industry", "in": ["software", "finance"]},
    {"field": "company.technology", "anyOf": ["HubSpot", "Salesforce"]},
    {"field": "company.accepts_mail", "is": True},
    {"field": "lead.source", "is": "bench"},
    {"field": "lead.createdAt", "withinDays": 365},
    {"field": "lead.website", "known": True},
    {"any": [{"field": "lead.country", "in": ["FR"]}, {"field": "company.founded", "atMost": 1980}]},
]
LIVE = sql("""
UPDATE icp_versions SET state = 'live', published_at = now() WHERE workspace_id = :workspace_id AND icp_id = :icp_id
""")
SHOW = sql("""
UPDATE icps SET live_version_id = (SELECT id FROM icp_versions WHERE workspace_id = :workspace_id AND icp_id = :icp_id)
WHERE workspace_id = :workspace_id AND id = :icp_id
""")


def body(step: int) -> dict[str, Any]:
    """A profile with twelve criteria. `step`: of the points."""
    criteria = [
        {"key": f"c{at}", "label": f"Criterion {at}", "test": test, "points": 5 + step * at}
        for at, test in enumerate(TESTS)
    ]
    tiers = [{"name": "A", "atLeast": 60}, {"name": "B", "atLeast": 30}, {"name": "C"}]
    return {"groups": [{"name": "All", "criteria": criteria}], "tiers": tiers}


async def main(url: str, workspace: str) -> dict[str, float]:
    """Seconds and peak memory of a backtest of a draft next to a live version."""
    queue = PostgresQueueBackend(url, role=APP_ROLE)
    await queue.open()
    pool = ConnectionPool(url, application_name="bench-backtester", size=2, statement_timeout=60)
    database = Database(pool, queue, SUBSCRIBERS)
    actor = Actor.system(UUID(workspace))
    try:
        async with database.transaction(actor.workspace_id) as tx:
            made = await service.create_icp(
                tx, actor, command=CreateIcp.model_validate({"name": new_id().hex, "body": body(1)})
            )
            for statement in (LIVE, SHOW):
                await tx.execute(statement, {"workspace_id": actor.workspace_id, "icp_id": made.id})
            draft = SaveDraft.model_validate({"body": body(2)})
            await service.save_draft(tx, actor, icp_id=made.id, command=draft, expected_version=made.version)
        started = monotonic()
        done = await backtests.run(
            lambda: database.transaction(actor.workspace_id),
            actor,
            icp_id=made.id,
            command=StartBacktest.model_validate({}),
        )
        seconds = monotonic() - started
        assert done.result is not None
        auc = done.result.tested.ranking
        return {
            "seconds": seconds,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "leads": done.result.leads,
            "auc": auc.auc.value if auc is not None else -1.0,
        }
    finally:
        await database.close()
        await queue.close()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2]))))
