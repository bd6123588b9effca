"""Leads belong to the company of their website or email, through changes, merges, undo and erasure."""

import asyncio
from uuid import UUID

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.companies import invariants, service
from leadflood.domains.companies import jobs as companies_jobs
from leadflood.domains.companies.contracts import CompanyLink
from leadflood.domains.companies.events import LINK_LEADS
from leadflood.domains.duplicates.contracts import MergeLeads
from leadflood.domains.duplicates.service import merging
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.events import LEAD_CREATED, LeadCreatedData
from leadflood.domains.leads.service import personal_data
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.events import Event
from tests.integration.companies.desk import Desk
from tests.integration.enrichment.bench import Bench, Scripted
from tests.support.jobs import Jobs
from tests.support.statements import counted

_LINKED_AT = sql(
    "SELECT lead_id, linked_at, xmin::text FROM company_leads WHERE workspace_id = :workspace_id ORDER BY 1"
)
_TIMELINE = sql("SELECT kind, data ->> 'source' FROM company_events WHERE workspace_id = :workspace_id")
_BREAK = sql("""
UPDATE company_domains SET company_id = :company_id WHERE workspace_id = :workspace_id AND domain = 'acme.com'
""")
_JOBS = sql("SELECT id FROM job_executions WHERE workspace_id = :workspace_id AND kind = 'companies.link.v1'")


async def test_leads_are_linked_by_domain_and_linking_again_writes_nothing(desk: Desk) -> None:
    ada = await desk.lead("ada@acme.com")
    bob = await desk.lead("bob@gmail.com", website="https://shop.acme.com/x")
    eve = await desk.lead("eve@gmail.com")

    linked = await desk.relink([ada, bob, eve])

    assert set(linked) == {ada, bob}
    assert linked[ada] == linked[bob] == CompanyLink(linked[ada].company_id, "acme.com", pinned=False)
    assert [await desk.link(lead) for lead in (ada, bob, eve)] == [
        ("acme.com", "email", False),
        ("acme.com", "website", False),
        None,
    ]
    before = await desk.rows(_LINKED_AT)
    assert await desk.relink([ada, bob, eve]) == linked
    assert await desk.rows(_LINKED_AT) == before
    assert await desk.rows(_TIMELINE) == [("company.created", "lead")]


async def test_the_invariants_name_what_contradicts_itself(desk: Desk) -> None:
    ada, bob = await desk.lead("ada@acme.com"), await desk.lead("bob@beta.de")
    linked = await desk.relink([ada, bob])

    async def found() -> list[str]:
        async with desk.database.system(read_only=True) as tx:
            told = await invariants.violations(tx)
        return [text for text in told if any(str(link.company_id) in text for link in linked.values())]

    assert await found() == []
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(_BREAK, {"workspace_id": desk.actor.workspace_id, "company_id": linked[bob].company_id})
    assert len(await found()) == 2


async def test_concurrent_writers_create_each_company_once(desk: Desk) -> None:
    lists = [
        [await desk.lead(f"{name}{n}@{d}.com") for d in ("zeta", "acme", "mid")] for n in range(4) for name in "ab"
    ]

    results = await asyncio.gather(*(desk.relink(ids if n % 2 else ids[::-1]) for n, ids in enumerate(lists)))

    assert await desk.companies() == ["acme.com", "mid.com", "zeta.com"]
    assert len({link.company_id for result in results for link in result.values()}) == 3
    assert all(len(result) == 3 for result in results)


async def test_the_statements_do_not_depend_on_the_number_of_leads(desk: Desk) -> None:
    leads = [await desk.lead(f"p{n}@company{n % 7}.com") for n in range(40)]
    await desk.relink(leads[:7])

    async def statements(lead_ids: list[UUID]) -> int:
        with counted(desk.database.pool) as seen:
            await desk.relink(lead_ids)
        return len(seen)

    assert await statements(leads[7:8]) == await statements(leads[8:])


async def test_a_changed_website_or_email_moves_the_lead_unless_it_is_pinned(desk: Desk) -> None:
    lead = await desk.lead("ada@acme.com")
    await desk.relink([lead])
    changed = await desk.leads.update(lead, 1, website="https://other.com")
    assert await desk.link(lead) == ("other.com", "website", False)

    changed = await desk.leads.update(lead, changed.version, website=None, email="ada@gmail.com")
    assert await desk.link(lead) is None

    await desk.pin(lead, "acme.com")
    await desk.leads.update(lead, changed.version, website="https://other.com")
    assert await desk.link(lead) == ("acme.com", "manual", True)
    assert (await desk.relink([lead]))[lead].domain == "acme.com"


async def test_a_lead_without_a_job_is_linked_by_a_job_of_its_own(desk: Desk) -> None:
    lead = await desk.lead("ada@acme.com")
    assert await desk.rows(_JOBS) == []  # this one's enrichment does it
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await publish(tx, LEAD_CREATED, [Event(lead, LeadCreatedData(), desk.actor)])

    ((job_id,),) = await desk.rows(_JOBS)
    assert isinstance(job_id, UUID)
    registry = JobRegistry(companies_jobs.definitions(desk.database, retention_days=30))
    await Jobs(desk.database, desk.actor.workspace_id, LINK_LEADS).attempt(registry, job_id)

    assert await desk.link(lead) == ("acme.com", "email", False)


async def test_an_enriched_lead_is_linked_in_the_same_transaction(desk: Desk, database: Database) -> None:
    bench = Bench(database, desk.actor)
    lead = await bench.create("ada@acme.com")

    await bench.attempt(lead.job_id, Scripted("one", [[]]))

    assert await desk.link(lead.lead_id) == ("acme.com", "email", False)


async def test_existing_leads_are_linked_chunk_by_chunk_and_the_walk_resumes(desk: Desk) -> None:
    leads = [await desk.lead(f"p{n}@company{n}.com") for n in range(5)]

    async def walk() -> bool:
        async with desk.database.transaction(desk.actor.workspace_id) as tx:
            return await service.relink_more(tx, desk.actor, batch=2)

    assert await walk()
    assert [await desk.link(lead) is not None for lead in leads] == [True, True, False, False, False]
    assert [await walk(), await walk(), await walk()] == [True, False, True]
    assert await desk.companies() == [f"company{n}.com" for n in range(5)]


async def test_who_gets_another_company_is_told_by_events(desk: Desk) -> None:
    ada, bob = await desk.lead("ada@acme.com"), await desk.lead("bob@other.com")
    await desk.relink([ada, bob])
    await desk.relink([ada, bob])
    await desk.pin(bob, "acme.com")
    command = MergeLeads.model_validate({"survivorId": str(ada), "otherId": str(bob)})
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        merge = await merging.merge(tx, desk.actor, LEAD_PARTICIPANTS, command=command)
    told = await desk.told()
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await merging.undo_merge(tx, desk.actor, LEAD_PARTICIPANTS, merge_id=merge.id, trace={})

    assert told == [ada, bob, ada]
    assert (await desk.told())[3:] == [ada, ada], "its pin is removed, then its own email links it"


async def test_a_merge_moves_a_pin_and_undoing_it_moves_it_back(desk: Desk) -> None:
    ada, bob, third = [await desk.lead(f"{name}.com") for name in ("ada@acme", "bob@beta", "eve@third")]
    await desk.relink([ada, bob, third])
    await desk.pin(bob, "third.com")

    command = MergeLeads.model_validate({"survivorId": str(ada), "otherId": str(bob)})
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        merge = await merging.merge(tx, desk.actor, LEAD_PARTICIPANTS, command=command)
    assert await desk.link(ada) == ("third.com", "manual", True)

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await merging.undo_merge(tx, desk.actor, LEAD_PARTICIPANTS, merge_id=merge.id, trace={})
    assert await desk.link(ada) == ("acme.com", "email", False)
    assert await desk.link(bob) == ("third.com", "manual", True)


async def test_an_erasure_removes_the_link_and_a_company_that_only_the_person_had(desk: Desk) -> None:
    own, ada, bob = [await desk.lead(mail) for mail in ("me@ada-lovelace.com", "ada@acme.com", "bob@acme.com")]
    await desk.relink([own, ada, bob])

    for lead in (own, ada):
        async with desk.database.transaction(desk.actor.workspace_id) as tx:
            await personal_data.erase_person(tx, desk.actor, LEAD_PARTICIPANTS, who=lead, dry_run=False)

    assert await desk.companies() == ["acme.com"]
    assert await desk.link(bob) == ("acme.com", "email", False)
