"""Drift of live versions: the comparison with publishing, its event, and the monthly test on new outcomes."""

from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.icps.models.drift import DriftClass
from leadflood.domains.icps.permissions import ICPS_READ
from leadflood.domains.icps.service import backtests, drift, rescoring
from leadflood.kernel.actor import Role
from leadflood.kernel.db.sql import sql
from tests.integration.icps.desk import GERMAN, Desk, body_of, publish_profile
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts
from tests.support.api import new_caller

__all__ = ["house", "new_house", "pages_app", "pages_parts", "site_parts"]

EVENTS = sql("""
SELECT id FROM outbox_events WHERE workspace_id = :workspace_id AND kind = 'icp.drifted.v1'
""")
LONG_AGO = sql("""
UPDATE icp_versions SET published_at = now() - interval '40 days' WHERE workspace_id = :workspace_id
""")
OLDER = sql("UPDATE leads SET created_at = now() - interval '90 days' WHERE workspace_id = :workspace_id")
AGED = sql("""
UPDATE icp_backtests SET created_at = created_at - interval '40 days' WHERE workspace_id = :workspace_id
""")
EARLIER = sql("""
UPDATE icp_outcomes SET at = now() - interval '50 days' WHERE workspace_id = :workspace_id AND outcome = 'lost'
""")


@pytest.fixture(autouse=True)
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadflood.domains.icps.models.drift.MIN_LEADS", 4)


async def run(desk: Desk, *statements: Any) -> None:  # noqa: ANN401  statements
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        for statement in statements:
            await tx.execute(statement, {"workspace_id": desk.caller.workspace_id})


async def published(desk: Desk, *countries: str) -> tuple[str, UUID, list[str]]:
    """A live profile whose distribution is stored as its job does. Returns its ID, that of the version, and leads."""
    leads = [await desk.lead(country=country) for country in countries]
    icp_id = (await desk.profile(GERMAN))["id"]
    await desk.publish(icp_id, 1)
    version_id = UUID((await desk.ask("GET", f"/v1/icps/{icp_id}"))["live"]["id"])
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        await drift.remember(tx, desk.actor, version_id=version_id)
    return icp_id, version_id, leads


async def move(desk: Desk, leads: list[str], country: str) -> None:
    for lead_id in leads:
        version = (await desk.ask("GET", f"/v1/leads/{lead_id}"))["version"]
        await desk.ask("PATCH", f"/v1/leads/{lead_id}", match=f'"{version}"', country=country)
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        await rescoring.rescore_pending(tx, desk.actor)


async def check(desk: Desk, version_id: UUID) -> Any:  # noqa: ANN401  a comparison
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        return await drift.check(tx, desk.actor, version_id=version_id)


async def events(desk: Desk) -> int:
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        return len(await tx.all(EVENTS, {"workspace_id": desk.caller.workspace_id}))


async def test_scores_that_moved_are_told_once_per_crossing(desk: Desk) -> None:
    icp_id, version_id, leads = await published(desk, "DE", "DE", "DE", "DE", "FR", "FR")
    path = f"/v1/icps/{icp_id}/drift"
    assert (await desk.ask("GET", path))["state"] == "notCompared"
    await check(desk, version_id)
    same = await desk.ask("GET", path)
    assert (same["state"], same["stabilityIndex"], await events(desk)) == ("stable", 0, 0)

    await move(desk, leads[:4], "FR")
    await check(desk, version_id)
    found = await check(desk, version_id)
    assert found.classes == [DriftClass(0, 2, 6), DriftClass(20, 4, 0)]
    moved = await desk.ask("GET", path)
    assert (moved["state"], moved["number"], await events(desk)) == ("drifted", 1, 1)
    assert moved["stabilityIndex"] > moved["limit"] == 0.2
    assert "Scores have moved since this version was published" in moved["text"]
    bands = [(each["from"], each["to"], each["leadsAtPublishing"], each["leads"]) for each in moved["bands"]]
    assert bands == [(0, 9, 2, 6), (20, 29, 4, 0)]

    await move(desk, leads[:4], "DE")
    await check(desk, version_id)
    await move(desk, leads[:4], "FR")
    await check(desk, version_id)
    assert await events(desk) == 2


async def test_a_version_of_before_is_compared_from_its_first_check_on(desk: Desk) -> None:
    leads = [await desk.lead(country="DE") for _ in range(4)]
    icp_id = (await desk.profile(GERMAN))["id"]
    await desk.publish(icp_id, 1)
    version_id = UUID((await desk.ask("GET", f"/v1/icps/{icp_id}"))["live"]["id"])

    assert await check(desk, version_id) is None
    await move(desk, leads, "FR")

    assert (await check(desk, version_id)).is_above
    strangers = await new_caller(desk.database, [ICPS_READ])
    answer = await desk.toys.get(f"/v1/icps/{icp_id}/drift", headers=strangers.headers)
    assert answer.status_code == 404


async def monthly(desk: Desk, version_id: UUID) -> bool:
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        return await drift.begin_monthly_test(tx, desk.actor, version_id=version_id)


async def test_new_outcomes_are_tested_once_a_month_and_only_they(desk: Desk) -> None:
    icp_id, version_id, leads = await published(desk, "DE", "DE", "FR")
    await run(desk, OLDER)
    assert not await monthly(desk, version_id)  # published just now
    await run(desk, LONG_AGO)
    assert not await monthly(desk, version_id)  # without outcomes
    for lead_id, outcome in zip(leads, ("won", "good", "lost"), strict=True):
        await desk.ask("POST", f"/v1/leads/{lead_id}/outcomes", status=201, outcome=outcome)
    await run(desk, EARLIER)

    assert await monthly(desk, version_id)
    assert not await monthly(desk, version_id)  # it runs
    started = (await desk.ask("GET", f"/v1/icps/{icp_id}/backtests"))["items"][0]

    def reading() -> Any:  # noqa: ANN401  a transaction
        return desk.database.transaction(desk.caller.workspace_id)

    result = await backtests.measure(reading, desk.actor, backtest_id=UUID(started["id"]))
    async with reading() as tx:
        await backtests.finish(tx, desk.actor, backtest_id=UUID(started["id"]), result=result)
    shown = (await desk.ask("GET", f"/v1/icps/{icp_id}/drift"))["outcomes"]
    assert (shown["result"]["leads"], shown["result"]["wins"], shown["result"]["tooFew"]) == (2, 2, True)
    assert shown["since"] is not None

    await run(desk, AGED)
    assert await monthly(desk, version_id)  # outcomes were recorded since the last one


async def test_the_page_of_a_profile_says_so_with_a_table(house: House) -> None:
    for number in range(4):
        await house.lead(f"ada{number}@acme.test", country="DE")
    icp_id = await publish_profile(house.parts.database, house.actor, body_of(GERMAN))
    reader = await house.signed_in(Role.VIEWER)
    assert "Not compared yet" in (await reader.get(f"/icps/{icp_id}")).text
    async with house.parts.database.transaction(house.actor.workspace_id) as tx:
        row = await tx.first(sql("SELECT live_version_id AS id FROM icps WHERE id = :id"), {"id": icp_id})
        assert row is not None
        await drift.remember(tx, house.actor, version_id=row.id)
        await tx.execute(
            sql("UPDATE icp_drifts SET before = '[[0, 40], [null, 2]]' WHERE version_id = :id"), {"id": row.id}
        )
        await drift.check(tx, house.actor, version_id=row.id)

    shown = await reader.get(f"/icps/{icp_id}")

    assert "Scores have moved" in shown.text
    assert "20 to 29" in shown.text
    assert "Excluded" in shown.text
