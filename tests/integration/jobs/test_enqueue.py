"""A job is a row in the caller's transaction, and so is its announcement."""

from uuid import UUID

import pytest

from leadflood.domains.jobs import queries, relay, service
from leadflood.domains.jobs.errors import EventNotFound, JobNotFound
from leadflood.domains.jobs.models import NewJob, NoPayload, OutboxStatus
from leadflood.kernel.actor import Actor
from leadflood.kernel.ids import new_id
from tests.conftest import Workspace
from tests.support.jobs import Elsewhere, Jobs, ToyPayload
from tests.support.waiting import soon


class Undone(Exception):
    """The caller changes its mind."""


async def test_a_committed_job_is_queued_with_its_ticket_and_a_sent_event(jobs: Jobs) -> None:
    job_id = await jobs.one()

    job = await jobs.view(job_id)
    assert (job.status, job.attempts, job.max_attempts, job.last_error) == ("queued", 0, 3, None)
    assert await jobs.tickets(job_id) == 1
    (event,) = await jobs.events(job_id)
    assert (event.status, event.attempts, event.kind) == ("sent", 0, "job.queued")
    assert event.processed_at is not None


async def test_a_rolled_back_job_leaves_nothing(jobs: Jobs) -> None:
    made: list[UUID] = []

    async def change_of_mind() -> None:
        async with jobs.database.transaction(jobs.workspace_id) as tx:
            made.extend(await service.enqueue(tx, jobs.actor, jobs=[NewJob(jobs.kind, NoPayload())]))
            raise Undone

    with pytest.raises(Undone):
        await change_of_mind()
    (job_id,) = made

    with pytest.raises(JobNotFound):
        await jobs.view(job_id)
    assert await jobs.events(job_id) == []
    assert await jobs.tickets(job_id) == 0


async def test_many_jobs_are_queued_in_order(jobs: Jobs) -> None:
    ids = await jobs.enqueue(100)

    async with jobs.database.transaction(jobs.workspace_id) as tx:
        listed = await queries.list_jobs(tx, jobs.actor, kind=jobs.kind.name, limit=200)
    assert [job.id for job in listed.items] == ids[::-1]


async def test_no_jobs_are_no_trouble(jobs: Jobs) -> None:
    assert await jobs.enqueue(0) == []


async def test_a_job_keeps_its_payload_trace_and_subject(jobs: Jobs) -> None:
    subject = new_id()
    new = NewJob(
        jobs.kind,
        ToyPayload.model_validate({"name": "Zoë 🦆", "depth": [1, {"x": None}]}),
        subject,
        {"request_id": "r-1"},
    )
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        (job_id,) = await service.enqueue(tx, jobs.actor, jobs=[new])

    job = await jobs.started(job_id)

    assert (ToyPayload.model_validate_json(job.payload), job.subject_id, job.trace) == (new.payload, subject, new.trace)


async def test_jobs_of_another_workspace_are_not_found(jobs: Jobs) -> None:
    job_id = await jobs.one()
    (event,) = await jobs.events(job_id)
    stranger = Workspace(new_id()).actor

    async with jobs.database.transaction(stranger.workspace_id) as tx:
        with pytest.raises(JobNotFound):
            await queries.get_job(tx, stranger, job_id=job_id)
        assert (await queries.list_jobs(tx, stranger, kind=jobs.kind.name, limit=10)).items == []
        assert (await queries.list_events(tx, stranger, job_id=job_id, limit=10)).items == []
        with pytest.raises(EventNotFound):
            await queries.get_event(tx, stranger, event_id=event.id)


async def test_row_level_security_alone_hides_another_workspaces_jobs(jobs: Jobs) -> None:
    job_id = await jobs.one()

    async with jobs.database.transaction(new_id()) as tx:
        with pytest.raises(JobNotFound):
            await queries.get_job(tx, Actor.cli(jobs.workspace_id), job_id=job_id)


async def test_with_the_queue_elsewhere_the_event_waits_until_the_relay_has_published_it(
    elsewhere: Elsewhere, workspace: Workspace
) -> None:
    jobs = Jobs(elsewhere.database, workspace.id)
    job_id = await jobs.one()
    (event,) = await jobs.events(job_id)
    assert (event.status, event.processed_at) == (OutboxStatus.PENDING, None)
    assert await elsewhere.queue_backend.receive([jobs.kind.name], 10) == []

    await soon(relay.relay(elsewhere.database, elsewhere.queue_backend))

    (event,) = await jobs.events(job_id)
    assert (event.status, event.attempts) == ("sent", 0)
    (ticket,) = await elsewhere.queue_backend.receive([jobs.kind.name], 10)
    assert (ticket.job_id, ticket.attempt) == (job_id, 1)
    assert await jobs.tickets(job_id) == 0, "no ticket in the application's own database"
