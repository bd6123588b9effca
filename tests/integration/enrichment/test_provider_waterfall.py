"""The demo's two priced providers: a lead goes down the waterfall, and the bill is what the twins charged."""

from dataclasses import replace

from leadflood.cli.demo_providers import BUDGET, PRICES, open_providers
from leadflood.domains.enrichment.contracts.source_settings import ChangeSource
from leadflood.domains.enrichment.queries.sources import list_sources
from leadflood.domains.enrichment.service import source_settings
from leadflood.domains.enrichment.service.workspace_sources import FixedSources, WorkspaceSources, shown_sources
from leadflood.domains.enrichment.sources.email_insight import EmailInsight
from tests.integration.enrichment.paying import Paying, paying, people

__all__ = ["paying"]


async def test_a_lead_goes_down_the_waterfall_and_the_bill_is_what_the_twins_charged(paying: Paying) -> None:
    for email in (*people("hunter", "people_data_labs")[:1], *people("hunter")[:1], *people()[:1]):
        await paying.steps(email)
        assert await paying.spent() == paying.bill()

    assert paying.bill() > 0
    shown = await shown_sources(paying.database, paying.actor, free=[])
    listed = await list_sources(paying.database, paying.actor, sources=shown.sources, providers=shown.providers)
    costs = {item.name: item.cost_micros for item in listed if item.cost_micros}
    assert costs == {name: PRICES[name] * units for name, units in paying.charged().items() if units}
    assert all(item.cost_per_hit_micros == PRICES[item.name] for item in listed if item.cost_micros)
    assert not await open_providers(paying.database, paying.actor, paying.box), "set up once"


async def test_what_is_known_is_not_paid_for_again(paying: Paying) -> None:
    email = people("hunter", "people_data_labs")[0]
    lead_id = await paying.steps(email)
    bill, calls = paying.bill(), sum(len(twin.calls) for twin in paying.servers.twins.all)
    assert bill > 0

    await paying.attempts(await paying.again(lead_id))

    assert (paying.bill(), await paying.spent()) == (bill, bill)
    assert sum(len(twin.calls) for twin in paying.servers.twins.all) == calls


async def test_a_source_that_is_disabled_is_not_asked_by_a_job_that_began_before(paying: Paying) -> None:
    async with paying.database.transaction(paying.actor.workspace_id, read_only=True) as tx:
        read = await WorkspaceSources([EmailInsight()], paying.box).of(tx, paying.actor.workspace_id)
    assert {source.spec.name for source in read.sources} >= {*PRICES}
    paying = replace(paying, frozen=FixedSources(read.sources))
    async with paying.database.transaction(paying.actor.workspace_id) as tx:
        for name in PRICES:
            await source_settings.change(tx, paying.actor, source=name, command=ChangeSource(enabled=False))

    await paying.steps(people("hunter", "people_data_labs")[0])

    assert (paying.bill(), await paying.spent()) == (0, 0)
    assert BUDGET > 0
