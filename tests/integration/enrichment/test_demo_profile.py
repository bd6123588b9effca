"""The demo's profile: a provider that cannot change the tier of a lead is not asked, and the lead shows the price."""

from leadflood.cli.demo_profile import publish_profile
from leadflood.cli.demo_providers import PRICES
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.icps import queries
from leadflood.domains.icps.service import publishing
from leadflood.domains.spending.contracts import SpendBy
from leadflood.domains.spending.queries.spend import spend
from tests.integration.enrichment.paying import Paying, paying, people

__all__ = ["paying"]


async def test_a_lead_with_a_private_address_is_not_looked_up_for_money_and_another_one_is(paying: Paying) -> None:
    assert await publish_profile(paying.database, paying.actor)
    assert not await publish_profile(paying.database, paying.actor), "set up once"
    async with paying.database.transaction(paying.actor.workspace_id) as tx:
        (version,) = await queries.scored_rows(tx, paying.actor.workspace_id)
        await publishing.score_chunk(tx, paying.actor, version_id=version.id, after_id=None)
        await publishing.finish(tx, paying.actor, version_id=version.id)

    private = await paying.steps("jonas.weber@gmail.com")
    run = (await paying.enrichment(private)).latest_run
    assert run is not None
    (step,) = [step for step in run.steps if step.avoided_micros]
    assert (step.source, step.state) == ("pdl_person", StepState.SKIPPED)
    assert step.message == "Not asked: Demo buyers excludes the lead, whatever the answer."
    assert paying.bill() == 0
    async with paying.database.transaction(paying.actor.workspace_id, read_only=True) as tx:
        found = await spend(tx, paying.actor, by=SpendBy.SOURCE)
    assert (found.avoided_micros, found.avoided_calls) == (PRICES["pdl_person"], 1)

    await paying.steps(people("people_data_labs")[0])
    assert paying.charged()["pdl_person"] == 1
