"""Declarations of job kinds: the input and the result of each handler."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeAlias
from uuid import UUID

from pydantic import ValidationError

from leadflood.domains.jobs import store
from leadflood.domains.jobs.completion import Answer, Completer, Effect, SharedWork, Value, lock_attempt
from leadflood.domains.jobs.errors import Terminal
from leadflood.domains.jobs.models import JobKind, P, RunningJob
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction

_LISTED_FAULTS = 3


class JobContext(Generic[P]):
    """Input of a handler: its payload, and transactions for reads and intermediate writes."""

    def __init__(
        self,
        database: Database,
        job: RunningJob,
        payload: P,
        *,
        worker_id: UUID,
        completer: Completer | None = None,
        loaded: Any = None,  # noqa: ANN401  what the kind's own `load` returns
    ) -> None:
        """`completer`: of the worker. Without one, this job shares no transactions."""
        self.job = job
        self.payload = payload
        self.worker_id = worker_id
        self.actor = Actor.system(job.workspace_id)
        self.loaded = loaded
        """The value that `JobDefinition.load` read for this job; None if it runs alone."""
        self._database = database
        self._completer = completer or Completer(database)

    async def share(self, work: SharedWork[Value, Answer], value: Value) -> Answer:
        """Like `transaction`, shared by other jobs with the same work. Raises: AttemptLost, Unavailable."""
        return await self._completer.share(work, self.job, value)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction in the job's workspace, for reads and for writes that must survive a failed attempt.

        Raises: AttemptLost: when another attempt has taken over, or an operator cancelled the job.
        """
        async with self._database.transaction(self.job.workspace_id) as tx:
            await lock_attempt(tx, self.job)
            yield tx

    @asynccontextmanager
    async def own_transaction(self) -> AsyncIterator[Transaction]:
        """A transaction in the job's workspace that neither locks the job nor checks the attempt.

        For writes guarded by their own row, such as the result of a paid call.
        """
        async with self._database.transaction(self.job.workspace_id) as tx:
            yield tx

    async def report(self, tx: Transaction, *, done: int, total: int) -> None:
        """Store the progress as part of `tx`, so that it commits with the work."""
        await store.set_progress(tx, self.job.key, done=done, total=total)


@dataclass(frozen=True, slots=True)
class Complete(Generic[Value]):
    """Result of a handler: `effect` is written for `value` in the transaction that completes the job."""

    effect: Effect[Value]
    value: Value


@dataclass(frozen=True, slots=True)
class Awaited:
    """Something that ends, such as a run that several jobs wait for.

    Attributes:
        id: its ID. When it ends, `leadflood.domains.jobs.service.wake` queues the jobs that wait for it.
        lives: whether it has not ended. It must lock what decides that, so that it ends before or after, not meanwhile.
    """

    id: UUID
    lives: Callable[[Transaction, Actor, UUID], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Later:
    """Result of a handler that must wait: it is called again at that time. The reason is shown to users.

    The attempt does not count. For what is no failure, such as a provider's limit that is used up until then.
    `awaited`: what it waits for, if that ends before that time; the time is then the last resort.
    """

    at: datetime
    reason: str
    awaited: Awaited | None = None


Outcome: TypeAlias = Complete[Any] | Later | None
"""None: the job is complete, and nothing is left to write."""

Handler = Callable[[JobContext[P]], Awaitable[Outcome]]
FailureHook = Callable[[Transaction, RunningJob, P | None, str], Awaitable[None]]
Load = Callable[[Transaction, Actor, Sequence[P]], Awaitable[Sequence[Any]]]


async def _nothing(_tx: Transaction, _job: RunningJob, _payload: object, _error: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class JobDefinition(Generic[P]):
    """Declaration of a kind of job.

    `handler` returns `Complete`, `Later` or nothing, or raises `Retryable` or `Terminal`. `timeout` is in seconds, for
    one attempt. `on_failed` runs in the transaction that ends the job as `failed`, for any reason; its payload is None
    where the stored one does not fit the kind: then the job's subject is all that is known.

    `many`: the jobs may share the transactions that complete them. `load` declares that attempts which are claimed
    together, and before which none has failed, are also handled together: it reads what each of them needs in one
    transaction, and the handler, called for one after the other, finds its part in `context.loaded` and does not wait.
    Jobs for which `load` finds None, and those that go wrong, are then handled alone in the same attempt, without
    `loaded`.
    """

    kind: JobKind[P]
    handler: Handler[P]
    on_failed: FailureHook[P] = _nothing
    timeout: float = 300.0
    many: bool = False
    load: Load[P] | None = None

    def payload_of(self, job: RunningJob) -> P:
        """The job's payload. Raises: Terminal: the stored one is invalid for the kind."""
        try:
            return self.kind.payload.model_validate_json(job.payload)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)[:_LISTED_FAULTS]
            problems = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".lstrip(": ") for fault in faults)
            raise Terminal(f"The payload does not fit the job kind {self.kind.name}: {problems}.") from error

    async def end_as_failed(self, tx: Transaction, job: RunningJob, error: str) -> None:
        """Run the failure hook."""
        try:
            payload = self.payload_of(job)
        except Terminal:
            payload = None
        await self.on_failed(tx, job, payload, error)


class JobRegistry:
    """All kinds of jobs of this program."""

    def __init__(self, definitions: Iterable[JobDefinition[Any]]) -> None:
        self._definitions: Mapping[str, JobDefinition[Any]] = {
            name: definition
            for definition in definitions
            for name in (definition.kind.name, definition.kind.former_name)
            if name is not None
        }

    @property
    def attempts(self) -> Mapping[str, int]:
        """Number of attempts for each kind of job, by name and former name."""
        return {name: definition.kind.max_attempts for name, definition in self._definitions.items()}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of all kinds, former ones included."""
        return tuple(self._definitions)

    @property
    def outgoing(self) -> tuple[str, ...]:
        """The names of the kinds with effects outside this installation."""
        return tuple(name for name, definition in self._definitions.items() if definition.kind.outgoing)

    def find(self, kind: str) -> JobDefinition[Any] | None:
        """The definition of a kind, or None if this version does not have it."""
        return self._definitions.get(kind)
