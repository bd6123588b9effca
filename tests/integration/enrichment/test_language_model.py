"""The language model in runs of companies: it reads what the website source has read, at the price of its twin."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from leadflood.demo.internet.http_server import Received
from leadflood.demo.internet.internet import Internet
from leadflood.demo.internet.world import companies
from leadflood.demo.providers.language_model import MODEL, LanguageModelTwin
from leadflood.demo.providers.twin import json_page
from leadflood.demo.providers.twins import DemoServers
from leadflood.domains.enrichment import jobs
from leadflood.domains.enrichment.contracts import CompanyEnrichmentView
from leadflood.domains.enrichment.contracts.language_models import SetModelEndpoint
from leadflood.domains.enrichment.contracts.source_settings import ChangeSource, SetSourceKey
from leadflood.domains.enrichment.engine.fetching import DoorFetcher
from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.enrichment.models import Source
from leadflood.domains.enrichment.queries.companies import get_company_enrichment
from leadflood.domains.enrichment.service import company_runs, source_settings
from leadflood.domains.enrichment.service.workspace_sources import WorkspaceSources
from leadflood.domains.enrichment.sources.website.source import Website
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.spending.contracts import BudgetWindowView
from leadflood.domains.spending.queries import list_budgets, price_of
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.door.door import Door
from leadflood.kernel.door.targets import InternalHosts
from leadflood.kernel.fingerprints import Fingerprints
from tests.conftest import Workspace
from tests.integration.enrichment.bench import Bench
from tests.integration.spending.till import Till
from tests.support.new_companies import new_company
from tests.support.sandbox import shared_sandbox
from tests.support.small_internet import open_door

NAME = "language_model"
PRICE = 150
COMPANY = next(each for each in companies() if each.language == "en")
DUE = sql("UPDATE company_runs SET not_before = now() WHERE workspace_id = :workspace_id")


@dataclass(frozen=True)
class Reading(Bench):
    """A workspace with a website source, a language model, and a budget."""

    servers: DemoServers
    door: Door
    box: SecretBox
    pages: list[str] = field(default_factory=list)
    """Pages of websites that were fetched."""

    @property
    def twin(self) -> LanguageModelTwin:
        return next(twin for twin in self.servers.twins.all if isinstance(twin, LanguageModelTwin))

    @property
    def till(self) -> Till:
        return Till(self.database, self.actor)

    def registry(self, *_sources: Source) -> JobRegistry:
        fingerprints = Fingerprints(self.database, self.box)
        engines = SubjectEngines(
            self.database, lambda key: DoorFetcher(self.door, shared_sandbox(), key), fingerprints.hash
        )
        return JobRegistry(jobs.definitions(WorkspaceSources([Website()], self.box), engines))

    async def set_up(self, *, budget: int = 1_000_000, key: str = LanguageModelTwin.key, **changes: object) -> None:
        given = {"url": "https://api.models.test/v1", "model": MODEL, **changes}
        await self.till.price(PRICE, source=NAME)
        await self.till.budget(budget)
        async with self.database.transaction(self.actor.workspace_id) as tx:
            command = SetModelEndpoint.model_validate(given)
            await source_settings.set_model(tx, self.actor, command=command, internal=InternalHosts())
            key_command = SetSourceKey(key=key)
            await source_settings.set_key(tx, self.actor, self.box, source=NAME, command=key_command)
            await source_settings.change(tx, self.actor, source=NAME, command=ChangeSource(enabled=True))

    async def company(self) -> UUID:
        return await new_company(self.database, self.actor.workspace_id, COMPANY.domain)

    async def read(self, company_id: UUID) -> CompanyEnrichmentView:
        """Read a company again, as a user asks for it."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            job_id = await company_runs.enrich_company(tx, self.actor, company_id=company_id, trace={})
        await self.attempt(job_id)
        return await self.facts(company_id)

    async def read_later(self, company_id: UUID) -> CompanyEnrichmentView:
        """The run that follows one whose source asked for patience."""
        scheduled = (await self.facts(company_id)).scheduled
        assert scheduled is not None
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await tx.execute(DUE, {"workspace_id": self.actor.workspace_id})
        await self.attempt(scheduled.job_id)
        return await self.facts(company_id)

    async def facts(self, company_id: UUID) -> CompanyEnrichmentView:
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return await get_company_enrichment(tx, self.actor, company_id=company_id)

    async def window(self) -> BudgetWindowView:
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            (budget,) = (await list_budgets(tx, self.actor, limit=10)).items
        assert budget.window is not None
        return budget.window


@pytest.fixture
async def reading(database: Database, workspace: Workspace, secret_box: SecretBox) -> AsyncIterator[Reading]:
    servers, pages = DemoServers(), list[str]()

    async def serve(request: Received, writer: object) -> object:
        if not servers.twins.has(request) and request.path != "/robots.txt":
            pages.append(request.url)
        return await servers.serve(request, writer)  # type: ignore[arg-type]

    async with Internet(servers.zone, serve) as internet, open_door(internet) as door:  # type: ignore[arg-type]
        yield Reading(database, workspace.actor, servers, door, secret_box, pages)


def step_of(view: CompanyEnrichmentView) -> tuple[str, str]:
    """State and sentence of the language model in the latest run."""
    assert view.latest is not None
    return next((step.state, step.message) for step in view.latest.steps if step.source == NAME)


def found(view: CompanyEnrichmentView) -> dict[str, object]:
    """Values that the language model found, by field."""
    return {item.field: item.value for item in view.values if item.source == NAME}


async def test_it_reads_the_pages_of_the_website_and_is_paid_once(reading: Reading) -> None:
    await reading.set_up()
    company_id = await reading.company()

    view = await reading.read(company_id)

    assert found(view) == {
        "founded": COMPANY.founded,
        "employees": COMPANY.employees,
        "industry": COMPANY.industry,
    } | {name: value for name, value in found(view).items() if name == "legal_form"}
    quotes = {item.field: (item.quote, item.source_url) for item in view.values if item.source == NAME}
    assert quotes["founded"] == (f"since {COMPANY.founded}", f"https://{COMPANY.domain}/")
    assert reading.twin.charged > 0
    assert (await reading.window()).spent_micros == PRICE * reading.twin.charged
    assert len(reading.twin.calls) == 1
    fetched = [*reading.pages]
    assert len(fetched) == len(set(fetched)), "no page is fetched twice"

    again = await reading.read(company_id)
    assert len(reading.twin.calls) == 1, "what is known is not paid for again"
    assert found(again) == found(view)


async def test_a_model_that_is_busy_is_asked_later_about_the_pages_that_were_kept(reading: Reading) -> None:
    await reading.set_up()
    company_id = await reading.company()
    limited = {"error": {"message": "Slow down.", "type": "requests", "code": "rate_limit_exceeded"}}
    reading.twin.forced.append(json_page(limited, 429, {"retry-after": "60"}))

    view = await reading.read(company_id)
    assert step_of(view) == ("waiting", "api.models.test wants to be asked later. It says: Slow down.")
    fetched = [*reading.pages]

    later = await reading.read_later(company_id)
    assert found(later)["founded"] == COMPANY.founded
    assert reading.pages == fetched, "the website is not asked again"
    assert (await reading.window()).spent_micros == PRICE * reading.twin.charged > 0


async def test_an_answer_that_is_lost_is_in_doubt_and_not_asked_for_again(reading: Reading) -> None:
    await reading.set_up()
    company_id = await reading.company()
    reading.twin.lost = 1

    await reading.read(company_id)
    window = await reading.window()
    assert (window.spent_micros, window.reserved_micros) == (0, 0)
    assert window.in_doubt_micros >= PRICE * reading.twin.charged > 0

    await reading.read(company_id)
    assert len(reading.twin.calls) == 1
    assert (await reading.window()).in_doubt_micros == window.in_doubt_micros


async def test_values_that_no_page_states_are_dropped_counted_and_paid(reading: Reading) -> None:
    await reading.set_up()
    company_id = await reading.company()
    obeying = {"industry": [{"value": "Weapons", "quote": "We make weapons."}], "email": [{"value": "e@evil.test"}]}
    reading.twin.says.append(json.dumps(obeying))

    view = await reading.read(company_id)

    sentence = "2 of 2 values were dropped: 1 not quoted from a page, 1 more than asked for."
    assert step_of(view) == ("missed", sentence)
    assert found(view) == {}
    assert (await reading.window()).spent_micros == PRICE * reading.twin.charged > 0


async def test_without_a_count_the_maximum_is_paid_and_more_than_it_pauses_the_source(reading: Reading) -> None:
    await reading.set_up(budget=1_000_000)
    reading.twin.counts = False
    await reading.read(await reading.company())
    most = (await reading.window()).spent_micros
    assert most > PRICE * reading.twin.charged

    usage = {"prompt_tokens": 10**6, "completion_tokens": 0}
    reading.twin.forced.append(json_page({"choices": [{"message": {"content": "{}"}}], "usage": usage}))
    other = next(each for each in companies() if each.language == "en" and each.domain != COMPANY.domain)
    await reading.read(await new_company(reading.database, reading.actor.workspace_id, other.domain))

    assert (await reading.window()).spent_micros == most + PRICE * 1000
    async with reading.database.transaction(reading.actor.workspace_id, read_only=True) as tx:
        price = await price_of(tx, reading.actor, source=NAME)
    assert price is not None
    assert "charged 1000 units" in price.pause_reason


async def test_a_budget_that_is_too_small_for_the_maximum_stops_the_call(reading: Reading) -> None:
    await reading.set_up(budget=100)

    view = await reading.read(await reading.company())

    assert step_of(view) == ("skipped", "It can cost more than the budget of the workspace.")
    assert reading.twin.calls == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"key": "a-wrong-key"}, "api.models.test does not accept the key. It says: Incorrect API key provided."),
        ({"model": "other"}, "api.models.test does not know the model other, or its address is another one. It says:"),
        ({"url": "https://api.models.test/v2"}, "api.models.test does not know the model demo-small"),
    ],
)
async def test_wrong_settings_are_named(reading: Reading, changes: dict[str, str], sentence: str) -> None:
    await reading.set_up(**changes)  # type: ignore[arg-type]

    view = await reading.read(await reading.company())

    assert step_of(view)[1].startswith(sentence)
    assert reading.twin.charged == 0


async def test_an_empty_account_stops_it(reading: Reading) -> None:
    await reading.set_up()
    reading.twin.credits = 0

    view = await reading.read(await reading.company())

    assert step_of(view)[1] == "The credits at api.models.test are used up. It says: You exceeded your current quota."
    window = await reading.window()
    assert (window.spent_micros, window.reserved_micros, window.in_doubt_micros) == (0, 0, 0)


async def test_pages_that_were_not_kept_are_not_fetched_for_it(reading: Reading) -> None:
    company_id = await reading.company()
    await reading.read(company_id)
    fetched = [*reading.pages]
    assert fetched
    await reading.set_up()

    async with reading.database.transaction(reading.actor.workspace_id) as tx:
        made = await company_runs.request_in_bulk(
            tx, reading.actor, company_ids=[company_id], sources="other", include_fresh=False, trace={}
        )
    await reading.attempt(made.jobs[company_id])

    assert step_of(await reading.facts(company_id))[0] == "skipped"
    assert (reading.pages, reading.twin.calls) == (fetched, [])
    assert found(await reading.read(company_id))["founded"] == COMPANY.founded, "enriching again reads them"
