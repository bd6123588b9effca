"""Rules run once for each change of a tier, whatever changed it, and whatever happens to their job."""

import asyncio
from typing import cast
from uuid import UUID

import pytest

from leadflood.domains.jobs.errors import Retryable
from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.registry import JobContext, JobRegistry
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import UpdateLead
from leadflood.domains.rules import queries
from leadflood.domains.rules.events import COMPARE_TIERS
from leadflood.domains.rules.jobs import definitions
from leadflood.domains.rules.labels import run_text
from leadflood.domains.rules.service import running
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from tests.integration.icps.desk import body_of
from tests.integration.rules.rule_desk import GERMAN, WON, RuleDesk
from tests.support.jobs import Jobs

MARKS = sql("SELECT count(*) FROM rule_marks WHERE workspace_id = :workspace_id")


class Killed(BaseException):
    """The process ends."""


async def marks(desk: RuleDesk) -> int:
    async with desk.database.transaction(desk.caller.workspace_id, read_only=True) as tx:
        found: int = await tx.scalar(MARKS, {"workspace_id": desk.caller.workspace_id})
        return found


async def test_a_change_of_a_field_runs_the_rule_once_and_the_timeline_says_so(desk: RuleDesk) -> None:
    icp_id, lead_id = await desk.published(), await desk.lead(country="FR")
    rule = await desk.rule(icp_id)

    await desk.move(lead_id, "DE")
    assert await desk.run() == 1
    assert await desk.run() == 0

    assert await desk.tags(lead_id) == ["Hot"]
    (ran,) = await desk.runs(rule["id"])
    assert (ran["leadId"], ran["outcome"]) == (lead_id, "done")
    assert ran["results"] == [{"type": "addTag", "name": "Hot", "error": None}]
    first, second, *_ = await desk.timeline(lead_id)
    assert (first["kind"], second["kind"]) == ("lead.rule_ran", "lead.tagged")
    assert run_text(first["data"]) == "Tagged “Hot” by rule “Hot leads”: entered tier A of Main."
    assert first["actor"] == second["actor"] == {"kind": "system", "id": rule["id"]}


async def test_a_rule_on_leaving_and_one_on_entering_see_each_move_in_order(desk: RuleDesk) -> None:
    icp_id, lead_id = await desk.published(), await desk.lead(country="FR")
    entering = await desk.rule(icp_id)
    leaving = await desk.rule(icp_id, ("addTag", "Was hot"), name="Cooled", trigger="leaves")

    for country in ("DE", "FR", "DE"):
        await desk.move(lead_id, country)
    assert await desk.run() == 3

    assert len(await desk.runs(entering["id"])) == 2
    assert len(await desk.runs(leaving["id"])) == 1
    kinds = [each["data"]["trigger"] for each in await desk.timeline(lead_id) if each["kind"] == "lead.rule_ran"]
    assert kinds == ["enters", "leaves", "enters"]


async def test_new_leads_enter_a_tier_and_many_are_run_in_batches(
    desk: RuleDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", 2)
    icp_id = await desk.published()
    rule = await desk.rule(icp_id)
    new = [await desk.lead(country=country) for country in ("DE", "FR", "DE", "DE", "DE", "DE")]

    await desk.run()

    assert {each["leadId"] for each in await desk.runs(rule["id"])} == {new[0], *new[2:]}
    assert await desk.tags(new[1]) == []


async def test_leads_that_are_in_the_tier_already_are_left_alone_unless_the_rule_includes_them(desk: RuleDesk) -> None:
    icp_id, lead_id = await desk.published(), await desk.lead(country="DE")
    without = await desk.rule(icp_id)
    included = await desk.rule(icp_id, ("addTag", "All"), name="All", includePresent=True)

    assert await desk.compare(icp_id) == 1
    await desk.run()

    assert await desk.tags(lead_id) == ["All"]
    assert (await desk.runs(without["id"]), len(await desk.runs(included["id"]))) == ([], 1)
    assert await desk.compare(icp_id) == 0


async def test_publishing_and_rolling_back_run_rules_for_those_who_moved(desk: RuleDesk) -> None:
    german, french = await desk.lead(country="DE"), await desk.lead(country="FR")
    icp_id = await desk.published()
    entering = await desk.rule(icp_id)
    leaving = await desk.rule(icp_id, ("addTag", "Was hot"), name="Cooled", trigger="leaves")
    number = await desk.draft(icp_id, body_of({**GERMAN, "test": {"field": "lead.country", "in": ["FR"]}}))
    preview = await desk.ask("GET", f"/v1/icps/{icp_id}/rule-effects?number={number}")
    assert {each["name"]: (each["leads"], each["exact"]) for each in preview["items"]} == {
        "Hot leads": (1, True),
        "Cooled": (1, True),
    }

    await desk.publish(icp_id, number)
    assert await desk.compare(icp_id) == 2
    await desk.run()
    assert (await desk.tags(french), await desk.tags(german)) == (["Hot"], ["Was hot"])
    await desk.publish(icp_id, 1)
    await desk.compare(icp_id)
    await desk.run()

    assert [each["leadId"] for each in await desk.runs(entering["id"])] == [german, french]
    assert [each["leadId"] for each in await desk.runs(leaving["id"])] == [french, german]


async def test_the_first_publication_runs_no_rule_but_those_that_include_the_present(desk: RuleDesk) -> None:
    lead_id = await desk.lead(country="DE")
    icp_id = str((await desk.profile(GERMAN, name="Main"))["id"])
    waiting = await desk.rule(icp_id)
    assert waiting["problem"] == "The profile is not published. The rule runs once a version is live."
    await desk.rule(icp_id, ("addTag", "All"), name="All", includePresent=True)
    preview = await desk.ask("GET", f"/v1/icps/{icp_id}/rule-effects")
    assert {each["name"]: each["leads"] for each in preview["items"]} == {"Hot leads": 0, "All": 1}

    await desk.publish(icp_id, 1)
    await desk.compare(icp_id)
    await desk.run()

    assert await desk.tags(lead_id) == ["All"]
    await desk.move(lead_id, "FR")
    await desk.move(lead_id, "DE")
    await desk.run()
    assert await desk.tags(lead_id) == ["All", "Hot"]


async def test_a_job_that_is_killed_has_done_nothing_and_two_at_a_time_do_nothing_twice(
    desk: RuleDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    icp_id = await desk.published()
    rule = await desk.rule(icp_id)
    lead_ids = [await desk.lead(country="DE") for _ in range(5)]

    async def killed(*_args: object, **_named: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("leadflood.domains.rules.service.running.audit.record", killed)
        with pytest.raises(Killed):
            await desk.run()
    assert await desk.tags(lead_ids[0]) == []
    assert await marks(desk) == 5
    monkeypatch.setattr(running, "BATCH", 2)
    assert sum(await asyncio.gather(desk.run(), desk.run())) == 5

    assert sorted(each["leadId"] for each in await desk.runs(rule["id"])) == sorted(lead_ids)
    assert await marks(desk) == 0


async def test_what_fails_in_one_workspace_stops_the_rules_of_no_other(
    desk: RuleDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.rule(await desk.published())
    lead_id = await desk.lead(country="DE")
    broken, real = new_id(), running.run_marked

    async def marked(_tx: Transaction) -> list[UUID]:
        return [broken, desk.caller.workspace_id]

    async def run(tx: Transaction, actor: Actor) -> int:
        if actor.workspace_id == broken:
            raise RuntimeError
        return await real(tx, actor)

    monkeypatch.setattr(queries, "marked_workspaces", marked)
    monkeypatch.setattr(running, "run_marked", run)
    with pytest.raises(Retryable):
        await definitions(desk.database)[0].handler(cast("JobContext[NoPayload]", None))

    assert await desk.tags(lead_id) == ["Hot"]
    assert await marks(desk) == 0


async def test_the_job_waits_for_transactions_that_do_not_know_of_the_rule(desk: RuleDesk) -> None:
    icp_id, lead_id = await desk.published(), await desk.lead(country="FR")
    jobs = Jobs(desk.database, desk.caller.workspace_id, COMPARE_TIERS)
    registry = JobRegistry(definitions(desk.database))

    async with desk.database.transaction(desk.caller.workspace_id) as unaware:
        change = UpdateLead.model_validate({"country": "DE"})
        await leads.update_lead(unaware, desk.actor, lead_id=UUID(lead_id), command=change, expected_version=None)
        await desk.rule(icp_id)
        (job_id,) = await jobs.enqueue(payload={"icp_id": UUID(icp_id)})
        running_job = asyncio.create_task(jobs.attempt(registry, job_id))
        waited, _ = await asyncio.wait([running_job], timeout=1)
        assert not waited
    assert (await running_job).status == "completed"
    await desk.run()

    assert await desk.tags(lead_id) == ["Hot"]


async def test_rules_that_cause_each_other_end(desk: RuleDesk) -> None:
    icp_id = await desk.published(GERMAN, WON)
    lead_id = await desk.lead(country="FR")
    falling = await desk.rule(icp_id, ("setStage", "customer"), name="Falls")
    rising = await desk.rule(icp_id, ("setStage", "new"), name="Rises", tier="C")

    await desk.move(lead_id, "DE")
    assert await desk.run() == 4
    assert await desk.run() == 0

    outcomes = [[each["outcome"] for each in await desk.runs(rule["id"])] for rule in (falling, rising)]
    assert outcomes == [["done", "done"], ["stopped", "done"]]
    assert (await desk.ask("GET", f"/v1/rules/{rising['id']}"))["failures"] == 1
    ran = [each for each in await desk.timeline(lead_id) if each["kind"] == "lead.rule_ran"]
    assert run_text(ran[0]["data"]).startswith("Nothing done by rule “Rises”: entered tier C of Main.")


async def test_a_target_that_is_gone_fails_its_action_only(desk: RuleDesk) -> None:
    icp_id, lead_id = await desk.published(), await desk.lead(country="FR")
    list_id = (await desk.ask("POST", "/v1/lists", status=201, name="Calls"))["id"]
    rule = await desk.rule(icp_id, ("addToList", "Calls"), ("addTag", "Hot"))
    await desk.ask("DELETE", f"/v1/lists/{list_id}", status=204)
    remedy = "The list “Calls” was deleted. Restore it, or choose another list."
    assert [each["problem"] for each in (await desk.ask("GET", f"/v1/rules/{rule['id']}"))["actions"]] == [remedy, None]

    await desk.move(lead_id, "DE")
    await desk.run()

    (ran,) = await desk.runs(rule["id"])
    assert (ran["outcome"], [each["error"] for each in ran["results"]]) == ("failed", [remedy, None])
    assert await desk.tags(lead_id) == ["Hot"]
    entry = next(each for each in await desk.timeline(lead_id) if each["kind"] == "lead.rule_ran")
    assert run_text(entry["data"]).endswith(f"Failed: {remedy}")


async def test_the_undo_of_a_bulk_change_keeps_what_a_rule_did_and_its_changes_are_undone_as_well(
    desk: RuleDesk,
) -> None:
    icp_id, lead_id = await desk.published(GERMAN, WON), await desk.lead(country="DE", stage="customer")
    rule = await desk.rule(icp_id, ("assignOwner", str(desk.caller.user_id)), ("addTag", "Hot"))
    made = await desk.ask(
        "POST", "/v1/changesets", status=201, action="set", changes={"stage": "new"}, leadIds=[lead_id]
    )
    await desk.run()
    assert (await desk.ask("GET", f"/v1/leads/{lead_id}"))["ownerId"] == str(desk.caller.user_id)

    await desk.ask("POST", f"/v1/changesets/{made['id']}/undos", status=202)
    lead = await desk.ask("GET", f"/v1/leads/{lead_id}")
    assert (lead["stage"], lead["ownerId"]) == ("customer", str(desk.caller.user_id))
    by_rule = [
        each
        for each in (await desk.ask("GET", "/v1/changesets"))["items"]
        if each["actor"] == {"kind": "system", "id": rule["id"]}
    ]
    assert len(by_rule) == 2
    for each in by_rule:
        await desk.ask("POST", f"/v1/changesets/{each['id']}/undos", status=202)

    assert (await desk.ask("GET", f"/v1/leads/{lead_id}"))["ownerId"] is None
    assert await desk.tags(lead_id) == []


async def test_deleted_leads_and_disabled_rules_are_left_alone(desk: RuleDesk) -> None:
    icp_id = await desk.published()
    rule = await desk.rule(icp_id)
    deleted = await desk.lead(country="DE")
    await desk.ask("DELETE", f"/v1/leads/{deleted}", status=204, match='"1"')
    assert await desk.run() == 1
    assert await desk.runs(rule["id"]) == []
    await desk.ask("PATCH", f"/v1/rules/{rule['id']}", match='"2"', enabled=False)
    lead_id = await desk.lead(country="DE")
    assert await marks(desk) == 0
    await desk.ask("PATCH", f"/v1/rules/{rule['id']}", match='"3"', enabled=True)
    await desk.compare(icp_id)
    await desk.run()

    assert await desk.tags(lead_id) == []
