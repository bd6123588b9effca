"""The invariants find what is broken, and nothing where all is well."""

from uuid import UUID

import pytest

from leadflood.domains.enrichment import invariants as enrichment_invariants
from leadflood.domains.jobs import invariants
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import CreateLead, LeadCreated
from leadflood.kernel.ids import new_id
from tests.support.jobs import Jobs, completes, raises


async def found(jobs: Jobs, subject: UUID) -> list[str]:
    """Violations that concern one job, event or lead. Of its workspace only: a sentence of others fills the list."""
    async with jobs.database.transaction(jobs.workspace_id, read_only=True) as tx:
        told = [*await invariants.violations(tx), *await enrichment_invariants.violations(tx)]
    return [sentence for sentence in told if str(subject) in sentence]


async def test_jobs_in_every_healthy_state_break_nothing(jobs: Jobs) -> None:
    queued, running, done, again, failed = await jobs.enqueue(5)
    await jobs.started(running)
    await jobs.attempt(jobs.registry(completes()), done)
    await jobs.attempt(jobs.registry(raises(KeyError())), again)
    await jobs.cancel(jobs.registry(completes()), failed)

    assert [await found(jobs, job_id) for job_id in (queued, running, done, again, failed)] == [[]] * 5


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("UPDATE job_executions SET attempts = max_attempts WHERE id = :id", "no attempt left"),
        ("UPDATE job_executions SET next_attempt_at = now() - interval '11 m' WHERE id = :id", "no event announces"),
        (
            "UPDATE job_executions SET status = 'running', lease_expires_at = now() - interval '61 s' WHERE id = :id",
            "nobody rescued",
        ),
    ],
)
async def test_a_broken_job_is_named(jobs: Jobs, sql: str, sentence: str) -> None:
    job_id = await jobs.one()
    await jobs.change(sql, id=job_id)

    (told,) = await found(jobs, job_id)

    assert sentence in told


async def test_an_open_event_of_a_missing_job_is_named(jobs: Jobs) -> None:
    job_id = await jobs.one()
    await jobs.change("UPDATE outbox_events SET status = 'pending' WHERE job_id = :id", id=job_id)
    await jobs.change("DELETE FROM job_executions WHERE id = :id", id=job_id)

    (told,) = await found(jobs, job_id)

    assert "missing" in told


async def test_an_event_that_no_relay_takes_is_named(jobs: Jobs) -> None:
    job_id = await jobs.one()
    (event,) = await jobs.events(job_id)
    sql = "UPDATE outbox_events SET status = 'failed', next_attempt_at = now() - interval '1 h' WHERE job_id = :id"
    await jobs.change(sql, id=job_id)

    (told,) = await found(jobs, event.id)

    assert "no relay published it" in told


async def lead(jobs: Jobs) -> LeadCreated:
    command = CreateLead.model_validate({"email": f"{new_id().hex}@acme.example"})
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        return await leads.create_lead(tx, jobs.actor, command=command, trace={})


async def test_a_new_lead_with_its_job_breaks_nothing(jobs: Jobs) -> None:
    made = await lead(jobs)

    assert await found(jobs, made.lead_id) == []


async def test_a_lead_whose_job_was_cancelled_breaks_nothing(jobs: Jobs, registry: JobRegistry) -> None:
    made = await lead(jobs)
    await jobs.cancel(registry, made.job_id)

    assert await found(jobs, made.lead_id) == []


@pytest.mark.parametrize("status", ["new", "processing"])
async def test_a_lead_that_no_job_will_change_is_named(jobs: Jobs, status: str) -> None:
    made = await lead(jobs)
    await jobs.change("UPDATE leads SET status = :status WHERE id = :id", id=made.lead_id, status=status)
    await jobs.change("DELETE FROM job_executions WHERE id = :id", id=made.job_id)

    assert len(await found(jobs, made.lead_id)) == 1


async def test_a_deleted_lead_is_not_named(jobs: Jobs) -> None:
    made = await lead(jobs)
    await jobs.change("UPDATE leads SET deleted_at = now() WHERE id = :id", id=made.lead_id)
    await jobs.change("DELETE FROM job_executions WHERE id = :id", id=made.job_id)

    assert await found(jobs, made.lead_id) == []
