"""Enrichment when adapters refuse or are unavailable, or the lead is deleted."""

import asyncio

import pytest

from leadflood.domains.enrichment.models import Field
from leadflood.domains.jobs.errors import Retryable, Terminal
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.leads.events import LeadEventKind
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.db.sql import sql
from tests.integration.enrichment.bench import MAX_ATTEMPTS, Bench, Scripted, raising, value

DAMAGE = sql("UPDATE job_executions SET payload = CAST(:payload AS jsonb) WHERE id = :id")
FOUND = [value(Field.COMPANY_NAME, "Acme", 0.9, cost=1000)]


def refusing(name: str, reason: str = "no such person") -> Scripted:
    return Scripted(name, raising(Terminal, reason))


def away(name: str, reason: str = "503") -> Scripted:
    return Scripted(name, raising(Retryable, reason))


@pytest.mark.parametrize("refuser_first", [False, True])
async def test_one_adapter_that_refuses_leaves_an_enriched_lead_and_its_refusal(
    bench: Bench, refuser_first: bool
) -> None:
    made = await bench.create()
    adapters = [Scripted("good", [FOUND]), refusing("bad")]

    job = await bench.attempt(made.job_id, *(reversed(adapters) if refuser_first else adapters))

    assert job.status == JobStatus.COMPLETED
    assert (await bench.lead(made.lead_id)).status == LeadStatus.ENRICHED
    runs = {run.adapter: (run.status, run.error) for run in (await bench.enrichment(made.lead_id)).runs}
    assert runs == {"good": ("completed", None), "bad": ("failed", "no such person")}
    assert await bench.chosen(made.lead_id) == {"company_name": ("Acme", "good")}


async def test_where_all_adapters_refuse_job_and_lead_fail_with_the_reasons(bench: Bench) -> None:
    made = await bench.create()

    job = await bench.attempt(made.job_id, refusing("one", "no such person"), refusing("two", "no such company"))

    reason = "one: no such person two: no such company"
    assert (job.status, job.attempts, job.last_error) == (JobStatus.FAILED, 1, reason)
    lead = await bench.lead(made.lead_id)
    assert (lead.status, lead.error, lead.enriched_at) == (LeadStatus.FAILED, reason, None)
    last = (await bench.timeline(made.lead_id))[-1]
    assert (last.kind, last.data) == (
        LeadEventKind.ENRICHMENT_FAILED,
        {"jobId": str(made.job_id), "error": reason, "version": 3},
    )
    assert [run.status for run in (await bench.enrichment(made.lead_id)).runs] == ["failed", "failed"]


async def test_an_adapter_that_answered_is_not_asked_again_because_another_was_away(bench: Bench) -> None:
    made = await bench.create()
    paid, refused = Scripted("paid", [FOUND]), refusing("refused")
    late = Scripted("late", [Retryable("503"), Retryable("503"), [value(Field.FIRST_NAME, "Ada")]])

    job = await bench.attempts(made.job_id, paid, refused, late)

    assert (job.status, job.attempts) == (JobStatus.COMPLETED, 3)
    assert [len(adapter.asked) for adapter in (paid, refused, late)] == [1, 1, 3]
    assert await bench.chosen(made.lead_id) == {"company_name": ("Acme", "paid"), "first_name": ("Ada", "late")}
    runs = [run.adapter for run in (await bench.enrichment(made.lead_id)).runs]
    assert sorted(runs) == ["late", "paid", "refused"]


async def test_a_lead_is_processing_while_retries_remain_and_fails_with_its_job(bench: Bench) -> None:
    made = await bench.create()
    adapter = away("away", "503 from upstream")

    for number in range(1, MAX_ATTEMPTS):
        job = await bench.attempt(made.job_id, adapter)
        assert (job.status, job.attempts) == (JobStatus.QUEUED, number)
        assert (await bench.lead(made.lead_id)).status == LeadStatus.PROCESSING
    job = await bench.attempt(made.job_id, adapter)

    assert (job.status, job.attempts, job.last_error) == (JobStatus.FAILED, MAX_ATTEMPTS, "503 from upstream")
    lead = await bench.lead(made.lead_id)
    assert (lead.status, lead.error) == (LeadStatus.FAILED, "503 from upstream")
    assert len(adapter.asked) == MAX_ATTEMPTS
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

    assert job.last_error == "early: no such person late: no such company"


async def test_the_retry_of_a_failed_job_asks_again_and_brings_the_lead_to_enriched(bench: Bench) -> None:
    made = await bench.create()
    adapter = Scripted("one", [Terminal("account suspended"), FOUND])
    assert (await bench.attempt(made.job_id, adapter)).status == JobStatus.FAILED

    assert (await bench.retry(made.job_id)).status == JobStatus.QUEUED
    job = await bench.attempt(made.job_id, adapter)

    assert (job.status, job.attempts) == (JobStatus.COMPLETED, 2)
    lead = await bench.lead(made.lead_id)
    assert (lead.status, lead.error) == (LeadStatus.ENRICHED, None)
    runs = [(run.status, run.error) for run in (await bench.enrichment(made.lead_id)).runs]
    assert runs == [("completed", None), ("failed", "account suspended")]


async def test_the_retry_of_a_failed_job_does_not_pay_again_for_what_was_found(bench: Bench) -> None:
    made = await bench.create()
    paid, late = Scripted("paid", [FOUND]), away("late")
    assert (await bench.attempts(made.job_id, paid, late)).status == JobStatus.FAILED

    await bench.retry(made.job_id)
    late.answers.append([])
    job = await bench.attempt(made.job_id, paid, late)

    assert job.status == JobStatus.COMPLETED
    assert len(paid.asked) == 1
    assert await bench.chosen(made.lead_id) == {"company_name": ("Acme", "paid")}


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
    adapter = Scripted("one", [FOUND])

    job = await bench.attempt(made.job_id, adapter)

    assert (job.status, adapter.asked) == (JobStatus.COMPLETED, [])


async def test_a_lead_deleted_while_adapters_work_gets_nothing_written_and_its_job_completes(bench: Bench) -> None:
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
    assert (view.runs, view.values, restored.enriched_at) == ([], [], None)
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
    assert (await bench.enrichment(made.lead_id)).runs == []


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
