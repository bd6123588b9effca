"""Profiles of the showcase."""

from uuid import UUID

from leadflood.domains.icps import queries as icp_queries
from leadflood.domains.icps import service as icps
from leadflood.domains.icps.contracts.backtests import StartBacktest
from leadflood.domains.icps.contracts.files import read_file
from leadflood.domains.icps.contracts.icps import CreateIcp, Publish, SaveDraft
from leadflood.domains.icps.models.templates import template_text
from leadflood.domains.icps.service import backtests, publishing
from leadflood.domains.rules import service as rules
from leadflood.domains.rules.contracts import CreateRule
from leadflood.domains.rules.service import running
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql

# Two of three leads were won.
_OUTCOMES = sql("""
INSERT INTO icp_outcomes (workspace_id, id, lead_id, outcome, at, source, actor_kind)
SELECT workspace_id, gen_random_uuid(), id, CASE row_number() OVER (ORDER BY id) % 3 WHEN 0 THEN 'lost' ELSE 'won' END,
       now(), 'import', 'system'
FROM leads WHERE workspace_id = :workspace_id AND deleted_at IS NULL
""")


async def add_profiles(database: Database, actor: Actor) -> UUID:
    """A profile with a live version, a draft that moves leads, and a backtest, and one that was never published.

    Returns the ID of the first.
    """
    (_, agencies), (_, software) = read_file(template_text("agencies")), read_file(template_text("b2b_saas"))
    borders = [None if tier.at_least is None else 5 - place for place, tier in enumerate(software.tiers)]
    tiers = [tier.model_copy(update={"at_least": at}) for tier, at in zip(software.tiers, borders, strict=True)]
    draft = SaveDraft(body=software.model_copy(update={"tiers": tiers}))
    async with database.transaction(actor.workspace_id) as tx:
        await icps.create_icp(tx, actor, command=CreateIcp(name="Agencies", body=agencies))
        made = await icps.create_icp(tx, actor, command=CreateIcp(name="B2B software buyers", body=software))
        started = await publishing.start(tx, actor, icp_id=made.id, command=Publish(number=1))
        assert started.publishing is not None
        await publishing.score_chunk(tx, actor, version_id=started.publishing.id, after_id=None)
        await publishing.finish(tx, actor, version_id=started.publishing.id)
        live = await icp_queries.get_icp(tx, actor, icp_id=made.id)
        await icps.save_draft(tx, actor, icp_id=made.id, command=draft, expected_version=live.version)
        await tx.execute(_OUTCOMES, {"workspace_id": actor.workspace_id})
    await backtests.run(
        lambda: database.transaction(actor.workspace_id),
        actor,
        icp_id=made.id,
        command=StartBacktest.model_validate({"facts": "today"}),
    )
    return made.id


async def add_rule(database: Database, actor: Actor, icp_id: UUID) -> UUID:
    """A rule that has run on leads. Returns its ID."""
    async with database.transaction(actor.workspace_id) as tx:
        tier = (await icp_queries.get_version(tx, actor, icp_id=icp_id, number=1)).body.tiers[-1].name
        given = {
            "name": "Cold leads",
            "icpId": str(icp_id),
            "trigger": "enters",
            "tier": tier,
            "actions": [{"type": "addTag", "target": "Cold"}],
            "includePresent": True,
            "enabled": True,
        }
        made = await rules.create_rule(tx, actor, command=CreateRule.model_validate(given))
        await running.compare_tiers(tx, actor, icp_id=icp_id)
        await running.run_marked(tx, actor)
    return made.id
