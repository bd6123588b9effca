"""The feed: every event once, in an order in which nothing is skipped."""

from dataclasses import replace
from datetime import timedelta

import pytest

from leadflood.domains.jobs import feed
from leadflood.domains.jobs.errors import CursorExpired
from leadflood.domains.jobs.events import CLEAN_UP
from leadflood.domains.jobs.feed import FeedPosition
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID
from leadflood.kernel.pagination import Position
from tests.conftest import new_workspace
from tests.integration.events.toys import OTHER, TOY, Toybox
from tests.support.jobs import Jobs

AGE = sql("""
UPDATE outbox_events SET processed_at = now() - make_interval(days => :days) WHERE workspace_id = :workspace_id
""")


async def test_an_event_that_commits_after_a_later_one_was_read_is_not_skipped(toys: Toybox) -> None:
    early, late = toys.events(1), toys.events(2)
    async with toys.database.transaction(toys.workspace_id) as slow:
        await publish(slow, TOY, early)
        async with toys.database.transaction(toys.workspace_id) as fast:
            await publish(fast, TOY, late)
        first = await toys.read()

    rest = await toys.read_until(late[0].subject_id, first.after)

    assert [*(item.subject.id for item in first.items), *rest] == [early[0].subject_id, late[0].subject_id]


async def test_an_event_that_is_rolled_back_is_never_read(toys: Toybox) -> None:
    async def fail() -> None:
        async with toys.database.transaction(toys.workspace_id) as tx:
            await publish(tx, TOY, toys.events(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    (kept,) = await toys.publish(2)

    assert await toys.read_until(kept) == [kept]


async def test_a_reader_goes_on_in_the_middle_of_a_transaction_and_then_waits_at_the_end(toys: Toybox) -> None:
    subjects = [*await toys.publish(1, 2, 3), *await toys.publish(4)]
    await toys.read_until(subjects[-1])

    parts = [await toys.read(limit=2)]
    for _ in range(2):
        parts.append(await toys.read(parts[-1].after, limit=2))

    assert [[item.data["number"] for item in part.items] for part in parts] == [[1, 2], [3, 4], []]
    assert [item.subject.id for part in parts for item in part.items] == subjects
    assert [part.more for part in parts] == [True, False, False]
    assert len({item.id for part in parts for item in part.items}) == 4
    (new,) = await toys.publish(5)
    assert await toys.read_until(new, parts[-1].after) == [new]


async def test_a_page_of_one_type_passes_over_others_and_says_that_more_follow(
    toys: Toybox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await toys.publish(number)
    (rare,) = await toys.publish(9, event_type=OTHER)
    await toys.read_until(rare)
    monkeypatch.setattr(feed, "SCANNED", 3)

    first = await toys.read(types=[OTHER.name])
    second = await toys.read(first.after, types=[OTHER.name])

    assert (list(first.items), first.more) == ([], True)
    assert [item.subject.id for item in second.items] == [rare]


async def test_another_workspace_reads_nothing_of_it(toys: Toybox, database: Database) -> None:
    await toys.read_until((await toys.publish(1))[0])
    other = Toybox(database, await new_workspace(database))

    assert (await other.read()).items == []


async def test_a_cursor_from_before_the_last_purge_has_expired_and_a_newer_one_has_not(
    toys: Toybox, registry: JobRegistry
) -> None:
    (gone,) = await toys.publish(1)
    await toys.read_until(gone)
    async with toys.database.transaction(toys.workspace_id) as tx:
        assert await tx.changed(AGE, {"workspace_id": toys.workspace_id, "days": 8}) == 1
    recent = (await toys.read(limit=1)).after
    place = FeedPosition.of(recent)
    before = replace(place, at=place.at - timedelta(days=8)).cursor

    clean_up = Jobs(toys.database, SYSTEM_WORKSPACE_ID, CLEAN_UP)
    assert (await clean_up.attempt(registry, await clean_up.one())).status == "completed"

    with pytest.raises(CursorExpired):
        await toys.read(before)
    assert (await toys.read(recent)).items == []
    assert (await toys.read()).items == []


async def test_a_cursor_of_a_database_that_was_replaced_or_of_another_release_has_expired(toys: Toybox) -> None:
    place = FeedPosition.of((await toys.read()).after)

    for cursor in (replace(place, position=place.position + 10**9).cursor, Position("other", place.id)):
        with pytest.raises(CursorExpired):
            await toys.read(cursor)
