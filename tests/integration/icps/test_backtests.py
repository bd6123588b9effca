"""Backtests: what a version would have said of known outcomes, and that no later fact is in it."""

from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.icps.contracts.backtests import StartBacktest
from leadflood.domains.icps.permissions import ICPS_READ
from leadflood.domains.icps.queries.backtests import latest_backtest
from leadflood.domains.icps.service import backtests
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from tests.integration.icps.desk import GERMAN, Desk, body_of, criterion
from tests.support.api import new_caller

OLDER = sql("UPDATE leads SET created_at = now() - interval '9 days' WHERE workspace_id = :workspace_id")
YESTERDAY = sql("""
UPDATE icp_outcomes SET at = now() - interval '1 day' WHERE workspace_id = :workspace_id
""")
# A command that was killed long ago.
KILLED = sql("""
UPDATE icp_backtests SET state = 'running', ended_at = NULL, created_at = now() - interval '2 hours'
WHERE workspace_id = :workspace_id
""")


async def outcomes(desk: Desk, *groups: tuple[str, int, dict[str, Any]]) -> dict[str, list[str]]:
    """Leads that are nine days old, with outcomes of yesterday. Returns their IDs by outcome."""
    found: dict[str, list[str]] = {}
    for outcome, count, fields in groups:
        for _ in range(count):
            lead_id = await desk.lead(**fields)
            await desk.ask("POST", f"/v1/leads/{lead_id}/outcomes", status=201, outcome=outcome)
            found.setdefault(outcome, []).append(lead_id)
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        for statement in (OLDER, YESTERDAY):
            await tx.execute(statement, {"workspace_id": desk.caller.workspace_id})
    return found


async def test_facts_of_after_the_outcome_are_in_no_figure_but_those_of_today(desk: Desk) -> None:
    won = (await outcomes(desk, ("won", 20, {"country": "FR"}), ("lost", 20, {"country": "FR"})))["won"]
    for lead_id in won:  # a customer's country is corrected once there is a contract
        await desk.ask("PATCH", f"/v1/leads/{lead_id}", match='"1"', country="DE")
    icp_id = (await desk.profile(GERMAN))["id"]

    before = await desk.backtest(icp_id, facts="before")
    today = await desk.backtest(icp_id, facts="today")

    ranking, leaking = before["tested"]["ranking"], today["tested"]["ranking"]
    assert (before["leads"], before["wins"], before["baseRate"]["value"]) == (40, 20, 0.5)
    assert (ranking["auc"]["value"], leaking["auc"]["value"]) == (0.5, 1.0)
    assert [each["lift"] for each in leaking["lifts"]] == [2.0, 2.0]
    flags = [before["mayLeak"], ranking["mayLeak"], before["tested"]["calibration"]["mayLeak"]]
    assert flags == [False] * 3
    figures = (today, leaking, today["tested"], today["tested"]["calibration"])
    assert [each["mayLeak"] for each in figures] + [today["movementsMayLeak"]] == [True] * 5


async def test_a_draft_is_compared_with_the_live_version_on_the_same_leads(desk: Desk) -> None:
    leads = await outcomes(
        desk,
        ("won", 15, {"country": "DE", "jobTitle": "Owner"}),
        ("good", 5, {"country": "FR", "jobTitle": "Owner"}),
        ("lost", 20, {"country": "DE"}),
    )
    icp_id = (await desk.profile(GERMAN))["id"]
    await desk.publish(icp_id, 1)
    version = (await desk.ask("GET", f"/v1/icps/{icp_id}"))["version"]
    title = criterion("title", {"field": "lead.jobTitle", "is": "owner"}, 45)
    never = criterion("never", {"field": "lead.country", "in": ["JP"]}, 10)
    body = body_of({**GERMAN, "points": 1}, title, never)
    await desk.ask("PUT", f"/v1/icps/{icp_id}/draft", match=f'"{version}"', body=body)

    found = await desk.backtest(icp_id)

    assert (found["tested"]["number"], found["live"]["number"], found["tooFew"]) == (2, 1, False)
    moves = {(each["before"], each["after"]): (each["leads"], each["wins"]) for each in found["movements"]}
    assert moves == {("B", "A"): (15, 15), ("B", "C"): (20, 0), ("C", "A"): (5, 5)}
    (named,) = [each["examples"] for each in found["movements"] if each["before"] == "C"]
    assert set(named) == set(leads["good"])
    best, _, rest = found["tested"]["tiers"]
    assert (best["tier"], best["leads"], best["wins"], best["precision"]["value"], best["recall"]) == (
        "A",
        20,
        20,
        1,
        1,
    )
    assert (rest["precision"]["value"], rest["recallUpTo"]) == (0, 1)
    assert found["tested"]["ranking"]["auc"] == {"value": 1.0, "lo": 1.0, "hi": 1.0}
    assert found["live"]["ranking"]["auc"]["value"] == pytest.approx((15 * 20 / 2) / 400)
    german, owner, japan = found["tested"]["criteria"]
    assert (german["winsTrue"], german["leadsTrue"], german["separates"], german["againstPoints"]) == (
        *(15, 35),
        *("against", True),
    )
    assert (owner["winsTrue"], owner["unknown"], owner["separates"], owner["neverTrue"]) == (20, 20, "for", False)
    assert (japan["neverTrue"], japan["separates"]) == (True, None)


async def test_below_20_wins_there_are_counts_only(desk: Desk) -> None:
    await outcomes(desk, ("won", 19, {"country": "DE"}), ("bad", 3, {}))
    icp_id = (await desk.profile(GERMAN))["id"]

    found = await desk.backtest(icp_id)

    assert (found["tooFew"], found["leads"], found["wins"]) == (True, 22, 19)
    assert (found["tested"]["ranking"], found["tested"]["calibration"], found["live"]) == (None, None, None)
    assert [(each["leads"], each["precision"], each["recall"]) for each in found["tested"]["tiers"]] == [
        (0, None, None),
        (19, None, None),
        (3, None, None),
    ]
    assert found["tested"]["criteria"][0]["separates"] is None


async def test_a_lead_counts_once_and_one_that_did_not_exist_is_skipped(desk: Desk) -> None:
    (lead_id,) = (await outcomes(desk, ("lost", 1, {"country": "DE"})))["lost"]
    await desk.ask("POST", f"/v1/leads/{lead_id}/outcomes", status=201, outcome="won")
    await desk.ask("POST", f"/v1/leads/{lead_id}/outcomes", status=201, outcome="bad")
    young, deleted = await desk.lead(), await desk.lead()
    await desk.ask("POST", f"/v1/leads/{young}/outcomes", status=201, outcome="won", at="2020-01-01")
    await desk.ask("POST", f"/v1/leads/{deleted}/outcomes", status=201, outcome="won")
    await desk.ask("DELETE", f"/v1/leads/{deleted}", status=204, match='"1"')
    icp_id = (await desk.profile(GERMAN))["id"]

    before, today = await desk.backtest(icp_id), await desk.backtest(icp_id, facts="today")

    assert (before["leads"], before["wins"], before["skipped"]) == (1, 1, 1)
    assert (today["leads"], today["wins"], today["skipped"]) == (2, 2, 0)


async def test_one_backtest_runs_at_a_time_and_the_list_says_when_the_draft_was_edited(desk: Desk) -> None:
    made = await desk.profile(GERMAN)
    path = f"/v1/icps/{made['id']}/backtests"
    assert (await desk.ask("POST", path, status=404, number=9))["code"] == "icp_version_not_found"
    await desk.backtest(made["id"])
    await desk.ask("PUT", f"/v1/icps/{made['id']}/draft", match=f'"{made["version"]}"', body=body_of(GERMAN))
    started = await desk.ask("POST", path, status=202, facts="before")

    assert (await desk.ask("POST", path, status=409, facts="before"))["code"] == "backtest_runs"
    listed = (await desk.ask("GET", path))["items"]
    assert [(each["id"], each["state"], each["outdated"]) for each in listed] == [
        (started["id"], "running", False),
        (listed[1]["id"], "done", True),
    ]
    reader = await new_caller(desk.database, [ICPS_READ], workspace_id=desk.caller.workspace_id)
    refused = await desk.toys.post(path, json={"facts": "before"}, headers=reader.headers)
    assert refused.status_code == 403


async def test_a_backtest_of_a_command_that_was_stopped_has_failed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    icp_id = UUID((await desk.profile(GERMAN))["id"])
    workspace_id = desk.caller.workspace_id

    def transactions() -> AbstractAsyncContextManager[Transaction]:
        return desk.database.transaction(workspace_id)

    async def state() -> str | None:
        async with transactions() as tx:
            found = await latest_backtest(tx, desk.actor, icp_id=icp_id)
        return None if found is None else found.state

    async def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(backtests, "measure", stopped)
        with pytest.raises(KeyboardInterrupt):
            await backtests.run(transactions, desk.actor, icp_id=icp_id, command=StartBacktest())
    assert await state() == "failed"

    async with transactions() as tx:
        await tx.execute(KILLED, {"workspace_id": workspace_id})
    assert await state() == "failed"
