"""Scores follow facts: in the transaction of the change, by marks, and while a version is being published."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.enrichment.models import lead_fields
from leadflood.domains.icps import invariants
from leadflood.domains.icps.events import PUBLISH_VERSION
from leadflood.domains.icps.jobs import definitions
from leadflood.domains.icps.service import publishing, rescoring
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import UpdateLead
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.integration.icps.desk import BIG, GERMAN, Desk, criterion
from tests.support.jobs import Jobs
from tests.support.new_companies import new_company

LINK = sql("""
INSERT INTO company_leads (workspace_id, lead_id, company_id, domain, how)
VALUES (:workspace_id, :lead_id, :company_id, 'acme.test', 'email')
""")
FIND = sql("""
WITH asked AS (
    INSERT INTO lookups (workspace_id, id, company_id, source, source_version, state, answered_at)
    VALUES (:workspace_id, :id, :company_id, 'test', '1', 'found', now())
), found AS (
    INSERT INTO found_values (workspace_id, lookup_id, id, field, value, confidence, method, evidence)
    VALUES (:workspace_id, :id, :id, 'employees', :value, 0.9, 'test', 'test')
)
INSERT INTO chosen_values (workspace_id, subject_kind, subject_id, field, lookup_id, value_id, confidence, because)
VALUES (:workspace_id, 'company', :company_id, 'employees', :id, :id, 0.9, 'only')
""")
RETRACT = sql("""
UPDATE found_values SET retraction_id = :id WHERE workspace_id = :workspace_id AND field = 'employees'
""")
MARKED = sql("SELECT DISTINCT lead_id FROM icp_pending WHERE workspace_id = :workspace_id")


async def marked(desk: Desk) -> set[str]:
    async with desk.database.transaction(desk.caller.workspace_id, read_only=True) as tx:
        return {str(row.lead_id) for row in await tx.all(MARKED, {"workspace_id": desk.caller.workspace_id})}


async def sweep(desk: Desk) -> int:
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        return await rescoring.rescore_pending(tx, desk.actor)


async def violations(desk: Desk) -> list[str]:
    async with desk.database.system(read_only=True) as tx:
        return [each for each in await invariants.violations(tx) if "Rescored" in each]


async def published(desk: Desk) -> str:
    icp_id: str = (await desk.profile(name="Rescored"))["id"]
    await desk.publish(icp_id, 1)
    return icp_id


async def test_a_created_and_a_changed_lead_are_scored_with_the_change(desk: Desk) -> None:
    icp_id = await published(desk)

    lead_id = await desk.lead(country="DE")
    assert await desk.scores(icp_id) == {lead_id: (20, "B")}
    await desk.ask("PATCH", f"/v1/leads/{lead_id}", match='"1"', country="FR")

    assert await desk.scores(icp_id) == {lead_id: (0, "C")}
    assert await marked(desk) == set()


async def test_what_enrichment_finds_is_scored_when_its_job_ends(desk: Desk) -> None:
    head = criterion("head", {"field": "lead.seniority", "in": ["head"]}, 25)
    icp_id = (await desk.profile(GERMAN, head, name="Rescored"))["id"]
    await desk.publish(icp_id, 1)
    bench = Bench(desk.database, desk.actor)
    made = await bench.create()
    assert await desk.scores(icp_id) == {str(made.lead_id): (0, "C")}
    found = [value(lead_fields.SENIORITY, "head"), value(lead_fields.COUNTRY, "DE", 0.9)]

    await bench.attempts(made.job_id, Scripted("a", [found]))

    assert await desk.scores(icp_id) == {str(made.lead_id): (45, "A")}
    assert await marked(desk) == set()


async def staff_of_a_company(desk: Desk, lead_id: str) -> dict[str, Any]:
    """Parameters of `LINK`, `FIND` and `RETRACT`: a company of a lead with 120 employees."""
    workspace_id = desk.caller.workspace_id
    company_id = await new_company(desk.database, workspace_id)
    return {
        "workspace_id": workspace_id,
        "lead_id": UUID(lead_id),
        "id": new_id(),
        "value": "120",
        "company_id": company_id,
    }


async def test_facts_of_a_company_mark_its_leads_and_so_does_their_retraction(desk: Desk) -> None:
    icp_id, lead_id = await published(desk), await desk.lead(country="DE")
    same = await staff_of_a_company(desk, lead_id)

    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        await tx.execute(LINK, same)
        await tx.execute(FIND, same)
    assert await marked(desk) == {lead_id}
    assert await sweep(desk) == 1
    assert await desk.scores(icp_id) == {lead_id: (50, "A")}
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        await tx.execute(RETRACT, same)
    assert await sweep(desk) == 1

    assert await desk.scores(icp_id) == {lead_id: (20, "B")}
    assert await sweep(desk) == 0


async def test_a_lead_that_another_transaction_has_locked_keeps_its_mark(desk: Desk) -> None:
    icp_id, lead_id = await published(desk), await desk.lead(country="DE")
    same = await staff_of_a_company(desk, lead_id)
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        await tx.execute(LINK, same)
    await sweep(desk)

    async with desk.database.transaction(desk.caller.workspace_id) as editing:
        change = UpdateLead.model_validate({"country": "FR"})
        await leads.update_lead(editing, desk.actor, lead_id=UUID(lead_id), command=change, expected_version=None)
        async with desk.database.transaction(desk.caller.workspace_id) as finding:
            await finding.execute(FIND, same)
            await rescoring.rescore_companies(finding, desk.actor, company_ids=[same["company_id"]])
    assert await desk.scores(icp_id) == {lead_id: (0, "C")}  # each has seen its own change only

    assert await marked(desk) == {lead_id}
    assert await sweep(desk) == 1
    assert await desk.scores(icp_id) == {lead_id: (30, "B")}


async def test_writers_during_a_publication_lose_nothing(desk: Desk) -> None:
    lead_ids = [await desk.lead(country="FR") for _ in range(6)]
    icp_id = (await desk.profile(name="Rescored"))["id"]
    started = await desk.ask("POST", f"/v1/icps/{icp_id}/publications", status=202, number=1)
    version_id = UUID(started["publishing"]["id"])

    async def edit(lead_id: str) -> None:
        await desk.ask("PATCH", f"/v1/leads/{lead_id}", match='"1"', country="DE")

    async with desk.database.transaction(desk.caller.workspace_id) as held:
        change = UpdateLead.model_validate({"country": "DE"})
        first = UUID(lead_ids[0])
        await leads.update_lead(held, desk.actor, lead_id=first, command=change, expected_version=None)
        publication = asyncio.create_task(desk.score_all(version_id))
        await asyncio.gather(*(edit(lead_id) for lead_id in lead_ids[1:]), return_exceptions=True)
        assert await desk.scores(icp_id) == {}  # nothing is shown before the last lead is scored
    await publication
    created = await desk.lead(country="DE")
    for lead_id in lead_ids:
        lead = await desk.ask("GET", f"/v1/leads/{lead_id}")
        if lead["country"] == "FR":
            await desk.ask("PATCH", f"/v1/leads/{lead_id}", match=f'"{lead["version"]}"', country="DE")
    await sweep(desk)

    assert await desk.scores(icp_id) == dict.fromkeys((*lead_ids, created), (20, "B"))
    assert await violations(desk) == []


async def test_a_publication_waits_for_transactions_that_do_not_know_of_it(desk: Desk) -> None:
    lead_id = await desk.lead(country="DE")
    icp_id = (await desk.profile(name="Rescored"))["id"]
    same = await staff_of_a_company(desk, lead_id)
    jobs = Jobs(desk.database, desk.caller.workspace_id, PUBLISH_VERSION)
    registry = JobRegistry(definitions(desk.database))

    async with desk.database.transaction(desk.caller.workspace_id) as unaware:
        await unaware.execute(LINK, same)
        await unaware.execute(FIND, same)
        started = await desk.ask("POST", f"/v1/icps/{icp_id}/publications", status=202, number=1)
        running = asyncio.create_task(jobs.attempt(registry, UUID(started["publishing"]["jobId"])))
        waited, _ = await asyncio.wait([running], timeout=1)
        assert not waited

    assert (await running).status == "completed"
    assert await desk.scores(icp_id) == {lead_id: (50, "A")}


async def test_a_publication_goes_on_after_an_attempt_that_was_lost(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "CHUNK", 2)
    lead_ids = [await desk.lead(country="DE") for _ in range(5)]
    icp_id = (await desk.profile(name="Rescored"))["id"]
    started = await desk.ask("POST", f"/v1/icps/{icp_id}/publications", status=202, number=1)
    version_id = UUID(started["publishing"]["id"])
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        await publishing.score_chunk(tx, desk.actor, version_id=version_id, after_id=None)
    assert (await desk.ask("GET", f"/v1/icps/{icp_id}"))["publishing"]["scored"] == 2
    assert await desk.scores(icp_id) == {}

    jobs = Jobs(desk.database, desk.caller.workspace_id, PUBLISH_VERSION)
    ended = await jobs.attempt(JobRegistry(definitions(desk.database)), UUID(started["publishing"]["jobId"]))

    assert ended.status == "completed"
    assert len(await desk.scores(icp_id)) == len(lead_ids)
    assert (await desk.ask("GET", f"/v1/icps/{icp_id}"))["live"]["scored"] == 5


async def test_an_import_marks_what_it_creates_and_doctor_names_leads_without_a_score(desk: Desk) -> None:
    icp_id, lead_id = await published(desk), await desk.lead(country="DE")
    assert await violations(desk) == []
    remove = sql("DELETE FROM icp_scores WHERE workspace_id = :workspace_id")
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        await tx.execute(remove, {"workspace_id": desk.caller.workspace_id})

    assert await violations(desk) == [f"Lead {lead_id} has no score by version 1 of profile Rescored."]
    version_id = UUID((await desk.ask("GET", f"/v1/icps/{icp_id}"))["live"]["id"])
    await desk.score_all(version_id)
    assert await violations(desk) == []


async def test_an_erasure_removes_scores_facts_and_marks(desk: Desk) -> None:
    icp_id, lead_id = await published(desk), await desk.lead(country="DE")
    assert {"icpScores", "icpFacts", "icpPending"} <= {place.name for place in LEAD_PARTICIPANTS.places}

    erased = await desk.ask("POST", f"/v1/leads/{lead_id}/erasures", dryRun=False)

    assert {"name": "icpScores", "rows": 1} in erased["places"]
    assert await desk.scores(icp_id) == {}


async def test_a_workspace_without_a_published_profile_pays_for_none(desk: Desk) -> None:
    await desk.profile(GERMAN, BIG)
    lead_id = await desk.lead(country="DE")
    await desk.ask("PATCH", f"/v1/leads/{lead_id}", match='"1"', country="FR")

    assert await marked(desk) == set()
