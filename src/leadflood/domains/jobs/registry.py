"""What a domain declares of each kind of job, and what its handler is given."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.jobs import store
from leadflood.domains.jobs.errors import AttemptLost, Terminal
from leadflood.domains.jobs.models import JobKind, RunningJob
from leadflood.domains.jobs.shared import Answer, SharedTransactions, Value, Work, in_one_transaction
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database, Transaction


class JobContext:
    """What a handler works with: short reads, work outside with no transaction open, one write that also completes."""

    def __init__(
        self, database: Database, job: RunningJob, worker_id: UUID, shared: SharedTransactions | None = None
    ) -> None:
        """`shared`: of the worker. Without, this job shares its transactions with nobody."""
        self.job = job
        self.worker_id = worker_id
        self.actor = Actor.system(job.workspace_id)
        self.finished = False
        self._database = database
        self._shared = shared or SharedTransactions(database)

    async def together(self, work: Work[Value, Answer], value: Value) -> Answer:
        """As `transaction`, in one that other jobs with the same work share. Raises: AttemptLost, Unavailable."""
        return await self._shared.run(work, self.job, value, completes=False)

    async def completing_together(self, work: Work[Value, Answer], value: Value) -> Answer:
        """As `completing`, in one that other jobs with the same work share. Raises: AttemptLost, Unavailable."""
        answer = await self._shared.run(work, self.job, value, completes=True)
        self.finished = True
        return answer

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction in the job's workspace, for reads and for what must be kept even if the attempt fails.

        Raises: AttemptLost: when another attempt has taken over, or an operator cancelled the job.
        """
        async with self._database.transaction(self.job.workspace_id) as tx:
            if not await store.holds(tx, [self.job.key]):
                raise AttemptLost(self.job.id, self.job.attempt)
            yield tx

    @asynccontextmanager
    async def completing(self) -> AsyncIterator[Transaction]:
        """The transaction of the result: it completes the job, or changes nothing.

        Raises: AttemptLost: when another attempt has taken over, or an operator cancelled the job.
        """
        async with self._database.transaction(self.job.workspace_id) as tx:
            if not await store.finish(tx, [self.job.key]):
                raise AttemptLost(self.job.id, self.job.attempt)
            yield tx
        self.finished = True

    async def report(self, tx: Transaction, *, done: int, total: int) -> None:
        """Tell how far the job is, as part of `tx`: what is done and told commit together."""
        await store.set_progress(tx, self.job.key, done=done, total=total)


class JobGroup:
    """Jobs of one kind in one workspace that were claimed together, each for its first attempt."""

    def __init__(self, database: Database, jobs: Sequence[RunningJob]) -> None:
        self.jobs = jobs
        self.actor = Actor.system(jobs[0].workspace_id)
        self.completed: set[UUID] = set()
        self.lost: set[UUID] = set()
        """Jobs that another attempt has taken over, or that an operator cancelled."""
        self._database = database

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A transaction in the workspace of the jobs, for reads."""
        async with self._database.transaction(self.actor.workspace_id, read_only=True) as tx:
            yield tx

    async def complete(self, work: Work[Value, object], jobs: Sequence[tuple[RunningJob, Value]]) -> None:
        """Complete jobs of the group, and do this work for them: in one transaction, for those that are still ours."""
        if not jobs:
            return
        outcomes = await in_one_transaction(self._database, work, jobs, completes=True)
        for (job, _), outcome in zip(jobs, outcomes, strict=True):
            (self.lost if isinstance(outcome, AttemptLost) else self.completed).add(job.id)


def payload_id(job: RunningJob, name: str) -> UUID:
    """An id that the job's payload names. Raises: Terminal: there is none."""
    try:
        return UUID(job.payload[name])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Terminal(f"The payload of this job names no {name}, so it cannot be done.") from error


def failed_id(job: RunningJob, name: str) -> UUID | None:
    """As `payload_id`, for failure hooks: where the payload cannot be read, the job's subject, if it has one."""
    try:
        return payload_id(job, name)
    except Terminal:
        return job.subject_id


Handler = Callable[[JobContext], Awaitable[None]]
GroupHandler = Callable[[JobGroup], Awaitable[None]]
FailureHook = Callable[[Transaction, RunningJob, str], Awaitable[None]]


async def _nothing(_tx: Transaction, _job: RunningJob, _error: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """How a kind of job is done.

    `handler` returns nothing, or raises `Retryable` or `Terminal`. `on_failed` runs in the transaction that ends the
    job as `failed`, whoever ends it. `timeout` is in seconds, for one attempt.

    `together` is a quicker way for jobs that are claimed together: it completes those that go well, waits for nobody
    but the database, and writes nothing of the others. Those it leaves, or all of them where it raises, are then
    handled one by one in the same attempt.
    """

    kind: JobKind
    handler: Handler
    on_failed: FailureHook = _nothing
    timeout: float = 300.0
    together: GroupHandler | None = None


class JobRegistry:
    """All kinds of jobs that this program knows."""

    def __init__(self, definitions: Iterable[JobDefinition]) -> None:
        self._definitions: Mapping[str, JobDefinition] = {each.kind.name: each for each in definitions}

    @property
    def attempts(self) -> Mapping[str, int]:
        """How often a job of each kind is attempted."""
        return {name: definition.kind.max_attempts for name, definition in self._definitions.items()}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of all kinds."""
        return tuple(self._definitions)

    @property
    def outgoing(self) -> tuple[str, ...]:
        """The names of the kinds that have effects outside this installation."""
        return tuple(name for name, definition in self._definitions.items() if definition.kind.outgoing)

    def find(self, kind: str) -> JobDefinition | None:
        """The definition of a kind, or None for one that this version does not know."""
        return self._definitions.get(kind)
