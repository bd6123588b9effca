"""Failures by cause, and bringing back one, many, or all of a cause."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.jobs import execution, queries, relay, service, store
from leadflood.domains.jobs import jobs as system_jobs
from leadflood.domains.jobs.contracts import (
    BulkOutcome,
    CauseGroups,
    JobView,
    ReplayCause,
    ReplayEvents,
    RetryCause,
    RetryJobs,
)
from leadflood.domains.jobs.errors import JobNotRetryable, Retryable, Terminal
from leadflood.domains.jobs.events import REPLAY_CAUSE, RETRY_CAUSE
from leadflood.domains.jobs.models import JobKind
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import Connection, QueueMessage
from tests.conftest import Workspace, new_workspace
from tests.support.jobs import Elsewhere, Jobs, ToyPayload, completes, raises

MANY = 1501
FAIL_MANY = """
INSERT INTO job_executions (workspace_id, id, kind, status, attempts, max_attempts, finished_at, last_error, cause)
SELECT :workspace_id, gen_random_uuid(), :kind, 'failed', 3, 3, now(), 'Boom.', 'Boom.' FROM generate_series(1, :count)
"""
KILL = """
UPDATE outbox_events SET status = 'dead_letter', attempts = 5, last_error = :error, cause = :cause
WHERE workspace_id = :workspace_id
"""
DUE = "UPDATE outbox_events SET next_attempt_at = now() WHERE job_id = ANY(:ids) AND status <> 'dead_letter'"
GONE = (
    "DELETE FROM outbox_events WHERE workspace_id = :workspace_id",
    "DELETE FROM job_executions WHERE workspace_id = :workspace_id",
)
AUDITED = "SELECT action, actor_kind, data FROM audit_events WHERE workspace_id = :workspace_id ORDER BY id"
STATUSES = "SELECT status, count(*) FROM job_executions WHERE workspace_id = :workspace_id AND kind = :kind GROUP BY 1"


@pytest.fixture(autouse=True)
async def _nothing_left_to_do(jobs: Jobs) -> AsyncIterator[None]:
    """The workers of other tests take what is due of every workspace: thousands would keep them from their own."""
    yield
    for statement in GONE:
        await jobs.change(statement, workspace_id=jobs.workspace_id)


async def failed(jobs: Jobs, *reasons: str) -> list[UUID]:
    """Jobs that failed for these reasons."""
    ids = await jobs.enqueue(len(reasons))
    for job_id, reason in zip(ids, reasons, strict=True):
        await jobs.attempt(jobs.registry(raises(Terminal(reason))), job_id)
    return ids


async def groups(jobs: Jobs, kind: str | None = None) -> CauseGroups:
    async with jobs.database.transaction(jobs.workspace_id, read_only=True) as tx:
        return await queries.failed_by_cause(tx, jobs.actor, kind=kind)


def told(found: CauseGroups) -> list[tuple[str, int, bool]]:
    return [(group.cause, group.count.value, group.count.exact) for group in found.items]


async def retry(jobs: Jobs, ids: Sequence[UUID], registry: JobRegistry | None = None) -> BulkOutcome:
    command = RetryJobs.model_validate({"ids": ids})
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        return await service.retry_jobs(tx, jobs.actor, registry or jobs.registry(completes()), command=command)


async def retry_cause(jobs: Jobs, cause: str) -> BulkOutcome:
    command = RetryCause.model_validate({"cause": cause, "kind": jobs.kind.name})
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        registry = jobs.registry(completes())
        return await service.retry_cause(tx, jobs.actor, registry, command=command, trace={})


async def statuses(jobs: Jobs) -> dict[str, int]:
    rows = await jobs.rows(STATUSES, workspace_id=jobs.workspace_id, kind=jobs.kind.name)
    return {row[0]: row[1] for row in rows}


async def test_failed_jobs_are_grouped_by_what_their_reasons_have_in_common(jobs: Jobs) -> None:
    *_, newest = await failed(jobs, "No mailbox a@b.com", "Timeout after 3 s", "No mailbox c@d.com")

    found = await groups(jobs)

    assert told(found) == [("No mailbox <email>", 2, True), ("Timeout after <n> s", 1, True)]
    assert found.complete
    assert (found.items[0].newest_id, found.items[0].newest_error) == (newest, "No mailbox c@d.com")
    assert found.items[0].kind == jobs.kind.name


async def test_a_cause_is_kept_while_a_job_waits_and_only_failed_ones_are_grouped(jobs: Jobs) -> None:
    job_id = await jobs.one()
    view = await jobs.attempt(jobs.registry(raises(Retryable("Busy 7"))), job_id)
    assert (view.status, view.cause) == ("queued", "Busy <n>")
    assert told(await groups(jobs)) == []

    assert (await jobs.attempt(jobs.registry(completes()), job_id, 2)).cause is None


async def test_cancelling_and_falling_silent_are_causes_too(jobs: Jobs) -> None:
    cancelled, silent = await jobs.enqueue(2)
    await jobs.cancel(jobs.registry(completes()), cancelled)
    await jobs.change("UPDATE job_executions SET losses = 5, max_attempts = 1 WHERE id = :id", id=silent)
    await jobs.alone(silent)
    await jobs.expire_lease(silent)
    await execution.rescue(jobs.database, jobs.registry(completes()))

    assert told(await groups(jobs)) == [
        ("Cancelled by cli.", 1, True),
        ("The worker running attempt <n> stopped responding.", 1, True),
    ]


async def test_the_same_cause_of_two_kinds_is_two_groups_and_one_kind_can_be_asked_for(jobs: Jobs) -> None:
    other = replace(jobs, kind=JobKind("another.kind", ToyPayload))
    await failed(jobs, "Boom.")
    await failed(other, "Boom.", "Bang.")

    assert len((await groups(jobs)).items) == 3
    assert told(await groups(jobs, other.kind.name)) == [("Bang.", 1, True), ("Boom.", 1, True)]
    assert told(await groups(jobs, "unknown")) == []


async def test_more_than_ten_thousand_of_a_cause_are_not_counted_further(jobs: Jobs) -> None:
    await jobs.change(FAIL_MANY, workspace_id=jobs.workspace_id, kind=jobs.kind.name, count=10_001)

    assert told(await groups(jobs)) == [("Boom.", 10_000, False)]


async def test_more_causes_than_are_listed_are_said_to_be_more(jobs: Jobs) -> None:
    await jobs.change(FAIL_MANY, workspace_id=jobs.workspace_id, kind=jobs.kind.name, count=101)
    await jobs.change("UPDATE job_executions SET cause = id::text WHERE workspace_id = :id", id=jobs.workspace_id)

    found = await groups(jobs)
    assert (len(found.items), found.complete) == (100, False)


async def test_a_row_of_the_release_before_has_a_group_of_its_own(jobs: Jobs) -> None:
    (job_id,) = await failed(jobs, "Boom.")
    await jobs.change("UPDATE job_executions SET cause = '' WHERE id = :id", id=job_id)

    assert told(await groups(jobs)) == [("", 1, True)]
    assert (await jobs.view(job_id)).cause is None
    assert (await retry_cause(jobs, "")).processed == 1


async def test_jobs_are_listed_by_cause_and_by_when_they_were_created(jobs: Jobs) -> None:
    first, second, _ = await failed(jobs, "Busy 1", "Busy 2", "Boom.")
    job = await jobs.view(second)

    async def listed(**filters: object) -> list[UUID]:
        async with jobs.database.transaction(jobs.workspace_id, read_only=True) as tx:
            page = await queries.list_jobs(tx, jobs.actor, limit=10, **filters)  # type: ignore[arg-type]
        return [item.id for item in page.items]

    assert await listed(cause="Busy <n>") == [second, first]
    assert await listed(cause="Busy <n>", kind="another") == []
    hour = timedelta(hours=1)
    assert len(await listed(created_from=job.created_at - hour, created_until=job.created_at + hour)) == 3
    assert await listed(created_from=job.created_at + hour) == []
    assert await listed(created_until=job.created_at) == []
    assert await listed(created_from=job.created_at, cause="Busy <n>") == [second, first]


async def test_many_jobs_are_retried_at_once_and_the_others_are_told_why_not(jobs: Jobs) -> None:
    one, two = await failed(jobs, "Boom.", "Bang.")
    queued, unknown = await jobs.one(), new_id()
    (foreign,) = await failed(replace(jobs, kind=JobKind("foreign", ToyPayload)), "Boom.")

    outcome = await retry(jobs, [one, queued, two, unknown, foreign, one])

    assert outcome.processed == 2
    codes = {refusal.id: refusal.code for refusal in outcome.refused}
    assert codes == {queued: "job_not_retryable", unknown: "job_not_found", foreign: "job_not_retryable"}
    for job_id in (one, two):
        view = await jobs.view(job_id)
        assert (view.status, view.attempts, view.max_attempts) == ("queued", 1, 4)
        assert (await jobs.attempt(jobs.registry(completes()), job_id, 2)).status == "completed"
        assert await jobs.tickets(job_id) == 2


async def test_a_retry_of_many_that_comes_twice_or_at_the_same_time_queues_each_job_once(jobs: Jobs) -> None:
    ids = await failed(jobs, *["Boom."] * 20)

    outcomes = await asyncio.gather(*(retry(jobs, order) for order in (ids, ids[::-1], ids)))

    assert sum(outcome.processed for outcome in outcomes) == 20
    assert [await jobs.tickets(job_id) for job_id in ids] == [2] * 20


async def test_jobs_of_another_workspace_are_not_found(jobs: Jobs) -> None:
    (job_id,) = await failed(jobs, "Boom.")
    stranger = Jobs(jobs.database, await new_workspace(jobs.database), jobs.kind)

    outcome = await retry(stranger, [job_id])

    assert (outcome.processed, outcome.refused[0].code) == (0, "job_not_found")
    assert (await retry_cause(stranger, "Boom.")).processed == 0
    assert told(await groups(stranger)) == []
    assert (await jobs.view(job_id)).status == "failed"


async def test_all_of_a_cause_are_retried_and_nothing_else(jobs: Jobs) -> None:
    await failed(jobs, "Busy 1", "Busy 2", "Boom.")
    await failed(replace(jobs, kind=JobKind("another", ToyPayload)), "Busy 3")

    outcome = await retry_cause(jobs, "Busy <n>")

    assert outcome == BulkOutcome(processed=2, refused=[], job_id=None)
    assert told(await groups(jobs)) == [("Boom.", 1, True), ("Busy <n>", 1, True)]
    assert await statuses(jobs) == {"queued": 2, "failed": 1}
    assert (await retry_cause(jobs, "Busy <n>")).processed == 0


async def test_some_thousands_of_a_cause_are_retried_while_the_caller_waits(jobs: Jobs) -> None:
    await jobs.change(FAIL_MANY, workspace_id=jobs.workspace_id, kind=jobs.kind.name, count=2001)

    assert (await retry_cause(jobs, "Boom.")).processed == 2001
    assert await statuses(jobs) == {"queued": 2001}


async def test_a_kind_that_this_version_does_not_know_cannot_be_retried(jobs: Jobs) -> None:
    command = RetryCause.model_validate({"cause": "Boom.", "kind": "unknown.v9"})

    async with jobs.database.transaction(jobs.workspace_id) as tx:
        with pytest.raises(JobNotRetryable, match="does not know"):
            await service.retry_cause(tx, jobs.actor, jobs.registry(completes()), command=command, trace={})


@pytest.fixture
def _less_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job takes over what is too much for one request, a thousand at a time."""
    monkeypatch.setattr(service, "MAX_PER_REQUEST", MANY - 1)


async def retry_many(jobs: Jobs) -> UUID:
    """Ask to retry many failed jobs. Returns the ID of the job that does it."""
    await jobs.change(FAIL_MANY, workspace_id=jobs.workspace_id, kind=jobs.kind.name, count=MANY)
    outcome = await retry_cause(jobs, "Boom.")
    assert outcome.job_id is not None
    return outcome.job_id


@pytest.mark.usefixtures("_less_at_once")
async def test_very_many_of_a_cause_are_retried_by_a_job_that_tells_how_far_it_is(jobs: Jobs) -> None:
    retry_id = await retry_many(jobs)
    assert await statuses(jobs) == {"failed": MANY}
    await failed(jobs, "Boom.")  # after it was asked for: not meant

    done = await run(jobs, RETRY_CAUSE, retry_id)

    assert done.progress is not None
    assert (done.status, done.progress.processed, done.progress.total) == ("completed", MANY, MANY)
    assert await statuses(jobs) == {"queued": MANY, "failed": 1}
    assert await ends(jobs) == [("jobs.retry_finished", "cli", MANY)]


async def ends(jobs: Jobs) -> list[tuple[str, str, int]]:
    """Audit entries of retries and replays that a job completed."""
    rows = await jobs.rows(AUDITED, workspace_id=jobs.workspace_id)
    return [(row.action, row.actor_kind, row.data["count"]) for row in rows if row.action.endswith("_finished")]


async def run(jobs: Jobs, kind: JobKind[Any], job_id: UUID, attempt: int = 1) -> JobView:
    registry = JobRegistry(system_jobs.definitions(jobs.database, audit_days=730, job_days=90, event_days=7))
    return await replace(jobs, kind=kind).attempt(registry, job_id, attempt)


@pytest.mark.usefixtures("_less_at_once")
async def test_a_retry_of_very_many_that_was_killed_goes_on_with_what_is_left(jobs: Jobs) -> None:
    retry_id = await retry_many(jobs)
    killed = await replace(jobs, kind=RETRY_CAUSE).started(retry_id)
    cause = queries.FailureGroup(queries.FAILED_JOBS, "Boom.", jobs.kind.name, before=killed.created_at)
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        done, after = await service.next_of_cause(tx, jobs.actor, cause=cause, attempts={jobs.kind.name: 3}, after=None)
        await store.set_progress(tx, killed.key, done=done, total=MANY)
    assert (done, after is not None) == (1000, True)
    await jobs.expire_lease(retry_id)
    await execution.rescue(jobs.database, JobRegistry([]))

    ended = await run(jobs, RETRY_CAUSE, retry_id, 2)
    assert (ended.status, ended.progress and ended.progress.total) == ("completed", MANY)
    assert await statuses(jobs) == {"queued": MANY}
    assert await ends(jobs) == [("jobs.retry_finished", "cli", MANY)]


@pytest.mark.usefixtures("_less_at_once")
async def test_a_retry_of_very_many_that_is_cancelled_is_audited_with_what_it_did(jobs: Jobs) -> None:
    retry_id = await retry_many(jobs)
    started = await replace(jobs, kind=RETRY_CAUSE).started(retry_id)
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        await store.set_progress(tx, started.key, done=1000, total=MANY)

    definitions = system_jobs.definitions(jobs.database, audit_days=730, job_days=90, event_days=7)
    await jobs.cancel(JobRegistry(definitions), retry_id)

    assert await ends(jobs) == [("jobs.retry_finished", "cli", 1000)]


async def test_retries_are_in_the_audit_log_with_what_was_asked_for(jobs: Jobs) -> None:
    ids = await failed(jobs, "Boom.", "Bang.")
    await retry(jobs, ids[:1])
    await retry_cause(jobs, "Bang.")

    rows = await jobs.rows(AUDITED, workspace_id=jobs.workspace_id)
    assert [(row.action, row.actor_kind, row.data) for row in rows] == [
        ("jobs.retried", "cli", {"count": 1}),
        ("jobs.retried", "cli", {"cause": "Bang.", "kind": jobs.kind.name, "count": 1}),
    ]


@pytest.fixture
def relayed(elsewhere: Elsewhere, workspace: Workspace) -> Jobs:
    """Jobs whose queue lives in another database."""
    return Jobs(elsewhere.database, workspace.id)


class Nowhere:
    """A queue that is always away."""

    channel = "nobody_listens"

    async def publish(self, _connection: Connection | None, _tickets: Sequence[QueueMessage]) -> None:
        raise Unavailable("The queue is away 17.")


async def dead(jobs: Jobs, count: int = 1) -> list[UUID]:
    """Events that could not be published, by the ids of their jobs."""
    ids = await jobs.enqueue(count)
    for _ in range(5):
        await jobs.change(DUE, ids=ids)
        await relay.relay(jobs.database, Nowhere())
    return ids


async def dead_groups(jobs: Jobs) -> CauseGroups:
    async with jobs.database.transaction(jobs.workspace_id, read_only=True) as tx:
        return await queries.dead_by_cause(tx, jobs.actor)


async def test_dead_letters_are_grouped_listed_and_replayed_by_cause(relayed: Jobs) -> None:
    ids = await dead(relayed, 3)
    found = await dead_groups(relayed)
    assert told(found) == [("The queue is away <n>.", 3, True)]
    assert found.items[0].kind == "job.queued"
    async with relayed.database.transaction(relayed.workspace_id) as tx:
        page = await queries.list_events(tx, relayed.actor, cause="The queue is away <n>.", limit=10)
        assert {event.job_id for event in page.items} == set(ids)
        command = ReplayCause.model_validate({"cause": "The queue is away <n>.", "kind": "job.queued"})
        outcome = await service.replay_cause(tx, relayed.actor, command=command, trace={})

    assert outcome.processed == 3
    assert (await dead_groups(relayed)).items == []
    for job_id in ids:
        (event,) = await relayed.events(job_id)
        assert (event.status, event.attempts, event.last_error, event.cause) == ("pending", 0, None, None)


async def test_many_dead_letters_are_replayed_and_the_others_are_told_why_not(relayed: Jobs) -> None:
    (job_id,) = await dead(relayed)
    (event,) = await relayed.events(job_id)
    (pending,) = await relayed.events(await relayed.one())
    unknown = new_id()
    command = ReplayEvents.model_validate({"ids": [event.id, pending.id, unknown]})

    async with relayed.database.transaction(relayed.workspace_id) as tx:
        outcome = await service.replay_events(tx, relayed.actor, command=command)
    assert outcome.processed == 1
    codes = {refusal.id: refusal.code for refusal in outcome.refused}
    assert codes == {pending.id: "outbox_event_not_dead_lettered", unknown: "outbox_event_not_found"}


@pytest.mark.usefixtures("_less_at_once")
async def test_very_many_dead_letters_are_replayed_by_a_job(jobs: Jobs) -> None:
    await jobs.enqueue(MANY)
    await jobs.change(KILL, workspace_id=jobs.workspace_id, error="Away.", cause="Away.")
    command = ReplayCause.model_validate({"cause": "Away.", "kind": "job.queued"})
    async with jobs.database.transaction(jobs.workspace_id) as tx:
        outcome = await service.replay_cause(tx, jobs.actor, command=command, trace={})
    assert outcome.job_id is not None

    done = await run(jobs, REPLAY_CAUSE, outcome.job_id)
    assert done.progress is not None
    assert (done.status, done.progress.processed) == ("completed", MANY)
    assert (await dead_groups(jobs)).items == []
    assert await ends(jobs) == [("outbox_events.replay_finished", "cli", MANY)]
