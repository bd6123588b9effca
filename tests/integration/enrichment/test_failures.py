"""Enrichment when sources refuse or are unavailable, or the lead is deleted."""

import asyncio

import pytest

from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.jobs import execution
from leadflood.domains.jobs.errors import Retryable, Terminal
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.leads.events import LeadEventKind
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.db.sql import sql
from tests.integration.enrichment.bench import MAX_ATTEMPTS, Bench, Scripted, raising, value
from tests.support.jobs import Jobs
from tests.support.waiting import eventually

ANSWERED = sql("SELECT count(*) FROM lookups WHERE source = :source AND answered_at IS NOT NULL")
DAMAGE = sql("UPDATE job_executions SET payload = CAST(:payload AS jsonb) WHERE id = :id")
FOUND = [value(fields.COMPANY_NAME, "Acme", 0.9)]


def refusing(name: str, reason: str = "no such person") -> Scripted:
    return Scripted(name, raising(Terminal, reason))


def away(name: str, reason: str = "503") -> Scripted:
    return Scripted(name, raising(Retryable, reason))


@pytest.mark.parametrize("refuser_first", [False, True])
async def test_one_source_that_refuses_leaves_an_enriched_lead_and_its_refusal(
    bench: Bench, refuser_first: bool
) -> None:
    made = await bench.create()
    sources = [Scripted("good", [FOUND]), refusing("bad")]

    job = await bench.attempt(made.job_id, *(reversed(sources) if refuser_first else sources))

    assert job.status == JobStatus.COMPLETED
    assert (await bench.lead(made.lead_id)).status == LeadStatus.ENRICHED
    runs = {run.source: (run.status, run.error) for run in (await bench.enrichment(made.lead_id)).runs}
    assert runs == {"good": ("completed", None), "bad": ("failed", "no such person")}
    assert await bench.chosen(made.lead_id) == {"company_name": ("Acme", "good")}


async def test_where_all_sources_refuse_job_and_lead_fail_with_the_reasons(bench: Bench) -> None:
    made = await bench.create()

    job = await bench.attempt(made.job_id, refusing("one", "no such person"), refusing("two", "no such company"))

    reason = "no such person no such company"
    assert (job.status, job.attempts, job.last_error) == (JobStatus.FAILED, 1, reason)
    lead = await bench.lead(made.lead_id)
    assert (lead.status, lead.error, lead.enriched_at) == (LeadStatus.FAILED, reason, None)
    last = (await bench.timeline(made.lead_id))[-1]
    assert (last.kind, last.data) == (
        LeadEventKind.ENRICHMENT_FAILED,
        {"jobId": str(made.job_id), "error": reason, "version": 3},
    )
    assert [run.status for run in (await bench.enrichment(made.lead_id)).runs] == ["failed", "failed"]


async def test_what_was_found_is_used_although_another_source_was_away(
    bench: Bench,
) -> None:
    made = await bench.create()
    good, refused = Scripted("good", [FOUND]), refusing("refused")
    late = Scripted("late", [Retryable("503"), [value(fields.FIRST_NAME, "Ada")]])

    job = await bench.attempts(made.job_id, good, refused, late)

    assert (job.status, job.attempts) == (JobStatus.COMPLETED, 1)
    assert [len(source.asked) for source in (good, refused, late)] == [1, 1, 1]
    assert await bench.chosen(made.lead_id) == {"company_name": ("Acme", "good")}
    errors = {run.source: run.error for run in (await bench.enrichment(made.lead_id)).runs}
    assert errors == {"good": None, "refused": "no such person", "late": "503"}

    await bench.attempt(await bench.again(made.lead_id), good, refused, late)

    assert await bench.chosen(made.lead_id) == {"company_name": ("Acme", "good"), "first_name": ("Ada", "late")}


async def test_a_lead_is_processing_while_retries_remain_and_fails_with_its_job(bench: Bench) -> None:
    made = await bench.create()
    source = away("away", "503 from upstream")

    for number in range(1, MAX_ATTEMPTS):
        job = await bench.attempt(made.job_id, source)
        assert (job.status, job.attempts) == (JobStatus.QUEUED, number)
        assert (await bench.lead(made.lead_id)).status == LeadStatus.PROCESSING
    job = await bench.attempt(made.job_id, source)

    assert (job.status, job.attempts, job.last_error) == (JobStatus.FAILED, MAX_ATTEMPTS, "503 from upstream")
    lead = await bench.lead(made.lead_id)
    assert (lead.status, lead.error) == (LeadStatus.FAILED, "503 from upstream")
    assert len(source.asked) == MAX_ATTEMPTS
    kinds = [event.kind for event in await bench.timeline(made.lead_id)]
    assert kinds == [
        LeadEventKind.CREATED,
        *[LeadEventKind.ENRICHMENT_STARTED] * MAX_ATTEMPTS,
        LeadEventKind.ENRICHMENT_FAILED,
    ]


async def test_a_refusal_of_an_earlier_attempt_is_part_of_the_reason(bench: Bench) -> None:
    made = await bench.create()
    late = Scripted("late", [Retryable("503"), Terminal("no such company")])

    job = await bench.attempts(made.job_id, refusing("early", "no such person"), late)

    assert job.last_error == "no such person no such company"


async def test_the_retry_of_a_failed_job_asks_again_and_brings_the_lead_to_enriched(bench: Bench) -> None:
    made = await bench.create()
    source = Scripted("one", [Terminal("account suspended"), FOUND])
    assert (await bench.attempt(made.job_id, source)).status == JobStatus.FAILED

    assert (await bench.retry(made.job_id)).status == JobStatus.QUEUED
    job = await bench.attempt(made.job_id, source)

    assert (job.status, job.attempts) == (JobStatus.COMPLETED, 2)
    lead = await bench.lead(made.lead_id)
    assert (lead.status, lead.error) == (LeadStatus.ENRICHED, None)
    runs = [(run.status, run.error) for run in (await bench.enrichment(made.lead_id)).runs]
    assert runs == [("completed", None), ("failed", "account suspended")]


async def test_an_answer_stored_before_the_worker_died_is_not_asked_for_again(bench: Bench, jobs: Jobs) -> None:
    made = await bench.create()
    good = Scripted("good", [FOUND])
    slow = Scripted("slow", [[value(fields.FIRST_NAME, "Ada")]], gate=asyncio.Event())
    dying = asyncio.create_task(bench.attempt(made.job_id, good, slow))
    await slow.entered.wait()
    await eventually(lambda: answered(bench, "good"))
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    await jobs.expire_lease(made.job_id)
    await execution.rescue(bench.database, bench.registry(good, slow))
    slow.gate = None

    job = await bench.attempt(made.job_id, good, slow)

    assert (job.status, len(good.asked), len(slow.asked)) == (JobStatus.COMPLETED, 1, 2)
    assert await bench.chosen(made.lead_id) == {"company_name": ("Acme", "good"), "first_name": ("Ada", "slow")}


async def answered(bench: Bench, source: str) -> bool:
    async with bench.database.transaction(bench.actor.workspace_id, read_only=True) as tx:
        return bool(await tx.scalar(ANSWERED, {"source": source}))


async def test_a_cancelled_job_fails_its_lead_and_a_retry_enriches_it(bench: Bench) -> None:
    made = await bench.create()

    await bench.cancel(made.job_id)
    assert (await bench.lead(made.lead_id)).status == LeadStatus.FAILED

    await bench.retry(made.job_id)
    await bench.attempt(made.job_id, Scripted("one", [FOUND]))
    assert (await bench.lead(made.lead_id)).status == LeadStatus.ENRICHED


async def test_nobody_is_asked_about_a_lead_that_was_deleted_and_its_job_completes(bench: Bench) -> None:
    made = await bench.create()
    await bench.delete(made.lead_id)
    source = Scripted("one", [FOUND])

    job = await bench.attempt(made.job_id, source)

    assert (job.status, source.asked) == (JobStatus.COMPLETED, [])


async def test_of_a_lead_deleted_while_sources_work_nothing_is_chosen_and_its_job_completes(bench: Bench) -> None:
    made = await bench.create()
    gate = asyncio.Event()
    first, second = Scripted("first", [FOUND], gate=gate), Scripted("second", [FOUND])
    running = asyncio.create_task(bench.attempt(made.job_id, first, second))
    await first.entered.wait()
    await bench.delete(made.lead_id)
    gate.set()

    job = await running

    assert job.status == JobStatus.COMPLETED
    with pytest.raises(LeadNotFound):
        await bench.enrichment(made.lead_id)
    restored = await bench.restore(made.lead_id)
    view = await bench.enrichment(made.lead_id)
    assert ([item.chosen for item in view.values], restored.enriched_at) == ([False, False], None)
    (again,) = [item for item in await bench.jobs() if item.status == JobStatus.QUEUED]
    await bench.attempt(again.id, Scripted("first", [FOUND]))
    assert (await bench.lead(made.lead_id)).status == LeadStatus.ENRICHED


async def test_the_job_that_completes_last_decides_over_one_that_failed_meanwhile(bench: Bench) -> None:
    made = await bench.create()
    gate = asyncio.Event()
    slow = Scripted("slow", [FOUND], gate=gate)
    running = asyncio.create_task(bench.attempt(made.job_id, slow))
    await slow.entered.wait()
    assert (await bench.attempt(await bench.again(made.lead_id), refusing("bad"))).status == JobStatus.FAILED
    gate.set()

    assert (await running).status == JobStatus.COMPLETED
    lead = await bench.lead(made.lead_id)
    assert (lead.status, lead.error) == (LeadStatus.ENRICHED, None)


async def test_the_answer_of_a_job_that_was_cancelled_meanwhile_changes_nothing(bench: Bench) -> None:
    made = await bench.create()
    gate = asyncio.Event()
    slow = Scripted("slow", [FOUND], gate=gate)
    running = asyncio.create_task(bench.attempt(made.job_id, slow))
    await slow.entered.wait()
    await bench.cancel(made.job_id)
    gate.set()

    assert (await running).status == JobStatus.FAILED
    assert (await bench.lead(made.lead_id)).status == LeadStatus.FAILED
    assert await bench.chosen(made.lead_id) == {}


async def test_a_damaged_payload_fails_its_job_with_a_reason_and_the_lead_with_it(bench: Bench) -> None:
    damaged = ["{}", "[]", "null", '{"leadId": 7}', '{"leadId": "nobody"}', "[" * 1000 + "]" * 1000]
    for number, payload in enumerate(damaged):
        made = await bench.create(f"ada{number}@acme.com")
        async with bench.database.transaction(bench.actor.workspace_id) as tx:
            await tx.execute(DAMAGE, {"payload": payload, "id": made.job_id})

        job = await bench.attempt(made.job_id, Scripted("good", [FOUND]))

        reason = job.last_error or ""
        assert reason.startswith("The payload does not fit the job kind leads.enrich.v1: "), payload
        assert (job.status, job.attempts) == (JobStatus.FAILED, 1), payload
        lead = await bench.lead(made.lead_id)
        assert (lead.status, lead.error) == (LeadStatus.FAILED, reason), payload
