"""Companies whose domains redirect to each other: joined on two signs, suggested on one, apart if a person says so."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from leadflood.domains.companies import queries as companies
from leadflood.domains.companies.service import delete_company, merges
from leadflood.domains.companies.store import merging
from leadflood.domains.enrichment.events import JOIN_COMPANIES
from leadflood.domains.enrichment.models import Answer, Fact, Fetcher, Found, Question, Receipt, SourceSpec
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.models.aliases import RedirectSign
from leadflood.domains.enrichment.queries.aliases import AliasSuggestion, suggested_alias
from leadflood.domains.enrichment.service.company_runs import enrich_company
from leadflood.domains.jobs.models import JobStatus
from leadflood.kernel.actor import Role
from leadflood.kernel.clock import utc_now
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import Office, domain, person
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.asked_sources import fact, spec_of
from tests.support.jobs import Jobs
from tests.support.web import Browser

__all__ = ["house", "new_house", "pages_app", "pages_parts", "site_parts", "viewer"]

DAY = timedelta(days=1)


@dataclass
class Redirecting:
    """A source that sees a company's website redirect to `target`, if any. `ago`: when it has seen that."""

    target: str | None = None
    sign: RedirectSign = RedirectSign.NAMED
    ago: timedelta = timedelta(0)
    spec: SourceSpec = field(
        default_factory=lambda: spec_of(f"web-{new_id().hex}", fields.NAME, fields.REDIRECTS_TO, one_service=False)
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        at = utc_now() - self.ago
        seen = Receipt(self.sign, "It redirects there permanently.", at)
        redirects = [Fact.of(fields.REDIRECTS_TO, self.target, 0.9, seen)] if self.target else []
        return Found([fact("Acme", at=at), *redirects])


@dataclass(frozen=True)
class Pair:
    """A company, and the domain to which it redirects."""

    office: Office
    company: str = field(default_factory=domain)
    target: str = field(default_factory=domain)
    source: Redirecting = field(default_factory=Redirecting)

    @property
    def bench(self) -> Bench:
        return self.office.bench

    async def read(self, target: str, sign: RedirectSign, ago: timedelta = timedelta(0)) -> list[UUID]:
        """Ask the source about the company again. Returns the queued jobs that would join it."""
        self.source.target, self.source.sign, self.source.ago = target, sign, ago
        company_id = await self.office.company_id(self.company)
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            job_id = await enrich_company(tx, self.bench.actor, company_id=company_id, trace={})
        assert (await self.bench.attempts(job_id, person(), self.source)).status == JobStatus.COMPLETED
        queued = [job for job in await self.bench.jobs() if job.kind == JOIN_COMPANIES.name]
        return [job.id for job in queued if job.status == JobStatus.QUEUED and job.subject_id == company_id]

    async def read_twice(self, sign: RedirectSign = RedirectSign.NAMED, apart: timedelta = DAY) -> list[UUID]:
        await self.read(self.target, sign, apart)
        return await self.read(self.target, sign)

    async def join(self, jobs: list[UUID]) -> None:
        for job_id in jobs:
            assert (await self.bench.attempt(job_id)).status == JobStatus.COMPLETED

    async def suggestion(self) -> AliasSuggestion | None:
        company_id = await self.office.company_id(self.company)
        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            return await suggested_alias(tx, self.bench.actor, company_id=company_id)

    async def together(self) -> bool:
        """Whether both domains are of one company."""
        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            owners = await companies.owners_of(tx, self.bench.actor.workspace_id, [self.company, self.target])
        return len(owners) == 2 and len({owner.company_id for owner in owners.values()}) == 1


async def new_pair(office: Office, *, owner: bool = True) -> Pair:
    """A company with a lead; with `owner`, the other domain belongs to a company with a lead, too."""
    pair = Pair(office)
    for name in [pair.company, pair.target] if owner else [pair.company]:
        made = await office.waiting(name, pair.source)
        await office.read(name, pair.source)
        await office.completes(made, pair.source)
    return pair


@pytest.fixture
def office(bench: Bench) -> Office:
    return Office(bench)


@pytest.mark.parametrize("sign", [RedirectSign.NAMED, RedirectSign.SAME_NAME])
async def test_a_confirmed_redirect_seen_on_two_days_makes_one_company_of_two(
    office: Office, sign: RedirectSign, jobs: Jobs
) -> None:
    pair = await new_pair(office)
    survivor = await office.company_id(pair.target)

    queued = await pair.read_twice(sign)
    assert (len(queued), await pair.together()) == (1, False)
    await pair.join(queued)

    assert await pair.together()
    assert await office.company_id(pair.company) == survivor
    query = "SELECT evidence FROM company_domains WHERE company_id = :id AND domain = :domain"
    assert [row.evidence for row in await jobs.rows(query, id=survivor, domain=pair.company)] == [
        "It redirects there permanently."
    ]
    assert await pair.suggestion() is None
    await office.sound()


async def test_a_domain_that_no_company_has_is_added(office: Office) -> None:
    pair = await new_pair(office, owner=False)

    await pair.join(await pair.read_twice())

    assert await pair.together()
    company = await office.company_id(pair.company)
    async with office.bench.database.transaction(office.bench.actor.workspace_id, read_only=True) as tx:
        found = await companies.domains_of(tx, office.bench.actor, company_id=company)
    assert [(item.domain, item.main, item.evidence) for item in found.items] == [
        (pair.company, True, None),
        (pair.target, False, "It redirects there permanently."),
    ]


@pytest.mark.parametrize(
    ("sign", "apart"), [(RedirectSign.ALONE, 30 * DAY), (RedirectSign.NAMED, DAY / 2), (RedirectSign.NAMED, DAY * 0)]
)
async def test_one_sign_is_a_suggestion(office: Office, sign: RedirectSign, apart: timedelta) -> None:
    pair = await new_pair(office)

    assert await pair.read_twice(sign, apart) == []

    found = await pair.suggestion()
    assert found is not None
    assert (found.seen.target, found.owner and found.owner.domain) == (pair.target, pair.target)
    assert not await pair.together()


async def test_a_redirect_that_is_no_longer_seen_is_no_sign(office: Office) -> None:
    pair = await new_pair(office)
    await pair.read(pair.target, RedirectSign.NAMED, 2 * DAY)

    assert await pair.read("elsewhere.com", RedirectSign.NAMED) == []

    found = await pair.suggestion()
    assert found is not None
    assert (found.seen.target, found.owner) == ("elsewhere.com", None)


async def test_companies_that_a_person_separated_stay_apart(office: Office, jobs: Jobs) -> None:
    pair, bench = await new_pair(office), office.bench
    await pair.join(await pair.read_twice())
    survivor = await office.company_id(pair.target)
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        (merge,) = (await companies.list_merges(tx, bench.actor, company_id=survivor, limit=5)).items
        await merges.undo_merge(tx, bench.actor, merge_id=merge.id)
    await jobs.change("UPDATE company_merges SET created_at = now() - interval '1 year' WHERE id = :id", id=merge.id)
    async with bench.database.system() as tx:
        await merging.purge(tx, 100, days=30)

    await pair.join(await pair.read_twice())

    assert not await pair.together()
    assert await pair.suggestion() is None


async def test_a_deleted_company_is_not_joined(office: Office) -> None:
    pair, bench = await new_pair(office), office.bench
    queued = await pair.read_twice()
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        await delete_company(tx, bench.actor, company_id=await office.company_id(pair.target))

    await pair.join(queued)

    assert not await pair.together()
    assert await pair.suggestion() is None


async def test_a_suggestion_is_shown_and_taken_with_a_click(house: House, viewer: Browser) -> None:
    office = Office(Bench(house.parts.database, house.actor))
    pair = await new_pair(office)
    await pair.read(pair.target, RedirectSign.ALONE)
    page, member = f"/companies/{await office.company_id(pair.company)}", await house.signed_in(Role.MEMBER)

    shown = (await viewer.get(page)).all("#panel-alias")
    assert f"{pair.company} redirects to" in shown[0]
    assert not (await viewer.get(page)).all("#panel-alias button"), "viewers cannot merge"

    await member.get(page)
    await member.post(f"/companies/{await office.company_id(pair.target)}/merges", {"other": pair.company})

    assert await pair.together()
    assert not (await viewer.get(f"/companies/{await office.company_id(pair.target)}")).all("#panel-alias")
