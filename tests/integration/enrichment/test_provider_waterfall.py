"""The demo's two priced providers: a lead goes down the waterfall, and the bill is what the twins charged."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from leadflood.cli.demo_providers import BUDGET, PRICES, open_providers
from leadflood.demo.internet.internet import Internet
from leadflood.demo.internet.world import companies
from leadflood.demo.providers.hunter import HunterTwin
from leadflood.demo.providers.people import person_of
from leadflood.demo.providers.people_data_labs import PeopleDataLabsTwin
from leadflood.demo.providers.twins import DemoServers
from leadflood.domains.enrichment import jobs
from leadflood.domains.enrichment.contracts.source_settings import ChangeSource
from leadflood.domains.enrichment.engine.fetching import DoorFetcher
from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.enrichment.models import Source
from leadflood.domains.enrichment.queries.sources import list_sources
from leadflood.domains.enrichment.service import source_settings
from leadflood.domains.enrichment.service.workspace_sources import FixedSources, WorkspaceSources, shown_sources
from leadflood.domains.enrichment.sources.email_insight import EmailInsight
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.spending.queries import list_budgets
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.door.door import Door
from leadflood.kernel.fingerprints import Fingerprints
from tests.conftest import Workspace
from tests.integration.enrichment.bench import Bench
from tests.support.sandbox import shared_sandbox
from tests.support.small_internet import open_door

DOMAIN = companies()[0].domain


@dataclass(frozen=True)
class Paying(Bench):
    """A bench whose sources are those of the workspace, and which reaches the twins."""

    servers: DemoServers
    door: Door
    box: SecretBox
    frozen: FixedSources | None = None
    """The sources as a job read them, if they change afterwards."""

    def registry(self, *_sources: Source) -> JobRegistry:
        fingerprints = Fingerprints(self.database, self.box)
        engines = SubjectEngines(
            self.database, lambda key: DoorFetcher(self.door, shared_sandbox(), key), fingerprints.hash
        )
        return JobRegistry(jobs.definitions(self.frozen or WorkspaceSources([EmailInsight()], self.box), engines))

    async def spent(self) -> int:
        """Millionths of a euro that the budget has spent. Nothing is reserved or in doubt."""
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            (budget,) = (await list_budgets(tx, self.actor, limit=10)).items
        assert budget.window is not None
        assert (budget.window.reserved_micros, budget.window.in_doubt_micros) == (0, 0)
        return budget.window.spent_micros

    def charged(self) -> dict[str, int]:
        """Units that the twins charged."""
        found = {type(twin): twin.charged for twin in self.servers.twins.all}
        return {"hunter_email_finder": found[HunterTwin], "pdl_person": found[PeopleDataLabsTwin]}

    def bill(self) -> int:
        return sum(PRICES[name] * units for name, units in self.charged().items())

    async def steps(self, email: str) -> UUID:
        """Create a lead and enrich it."""
        made = await self.create(email)
        assert (await self.attempts(made.job_id)).status == JobStatus.COMPLETED
        return made.lead_id


@pytest.fixture
async def paying(database: Database, workspace: Workspace, secret_box: SecretBox) -> AsyncIterator[Paying]:
    servers = DemoServers()
    async with Internet(servers.zone, servers.serve) as internet, open_door(internet) as door:
        assert await open_providers(database, workspace.actor, secret_box)
        yield Paying(database, workspace.actor, servers, door, secret_box)


def people(*known_to: str) -> Sequence[str]:
    """Addresses of persons whom exactly these of the two providers know."""
    every = ("hunter", "people_data_labs")
    emails = (f"{first}.lovelace@{DOMAIN}" for first in ("ada", "eva", "ida", "una", "zoe", "mia", "lea", "amy", "kim"))
    return [email for email in emails if {name for name in every if person_of(email, provider=name)} == set(known_to)]


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
