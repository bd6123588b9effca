"""Sums of engagements: the same for any order and repetition, for concurrent writers, and through merges."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from leadflood.domains.engagement.contracts import RecordEngagement
from leadflood.domains.engagement.models import EngagementSource, decayed, score_of
from leadflood.domains.engagement.service import record_engagement
from leadflood.kernel.db.sql import sql
from tests.integration.icps.desk import Desk

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SUMS = sql("SELECT lead_id, sort_key, engagements FROM lead_engagement WHERE workspace_id = :workspace_id")


async def sums(desk: Desk) -> dict[str, tuple[float, int]]:
    async with desk.database.transaction(desk.caller.workspace_id, read_only=True) as tx:
        rows = await tx.all(SUMS, {"workspace_id": desk.caller.workspace_id})
    return {str(row.lead_id): (row.sort_key, row.engagements) for row in rows}


async def record(desk: Desk, lead_id: str, given: Sequence[tuple[int, datetime]]) -> None:
    """Record engagements in this order, each by its points and time."""
    for points, at in given:
        command = RecordEngagement.model_validate({"kind": "visit", "points": points, "at": at.isoformat()})
        async with desk.database.transaction(desk.caller.workspace_id) as tx:
            await record_engagement(tx, desk.actor, lead_id=UUID(lead_id), command=command, source=EngagementSource.API)


@pytest.mark.parametrize("seed", range(5))
async def test_order_and_repetition_do_not_matter_and_the_sum_is_that_of_decayed_points(desk: Desk, seed: int) -> None:
    random = Random(seed)  # noqa: S311  no secret
    moments = random.sample(range(36 * 365), 12)
    given = [(random.randint(-100, 100), NOW - timedelta(days=days, seconds=seed)) for days in moments]
    ordered, shuffled = await desk.lead(), await desk.lead()

    await record(desk, ordered, given)
    await record(desk, shuffled, random.sample([*given, *given[:5]], len(given) + 5))

    found = await sums(desk)
    assert found[ordered] == found[shuffled]
    assert found[ordered][1] == len(given)
    expected = sum(decayed(points, at, half_life_days=30, now=NOW) for points, at in given)
    assert score_of(found[ordered][0], half_life_days=30, now=NOW) == pytest.approx(expected, rel=1e-6)


async def test_writers_at_the_same_time_lose_nothing(desk: Desk) -> None:
    lead_id, alone = await desk.lead(), await desk.lead()
    given = [(number, NOW - timedelta(hours=number)) for number in range(1, 9)]

    await asyncio.gather(*(record(desk, lead_id, [each, given[0]]) for each in given))
    await record(desk, alone, given)

    found = await sums(desk)
    assert found[lead_id] == found[alone]


async def test_a_sum_of_nothing_is_zero_and_goes_with_the_last_engagement(desk: Desk) -> None:
    lead_id = await desk.lead()
    await record(desk, lead_id, [(10, NOW)])
    other = await desk.ask(
        "POST", f"/v1/leads/{lead_id}/engagements", status=201, kind="left", points=-10, at=NOW.isoformat()
    )

    assert (await sums(desk))[lead_id] == (0.0, 2)
    await desk.ask("DELETE", f"/v1/engagements/{other['id']}", status=204)
    assert (await sums(desk))[lead_id][0] > 0
    (last,) = (await desk.ask("GET", f"/v1/leads/{lead_id}/engagements"))["items"]
    await desk.ask("DELETE", f"/v1/engagements/{last['id']}", status=204)
    assert await sums(desk) == {}


async def test_a_merge_moves_engagements_an_unmerge_returns_them_and_an_erasure_removes_them(desk: Desk) -> None:
    survivor, other = await desk.lead(), await desk.lead()
    same, own = (10, NOW), (20, NOW - timedelta(days=30))
    await record(desk, survivor, [same])
    await record(desk, other, [same, own])
    before = await sums(desk)

    merged = await desk.ask("POST", "/v1/merges", status=201, survivorId=survivor, otherId=other)
    assert (await sums(desk))[survivor] == before[other]
    await desk.ask("POST", f"/v1/merges/{merged['id']}/undos")
    assert await sums(desk) == before

    erased = await desk.ask("POST", f"/v1/leads/{other}/erasures", dryRun=False)
    counted = {each["name"]: each["rows"] for each in erased["places"]}
    assert (counted["engagements"], counted["engagementSums"]) == (2, 1)
    assert list(await sums(desk)) == [survivor]
