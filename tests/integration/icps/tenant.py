"""Profiles for the tests of tenants."""

from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.icps import service
from leadflood.domains.icps.contracts.backtests import StartBacktest
from leadflood.domains.icps.contracts.icps import CreateIcp, Publish
from leadflood.domains.icps.contracts.outcomes import RecordOutcome
from leadflood.domains.icps.models.outcomes import OutcomeSource
from leadflood.domains.icps.queries import get_icp
from leadflood.domains.icps.service import backtests, drift, outcomes, publishing
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql

SEARCHED = ("icps", "icp_scores")
WITHOUT_PERSONAL_DATA = {
    "icps": "names that the team chose",
    "icp_versions": "criteria and points that the team chose",
    "icp_drifts": "numbers of leads by score",
    "icp_backtests": "figures, and IDs of leads, whose names are read when they are shown",
}
ANY_LEAD = {"none": [{"field": "lead.source", "is": "no source"}]}
BODY = {
    "groups": [{"name": "All", "criteria": [{"key": "any", "label": "Any", "test": ANY_LEAD, "points": 10}]}],
    "tiers": [{"name": "A", "atLeast": 10}, {"name": "B"}],
}
MARK = sql("INSERT INTO icp_pending (workspace_id, lead_id) VALUES (:workspace_id, :lead_id)")


async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """Publish a profile, leave a lead marked, record an outcome, and begin a backtest."""
    async with database.transaction(actor.workspace_id) as tx:
        made = await service.create_icp(tx, actor, command=CreateIcp.model_validate({"name": "Fit", "body": BODY}))
        await publishing.start(tx, actor, icp_id=made.id, command=Publish.model_validate({"number": 1}))
        version = (await get_icp(tx, actor, icp_id=made.id)).publishing
        assert version is not None
        await publishing.score_chunk(tx, actor, version_id=version.id, after_id=None)
        await drift.remember(tx, actor, version_id=version.id)
        await publishing.finish(tx, actor, version_id=version.id)
        await tx.execute(MARK, {"workspace_id": actor.workspace_id, "lead_id": ids["leads"]})
        outcome = await outcomes.record_outcome(
            tx,
            actor,
            lead_id=ids["leads"],
            command=RecordOutcome.model_validate({"outcome": "won"}),
            source=OutcomeSource.API,
        )
        command = StartBacktest.model_validate({})
        backtest = await backtests.start(tx, actor, icp_id=made.id, command=command)
    return {"icps": made.id, "versions": version.id, "outcomes": outcome.id, "backtests": backtest.id}
