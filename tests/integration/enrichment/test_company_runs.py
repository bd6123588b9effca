"""Leads wait for their company, whose sources are asked once, and complete with it whatever becomes of the run."""

from datetime import timedelta
from uuid import UUID

import pytest

from leadflood.domains.companies import queries as company_queries
from leadflood.domains.companies.models import CompanyStatus
from leadflood.domains.enrichment import invariants
from leadflood.domains.enrichment.events import ENRICH_COMPANY, ENRICH_LEAD
from leadflood.domains.enrichment.models import Away, Speed, lead_fields
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.models.company_runs import CompanyRunState
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.enrichment.service import company_runs
from leadflood.domains.jobs import execution
from leadflood.domains.jobs.completion import Completer
from leadflood.domains.jobs.errors import Terminal
from leadflood.domains.jobs.models import JobStatus, RunningJob
from leadflood.domains.jobs.registry import Awaited, Complete, JobContext, Later
from leadflood.domains.leads.contracts import LeadCreated
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.clock import utc_now
from leadflood.kernel.hold import EffectsOnHold
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import QueueMessage
from leadflood.worker.executor import Executor
from tests.integration.enrichment.bench import Bench, Scripted, raising, value
from tests.integration.enrichment.office import Office, Register, domain, person
from tests.support.asked_sources import spec_of
from tests.support.jobs import Jobs, Workers


@pytest.fixture
def office(bench: Bench) -> Office:
    return Office(bench)


async def tickets(jobs: Jobs, made: LeadCreated) -> int:
    """Number of messages for the second attempt of a lead's job."""
    query = "SELECT 1 FROM leadflood_queue.tickets WHERE job_id = :id AND attempt = 2"
    return len(await jobs.rows(query, id=made.job_id))


async def claimed(bench: Bench, *job_ids: UUID, kind: str = ENRICH_LEAD.name, attempt: int = 1) -> list[RunningJob]:
    tickets = [QueueMessage(kind, bench.actor.workspace_id, job_id, attempt) for job_id in job_ids]
    return await execution.claim(bench.database, tickets, new_id(), 60)


async def test_a_company_is_read_again_once_other_sources_are_configured(office: Office) -> None:
    company, before, after = domain(), Register(), Register()
    first = await office.waiting(company, before)
    await office.read(company, before)
    await office.completes(first, before)

    second = await office.waiting(company, after, name="grace")
    await office.read(company, after)
    await office.completes(second, after)

    assert (before.asked, after.asked) == ([company], [company])


async def test_a_lead_waits_for_its_company_and_the_next_one_finds_its_facts_fresh(office: Office, jobs: Jobs) -> None:
    company, register, bench = domain(), Register(), office.bench
    made = await office.waiting(company, register)
    waiting = await bench.job(made.job_id)
    assert (waiting.shown_state, waiting.waiting_until, waiting.retrying) == ("awaiting", None, False)
    assert await tickets(jobs, made) == 0, "no message is queued for a job that waits for something"
    assert (await bench.lead(made.lead_id)).status == LeadStatus.PROCESSING

    assert (await office.read(company, register)).status == JobStatus.COMPLETED

    assert await tickets(jobs, made) == 1
    assert await office.chosen(company) == {"name": f"Company {company}", "city": "Berlin"}
    (run,) = (await office.facts(company)).runs
    assert (run.state, run.message, [(step.state, step.facts) for step in run.steps]) == (
        CompanyRunState.COMPLETED,
        "Found 2 values.",
        [(StepState.FOUND, 2)],
    )
    await office.completes(made, register)
    second = await bench.create(f"grace@{company}")
    runner = Executor(bench.database, bench.registry(person(), register), new_id())
    assert await runner.run_many(await claimed(bench, second.job_id)) == [], "it is enriched with others"
    assert (await bench.lead(second.lead_id)).status == LeadStatus.ENRICHED
    assert register.asked == [company]
    async with bench.database.transaction(bench.actor.workspace_id, read_only=True) as tx:
        found = await company_queries.get_company(tx, bench.actor, company_id=await office.company_id(company))
    assert found.status == CompanyStatus.KNOWN


async def test_leads_without_a_company_and_programs_without_sources_about_companies_wait_for_nothing(
    office: Office,
) -> None:
    company, bench = domain(), office.bench
    free, own = await bench.create(f"{new_id().hex}@gmail.com"), await bench.create(f"ada@{company}")
    runner = Executor(bench.database, bench.registry(person(), Register()), new_id())
    assert await runner.run_many(await claimed(bench, free.job_id)) == []
    alone = Register(spec_of("place", fields.TIME_ZONE, needs=(frozenset({fields.COUNTRY}),), speed=Speed.INSTANT))

    runner = Executor(bench.database, bench.registry(person(), alone), new_id())
    assert await runner.run_many(await claimed(bench, own.job_id)) == []

    assert {(await bench.lead(item.lead_id)).status for item in (free, own)} == {LeadStatus.ENRICHED}
    assert await office.rows(company) == []


async def test_eight_workers_ask_once_about_each_company(office: Office, jobs: Jobs, workers: Workers) -> None:
    bench, register = office.bench, Register()
    names = [domain() for _ in range(4)]
    made = [await bench.create(f"lead{number}@{name}") for number in range(10) for name in names]
    await jobs.postpone_others()

    for _ in range(8):
        await workers.start(bench.registry(person(), register), job_lease_seconds=60)

    assert await jobs.ended(*(item.job_id for item in made)) == {"completed": len(made)}
    assert sorted(register.asked) == sorted(names)
    assert [len(await office.rows(name)) for name in names] == [1, 1, 1, 1]
    assert {(await bench.lead(item.lead_id)).status for item in made} == {LeadStatus.ENRICHED}
    await office.sound()


async def test_a_company_that_cannot_be_reached_fails_no_lead_and_is_not_asked_for_an_hour(office: Office) -> None:
    company, register = domain(), Register(fault=Away("acme.com did not answer."))
    made = await office.waiting(company, register)

    assert (await office.read(company, register)).status == JobStatus.COMPLETED

    (run,) = (await office.facts(company)).runs
    assert (run.state, run.message) == (CompanyRunState.FAILED, "acme.com did not answer.")
    assert run.fresh_until is not None
    assert run.ended_at is not None
    assert timedelta(minutes=50) < run.fresh_until - run.ended_at <= timedelta(hours=1)
    await office.completes(made, register)
    assert register.asked == [company]


async def test_leads_of_a_run_whose_job_is_canceled_complete_with_what_is_known(office: Office) -> None:
    company, register = domain(), Register()
    made = await office.waiting(company, register)

    await office.bench.cancel(await office.run_job(company))

    assert [row["state"] for row in await office.rows(company)] == ["failed"]
    await office.completes(made, register)
    assert await office.bench.chosen(made.lead_id) == {"first_name": ("Ada", "at_once")}


async def test_a_run_that_no_job_is_going_to_end_is_ended_and_its_leads_complete(office: Office, jobs: Jobs) -> None:
    company, register = domain(), Register()
    made = await office.waiting(company, register)
    await jobs.change("DELETE FROM job_executions WHERE id = :id", id=await office.run_job(company))
    async with office.bench.database.system(read_only=True) as tx:
        assert any("no job is going to end it" in item for item in await invariants.violations(tx))

    async with office.bench.database.system() as tx:
        await company_runs.end_abandoned(tx)

    await office.completes(made, register)


async def test_a_lead_that_has_waited_long_enough_completes_without_its_company(office: Office, jobs: Jobs) -> None:
    company, register = domain(), Register()
    made = await office.waiting(company, register)
    await jobs.change("UPDATE company_runs SET wait_until = now() WHERE domain = :domain", domain=company)
    await jobs.change(
        "UPDATE job_executions SET next_attempt_at = now() - interval '1 day' WHERE id = :id", id=made.job_id
    )
    await execution.requeue_lost(office.bench.database)
    assert await tickets(jobs, made) == 1, "its lost message is replaced"

    assert (await office.bench.attempt(made.job_id, person(), register)).status == JobStatus.COMPLETED

    assert [row["state"] for row in await office.rows(company)] == ["running"]
    await office.read(company, register)
    await office.sound()


async def test_a_worker_killed_after_starting_the_run_leaves_a_lead_that_waits_in_its_next_attempt(
    office: Office, jobs: Jobs
) -> None:
    company, register, bench = domain(), Register(), office.bench
    made = await bench.create(f"ada@{company}")
    registry = bench.registry(person(), register)
    (first,) = await claimed(bench, made.job_id)
    definition = registry.find(first.kind)
    assert definition is not None
    outcome = await definition.handler(
        JobContext(bench.database, first, definition.payload_of(first), worker_id=new_id())
    )
    assert isinstance(outcome, Later)
    await jobs.expire_lease(made.job_id)  # killed before it put the job off
    await execution.rescue(bench.database, registry)

    job = await bench.attempt(made.job_id, person(), register)

    assert job.waiting_for == f"Waiting for {company}."
    assert len(await office.rows(company)) == 1
    await office.read(company, register)
    await office.completes(made, register)


async def test_a_run_that_ends_before_its_lead_is_put_off_does_not_let_it_wait(office: Office, jobs: Jobs) -> None:
    company, register, bench = domain(), Register(), office.bench
    await office.waiting(company, register)
    late = await bench.create(f"late@{company}")
    (job,) = await claimed(bench, late.job_id)
    (run,) = await office.rows(company)
    await office.read(company, register)

    run_id = run["id"]
    assert isinstance(run_id, UUID)
    awaited = Awaited(run_id, company_runs.is_awaited)
    later = Later(utc_now() + timedelta(hours=1), "Waiting.", awaited)
    async with bench.database.transaction(job.workspace_id) as tx:
        (queued,) = await execution.reschedule(tx, bench.actor, [(job, later)])

    assert queued is not None

    assert await tickets(jobs, late) == 1
    assert (await bench.attempt(late.job_id, person(), register)).status == JobStatus.COMPLETED


async def test_a_worker_killed_after_the_answer_asks_nothing_again(office: Office, jobs: Jobs) -> None:
    company, register, bench = domain(), Register(), office.bench
    made = await office.waiting(company, register)
    registry = bench.registry(person(), register)
    run_job = await office.run_job(company)
    (first,) = await claimed(bench, run_job, kind=ENRICH_COMPANY.name)
    definition = registry.find(ENRICH_COMPANY.name)
    assert definition is not None
    outcome = await definition.handler(
        JobContext(bench.database, first, definition.payload_of(first), worker_id=new_id())
    )
    assert isinstance(outcome, Complete)
    live = (await office.facts(company)).runs[0]
    assert [(step.source, step.state) for step in live.steps] == [(register.spec.name, StepState.FOUND)]
    await jobs.expire_lease(run_job)  # killed before it ended the run
    await execution.rescue(bench.database, registry)

    assert (await office.read(company, register)).status == JobStatus.COMPLETED

    assert register.asked == [company]
    assert [step.stored for step in (await office.facts(company)).runs[0].steps] == [False], "this run asked it"
    (late,) = await Completer(bench.database).complete(outcome.effect, [(first, outcome.value)])
    assert late is not None, "the attempt that was taken over writes nothing"
    await office.completes(made, register)


async def test_enrich_again_asks_again_and_requests_meanwhile_join_the_run(office: Office) -> None:
    company, register, bench = domain(), Register(), office.bench
    made = await office.waiting(company, register)
    await office.read(company, register)
    await office.completes(made, register)
    company_id = await office.company_id(company)

    async def again() -> UUID:
        async with bench.database.transaction(bench.actor.workspace_id) as tx:
            return await company_runs.enrich_company(tx, bench.actor, company_id=company_id, trace={})

    job_id = await again()
    assert await again() == job_id
    await bench.attempt(job_id, person(), register)

    assert register.asked == [company, company]
    assert len((await office.facts(company)).runs) == 2
    await office.sound()


async def test_a_lead_whose_own_sources_fail_is_enriched_if_its_company_is_known(office: Office) -> None:
    company, register, bench = domain(), Register(), office.bench
    first = await office.waiting(company, register)
    await office.read(company, register)
    await office.completes(first, register)
    refusing = Scripted("refusing", raising(Terminal, "no such person"))
    known, unknown = await bench.create(f"grace@{company}"), await bench.create(f"{new_id().hex}@gmail.com")

    assert (await bench.attempt(known.job_id, refusing, register)).status == JobStatus.COMPLETED
    assert (await bench.attempt(unknown.job_id, refusing, register)).status == JobStatus.FAILED


async def test_a_lead_waits_for_its_company_after_its_own_sources_were_asked_once(office: Office) -> None:
    company, register, bench = domain(), Register(), office.bench
    slow = Scripted(f"slow-{company}", [[value(lead_fields.FIRST_NAME, "Ada")]])
    made = await bench.create(f"ada@{company}")

    job = await bench.attempt(made.job_id, slow, register)
    assert job.waiting_for == f"Waiting for {company}."
    await bench.attempt(await office.run_job(company), slow, register)
    assert (await bench.attempt(made.job_id, slow, register)).status == JobStatus.COMPLETED

    assert len(slow.asked) == 1, "the answer of the first attempt is stored"
    assert await bench.chosen(made.lead_id) == {"first_name": ("Ada", slow.name)}


async def test_during_a_hold_a_run_waits_and_asks_afterwards(office: Office) -> None:
    company, register = domain(), Register(fault=EffectsOnHold("Outgoing effects are on hold."))
    made = await office.waiting(company, register)

    held = await office.read(company, register)

    assert (held.status, held.on_hold) == (JobStatus.QUEUED, True)
    assert (await office.bench.job(made.job_id)).waiting_for == f"Waiting for {company}."
    register.fault = None
    assert (await office.read(company, register)).status == JobStatus.COMPLETED
    await office.completes(made, register)
