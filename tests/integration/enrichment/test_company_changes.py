"""Runs and facts of companies that are deleted, merged or purged meanwhile."""

import pytest

from leadflood.domains.companies import service as companies
from leadflood.domains.companies.contracts import CompanyDomain, MergeCompany, SplitCompany
from leadflood.domains.companies.service import domains, merges
from leadflood.domains.companies.store import merging
from leadflood.domains.jobs.models import JobStatus
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import Office, Register, domain, person
from tests.support.jobs import Jobs


@pytest.fixture
def office(bench: Bench) -> Office:
    return Office(bench)


async def test_a_company_deleted_meanwhile_is_not_asked_and_its_leads_complete(office: Office) -> None:
    company, register, bench = domain(), Register(), office.bench
    made = await office.waiting(company, register)
    company_id = await office.company_id(company)
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        await companies.delete_company(tx, bench.actor, company_id=company_id)

    await office.read(company, register)

    assert register.asked == []
    assert [row["state"] for row in await office.rows(company)] == ["canceled"]
    await office.completes(made, register)


async def test_facts_move_with_a_merge_and_return_with_its_undo(office: Office) -> None:
    survivor, other, register, bench = domain(), domain(), Register(), office.bench
    for company in (survivor, other):
        made = await office.waiting(company, register)
        await office.read(company, register)
        await office.completes(made, register)
    waiting_for = await office.company_id(other)
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        command = MergeCompany.model_validate({"otherId": str(waiting_for)})
        survivor_id = await office.company_id(survivor)
        merge = await merges.merge_companies(tx, bench.actor, company_id=survivor_id, command=command)

    found = await office.facts(survivor)
    assert [item.value for item in found.values if item.field == "name"] == [f"Company {other}"], "the latest answer"

    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        await merges.undo_merge(tx, bench.actor, merge_id=merge.id)

    assert await office.chosen(survivor) == {"name": f"Company {survivor}", "city": "Berlin"}
    assert await office.chosen(other) == {"name": f"Company {other}", "city": "Berlin"}
    await office.sound()


async def test_facts_of_a_company_that_was_split_off_return_with_the_undo_of_the_split(office: Office) -> None:
    company, other, register, bench = domain(), domain(), Register(), office.bench
    made = await office.waiting(company, register)
    await office.read(company, register)
    await office.completes(made, register)
    company_id = await office.company_id(company)
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        added = CompanyDomain.model_validate({"domain": other})
        await domains.add_domain(tx, bench.actor, company_id=company_id, command=added)
        command = SplitCompany.model_validate({"domains": [other]})
        split = await merges.split_company(tx, bench.actor, company_id=company_id, command=command)
    first = await office.waiting(other, register, "grace")
    await office.read(other, register)
    await office.completes(first, register)

    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        await merges.undo_merge(tx, bench.actor, merge_id=split.id)

    found = [item.value for item in (await office.facts(company)).values if item.field == "name"]
    assert found == [f"Company {other}"], "the latest answer"
    await office.sound()


async def test_leads_that_wait_for_a_company_that_is_merged_complete_with_its_survivor(office: Office) -> None:
    survivor, other, register, bench = domain(), domain(), Register(), office.bench
    first = await office.waiting(survivor, register)
    await office.read(survivor, register)
    await office.completes(first, register)
    made = await office.waiting(other, register)
    run_job = await office.run_job(other)
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        command = MergeCompany.model_validate({"otherId": str(await office.company_id(other))})
        await merges.merge_companies(tx, bench.actor, company_id=await office.company_id(survivor), command=command)

    await office.completes(made, register)
    assert (await bench.attempt(run_job, person(), register)).status == JobStatus.COMPLETED
    assert register.asked == [survivor]


async def test_nothing_of_a_purged_company_is_left(office: Office, jobs: Jobs) -> None:
    company, register, bench = domain(), Register(), office.bench
    made = await office.waiting(company, register)
    await office.read(company, register)
    await office.completes(made, register)
    company_id = await office.company_id(company)
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        await companies.delete_company(tx, bench.actor, company_id=company_id)
    await jobs.change("UPDATE companies SET deleted_at = now() - interval '90 days' WHERE id = :id", id=company_id)

    async with bench.database.system() as tx:
        await merging.purge(tx, 100, days=30)

    for query in (
        "SELECT 1 FROM lookups WHERE company_id = :id",
        "SELECT 1 FROM chosen_values WHERE subject_id = :id",
        "SELECT 1 FROM company_runs WHERE company_id = :id",
    ):
        assert await jobs.rows(query, id=company_id) == []
