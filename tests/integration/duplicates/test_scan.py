"""Scans: which pairs they find, that they go on after a kill, and that they look at what changed alone."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.duplicates.models import CandidateStatus, ReasonKind, ScanStatus
from leadflood.domains.duplicates.service import scanning
from leadflood.domains.duplicates.store import comparison
from leadflood.domains.duplicates.store import scanning as store
from leadflood.domains.jobs.registry import JobContext
from leadflood.domains.leads.service.found_values import set_found_values
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from tests.conftest import new_workspace
from tests.integration.duplicates.desk import Desk


async def test_pairs_are_found_with_score_and_reason(desk: Desk) -> None:
    await desk.lead("Ada.Lovelace@gmail.com")
    await desk.lead("adalovelace+news@googlemail.com")
    await desk.lead("grace@navy.example", firstName="Grace", lastName="Hopper", phone="+14155552671")
    await desk.lead("hopper@home.example", firstName="Grace", lastName="Hoper", phone="+14155552671")
    await desk.lead("kay@one.example", firstName="Alan", lastName="Kay", company="Xerox Corporation")
    await desk.lead("ak@two.example", firstName="Alan", lastName="K.", company="XEROX")
    await desk.lead("nobody@acme.com", firstName="No", lastName="Body", company="Acme")

    scan = await desk.scan()

    assert (scan.status, scan.scanned, scan.found) == (ScanStatus.COMPLETED, 7, 3)
    found = {pair.leads[0].email: (pair.score, [reason.kind for reason in pair.reasons]) for pair in await desk.pairs()}
    assert found == {
        "Ada.Lovelace@gmail.com": (95, [ReasonKind.SAME_MAILBOX]),
        "grace@navy.example": (100, [ReasonKind.SAME_PHONE, ReasonKind.SIMILAR_NAME]),
        "kay@one.example": (99, [ReasonKind.SIMILAR_NAME, ReasonKind.SIMILAR_COMPANY]),
    }


async def test_found_values_are_compared_and_not_merged(desk: Desk) -> None:
    one = await desk.lead("grace@navy.example", firstName="Grace", lastName="Hopper", phone="+14155552671")
    two = await desk.lead("info@home.example", jobTitle="Admiral")
    await desk.scan()
    assert await desk.pairs() == []
    found = {"first_name": "Grace", "last_name": "Hoper", "phone": "+14155552671", "job_title": "Clerk"}
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await set_found_values(tx, desk.actor, found={two: found})

    await desk.scan()

    (pair,) = await desk.pairs()
    assert [reason.kind for reason in pair.reasons] == [ReasonKind.SAME_PHONE, ReasonKind.SIMILAR_NAME]
    await desk.merge(two, one)
    merged = await desk.leads.get(two)
    assert (merged.first_name, merged.last_name, merged.job_title) == ("Grace", "Hopper", "Admiral")


async def test_the_same_telephone_at_different_names_is_no_pair(desk: Desk) -> None:
    await desk.lead("a@acme.com", firstName="Grace", lastName="Hopper", phone="+14155552671")
    await desk.lead("b@acme.com", firstName="Alan", lastName="Kay", phone="+14155552671")

    await desk.scan()

    assert await desk.pairs() == []


async def test_a_scan_changes_nothing_the_second_time(desk: Desk) -> None:
    for tag in ("", "+1", "+2"):
        await desk.lead(f"ada{tag}@acme.com")
    await desk.scan()
    first = await desk.pairs()

    again = await desk.scan()

    assert (again.scanned, again.found) == (3, 0)  # what is younger than ten minutes is looked at again
    assert await desk.pairs() == first


async def test_only_what_changed_is_compared_but_with_all(desk: Desk) -> None:
    old = [await desk.lead(f"lead{n}@acme.com") for n in range(5)]
    await desk.scan()
    for lead_id in old:
        await desk.leads.age(lead_id, 1)
    await desk.lead("lead3+new@acme.com")

    scan = await desk.scan()

    assert (scan.scanned, scan.found) == (1, 1)
    assert await desk.emails() == {frozenset(("lead3@acme.com", "lead3+new@acme.com"))}


async def test_a_pair_that_is_no_longer_alike_goes(desk: Desk) -> None:
    await desk.lead("ada@acme.com")
    other = await desk.lead("ada+1@acme.com")
    await desk.scan()
    await desk.edit(other, email="grace@acme.com")

    await desk.scan()

    assert await desk.pairs() == []


async def test_what_was_dismissed_stays_dismissed(desk: Desk) -> None:
    await desk.lead("ada@acme.com")
    other = await desk.lead("ada+1@acme.com")
    await desk.scan()
    (pair,) = await desk.pairs()
    await desk.dismiss(pair.id)
    await desk.edit(other, company="Acme")
    await desk.scan()

    assert await desk.pairs() == []
    assert [item.id for item in await desk.pairs(CandidateStatus.DISMISSED)] == [pair.id]
    assert (await desk.reopen(pair.id)).status is CandidateStatus.OPEN
    assert [item.id for item in await desk.pairs()] == [pair.id]


async def test_a_pair_with_a_deleted_lead_is_not_shown(desk: Desk) -> None:
    await desk.lead("ada@acme.com")
    other = await desk.lead("ada+1@acme.com")
    await desk.scan()
    await desk.leads.delete(other)
    assert await desk.pairs() == []

    await desk.leads.restore(other)

    assert len(await desk.pairs()) == 1


async def test_a_key_that_many_share_makes_a_bounded_number_of_pairs(desk: Desk) -> None:
    for number in range(40):
        await desk.lead(f"ada+{number}@acme.com")

    await desk.scan()

    pairs = await desk.pairs()
    assert len(pairs) <= 40 * scanning.NEIGHBOURS
    assert {lead.email for pair in pairs for lead in pair.leads} == {f"ada+{number}@acme.com" for number in range(40)}


async def test_deleted_leads_do_not_stand_in_the_place_of_living_ones(desk: Desk) -> None:
    dead = [await desk.lead(f"ada+{number}@acme.com") for number in range(scanning.NEIGHBOURS + 1)]
    await desk.scan()
    for lead_id in dead:
        await desk.leads.delete(lead_id)
    await desk.lead("ada+one@acme.com")
    await desk.lead("ada+two@acme.com")

    await desk.scan()

    assert await desk.emails() == {frozenset(("ada+one@acme.com", "ada+two@acme.com"))}


async def test_one_scan_at_a_time(desk: Desk) -> None:
    first, second = await asyncio.gather(desk.ask(), desk.ask())

    assert first.id == second.id
    assert first.job_id == second.job_id


class Killed(BaseException):
    """The process is gone."""


async def killed_at(desk: Desk, job_id: UUID, point: int, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """Run the first attempt of a scan until its `point`-th write, where the process dies. Returns the job."""
    calls = count()

    def dying(statement: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def write(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  those of any statement
            if next(calls) == point:
                raise Killed
            return await statement(*args, **kwargs)

        return write

    with monkeypatch.context() as killing:
        for module, name in ((comparison, "save_pairs"), (store, "advance")):
            killing.setattr(module, name, dying(getattr(module, name)))
        job = await desk.jobs.started(job_id)
        definition = desk.registry.find(job.kind)
        assert definition
        with pytest.raises(Killed):
            await definition.handler(JobContext(desk.database, job, definition.payload_of(job), worker_id=job.id))
    return job.id


@pytest.mark.parametrize("point", range(6))
async def test_a_scan_that_is_killed_goes_on_and_finds_the_same(
    desk: Desk, point: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        await desk.lead(f"ada{number // 2}+{number}@acme.com")
    monkeypatch.setattr(scanning, "BATCH", 4)
    monkeypatch.setattr(scanning.scan_more, "__kwdefaults__", {"batch": 4})
    asked = await desk.ask()
    assert asked.job_id
    job_id = await killed_at(desk, asked.job_id, point, monkeypatch)
    assert (await desk.last_scan()).status is ScanStatus.RUNNING
    await desk.jobs.expire_lease(asked.job_id)
    await desk.jobs.change(
        "UPDATE job_executions SET status = 'queued', lease_expires_at = NULL WHERE id = :id", id=job_id
    )

    assert (await desk.jobs.attempt(desk.registry, asked.job_id, 2)).status == "completed"

    scan = await desk.last_scan()
    assert (scan.status, scan.scanned, scan.found) == (ScanStatus.COMPLETED, 12, 6)
    assert await desk.emails() == {
        frozenset((f"ada{n}+{2 * n}@acme.com", f"ada{n}+{2 * n + 1}@acme.com")) for n in range(6)
    }


async def test_a_scan_that_failed_is_over_and_the_next_begins_where_it_did(desk: Desk) -> None:
    await desk.lead("ada@acme.com")
    asked = await desk.ask()
    assert asked.job_id
    await desk.jobs.cancel(desk.registry, asked.job_id)
    assert (await desk.last_scan()).status is ScanStatus.FAILED

    assert (await desk.scan()).scanned == 1


async def test_workspaces_are_scanned_apart(desk: Desk, database: Database) -> None:
    elsewhere = Desk(database, Actor.cli(await new_workspace(database)), desk.adapter)
    await desk.lead("ada@acme.com")
    await elsewhere.lead("ada+1@acme.com")

    await desk.scan()
    await elsewhere.scan()

    assert await desk.pairs() == await elsewhere.pairs() == []


async def test_the_clock_scans_where_leads_changed_since_the_last_scan(desk: Desk, database: Database) -> None:
    await desk.lead("ada@acme.com")
    async with database.system() as tx:
        assert desk.actor.workspace_id in await store.waiting(tx)
    await desk.scan()

    async with database.system() as tx:
        assert desk.actor.workspace_id not in await store.waiting(tx)
    await desk.lead("grace@acme.com")
    async with database.system() as tx:
        assert desk.actor.workspace_id in await store.waiting(tx)
