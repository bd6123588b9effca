"""Found values that count for empty fields are as the choices say, whatever changes them, and lists know them."""

import asyncio
from functools import partial
from uuid import UUID

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.companies import service as companies
from leadflood.domains.companies.contracts import ChooseCompany, MergeCompany, SplitCompany
from leadflood.domains.companies.service.lead_links import choose_company, reset_company
from leadflood.domains.companies.service.merges import merge_companies, split_company, undo_merge
from leadflood.domains.duplicates.contracts import MergeLeads
from leadflood.domains.duplicates.service import merging
from leadflood.domains.enrichment.models import company_fields, lead_fields
from leadflood.domains.enrichment.queries import outdated
from leadflood.domains.enrichment.service.effective import CHUNK, refresh_leads, refresh_members
from leadflood.domains.leads import service
from leadflood.domains.leads.contracts import CreateLead, LeadCreated, NewLead
from leadflood.domains.leads.contracts.filters import LeadSort
from leadflood.domains.leads.service.found_values import set_found_values
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.conftest import new_workspace
from tests.integration.enrichment.bench import Bench, value
from tests.integration.enrichment.office import domain
from tests.integration.enrichment.shelf import Shelf
from tests.support.asked_sources import fact
from tests.support.waiting import eventually

NAME, COUNTRY = company_fields.NAME, company_fields.COUNTRY
FIRST = lead_fields.FIRST_NAME


@pytest.fixture
def shelf(bench: Bench) -> Shelf:
    return Shelf(bench)


async def test_values_that_are_sure_enough_fill_and_others_wait(shelf: Shelf) -> None:
    ada = await shelf.lead(f"a@{domain()}", value(FIRST, "Ada", 0.8), value(lead_fields.JOB_TITLE, "Reader", 0.79))

    assert await shelf.of(ada) == {"first_name": "Ada"}
    await shelf.enrich(ada, value(lead_fields.JOB_TITLE, "Reader", 0.9))
    assert await shelf.of(ada) == {"job_title": "Reader"}
    await shelf.enrich(ada, value(lead_fields.LAST_NAME, "🦊 Lovelace", 0.9))
    assert await shelf.of(ada) == {"last_name": "🦊 Lovelace"}


async def test_a_list_finds_and_sorts_by_found_values_and_a_written_value_hides_them(shelf: Shelf) -> None:
    company = domain()
    ada = await shelf.lead(f"a@{company}", value(FIRST, "Zyxwv", 0.9))
    bob = await shelf.lead(f"b@{company}", value(FIRST, "Bertie", 0.9))

    assert (await shelf.listed("zyxwv"), await shelf.listed(sort=LeadSort.NAME)) == ([ada], [bob, ada])
    await shelf.edit(ada, firstName="Aaron")
    assert (await shelf.listed("zyxwv"), await shelf.listed(sort=LeadSort.NAME)) == ([], [ada, bob])
    await shelf.edit(ada, firstName=None)
    assert (await shelf.listed("zyxwv"), await shelf.listed(sort=LeadSort.NAME)) == ([ada], [bob, ada])


async def test_the_end_of_a_run_fills_all_leads_of_the_company_at_once(shelf: Shelf) -> None:
    company = domain()
    leads = [await shelf.lead(f"p{number}@{company}") for number in range(3)]
    await shelf.read(await shelf.office.company_id(company), fact("Bletchley"), fact("GB", of=COUNTRY))

    assert [await shelf.of(lead) for lead in leads] == [{"company": "Bletchley", "country": "GB"}] * 3
    assert sorted(await shelf.listed("bletchley")) == sorted(leads)
    assert await shelf.refreshes() == []
    late = await shelf.lead(f"late@{company}")
    assert await shelf.of(late) == {"company": "Bletchley", "country": "GB"}


async def test_found_values_change_no_version_and_no_history(shelf: Shelf) -> None:
    company = domain()
    ada = await shelf.lead(f"a@{company}")
    before = (await shelf.bench.lead(ada)).model_dump()
    await shelf.read(await shelf.office.company_id(company), fact("Bletchley"))

    assert (await shelf.bench.lead(ada)).model_dump() == before
    assert await shelf.of(ada) == {"company": "Bletchley"}


async def test_a_company_that_a_user_names_deletes_or_restores_changes_its_leads(shelf: Shelf) -> None:
    company = domain()
    ada = await shelf.lead(f"a@{company}")
    company_id = await shelf.office.company_id(company)
    await shelf.read(company_id, fact("Bletchley"), fact("GB", of=COUNTRY))

    await shelf.name_company(company_id, "Ours")
    assert await shelf.of(ada) == {"country": "GB"}
    await shelf.name_company(company_id, None)
    assert await shelf.of(ada) == {"company": "Bletchley", "country": "GB"}
    async with shelf.bench.database.transaction(shelf.bench.actor.workspace_id) as tx:
        await companies.delete_company(tx, shelf.bench.actor, company_id=company_id)
    assert await shelf.of(ada) == {}
    async with shelf.bench.database.transaction(shelf.bench.actor.workspace_id) as tx:
        await companies.restore_company(tx, shelf.bench.actor, company_id=company_id)
    assert await shelf.of(ada) == {"company": "Bletchley", "country": "GB"}


async def test_a_lead_that_gets_another_company_has_its_values(shelf: Shelf) -> None:
    one, two = domain(), domain()
    ada, bob = await shelf.lead(f"a@{one}"), await shelf.lead(f"b@{two}")
    first_id, second_id = await shelf.office.company_id(one), await shelf.office.company_id(two)
    await shelf.read(first_id, fact("One"))
    await shelf.read(second_id, fact("Two"))
    actor, database = shelf.bench.actor, shelf.bench.database

    async with database.transaction(actor.workspace_id) as tx:
        await choose_company(tx, actor, lead_id=ada, command=_chosen(second_id))
    assert await shelf.of(ada) == {"company": "Two"}
    async with database.transaction(actor.workspace_id) as tx:
        await choose_company(tx, actor, lead_id=ada, command=_chosen(None))
    assert await shelf.of(ada) == {}
    async with database.transaction(actor.workspace_id) as tx:
        await reset_company(tx, actor, lead_id=ada)
    assert await shelf.of(ada) == {"company": "One"}
    await shelf.edit(bob, website=f"https://{one}")
    assert await shelf.of(bob) == {"company": "One"}


async def test_merged_and_split_companies_take_their_leads_along(shelf: Shelf) -> None:
    one, two = domain(), domain()
    ada, bob = await shelf.lead(f"a@{one}"), await shelf.lead(f"b@{two}")
    first_id, second_id = await shelf.office.company_id(one), await shelf.office.company_id(two)
    await shelf.read(first_id, fact("One", 0.9))
    await shelf.read(second_id, fact("GB", of=COUNTRY))
    actor, database = shelf.bench.actor, shelf.bench.database

    async with database.transaction(actor.workspace_id) as tx:
        merge = await merge_companies(
            tx, actor, company_id=first_id, command=MergeCompany.model_validate({"otherId": str(second_id)})
        )
    assert await shelf.stored() == await shelf.meant()
    assert (await shelf.of(bob)).get("company") == (await shelf.of(ada)).get("company")
    async with database.transaction(actor.workspace_id) as tx:
        split = await split_company(tx, actor, company_id=first_id, command=SplitCompany(domains=[two]))
    assert (await shelf.of(bob), await shelf.stored()) == ({}, await shelf.meant())
    async with database.transaction(actor.workspace_id) as tx:
        await undo_merge(tx, actor, merge_id=split.id)
    assert await shelf.stored() == await shelf.meant()
    async with database.transaction(actor.workspace_id) as tx:
        await undo_merge(tx, actor, merge_id=merge.id)
    assert (await shelf.of(ada), await shelf.of(bob)) == ({"company": "One"}, {"country": "GB"})


async def test_merged_leads_have_the_values_of_both_and_back(shelf: Shelf) -> None:
    ada = await shelf.lead(f"a@{domain()}", value(FIRST, "Ada", 0.9))
    bob = await shelf.lead(f"b@{domain()}", value(lead_fields.LAST_NAME, "Brown", 0.9))
    actor, database = shelf.bench.actor, shelf.bench.database

    async with database.transaction(actor.workspace_id) as tx:
        command = MergeLeads.model_validate({"survivorId": str(ada), "otherId": str(bob)})
        merged = await merging.merge(tx, actor, LEAD_PARTICIPANTS, command=command)
    assert (await shelf.of(ada), await shelf.of(bob)) == ({"first_name": "Ada", "last_name": "Brown"}, {})
    assert (await shelf.bench.lead(ada)).last_name is None
    async with database.transaction(actor.workspace_id) as tx:
        await merging.undo_merge(tx, actor, LEAD_PARTICIPANTS, merge_id=merged.id, trace={})
    assert (await shelf.of(ada), await shelf.of(bob)) == ({"first_name": "Ada"}, {"last_name": "Brown"})


async def test_more_leads_than_a_transaction_takes_are_filled_by_a_job_in_parts(shelf: Shelf) -> None:
    company = domain()
    actor, database = shelf.bench.actor, shelf.bench.database
    commands = [CreateLead.model_validate({"email": f"p{number}@{company}"}) for number in range(CHUNK + 1)]
    async with database.transaction(actor.workspace_id) as tx:
        made = await service.create_leads(
            tx, workspace_id=actor.workspace_id, leads=[NewLead(actor, command, {}) for command in commands]
        )
    leads = [item.lead_id for item in made if isinstance(item, LeadCreated)]
    for part in (leads[:CHUNK], leads[CHUNK:]):
        async with database.transaction(actor.workspace_id) as tx:
            await companies.relink(tx, actor, lead_ids=part)
    company_id = await shelf.office.company_id(company)

    await shelf.read(company_id, fact("Crowd"))

    assert set(map(str, (await shelf.stored()).values())) == {"{}"}
    assert not await _violations(leads, shelf), "a job is going to do it"
    async with database.transaction(actor.workspace_id) as tx:  # a worker dies after the first part
        after = await refresh_members(tx, actor, company_id=company_id, after_id=None)
    assert after is not None
    assert sum(bool(values) for values in (await shelf.stored()).values()) == CHUNK
    assert await shelf.refresh() == 1
    assert all(values == {"company": "Crowd"} for values in (await shelf.stored()).values())


async def test_a_lead_that_somebody_edits_does_not_hold_up_a_run_and_is_filled_by_a_job(shelf: Shelf) -> None:
    company = domain()
    ada, bob = await shelf.lead(f"a@{company}"), await shelf.lead(f"b@{company}")
    actor = shelf.bench.actor
    async with shelf.bench.database.transaction(actor.workspace_id) as editing:
        await service.lock_lead_ids(editing, actor, lead_ids=[ada])
        await shelf.read(await shelf.office.company_id(company), fact("Bletchley"))

        assert (await shelf.of(ada), await shelf.of(bob)) == ({}, {"company": "Bletchley"})
    assert await shelf.refresh() == 1
    assert await shelf.of(ada) == {"company": "Bletchley"}


async def test_a_lead_that_is_being_linked_while_a_run_ends_is_filled_by_a_job(shelf: Shelf) -> None:
    company = domain()
    await shelf.lead(f"a@{company}")
    bob = (await shelf.bench.create(f"b@{company}")).lead_id
    actor = shelf.bench.actor
    async with shelf.bench.database.transaction(actor.workspace_id) as linking:
        await companies.relink(linking, actor, lead_ids=[bob])
        await shelf.read(await shelf.office.company_id(company), fact("Bletchley"))
        (job_id,) = await shelf.refreshes()
        refreshing = asyncio.create_task(shelf.bench.attempt(job_id))
        await eventually(partial(_blocks, shelf, await linking.scalar(sql("SELECT pg_backend_pid()"))))
    await refreshing

    assert await shelf.of(bob) == {"company": "Bletchley"}


async def test_leads_of_other_workspaces_and_purged_ones_are_left_alone(shelf: Shelf) -> None:
    ada = await shelf.lead(f"a@{domain()}", value(FIRST, "Ada", 0.9))
    other = Actor.cli(await new_workspace(shelf.bench.database))
    async with shelf.bench.database.transaction(other.workspace_id) as tx:
        await refresh_leads(tx, other, lead_ids=[ada, new_id()])
        assert await set_found_values(tx, other, found={ada: {"first_name": "Eve"}}) == 0

    assert await shelf.of(ada) == {"first_name": "Ada"}


async def test_outdated_values_are_named_and_repaired(shelf: Shelf) -> None:
    ada = await shelf.lead(f"a@{domain()}", value(FIRST, "Ada", 0.9))
    async with shelf.bench.database.transaction(shelf.bench.actor.workspace_id) as tx:
        await tx.execute(sql("UPDATE leads SET found_first_name = 'Eve' WHERE id = :id"), {"id": ada})

    (sentence,) = await _violations([ada], shelf)
    assert sentence == f"lead {ada} has other found values than its choices say: first_name"
    assert await shelf.listed("eve") == [ada]
    await shelf.refresh_all()
    assert (await _violations([ada], shelf), await shelf.listed("eve"), await shelf.listed("ada")) == ([], [], [ada])


async def _blocks(shelf: Shelf, pid: int) -> bool:
    """Whether somebody waits for this session."""
    waiting = sql("SELECT count(*) FROM pg_stat_activity WHERE :pid::integer = ANY (pg_blocking_pids(pid))")
    async with shelf.bench.database.system(read_only=True) as tx:
        return bool(await tx.scalar(waiting, {"pid": pid}))


def _chosen(company_id: UUID | None) -> ChooseCompany:
    return ChooseCompany.model_validate({"companyId": company_id and str(company_id)})


async def _violations(leads: list[UUID], shelf: Shelf) -> list[str]:
    async with shelf.bench.database.system(read_only=True) as tx:
        found = await outdated.violations(tx, workspace_id=shelf.bench.actor.workspace_id)
    return [item for item in found if any(str(lead) in item for lead in leads)]
