"""Batches: those that wait for sources are no partial results, and a pause withdraws companies that have not begun."""

from datetime import timedelta

import pytest

from leadflood.domains.enrichment.contracts.batches import EnrichmentBatchView
from leadflood.domains.enrichment.events import ENRICH_COMPANY
from leadflood.domains.enrichment.models import Answer, Away, Busy
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.models.batches import READ_LATER, BatchStatus, Outcome
from leadflood.domains.enrichment.service import company_runs
from leadflood.domains.jobs import execution
from leadflood.domains.jobs.models import JobStatus
from leadflood.kernel.clock import utc_now
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import QueueMessage
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import Office, Register, domain, person
from tests.integration.enrichment.test_batches import Batches, enriched
from tests.support.asked_sources import ScriptedSource, fact, finds, spec_of
from tests.support.jobs import Jobs


def limited(*later: Answer | Exception) -> ScriptedSource:
    """A register that limits requests the first time."""
    spec = spec_of(f"limited-{new_id().hex}", fields.EMPLOYEES, one_service=False)
    busy = Busy("The register was asked as often as it allows.", utc_now() + timedelta(minutes=5))
    return ScriptedSource(spec, [busy, *later])


async def waiting(bench: Bench, register: ScriptedSource) -> tuple[Batches, EnrichmentBatchView, str]:
    """A batch whose only lead waits for a register."""
    company = domain()
    mine, office = Batches(bench, register), Office(bench)
    await enriched(bench, f"ada@{company}")
    batch = await mine.start(matching={})
    await mine.step(batch)
    await mine.run(await mine.queued())
    await bench.attempt(await office.run_job(company), person(), register)
    await mine.run(await mine.queued())
    return mine, batch, company


async def follow_up(bench: Bench, jobs: Jobs, company: str, register: ScriptedSource) -> None:
    """Run the later run of a company now."""
    await jobs.change(
        "UPDATE company_runs SET not_before = now() WHERE domain = :domain AND ended_at IS NULL", domain=company
    )
    job_id = await Office(bench).run_job(company)
    assert (await bench.attempt(job_id, person(), register)).status == JobStatus.COMPLETED


async def test_a_lead_whose_source_limits_requests_waits_and_is_complete_after_it_was_asked(
    bench: Bench, jobs: Jobs
) -> None:
    register = limited(finds(fact(42, of=fields.EMPLOYEES)))
    mine, batch, company = await waiting(bench, register)

    progress = await mine.step(batch)
    assert progress.again is not None
    assert progress.again > utc_now() + timedelta(minutes=4)
    now = await mine.get(batch)
    assert (now.status, now.waiting, now.partial, now.running, now.planned) == (BatchStatus.RUNNING, 1, 0, 0, 0)
    attempt = await bench.attempt(batch.job_id, person(), register)
    assert (attempt.status, attempt.waiting_for) == (JobStatus.QUEUED, "Waiting for sources that limit requests.")

    await follow_up(bench, jobs, company, register)
    assert (await mine.step(batch)).ended
    ended = await mine.get(batch)
    assert (ended.status, ended.waiting, ended.completed, ended.reasons) == (BatchStatus.COMPLETED, 0, 1, [])


async def test_a_lead_is_partial_when_its_source_is_away_in_the_end(bench: Bench, jobs: Jobs) -> None:
    register = limited(Away("The register is down."))
    mine, batch, company = await waiting(bench, register)
    await mine.step(batch)
    await follow_up(bench, jobs, company, register)

    assert (await mine.step(batch)).ended
    ended = await mine.get(batch)
    assert (ended.waiting, ended.partial, ended.completed) == (0, 1, 0)
    assert [(item.outcome, item.reason) for item in ended.reasons] == [(Outcome.PARTIAL, "The register is down.")]


async def test_canceling_a_batch_ends_its_waiting_but_not_the_later_run(bench: Bench) -> None:
    mine, batch, company = await waiting(bench, limited())
    await mine.step(batch)
    paused = await mine.change("pause", batch)
    assert (paused.waiting, paused.planned) == (1, 0)
    await mine.change("resume", batch)

    canceled = await mine.change("cancel", batch)
    assert (canceled.status, canceled.waiting, canceled.partial) == (BatchStatus.CANCELED, 0, 1)
    assert [item.reason for item in canceled.reasons] == [READ_LATER]
    assert await Office(bench).run_job(company) is not None, "it is still going to be asked"


async def test_a_pause_withdraws_companies_that_have_not_begun(bench: Bench) -> None:
    register, companies = Register(), [domain() for _ in range(3)]
    mine, office = Batches(bench, register), Office(bench)
    batch = await mine.start(domains=companies)
    await mine.step(batch)
    queued = await mine.queued(ENRICH_COMPANY.name)
    await office.read(companies[0], register)

    paused = await mine.change("pause", batch)
    assert (paused.status, paused.running, paused.planned) == (BatchStatus.PAUSED, 1, 2), "the first has ended"
    assert await mine.queued(ENRICH_COMPANY.name) == []
    tickets = [QueueMessage(ENRICH_COMPANY.name, bench.actor.workspace_id, job_id, 1) for job_id in queued]
    assert await execution.claim(bench.database, tickets, new_id(), 60) == [], "not even one whose message is out"
    assert [row["ended_at"] for name in companies[1:] for row in await office.rows(name)] == []
    await mine.step(batch)
    assert (await mine.get(batch)).completed == 1

    await mine.change("resume", batch)
    await mine.step(batch)
    for name in companies[1:]:
        await office.read(name, register)
    assert (await mine.step(batch)).ended
    ended = await mine.get(batch)
    assert (ended.status, ended.completed, ended.skipped, sorted(register.asked)) == (
        BatchStatus.COMPLETED,
        3,
        0,
        sorted(companies),
    )
    await office.sound()


@pytest.mark.parametrize("who", ["a lead", "a user", "another batch"])
async def test_a_pause_leaves_a_company_that_somebody_else_waits_for(bench: Bench, who: str) -> None:
    register, company = Register(), domain()
    mine, office = Batches(bench, register), Office(bench)
    if who == "a user":
        await enriched(bench, f"ada@{company}")
        company_id = await office.company_id(company)
        async with bench.database.transaction(bench.actor.workspace_id) as tx:
            await company_runs.enrich_company(tx, bench.actor, company_id=company_id, trace={})
    batch = await mine.start(domains=[company])
    await mine.step(batch)
    if who == "a lead":
        await office.waiting(company, register)
    if who == "another batch":
        await mine.step(await mine.start(domains=[company]))

    assert (await mine.change("pause", batch)).running == 1
    assert len(await mine.queued(ENRICH_COMPANY.name)) == 1
    await office.read(company, register)
    await mine.step(batch)
    assert (await mine.get(batch)).completed == 1
    await office.sound()
