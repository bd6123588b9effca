"""Rules for the tests of tenants."""

from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.rules import service
from leadflood.domains.rules.contracts import CreateRule
from leadflood.domains.rules.service import running
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from tests.integration.icps.desk import publish_profile
from tests.integration.icps.tenant import BODY

WITHOUT_PERSONAL_DATA = {"rules": "names that the team chose, and IDs of members, lists and tags"}
BODY_REFUSALS = {
    ("createRule", "icpId"): (400, "unknown_profile"),
    ("updateRule", "icpId"): (412, "rule_version_conflict"),
}
MARK = sql("""
INSERT INTO rule_marks (workspace_id, icp_id, lead_id, tier) VALUES (:workspace_id, :icp_id, :lead_id, 'A')
""")


async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """Run a rule on the leads, and leave one marked."""
    icp_id = await publish_profile(database, actor, BODY, name="For rules")
    given = {
        "name": "Hot leads",
        "icpId": str(icp_id),
        "trigger": "enters",
        "tier": "A",
        "actions": [{"type": "addTag", "target": "Hot"}],
        "includePresent": True,
        "enabled": True,
    }
    async with database.transaction(actor.workspace_id) as tx:
        made = await service.create_rule(tx, actor, command=CreateRule.model_validate(given))
        await running.compare_tiers(tx, actor, icp_id=icp_id)
        await running.run_marked(tx, actor)
        await tx.execute(MARK, {"workspace_id": actor.workspace_id, "icp_id": icp_id, "lead_id": ids["leads"]})
    return {"rules": made.id}
