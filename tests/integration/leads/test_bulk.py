"""One change for many leads: by id or by filter, at once or by a job that can be killed."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from leadflood.domains.jobs.models import JobKind
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import store
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.errors import ChangesetNotFound, MatchCountExceeded, UnknownOwner
from leadflood.domains.leads.events import BULK_CHANGE, PURGE_DELETED, UNDO_CHANGESET
from leadflood.domains.leads.service import bulk
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id
from leadflood.kernel.schema import field_errors
from tests.conftest import new_workspace
from tests.integration.leads.desk import Desk
from tests.integration.leads.workbench import Workbench
from tests.support.jobs import Jobs
from tests.support.trail import events_of

MANY = 5200
_PLANT = sql("""
INSERT INTO leads (workspace_id, id, email, email_norm, first_name, company, source, status, search_text)
SELECT :workspace_id, gen_random_uuid(), n || '@acme.test', n || '@acme.test', 'Ada', 'Mills', 'crowd', 'enriched',
       'ada' || chr(10) || n || '@acme.test' || chr(10) || 'mills'
FROM generate_series(1, :many) n
""")
_STATE = sql("""
SELECT md5(string_agg(concat_ws('|', id, company, owner_id, custom_fields, search_text, deleted_at), ',' ORDER BY id))
FROM leads
""")
_AGE = sql("UPDATE lead_changesets SET updated_at = now() - interval '31 days' WHERE id = :id")


@pytest.fixture
def bench(desk: Desk) -> Workbench:
    return Workbench(desk)


async def plant(desk: Desk, many: int = MANY) -> None:
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(_PLANT, {"workspace_id": desk.actor.workspace_id, "many": many})


async def state(desk: Desk) -> Any:  # noqa: ANN401  a checksum
    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        return await tx.scalar(_STATE)


async def test_a_filter_says_which_leads_are_changed(desk: Desk, bench: Workbench) -> None:
    await desk.create("grace@acme.test", company="Mills", source="web-form")
    other = await desk.create("ada@acme.test", company="Mills")

    changed = await bench.change(
        action="set", changes={"company": "Acme"}, matching={"source": ["web-form"], "q": "mills"}, expectedCount=1
    )

    assert (changed.status, changed.total, changed.updated) == ("applied", 1, 1)
    assert await desk.found("acme") >= {"grace@acme.test"}
    assert (await desk.get(other.lead_id)).company == "Mills"


async def test_nothing_is_changed_where_more_match_than_were_meant(desk: Desk, bench: Workbench) -> None:
    await desk.create("grace@acme.test")
    await desk.create("ada@acme.test")

    with pytest.raises(MatchCountExceeded):
        await bench.change(action="delete", matching={}, expectedCount=1)

    assert len((await desk.page()).items) == 2
    assert (await bench.change(action="delete", matching={}, expectedCount=3)).deleted == 2


async def test_unknown_foreign_and_deleted_ids_are_passed_over(
    desk: Desk, bench: Workbench, database: Database
) -> None:
    theirs = Desk(database, Actor.cli(await new_workspace(database)))
    foreign = (await theirs.create("ada@acme.test")).lead_id
    gone = (await desk.create("gone@acme.test")).lead_id
    await desk.delete(gone)
    own = (await desk.create("ada@acme.test")).lead_id

    changed = await bench.set([foreign, gone, new_id(), own, own], company="Acme")

    assert (changed.total, changed.processed, changed.updated) == (4, 4, 1)
    assert (await theirs.get(foreign)).company is None


async def test_leads_are_restored_but_for_those_whose_address_is_taken(desk: Desk, bench: Workbench) -> None:
    first = (await desk.create("ada@acme.test")).lead_id
    await desk.delete(first)
    second = (await desk.create("ada@acme.test")).lead_id
    await desk.delete(second)
    ids = [str(first), str(second)]

    restored = await bench.change(action="restore", leadIds=ids)
    again = await bench.change(action="restore", leadIds=ids)

    assert (restored.restored, again.restored) == (1, 0)
    assert [lead.id for lead in (await desk.page()).items] == [second]
    await bench.undo(restored.id)
    assert (await desk.page()).items == []


async def test_leads_are_enriched_again(desk: Desk, bench: Workbench) -> None:
    lead_id = (await desk.create("ada@acme.test")).lead_id

    asked = await bench.change(action="enrich", leadIds=[str(lead_id)])

    assert (asked.status, asked.processed, asked.changed) == ("applied", 1, 0)
    assert (await desk.timeline(lead_id))[0].kind == "enrichment.requested"


async def test_an_owner_who_is_nobody_here_is_refused(desk: Desk, bench: Workbench) -> None:
    lead_id = (await desk.create("ada@acme.test")).lead_id

    with pytest.raises(UnknownOwner) as refused:
        await bench.set([lead_id], ownerId=str(new_id()))

    assert refused.value.errors[0].pointer == "/changes/ownerId"


async def test_a_lead_gets_no_more_custom_fields_than_it_may_have(desk: Desk, bench: Workbench) -> None:
    full = await desk.create("ada@acme.test", customFields={f"f{n}": n for n in range(50)})
    room = await desk.create("grace@acme.test", customFields={f"f{n}": n for n in range(49)})

    changed = await bench.set([full.lead_id, room.lead_id], customFields={"more": 1})

    assert changed.updated == 1
    assert "more" in (await desk.get(room.lead_id)).custom_fields


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"action": "set", "leadIds": [str(new_id())]}, "not_allowed"),
        ({"action": "delete", "leadIds": [str(new_id())], "changes": {"company": "x"}}, "not_allowed"),
        ({"action": "delete"}, "required"),
        ({"action": "delete", "matching": {}}, "required"),
        ({"action": "delete", "leadIds": [], "expectedCount": 1}, "too_short"),
        ({"action": "delete", "leadIds": [str(new_id())] * 1001}, "too_long"),
        ({"action": "restore", "matching": {}, "expectedCount": 1}, "required"),
        ({"action": "set", "leadIds": [str(new_id())], "changes": {}}, "required"),
        ({"action": "set", "leadIds": [str(new_id())], "changes": {"email": "a@b.test"}}, "unknown_field"),
        ({"action": "set", "leadIds": [str(new_id())], "changes": {"source": None}}, "not_allowed"),
        ({"action": "erase", "leadIds": [str(new_id())]}, "not_allowed"),
    ],
)
def test_a_request_that_is_not_whole_is_refused_by_name(body: Mapping[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        BulkChange.model_validate(body)

    assert field_errors(refused.value)[0].code == code


class Killed(Exception):
    """The process ends before the chunk is on disk."""


async def test_a_large_change_and_its_undo_run_as_jobs_and_survive_a_kill(
    desk: Desk, bench: Workbench, registry: JobRegistry
) -> None:
    await plant(desk)
    before = await state(desk)
    asked = await bench.change(
        action="set",
        changes={"company": "Acme", "customFields": {"plan": "pro"}},
        matching={"source": ["crowd"]},
        expectedCount=MANY,
    )
    assert (asked.status, asked.total, asked.processed, asked.job_id is not None) == ("open", MANY, 0, True)
    await more(desk, asked)
    with pytest.raises(Killed):
        await more(desk, asked, killed=True)
    await desk.create("late@acme.test", source="crowd", company="Mills")

    done = await ended(bench, registry, asked, BULK_CHANGE)

    assert (done.status, done.processed, done.updated) == ("applied", MANY, MANY)
    assert await desk.count("SELECT count(*) FROM leads WHERE company = 'Acme' AND version = 2") == MANY
    assert await desk.count("SELECT count(*) FROM lead_events WHERE kind = 'lead.changed'") == MANY
    late = (await desk.page(LeadFilter(q="late@"))).items[0]
    await desk.delete(late.id)
    await _remove(desk, late.id)
    undoing = await bench.undo(asked.id)
    assert (undoing.status, (await bench.undo(asked.id)).job_id) == ("undoing", undoing.job_id)
    undone = await ended(bench, registry, undoing, UNDO_CHANGESET)
    assert (undone.status, undone.reverted, undone.kept_fields) == ("undone", MANY, 0)
    assert await state(desk) == before
    events = await events_of(desk.database, desk.actor.workspace_id)
    assert [(event.action, event.data["count"]) for event in events if event.subject_id == asked.id] == [
        ("leads.updated", MANY),
        ("changeset.finished", MANY),
        ("changeset.undone", MANY),
        ("changeset.undo_finished", MANY),
    ]
    assert {event.actor.kind for event in events} == {desk.actor.kind}


async def test_what_a_cancelled_job_had_changed_can_be_undone(
    desk: Desk, bench: Workbench, registry: JobRegistry
) -> None:
    await plant(desk)
    asked = await bench.change(action="delete", matching={}, expectedCount=MANY)
    await more(desk, asked)
    assert asked.job_id is not None

    await Jobs(desk.database, desk.actor.workspace_id, BULK_CHANGE).cancel(registry, asked.job_id)

    stopped = await bench.view(asked.id)
    assert (stopped.status, stopped.processed, stopped.deleted) == ("applied", 2000, 2000)
    events = await events_of(desk.database, desk.actor.workspace_id)
    counts = {event.action: event.data["count"] for event in events}
    assert (counts["leads.deleted"], counts["changeset.finished"]) == (MANY, 2000)
    undone = await bench.undo(asked.id)
    assert (undone.status, undone.reverted) == ("undone", 2000)
    assert await desk.count("SELECT count(*) FROM leads WHERE deleted_at IS NULL") == MANY


async def test_an_undo_whose_job_was_cancelled_goes_on_when_it_is_asked_for_again(
    desk: Desk, bench: Workbench, registry: JobRegistry
) -> None:
    await plant(desk)
    asked = await bench.change(action="delete", matching={}, expectedCount=MANY)
    await ended(bench, registry, asked, BULK_CHANGE)
    undoing = await bench.undo(asked.id)
    assert undoing.job_id is not None

    await Jobs(desk.database, desk.actor.workspace_id, UNDO_CHANGESET).cancel(registry, undoing.job_id)

    assert (await bench.view(asked.id)).status == "applied"
    undone = await ended(bench, registry, await bench.undo(asked.id), UNDO_CHANGESET)
    assert (undone.status, undone.reverted) == ("undone", MANY)


async def test_images_are_removed_when_their_time_is_over(desk: Desk, bench: Workbench, registry: JobRegistry) -> None:
    lead_id = (await desk.create("ada@acme.test")).lead_id
    old, young = await bench.set([lead_id], company="Acme"), await bench.set([lead_id], company="Mills")
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(_AGE, {"id": old.id})

    jobs = Jobs(desk.database, SYSTEM_WORKSPACE_ID, PURGE_DELETED)
    assert (await jobs.attempt(registry, await jobs.one())).status == "completed"

    with pytest.raises(ChangesetNotFound):
        await bench.undo(old.id)
    assert await desk.count("SELECT count(*) FROM lead_changes") == 1
    assert (await bench.undo(young.id)).reverted == 1


async def more(desk: Desk, asked: ChangesetView, *, killed: bool = False) -> None:
    """A chunk of 2,000."""
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        assert await bulk.change_more(tx, desk.actor, changeset_id=asked.id, trace={}, batch=2000)
        if killed:
            raise Killed


async def ended(bench: Workbench, registry: JobRegistry, asked: ChangesetView, kind: JobKind[Any]) -> ChangesetView:
    """Let the job of a changeset run. Like a worker, try again if the database was too busy."""
    assert asked.job_id is not None
    jobs = Jobs(bench.desk.database, bench.desk.actor.workspace_id, kind)
    job = await jobs.attempt(registry, asked.job_id)
    while job.status == "queued":
        job = await jobs.attempt(registry, asked.job_id, job.attempts + 1)
    assert job.status == "completed", job.last_error
    return await bench.view(asked.id)


async def _remove(desk: Desk, lead_id: UUID) -> None:
    """Delete as the purge does, so that the checksum is over the same leads."""
    await desk.age(lead_id, 60)
    async with desk.database.system() as tx:
        assert await store.purge(tx, days=30, batch=1) == [(desk.actor.workspace_id, lead_id)]
