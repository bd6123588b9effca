"""Deleted leads: who deleted them, until when they can be restored, and restoring many."""

from uuid import UUID

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.jobs.models import NoPayload, RunningJob
from leadflood.domains.jobs.registry import JobContext, JobRegistry
from leadflood.domains.leads import jobs as leads_jobs
from leadflood.domains.leads.contracts.deleted import DeletedLeadView, DeletedQuery
from leadflood.domains.leads.errors import LeadNotFound, MatchCountExceeded
from leadflood.domains.leads.events import PURGE_DELETED
from leadflood.domains.leads.queries import deleted as queries
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id
from tests.integration.leads.desk import Desk
from tests.integration.leads.workbench import Workbench

DAYS = 30
AGE_CHANGES = sql("""
UPDATE lead_changesets SET created_at = created_at - make_interval(days => :days),
                           updated_at = updated_at - make_interval(days => :applied),
                           applied_at = applied_at - make_interval(days => :applied)
WHERE workspace_id = :workspace_id AND id = :id
""")


@pytest.fixture
def bench(desk: Desk) -> Workbench:
    return Workbench(desk)


async def create(desk: Desk, *names: str) -> list[UUID]:
    return [(await desk.create(f"{name}@acme.test")).lead_id for name in names]


async def deleted(desk: Desk, **filters: object) -> list[DeletedLeadView]:
    """All deleted leads that a filter means, read in pages of two."""
    found: list[DeletedLeadView] = []
    after = None
    query = DeletedQuery.model_validate(filters).deleted_filter()
    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        while True:
            page = await queries.list_deleted_leads(
                tx, desk.actor, filters=query, retention_days=DAYS, after=after, limit=2
            )
            found += page.items
            after = page.after
            if after is None:
                return found


async def get(desk: Desk, lead_id: UUID) -> DeletedLeadView:
    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        return await queries.get_deleted_lead(tx, desk.actor, lead_id=lead_id, retention_days=DAYS)


async def purge(desk: Desk) -> None:
    definition = JobRegistry(leads_jobs.definitions(desk.database, LEAD_PARTICIPANTS, retention_days=DAYS)).find(
        PURGE_DELETED.name
    )
    assert definition is not None
    job = RunningJob(SYSTEM_WORKSPACE_ID, new_id(), PURGE_DELETED.name, 1, 3, "{}", None, {}, utc_now())
    await definition.handler(JobContext(desk.database, job, NoPayload(), worker_id=new_id()))


async def test_deleted_leads_are_listed_with_who_deleted_them_and_by_which_change(desk: Desk, bench: Workbench) -> None:
    one, two, three, four, _ = await create(desk, "one", "two", "three", "four", "living")
    await desk.delete(one)
    change = await bench.delete([two, three])
    undone = await bench.created([four])
    await bench.undo(undone)

    listed = await deleted(desk)

    assert listed[0].id == four
    assert {item.id: (item.changeset_id, item.by_undo) for item in listed} == {
        one: (None, False),
        two: (change.id, False),
        three: (change.id, False),
        four: (undone, True),
    }
    assert all(item.deleted_by and item.deleted_by.kind == "cli" for item in listed)
    assert all((item.restorable_until - item.deleted_at).days == DAYS for item in listed)
    assert {item.id for item in await deleted(desk, changesetId=str(change.id))} == {two, three}
    assert [item.id for item in await deleted(desk, q="FOUR@acme")] == [four]
    assert (await get(desk, two)).email == "two@acme.test"
    for lead_id in ((await create(desk, "other"))[0], new_id()):
        with pytest.raises(LeadNotFound):
            await get(desk, lead_id)


async def test_all_leads_that_a_change_deleted_are_restored_and_no_others(desk: Desk, bench: Workbench) -> None:
    ids = await create(desk, "one", "two", "three")
    (other,) = await create(desk, "other")
    imported = await bench.created(ids)
    await bench.undo(imported)
    await desk.delete(other)
    filters = {"changesetId": str(imported)}

    with pytest.raises(MatchCountExceeded):
        await bench.change(action="restore", deleted=filters, expectedCount=2)
    assert len(await deleted(desk)) == 4
    restored = await bench.change(action="restore", deleted=filters, expectedCount=3)

    assert (restored.status, restored.total, restored.restored) == ("applied", 3, 3)
    assert [item.id for item in await deleted(desk)] == [other]
    await bench.undo(restored.id)
    assert {item.id for item in await deleted(desk)} == {other, *ids}


async def test_an_undo_of_a_restore_gives_all_days_to_restore_again(desk: Desk, bench: Workbench) -> None:
    (lead_id,) = await create(desk, "ada")
    await desk.delete(lead_id)
    await desk.age(lead_id, DAYS - 1)
    restored = await bench.change(action="restore", leadIds=[str(lead_id)])
    await bench.undo(restored.id)
    await purge(desk)
    assert ((await get(desk, lead_id)).restorable_until - utc_now()).days >= DAYS - 1
    assert (await desk.restore(lead_id)).id == lead_id


async def test_what_a_long_change_deleted_first_is_kept_until_the_change_can_no_longer_be_undone(
    desk: Desk, bench: Workbench
) -> None:
    (lead_id,) = await create(desk, "ada")
    change = await bench.delete([lead_id])
    await desk.age(lead_id, DAYS + 1)
    ages = {"workspace_id": desk.actor.workspace_id, "id": change.id}
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(AGE_CHANGES, {**ages, "days": DAYS + 1, "applied": DAYS - 1})

    await purge(desk)

    assert (await get(desk, lead_id)).id == lead_id
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(AGE_CHANGES, {**ages, "days": 0, "applied": 2})
    await purge(desk)
    with pytest.raises(LeadNotFound):
        await get(desk, lead_id)
