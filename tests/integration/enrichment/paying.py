"""A workspace with two priced providers, whose servers are twins that count what they charge."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest

from leadflood.cli.demo_providers import PRICES, open_providers
from leadflood.demo.internet.internet import Internet
from leadflood.demo.internet.world import companies
from leadflood.demo.providers.hunter import HunterTwin
from leadflood.demo.providers.people import person_of
from leadflood.demo.providers.people_data_labs import PeopleDataLabsTwin
from leadflood.demo.providers.twins import DemoServers
from leadflood.domains.enrichment import jobs
from leadflood.domains.enrichment.engine.fetching import DoorFetcher
from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.enrichment.models import Source
from leadflood.domains.enrichment.service.workspace_sources import FixedSources, WorkspaceSources
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
