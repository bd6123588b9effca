"""If a transaction shared by many jobs fails, each job is repeated alone: only the failing one is affected."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from leadflood.domains.enrichment import jobs as enrichment
from leadflood.domains.enrichment.models import Answer, Fetcher, Found, Question
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.jobs import execution
from leadflood.domains.jobs.completion import Completer, SharedWork
from leadflood.domains.jobs.errors import AttemptLost
from leadflood.domains.jobs.models import JobStatus, RunningJob
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import Unavailable
from tests.conftest import Workspace, new_workspace
from tests.integration.enrichment.bench import MAX_ATTEMPTS, Bench, Scripted, engines_of, value
from tests.support.jobs import Jobs, Workers, completes
from tests.support.waiting import eventually

_BREAK = sql("SELECT 1 / 0")


@dataclass(eq=False)
class Together:
    """Work that writes once for each job, and breaks its transaction where one of these jobs is in it."""

    jobs: Jobs
    breaks_for: set[UUID]
    groups: list[list[UUID]] = field(default_factory=list)

    async def __call__(self, tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, str]], /) -> list[str]:
        self.groups.append([job.id for job, _ in jobs])
        for job, _ in jobs:
            await self.jobs.write(tx, job.id)
        if self.breaks_for & set(self.groups[-1]):
            await self.break_off(tx)
        return [given.upper() for _, given in jobs]

    async def break_off(self, tx: Transaction) -> None:
        await tx.execute(_BREAK)


@dataclass(eq=False)
class Away(Together):
    """Work during which the database goes away."""

    async def break_off(self, tx: Transaction) -> None:
        raise Unavailable("The database cannot be reached.")


@dataclass(eq=False)
class Overtaken(Together):
    """Work during which another worker takes this job over, before its turn comes to be done alone."""

    lost: UUID | None = None

    async def break_off(self, tx: Transaction) -> None:
        if self.lost is not None and len(self.groups) > 1:
            await take_over(self.jobs, self.lost)
        await super().break_off(tx)


async def take_over(jobs: Jobs, job_id: UUID) -> None:
    """Queue a running job again, as its worker is held for dead."""
    await jobs.expire_lease(job_id)
    await execution.rescue(jobs.database, jobs.registry(completes()))


async def run_all(
    database: Database, work: SharedWork[str, str], running: Sequence[RunningJob], *, completes: bool = True
) -> dict[UUID, Any]:
    """The answer to each of these jobs, which come to the work at the same time: "completed" where they complete."""
    completer = Completer(database)

    async def complete(job: RunningJob, value: str) -> str:
        await completer.complete_shared(work, job, value)
        return "completed"

    async def share(job: RunningJob, value: str) -> str:
        return await completer.share(work, job, value)

    calls = ((complete if completes else share)(job, f"job {place}") for place, job in enumerate(running))
    told = await asyncio.gather(*calls, return_exceptions=True)
    return {job.id: answer for job, answer in zip(running, told, strict=True)}


async def effects(jobs: Jobs, running: Sequence[RunningJob]) -> dict[UUID, tuple[str, int]]:
    """State and number of writes of each job."""
    return {job.id: ((await jobs.view(job.id)).status, await jobs.written(job.id)) for job in running}


@pytest.mark.parametrize("place", [0, 3, 6])
async def test_one_that_breaks_the_transaction_fails_alone(jobs: Jobs, database: Database, place: int) -> None:
    running = [await jobs.started(job_id) for job_id in await jobs.enqueue(7)]
    bad = running[place].id
    work = Together(jobs, {bad})

    with capture_logs() as logs:
        told = await run_all(database, work, running)

    (failure,) = logs
    assert (failure["event"], failure["jobs"], failure["exc_info"]) == ("jobs.batch_failed", 7, True)
    assert isinstance(told.pop(bad), asyncpg.DivisionByZeroError)
    assert told == {job.id: "completed" for job in running if job.id != bad}
    assert work.groups == [[job.id for job in running], *([job.id] for job in running)]
    expected = {job.id: ("running", 0) if job.id == bad else ("completed", 1) for job in running}
    assert await effects(jobs, running) == expected


async def test_one_that_breaks_the_transaction_on_the_way_fails_alone(jobs: Jobs, database: Database) -> None:
    running = [await jobs.started(job_id) for job_id in await jobs.enqueue(3)]
    work = Together(jobs, {running[1].id})

    told = await run_all(database, work, running, completes=False)

    assert [told[running[0].id], told[running[2].id]] == ["JOB 0", "JOB 2"]
    assert [written for _, written in (await effects(jobs, running)).values()] == [1, 0, 1]
    assert {(await jobs.view(job.id)).status for job in running} == {"running"}


async def test_one_that_was_taken_over_is_left_out_and_the_others_share(jobs: Jobs, database: Database) -> None:
    running = [await jobs.started(job_id) for job_id in await jobs.enqueue(3)]
    lost = running[1]
    await take_over(jobs, lost.id)
    work = Together(jobs, set())

    told = await run_all(database, work, running)

    assert isinstance(told.pop(lost.id), AttemptLost)
    assert told == {running[0].id: "completed", running[2].id: "completed"}
    assert work.groups == [[running[0].id, running[2].id]]
    assert (await effects(jobs, running))[lost.id] == ("queued", 0)


async def test_one_that_is_taken_over_before_its_turn_alone_changes_nothing(jobs: Jobs, database: Database) -> None:
    running = [await jobs.started(job_id) for job_id in await jobs.enqueue(3)]
    bad, lost = running[0].id, running[2]

    told = await run_all(database, Overtaken(jobs, {bad}, lost=lost.id), running)

    assert isinstance(told[lost.id], AttemptLost)
    assert await effects(jobs, running) == {
        bad: ("running", 0),
        running[1].id: ("completed", 1),
        lost.id: ("queued", 0),
    }


async def test_jobs_of_another_workspace_are_not_done_again(jobs: Jobs, database: Database) -> None:
    theirs = Jobs(database, await new_workspace(database), jobs.kind)
    running = [await jobs.started(job_id) for job_id in await jobs.enqueue(2)]
    running += [await theirs.started(job_id) for job_id in await theirs.enqueue(2)]
    work = Together(jobs, {running[0].id})

    told = await run_all(database, work, running)

    assert [isinstance(answer, str) for answer in told.values()] == [False, True, True, True]
    assert work.groups == [
        [running[0].id, running[1].id],
        [running[0].id],
        [running[1].id],
        [running[2].id, running[3].id],
    ]


async def test_a_database_that_is_away_is_not_asked_again_for_each(jobs: Jobs, database: Database) -> None:
    running = [await jobs.started(job_id) for job_id in await jobs.enqueue(3)]
    work = Away(jobs, {running[0].id})

    told = await run_all(database, work, running)

    assert {type(answer) for answer in told.values()} == {Unavailable}
    assert len(work.groups) == 1
    assert set((await effects(jobs, running)).values()) == {("running", 0)}


class Poisonous(Scripted):
    """Finds a first name for each lead: for one of them such as no database takes."""

    def __init__(self, bad: str) -> None:
        super().__init__("poisonous", [])
        self._bad = bad
        self.counts: Counter[str] = Counter()

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        email = question.text(fields.EMAIL) or ""
        self.counts[email] += 1
        return Found([value(fields.FIRST_NAME, "\x00" if email == self._bad else "Ada")])


async def test_a_poisonous_enrichment_neither_fails_nor_repeats_its_neighbours(
    database: Database, workspace: Workspace, workers: Workers, jobs: Jobs
) -> None:
    bench = Bench(database, workspace.actor)
    domain = f"x{workspace.id.hex}.com"  # workers do jobs that other tests have left, too
    made = {email: await bench.create(email) for email in (f"lead{n}@{domain}" for n in range(40))}
    poison = f"lead17@{domain}"
    bad = made.pop(poison)
    source = Poisonous(poison)
    registry = JobRegistry(enrichment.definitions([source], engines_of(database)))
    await workers.start(registry, worker_concurrency=50, job_lease_seconds=60)

    assert await jobs.ended(*(item.job_id for item in made.values())) == {"completed": len(made)}

    async def given_up() -> bool:
        await jobs.hurry()
        return (await bench.job(bad.job_id)).status == JobStatus.FAILED

    await eventually(given_up)

    for email, item in made.items():
        job, lead = await bench.job(item.job_id), await bench.lead(item.lead_id)
        assert (job.attempts, lead.status, source.counts[email]) == (1, LeadStatus.ENRICHED, 1)
        found = await bench.enrichment(item.lead_id)
        assert ([run.status for run in found.runs], len(found.values)) == (["completed"], 1)
        kinds = [entry.kind for entry in await bench.timeline(item.lead_id)]
        assert kinds == ["lead.created", "enrichment.started", "enrichment.completed"]
    job, lead = await bench.job(bad.job_id), await bench.lead(bad.lead_id)
    assert (job.attempts, lead.status, source.counts[poison]) == (
        MAX_ATTEMPTS,
        LeadStatus.FAILED,
        MAX_ATTEMPTS,
    )
    assert (await bench.enrichment(bad.lead_id)).runs == []
