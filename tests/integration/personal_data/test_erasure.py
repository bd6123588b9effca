"""A person is erased everywhere, and no other person is affected."""

import asyncio
from uuid import UUID

import pytest

from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.imports.errors import ImportsBusy
from leadflood.domains.imports.service import lifecycle
from leadflood.domains.jobs.errors import JobNotFound
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id
from tests.conftest import new_workspace
from tests.integration.enrichment.bench import Scripted, value
from tests.integration.personal_data.world import EMAIL, World
from tests.support.desk import counted


async def test_nothing_in_the_database_names_a_person_who_was_erased(world: World) -> None:
    lead_id = await world.everywhere()
    before = await world.traces()
    assert len(before) > 10, sorted(before)
    foreseen = await world.erase(lead_id, dry_run=True)
    assert await world.traces() == before

    erased = await world.erase(lead_id)

    assert await world.traces() == {}
    assert (erased.places, erased.lead_ids) == (foreseen.places, foreseen.lead_ids)
    assert len(erased.lead_ids) == 3
    assert (await world.erase(EMAIL, dry_run=True)).places == []
    assert await world.violations() == []


async def test_the_address_is_enough_and_a_merged_or_deleted_lead_stands_for_the_person(world: World) -> None:
    survivor, other = await world.person(), await world.person("second.quokka@acme.com")
    made = await world.desk.merge(survivor, other)
    await world.desk.leads.delete(survivor)

    for who in (EMAIL, "second.quokka@acme.com", survivor, other):
        assert set((await world.erase(who, dry_run=True)).lead_ids) == {survivor, other}

    await world.erase(other)
    assert await world.traces() == {}
    assert made.id not in {UUID(row["id"]) for row in await world.stored("lead_merges")}


async def test_others_in_the_same_import_can_still_be_undone(world: World) -> None:
    import_id = await world.file([world.row(), ["carl@acme.com", "Carl", "", "", "", ""]])
    await world.imports.commit(import_id)

    await world.erase(EMAIL)

    rows = await world.imports.rows(import_id)
    assert [(row.action, row.reason, row.email, row.lead_id is None) for row in rows] == [
        ("create", "erased", None, True),
        ("create", None, "carl@acme.com", False),
    ]
    undone = await world.imports.undo(import_id)
    assert (undone.status, undone.reverted, undone.kept_fields) == ("undone", 1, 0)
    assert await world.imports.leads() == []


async def test_an_import_that_waits_for_its_commit_does_not_bring_the_person_back(world: World) -> None:
    import_id = await world.file([world.row(), ["carl@acme.com", "Carl", "", "", "", ""]])

    await world.erase(EMAIL)

    assert counted(await world.imports.get(import_id)) == {"create": 1, "skip": 1}
    committed = await world.imports.commit(import_id)
    assert (committed.status, counted(committed)) == ("committed", {"create": 1, "skip": 1})
    assert [lead["email"] for lead in await world.imports.leads()] == ["carl@acme.com"]


async def test_a_file_that_was_removed_is_not_previewed_again_and_says_why(world: World) -> None:
    import_id = await world.file([world.row(), ["carl@acme.com", "Carl", "", "", "", ""]])

    await world.erase(EMAIL)

    again = await world.imports.preview(import_id)
    assert (again.status, again.error) == ("failed", "The file is no longer stored. Upload it again.")


async def test_a_file_that_was_not_read_is_removed_and_says_why(world: World) -> None:
    unread = await world.imports.upload(b"email\ncarl@acme.com\n")

    await world.erase(EMAIL)

    found = await world.imports.get(unread)
    assert found.status == "failed"
    assert found.error
    assert "Upload it again" in found.error
    assert await world.stored("import_chunks") == []


async def test_while_an_import_is_read_or_written_an_erasure_is_refused(world: World) -> None:
    reading = await world.imports.upload(b"email\ncarl@acme.com\n")
    await world.imports.map(reading, ["email"])
    async with world.database.transaction(world.actor.workspace_id) as tx:
        await lifecycle.preview_import(tx, world.actor, import_id=reading, trace={})

    with pytest.raises(ImportsBusy) as refused:
        await world.erase(EMAIL)
    assert refused.value.extra == {"importIds": [str(reading)]}

    async with world.database.transaction(world.actor.workspace_id) as tx:
        await lifecycle.cancel_import(tx, world.actor, import_id=reading)
    writing = await world.file([world.row()])
    other = await world.file([["carl@acme.com", "Carl", "", "", "", ""]])
    await world.imports.ask_commit(other)
    await world.erase("other@acme.com")
    await world.imports.ask_commit(writing)
    with pytest.raises(ImportsBusy):
        await world.erase(EMAIL)


async def test_a_job_that_runs_meanwhile_writes_nothing(world: World) -> None:
    made = await world.desk.leads.create(EMAIL)
    adapter = Scripted("slow", [[value(fields.COMPANY_NAME, "Quokkafound")]], gate=asyncio.Event())
    running = asyncio.create_task(world.desk.bench.attempt(made.job_id, adapter))
    await adapter.entered.wait()

    await world.erase(made.lead_id)
    assert adapter.gate is not None
    adapter.gate.set()

    with pytest.raises(JobNotFound):
        await running
    assert await world.traces() == {}


async def test_erasures_merges_and_changes_of_the_same_leads_follow_each_other(world: World) -> None:
    for number in range(6):
        address = f"ada{number}.quokka@acme.com"
        lead_id, other_id = await world.person(address), await world.desk.lead(f"bob{number}@acme.com")

        results = await asyncio.gather(
            world.erase(lead_id),
            world.erase(address),
            world.desk.merge(other_id, lead_id),
            world.desk.edit(lead_id, company="Quokka & Co"),
            return_exceptions=True,
        )

        refusals = [result for result in results if isinstance(result, BaseException)]
        assert all(isinstance(refusal, LeadNotFound | Unavailable) for refusal in refusals), refusals
        await world.erase(address)
        assert await world.traces() == {}


async def test_an_erasure_that_is_killed_leaves_everything_as_it_was(world: World) -> None:
    lead_id = await world.everywhere()
    before = await world.holdings()

    with pytest.raises(RuntimeError):
        await world.erase(lead_id, killed=True)

    assert await world.holdings() == before
    await world.erase(lead_id)
    assert await world.traces() == {}


async def test_a_person_is_erased_once_and_only_in_ones_own_workspace(world: World, database: Database) -> None:
    lead_id = await world.person()
    stranger = world.elsewhere(await new_workspace(database))

    for who in (lead_id, new_id()):
        with pytest.raises(LeadNotFound):
            await stranger.erase(who)
        with pytest.raises(LeadNotFound):
            await stranger.copy(who)
    assert (await stranger.erase(EMAIL)).places == []

    await world.erase(lead_id)
    with pytest.raises(LeadNotFound):
        await world.erase(lead_id)
    assert (await world.erase(EMAIL)).places == []


async def test_a_lead_that_has_an_address_which_the_person_had_before_stays(world: World) -> None:
    lead_id = await world.person("bob@acme.com")
    await world.desk.edit(lead_id, email=EMAIL)
    bob = await world.desk.lead("bob@acme.com", firstName="Bob")

    erased = await world.erase(lead_id)

    assert erased.lead_ids == [lead_id]
    assert (await world.desk.leads.get(bob)).first_name == "Bob"


async def test_the_timeline_of_a_lead_that_was_once_merged_with_the_person_keeps_no_value(
    world: World,
) -> None:
    bob = await world.desk.lead("bob@acme.com")
    merge = await world.desk.merge(bob, await world.person())
    await world.desk.unmerge(merge.id)
    kinds = [item.kind for item in await world.desk.leads.timeline(bob)]

    await world.erase(EMAIL)

    after = await world.desk.leads.timeline(bob)
    assert [item.kind for item in after] == kinds
    assert next(item for item in after if item.kind == "lead.merged").data["otherEmail"] == "[erased]"
    assert await world.traces() == {}


async def test_a_person_with_hundreds_of_entries_is_erased(world: World) -> None:
    lead_id = await world.person()
    async with world.database.transaction(world.actor.workspace_id) as tx:
        await tx.execute(
            sql("""
INSERT INTO lead_events (workspace_id, lead_id, id, kind, actor_kind, data)
SELECT :workspace_id, :lead_id, gen_random_uuid(), 'lead.changed', 'cli',
       jsonb_build_object('changes', jsonb_build_object('first_name', jsonb_build_array('Quokka' || n, 'Ada')))
FROM generate_series(1, 700) AS n
"""),
            {"workspace_id": world.actor.workspace_id, "lead_id": lead_id},
        )

    erased = await world.erase(lead_id)

    assert next(place.rows for place in erased.places if place.name == "timeline") > 700
    assert await world.traces() == {}
