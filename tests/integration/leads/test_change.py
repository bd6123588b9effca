"""Changing, deleting and restoring leads."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.jobs.models import NoPayload, RunningJob
from leadflood.domains.jobs.registry import JobContext, JobRegistry
from leadflood.domains.leads import jobs as leads_jobs
from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.errors import DuplicateLead, LeadNotFound, LeadVersionConflict
from leadflood.domains.leads.events import PURGE_DELETED, LeadEventKind
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id
from tests.integration.leads.desk import Desk

ADA, GRACE = "ada.lovelace@acme.com", "grace@acme.com"


async def test_a_change_raises_the_version_and_leaves_before_and_after_in_the_timeline(desk: Desk) -> None:
    made = await desk.create(ADA, jobTitle="Analyst", customFields={"plan": "pro", "seats": 2})

    changed = await desk.update(
        made.lead_id, 1, jobTitle="Head", company="Acme", customFields={"seats": None, "vip": True}
    )

    assert (changed.version, changed.job_title, changed.company) == (2, "Head", "Acme")
    assert changed == await desk.get(made.lead_id)
    latest = (await desk.timeline(made.lead_id))[0]
    assert latest.kind == LeadEventKind.CHANGED
    assert latest.data["changes"] == {
        "job_title": ["Analyst", "Head"],
        "company": [None, "Acme"],
        "custom_fields": [{"plan": "pro", "seats": 2}, {"plan": "pro", "vip": True}],
    }


async def test_null_clears_a_field_and_an_absent_one_stays(desk: Desk) -> None:
    made = await desk.create(ADA, firstName="Ada", lastName="Lovelace", customFields={"plan": "pro"})

    changed = await desk.update(made.lead_id, 1, firstName=None, customFields=None)

    assert (changed.first_name, changed.last_name, changed.custom_fields) == (None, "Lovelace", {})


async def test_a_change_that_changes_nothing_keeps_version_and_timeline(desk: Desk) -> None:
    made = await desk.create(ADA, firstName="Ada", customFields={"plan": "pro"})

    same = await desk.update(made.lead_id, 1, firstName=" Ada ", email=ADA, customFields={"plan": "pro", "x": None})

    assert same.version == 1
    assert [entry.kind for entry in await desk.timeline(made.lead_id)] == [LeadEventKind.CREATED]


async def test_true_in_place_of_one_is_a_change(desk: Desk) -> None:
    made = await desk.create(ADA, customFields={"vip": 1})

    changed = await desk.update(made.lead_id, 1, customFields={"vip": True})

    assert changed.version == 2
    assert changed.custom_fields["vip"] is True


async def test_of_twenty_writers_at_each_version_one_wins_and_the_others_learn_the_new_version(desk: Desk) -> None:
    made = await desk.create(ADA)
    for version in (1, 2, 3):
        names = [f"writer {number} at {version}" for number in range(20)]

        answers = await asyncio.gather(
            *(desk.update(made.lead_id, version, firstName=name) for name in names), return_exceptions=True
        )

        (winner,) = [answer for answer in answers if isinstance(answer, LeadView)]
        late = Counter(answer.extra["currentVersion"] for answer in answers if isinstance(answer, LeadVersionConflict))
        assert late == {version + 1: 19}
        assert await desk.get(made.lead_id) == winner
    assert len(await desk.timeline(made.lead_id)) == 4


async def test_a_phone_in_national_form_is_read_by_the_stored_country(desk: Desk) -> None:
    made = await desk.create(ADA, country="GB")

    assert (await desk.update(made.lead_id, 1, phone="020 7946 0958")).phone == "+442079460958"
    with pytest.raises(InvalidInput) as refused:
        await desk.update(made.lead_id, 2, phone="030 901820", country=None)
    assert [error.pointer for error in refused.value.errors] == ["/phone"]


async def test_an_address_can_change_and_is_found_under_the_new_one_only(desk: Desk) -> None:
    made = await desk.create(ADA)

    await desk.update(made.lead_id, 1, email="countess@royal.example")

    assert await desk.found("countess") == {"countess@royal.example"}
    assert await desk.found("ada.lovelace") == set()
    assert (await desk.create(ADA)).lead_id != made.lead_id


async def test_a_change_to_a_taken_address_is_refused_with_the_id_of_its_lead(desk: Desk) -> None:
    ada, grace = await desk.create(ADA), await desk.create(GRACE)

    with pytest.raises(DuplicateLead) as refused:
        await desk.update(grace.lead_id, 1, email="ADA.Lovelace@acme.com")

    assert refused.value.extra == {"existingId": str(ada.lead_id)}
    assert (await desk.get(grace.lead_id)).email == GRACE


async def test_a_deleted_lead_is_gone_from_everywhere(desk: Desk) -> None:
    made = await desk.create(ADA)
    with pytest.raises(LeadVersionConflict):
        await desk.delete(made.lead_id, version=7)

    await desk.delete(made.lead_id, version=1)

    for act in (
        desk.get(made.lead_id),
        desk.timeline(made.lead_id),
        desk.delete(made.lead_id),
        desk.update(made.lead_id, 2, firstName="Ada"),
    ):
        with pytest.raises(LeadNotFound):
            await act
    assert (await desk.page()).items == []
    assert (await desk.page(LeadFilter(q="ada"))).items == []


async def test_a_deleted_lead_can_be_restored_and_a_living_one_stays_as_it_is(desk: Desk) -> None:
    made = await desk.create(ADA, firstName="Ada")
    await desk.set_status(made.lead_id, LeadStatus.ENRICHED)
    await desk.delete(made.lead_id)

    restored = await desk.restore(made.lead_id)
    again = await desk.restore(made.lead_id)

    assert (restored.first_name, restored.version) == ("Ada", 3)
    assert again == restored == await desk.get(made.lead_id)
    kinds = [entry.kind for entry in await desk.timeline(made.lead_id)]
    assert kinds == [LeadEventKind.RESTORED, LeadEventKind.DELETED, LeadEventKind.CREATED]
    assert await desk.count("SELECT count(*) FROM job_executions") == 1


async def test_a_lead_deleted_before_its_enrichment_ended_is_enriched_after_it_is_restored(desk: Desk) -> None:
    made = await desk.create(ADA)
    await desk.delete(made.lead_id)

    await desk.restore(made.lead_id)

    assert (await desk.timeline(made.lead_id))[0].kind == LeadEventKind.ENRICHMENT_REQUESTED
    assert await desk.count("SELECT count(*) FROM job_executions WHERE status = 'queued'") == 2


async def test_a_deleted_lead_frees_its_address_and_cannot_be_restored_while_that_is_taken(desk: Desk) -> None:
    first = await desk.create(ADA)
    await desk.delete(first.lead_id)
    second = await desk.create(ADA)

    with pytest.raises(DuplicateLead) as refused:
        await desk.restore(first.lead_id)
    assert refused.value.extra == {"existingId": str(second.lead_id)}

    await desk.delete(second.lead_id)
    assert (await desk.restore(first.lead_id)).id == first.lead_id


@pytest.mark.parametrize("lead_id", [new_id(), UUID(int=0)])
async def test_an_unknown_lead_cannot_be_restored(desk: Desk, lead_id: UUID) -> None:
    with pytest.raises(LeadNotFound):
        await desk.restore(lead_id)


async def test_of_restores_and_creates_of_one_address_at_once_one_wins(desk: Desk) -> None:
    first = await desk.create(ADA)
    await desk.delete(first.lead_id)

    answers = await asyncio.gather(
        *(desk.create(ADA) for _ in range(5)), *(desk.restore(first.lead_id) for _ in range(5)), return_exceptions=True
    )

    refusals = [answer for answer in answers if isinstance(answer, BaseException)]
    assert {type(refusal) for refusal in refusals} == {DuplicateLead}
    assert len((await desk.page()).items) == 1


async def purge(database: Database, days: int) -> None:
    definition = JobRegistry(leads_jobs.definitions(database, LEAD_PARTICIPANTS, retention_days=days)).find(
        PURGE_DELETED.name
    )
    assert definition is not None
    job = RunningJob(SYSTEM_WORKSPACE_ID, new_id(), PURGE_DELETED.name, 1, 3, "{}", None, {}, utc_now())
    await definition.handler(JobContext(database, job, NoPayload(), worker_id=new_id()))


async def test_a_purge_removes_for_good_what_was_deleted_long_enough_ago_and_nothing_else(desk: Desk) -> None:
    old, recent, active = [await desk.create(f"{name}@acme.com") for name in ("old", "recent", "living")]
    for made in (old, recent):
        await desk.delete(made.lead_id)
    await desk.age(old.lead_id, 31)
    await desk.age(recent.lead_id, 29)
    await desk.age(active.lead_id, 31)
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(sql("UPDATE job_executions SET status = 'completed', finished_at = now()"))

    await purge(desk.database, 30)

    with pytest.raises(LeadNotFound):
        await desk.restore(old.lead_id)
    assert (await desk.restore(recent.lead_id)).id == recent.lead_id
    assert (await desk.get(active.lead_id)).id == active.lead_id
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        left = await tx.scalar(sql("SELECT count(*) FROM lead_events WHERE lead_id = :id"), {"id": old.lead_id})
        jobs = {row.id for row in await tx.all(sql("SELECT id FROM job_executions"))}
    assert jobs & {old.job_id, recent.job_id, active.job_id} == {recent.job_id, active.job_id}, "it goes with its lead"
    assert left == 0


async def test_what_happened_since_a_version_is_told_oldest_first_with_who_and_what(desk: Desk) -> None:
    made = await desk.create("ada@acme.test", company="Mills")
    await desk.update(made.lead_id, 1, company="Acme")
    await desk.update(made.lead_id, 2, jobTitle="Head", company="Acme & Co")

    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        since = {
            version: await queries.changes_since(tx, desk.actor, lead_id=made.lead_id, version=version)
            for version in (1, 2, 3)
        }

    assert [[event.data["version"] for event in since[version]] for version in (1, 2, 3)] == [[2, 3], [3], []]
    assert since[2][0].data["changes"] == {"company": ["Acme", "Acme & Co"], "job_title": [None, "Head"]}
    assert since[2][0].actor.kind == "cli"
