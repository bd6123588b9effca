"""A backlog delays neither another workspace nor more urgent jobs."""

from dataclasses import replace
from uuid import UUID

from leadflood.domains.jobs import relay
from leadflood.domains.jobs.errors import Retryable
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.jobs.registry import JobContext, JobDefinition, JobRegistry
from leadflood.domains.jobs.service import enqueue
from leadflood.kernel.queue.ports import Priority, QueueMessage
from tests.conftest import Workspace, new_workspace
from tests.support.jobs import Elsewhere, Gate, Jobs, ToyPayload, Workers, nothing, raises
from tests.support.waiting import soon


async def test_a_single_job_runs_before_the_backlog_of_another_workspace_and_before_bulk_jobs(
    jobs: Jobs, workers: Workers
) -> None:
    bulk = replace(jobs, kind=replace(jobs.kind, name=f"{jobs.kind.name}.bulk", priority=Priority.BULK))
    stranger = replace(jobs, workspace_id=await new_workspace(jobs.database))
    gate, order = Gate(), list[UUID]()

    async def handler(context: JobContext[ToyPayload]) -> None:
        order.append(context.job.id)
        await gate(context)

    registry = JobRegistry([JobDefinition(item.kind, handler, nothing, 60) for item in (jobs, bulk)])
    backlog = [*await bulk.enqueue(20), *await jobs.enqueue(20)]
    await workers.start(registry, worker_concurrency=1)
    await soon(gate.entered.wait())

    single, late = await stranger.one(), await jobs.one()
    gate.opened.set()

    assert await jobs.ended(single, late, *backlog) == {"completed": 42}
    assert order[1] == single, "the other workspace is next"
    assert order.index(late) == 21, "after what its own workspace has queued before, and before the bulk jobs"
    assert order[22:] == backlog[:20]


async def test_a_job_keeps_its_priority_through_retries_and_through_the_relay(
    elsewhere: Elsewhere, workspace: Workspace
) -> None:
    jobs = Jobs(elsewhere.database, workspace.id)
    async with jobs.database.transaction(workspace.id) as tx:
        new = NewJob(jobs.kind, jobs.kind.payload(), priority=Priority.BULK)
        (job_id,) = await enqueue(tx, jobs.actor, jobs=[new])
    await jobs.attempt(jobs.registry(raises(Retryable("no"))), job_id)
    await jobs.change("UPDATE outbox_events SET next_attempt_at = now() WHERE job_id = :id", id=job_id)

    await soon(relay.relay(elsewhere.database, elsewhere.queue_backend))

    tickets = await elsewhere.queue_backend.receive([jobs.kind.name], 10)
    assert tickets == [QueueMessage(jobs.kind.name, workspace.id, job_id, attempt, Priority.BULK) for attempt in (1, 2)]
