"""Undo of a changeset, three-way: later edits are kept."""

import copy
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.leads.errors import ChangesetNotFound, ChangesetNotUndoable
from leadflood.domains.leads.models import ChangesetKind, LeadStatus
from leadflood.domains.leads.service import changesets
from leadflood.domains.leads.store import undo
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.conftest import new_workspace
from tests.integration.leads.desk import Desk
from tests.integration.leads.workbench import Workbench
from tests.support.examples import examples
from tests.support.identity import Identity
from tests.support.jobs import Jobs
from tests.support.search_text import search_text

FIELDS: dict[str, list[Any]] = {
    "company": ["Acme", "Acmé", "ACME Mills", None],
    "country": ["DE", "GB", None],
    "jobTitle": ["Head", "Chief", None],
    "source": ["api", "web-form"],
    "firstName": ["Ada", "Zoë", None],
    "phone": ["+442079460958", None],
}
CUSTOM: list[Any] = [1, "x", None]
BULK = ["company", "country", "jobTitle", "source"]


@pytest.fixture
def bench(desk: Desk) -> Workbench:
    return Workbench(desk)


async def some_leads(desk: Desk, count: int = 3, **fields: object) -> list[UUID]:
    return [(await desk.create(f"{new_id().hex}@acme.test", **fields)).lead_id for _ in range(count)]


async def test_leads_that_were_set_deleted_and_created_are_as_before_after_the_undo(
    desk: Desk, bench: Workbench
) -> None:
    ids = await some_leads(desk, company="Mills", customFields={"plan": "pro", "seats": 3})
    before = await bench.rows()

    changed = await bench.set(ids, company="Acme", source="web-form", customFields={"plan": None, "tier": 1})
    deleted = await bench.delete(ids[:2])
    between = await bench.rows()

    assert (changed.status, changed.updated, changed.total) == ("applied", 3, 3)
    assert (deleted.deleted, deleted.label) == (2, "Delete")
    assert between[ids[2]]["custom_fields"] == {"seats": 3, "tier": 1}
    assert between[ids[2]]["search_text"].endswith("\nacme")

    undone = [await bench.undo(item.id) for item in (deleted, changed)]

    assert [(item.status, item.reverted, item.kept_fields) for item in undone] == [("undone", 2, 0), ("undone", 3, 0)]
    assert await bench.rows() == before
    imported = await bench.created(ids)
    assert (await bench.undo(imported)).reverted == 3
    assert (await desk.page()).items == []


async def test_the_timeline_tells_who_changed_and_undid_what(desk: Desk, bench: Workbench) -> None:
    (lead_id,) = await some_leads(desk, 1, company="Mills")
    changed = await bench.set([lead_id], company="Acme")
    await bench.undo(changed.id)

    undone, change = (await desk.timeline(lead_id))[:2]

    told: dict[str, Any] = {"changesetId": str(changed.id), "changes": {"company": ["Mills", "Acme"]}, "version": 2}
    assert (change.kind, change.data, change.actor.kind) == ("lead.changed", told, "cli")
    told |= {"changes": {"company": ["Acme", "Mills"]}, "version": 3, "undo": True}
    assert (undone.kind, undone.data) == ("lead.changed", told)


async def test_fields_edited_since_are_kept_and_reported(desk: Desk, bench: Workbench) -> None:
    edited, untouched = sorted(await some_leads(desk, 2, company="Mills", jobTitle="Head"))
    changed = await bench.set([edited, untouched], company="Acme", jobTitle="Chief", customFields={"a": 1, "b": 1})
    await desk.update(edited, 2, company="Byron & Co", customFields={"b": 2})

    undone = await bench.undo(changed.id)

    assert (undone.reverted, undone.kept_fields, undone.kept_leads) == (2, 2, 1)
    (kept,) = await bench.kept(changed.id)
    assert (kept.lead_id, sorted(kept.fields)) == (edited, ["company", "custom_fields.b"])
    lead = await desk.get(edited)
    assert (lead.company, lead.job_title, lead.custom_fields) == ("Byron & Co", "Head", {"b": 2})
    assert await desk.found("byron") == {lead.email}
    assert (await desk.get(untouched)).company == "Mills"


async def test_a_kept_field_that_is_searched_alike_is_still_found(desk: Desk, bench: Workbench) -> None:
    (lead_id,) = await some_leads(desk, 1, company="Mills", jobTitle="Head")
    changed = await bench.set([lead_id], company="Acme", jobTitle="Chief")
    await desk.update(lead_id, 2, company="Acmé")

    await bench.undo(changed.id)

    assert ((await desk.get(lead_id)).company, (await desk.get(lead_id)).job_title) == ("Acmé", "Head")
    assert len(await desk.found("acme")) == 1
    assert await desk.found("mills") == set()


async def test_a_created_lead_that_was_edited_since_stays(desk: Desk, bench: Workbench) -> None:
    ids = await some_leads(desk, 3)
    imported = await bench.created(ids)
    await desk.update(ids[0], 1, phone="+442079460958")
    await desk.delete(ids[1])
    await desk.set_status(ids[2], LeadStatus.ENRICHED)

    undone = await bench.undo(imported)

    assert (undone.reverted, undone.kept_fields) == (1, 1)
    assert [(item.lead_id, item.fields) for item in await bench.kept(imported)] == [(ids[0], ["phone"])]
    assert [lead.id for lead in (await desk.page()).items] == [ids[0]]


async def test_a_deleted_lead_whose_address_is_taken_stays_deleted_and_is_reported(
    desk: Desk, bench: Workbench
) -> None:
    ids = [(await desk.create(f"{name}@acme.test")).lead_id for name in ("ada", "grace")]
    deleted = await bench.delete(ids)
    newcomer = (await desk.create("ada@acme.test")).lead_id

    undone = await bench.undo(deleted.id)

    assert (undone.reverted, undone.kept_fields) == (1, 1)
    assert [(item.lead_id, item.fields) for item in await bench.kept(deleted.id)] == [(ids[0], ["email"])]
    assert {lead.id for lead in (await desk.page()).items} == {newcomer, ids[1]}


async def test_a_restored_lead_whose_enrichment_had_not_ended_is_enriched_afresh(desk: Desk, bench: Workbench) -> None:
    (lead_id,) = await some_leads(desk, 1)
    deleted = await bench.delete([lead_id])

    await bench.undo(deleted.id)

    assert [item.kind for item in await desk.timeline(lead_id)][:2] == ["enrichment.requested", "lead.restored"]
    assert await desk.count("SELECT count(*) FROM job_executions WHERE kind = 'leads.enrich.v1'") == 2


async def test_an_owner_who_left_does_not_come_back(desk: Desk, bench: Workbench, identity: Identity) -> None:
    owner = (await identity.new_member(desk.actor.workspace_id, Role.MEMBER)).id
    (lead_id,) = await some_leads(desk, 1, ownerId=str(owner))
    changed = await bench.set([lead_id], ownerId=None)
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(sql("DELETE FROM memberships WHERE user_id = :id"), {"id": owner})

    undone = await bench.undo(changed.id)

    assert undone.status == "undone"
    assert (await desk.get(lead_id)).owner_id is None


async def test_undoing_again_changes_nothing(desk: Desk, bench: Workbench) -> None:
    (lead_id,) = await some_leads(desk, 1, company="Mills")
    changed = await bench.set([lead_id], company="Acme")
    first = await bench.undo(changed.id)
    await desk.update(lead_id, 3, company="Acme")

    assert await bench.undo(changed.id) == first
    assert (await desk.get(lead_id)).company == "Acme"


async def test_what_is_still_written_or_changed_nothing_or_is_elsewhere_cannot_be_undone(
    desk: Desk, bench: Workbench, database: Database
) -> None:
    (lead_id,) = await some_leads(desk, 1, company="Acme")
    async with database.transaction(desk.actor.workspace_id) as tx:
        opened = await changesets.open_changeset(tx, desk.actor, kind=ChangesetKind.IMPORT, label="x.csv")
    nothing = await bench.set([lead_id], company="Acme")
    theirs = Workbench(Desk(database, Actor.cli(await new_workspace(database))))

    assert (nothing.total, nothing.processed, nothing.updated) == (1, 1, 0)
    for changeset_id in (opened, nothing.id):
        with pytest.raises(ChangesetNotUndoable):
            await bench.undo(changeset_id)
    for changeset_id in (opened, new_id()):
        with pytest.raises(ChangesetNotFound):
            await theirs.undo(changeset_id)


@pytest.mark.parametrize("batch", [1, 2, 7])
async def test_an_undo_that_is_killed_between_chunks_goes_on_where_it_ended(
    desk: Desk, bench: Workbench, batch: int
) -> None:
    ids = await some_leads(desk, 7, company="Mills")
    before = await bench.rows()
    changed = await bench.set(ids, company="Acme")
    await begin_undo(desk, changed.id)
    chunks, more = 0, True
    while more:
        with pytest.raises(Killed):
            await undo_chunk(desk, changed.id, batch, killed=True)
        more = await undo_chunk(desk, changed.id, batch)
        chunks += 1

    undone = await bench.view(changed.id)

    assert chunks == 7 // batch + 1
    assert (undone.status, undone.reverted) == ("undone", 7)
    assert await bench.rows() == before
    assert {(await desk.get(item)).version for item in ids} == {3}
    assert {len(await desk.timeline(item)) for item in ids} == {3}


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
async def test_an_undo_by_a_job_takes_two_chunks_at_a_time_and_tells_the_same(
    desk: Desk, bench: Workbench, batch: int
) -> None:
    ids = await some_leads(desk, 7, company="Mills")
    before = await bench.rows()
    changed = await bench.set(ids, company="Acme", source="web-form")
    await bench.set(ids[:2], company="Edited")
    await begin_undo(desk, changed.id)
    jobs = Jobs(desk.database, desk.actor.workspace_id)
    job = await jobs.started(await jobs.one())

    await changesets.undo_in_parallel(
        desk.database, job, LEAD_PARTICIPANTS, changeset_id=changed.id, trace={}, batch=batch
    )
    assert not await undo_chunk(desk, changed.id, batch)

    undone = await bench.view(changed.id)
    assert (undone.status, undone.reverted, undone.kept_fields, undone.kept_leads) == ("undone", 7, 2, 2)
    after = await bench.rows()
    assert {item: row for item, row in after.items() if item in ids[2:]} == {item: before[item] for item in ids[2:]}
    assert {after[item]["company"] for item in ids[:2]} == {"Edited"}
    assert {len(await desk.timeline(item)) for item in ids[2:]} == {3}


class Killed(Exception):
    """The process ends before the chunk is on disk."""


async def undo_chunk(desk: Desk, changeset_id: UUID, batch: int, *, killed: bool = False) -> bool:
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        more = await changesets.undo_more(
            tx, desk.actor, LEAD_PARTICIPANTS, changeset_id=changeset_id, trace={}, batch=batch
        )
        if killed:
            raise Killed
        return more


async def begin_undo(desk: Desk, changeset_id: UUID) -> None:
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        actor = desk.actor
        assert await undo.begin(tx, actor.workspace_id, changeset_id, kind=actor.kind, actor_id=actor.id)


@pytest.fixture(scope="module")
async def shared(database: Database, settings: Settings, secret_box: SecretBox) -> Workbench:
    """One workspace for all examples of a property."""
    return Workbench(Desk(database, Actor.cli(await new_workspace(database))))


def values(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    custom = st.dictionaries(st.sampled_from("abc"), st.sampled_from(CUSTOM), min_size=1, max_size=2)
    fields: dict[str, st.SearchStrategy[Any]] = {name: st.sampled_from(FIELDS[name]) for name in names}
    return st.fixed_dictionaries({}, optional={**fields, "customFields": custom}).filter(bool)


@examples(25)
@given(data=st.data())
async def test_what_nobody_edited_is_as_before_and_what_somebody_edited_as_they_left_it(
    shared: Workbench, data: st.DataObject
) -> None:
    desk = shared.desk
    ids = [
        (await desk.create(f"{new_id().hex}@acme.test", **_given(data.draw(values(list(FIELDS)))))).lead_id
        for _ in range(3)
    ]
    before = {item: flat((await shared.rows())[item]) for item in ids}
    changed = await shared.set(ids, **data.draw(values(BULK)))
    applied = {item: flat((await shared.rows())[item]) for item in ids}
    for item in data.draw(st.lists(st.sampled_from(ids), unique=True)):
        edit = {name: value for name, value in data.draw(values(list(FIELDS))).items() if name != "source" or value}
        await desk.update(item, (await desk.get(item)).version, **edit)
    edited = {item: flat((await shared.rows())[item]) for item in ids}

    if changed.updated:
        await shared.undo(changed.id)

    stored = await shared.rows()
    for item in ids:
        assert flat(stored[item]) == merged(before[item], applied[item], edited[item])
        row = stored[item]
        told = (row["first_name"], row["last_name"], row["email"], row["company"])
        assert row["search_text"].startswith(search_text(*told))


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in copy.deepcopy(fields).items() if value is not None}


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """The fields that people edit, each custom field by itself."""
    fields = {key: value for key, value in row.items() if key not in {"custom_fields", "search_text"}}
    return fields | {f"custom.{key}": value for key, value in row["custom_fields"].items()}


def merged(before: dict[str, Any], applied: dict[str, Any], edited: dict[str, Any]) -> dict[str, Any]:
    """The invariant: back to `before` wherever the value is still the one that was applied."""
    names = {*before, *applied, *edited}
    result = {name: before.get(name) if edited.get(name) == applied.get(name) else edited.get(name) for name in names}
    return {name: value for name, value in result.items() if value is not None or not name.startswith("custom.")}
