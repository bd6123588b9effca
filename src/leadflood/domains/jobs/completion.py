"""Completion of jobs: a handler's writes and the completion commit together, guarded by the attempt."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol, TypeVar
from uuid import UUID

import structlog

from leadflood.domains.jobs import store
from leadflood.domains.jobs.errors import AttemptLost
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.store import unique
from leadflood.domains.jobs.store.publishing import announce
from leadflood.kernel.actor import Actor
from leadflood.kernel.batching import Batcher, together_or_alone
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction

MAX_BATCH = 200

_log = structlog.get_logger()

Value = TypeVar("Value")
Answer = TypeVar("Answer")
_Value_contra = TypeVar("_Value_contra", contravariant=True)
_Answer_co = TypeVar("_Answer_co", covariant=True)


class Effect(Protocol[_Value_contra]):
    """The writes of jobs of one workspace, in the transaction that completes them: a module-level function."""

    async def __call__(
        self, tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, _Value_contra]], /
    ) -> object:
        """All of the jobs are running and locked. Two jobs may have the same subject."""
        ...


class SharedWork(Protocol[_Value_contra, _Answer_co]):
    """Work for jobs of one workspace in an intermediate transaction: a module-level function."""

    async def __call__(
        self, tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, _Value_contra]], /
    ) -> Sequence[_Answer_co]:
        """A result for each job, in order. All of them are running and locked."""
        ...


async def lock_attempt(tx: Transaction, job: RunningJob, *, lock_timeout: float | None = None) -> None:
    """Ensure that this attempt is running, and keeps running until `tx` ends: for work too long to lock its job.

    A locked job cannot be cancelled, and its lease is not renewed.

    Args: lock_timeout: seconds to wait for a transaction that ends the job and may itself wait for locks of `tx`. Less
        than a second: after that PostgreSQL detects the deadlock, and may cancel either of the two.

    Raises: AttemptLost, leadflood.kernel.db.errors.LockConflict.
    """
    if lock_timeout is not None:
        await tx.limit(lock=lock_timeout)
    if not await store.owned_attempts(tx, [job.key]):
        raise AttemptLost(job.id, job.attempt)


async def nothing(_tx: Transaction, _actor: Actor, _jobs: Sequence[tuple[RunningJob, object]], /) -> None:
    """The effect of a job that has already written everything."""


class Completer:
    """Completes jobs, and shares transactions between those that can be completed together.

    What belongs to one job is written while its attempt runs, or not at all. Where a transaction of several jobs fails,
    nothing of it was written; that is logged once, and each of them is done again alone.
    """

    def __init__(self, database: Database, max_attempts: Mapping[str, int] = MappingProxyType({})) -> None:
        """`max_attempts`: of each kind, for jobs that run again."""
        self._database = database
        self._max_attempts = max_attempts
        self._groups: dict[tuple[object, bool], Batcher[tuple[RunningJob, Any], Any]] = {}

    async def complete(self, effect: Effect[Value], jobs: Sequence[tuple[RunningJob, Value]]) -> list[Exception | None]:
        """Complete jobs of one workspace and write their effects. Returns the error of each or None, in order.

        `AttemptLost` for those that another attempt has taken over, or that an operator cancelled.
        """
        outcomes = await self._in_workspace(effect, jobs, completes=True)
        return [outcome if isinstance(outcome, Exception) else None for outcome in outcomes]

    async def complete_shared(self, effect: Effect[Value], job: RunningJob, value: Value) -> None:
        """Complete a job in a transaction shared by others with the same effect.

        Raises: AttemptLost, Unavailable, or what the effect raises.
        """
        await self._shared(effect, job, value, completes=True)

    async def share(self, work: SharedWork[Value, Answer], job: RunningJob, value: Value) -> Answer:
        """The result for one job, from an intermediate transaction shared by others with the same work.

        Raises: AttemptLost, Unavailable, or what the work raises.
        """
        answer: Answer = await self._shared(work, job, value, completes=False)
        return answer

    async def _shared(
        self, work: Callable[..., Awaitable[Any]], job: RunningJob, value: object, *, completes: bool
    ) -> Any:  # noqa: ANN401  the answer of any work
        group = self._groups.get((work, completes))
        if group is None:
            group = Batcher(partial(self._serve, work, completes=completes), max_size=MAX_BATCH)
            self._groups[work, completes] = group
        return await group((job, value))

    async def _serve(
        self, work: Callable[..., Awaitable[Any]], items: Sequence[tuple[RunningJob, Any]], *, completes: bool
    ) -> list[Any]:
        places: defaultdict[UUID, list[int]] = defaultdict(list)
        for place, (job, _) in enumerate(items):
            places[job.workspace_id].append(place)
        outcomes: list[Any] = [None] * len(items)
        for its in places.values():
            answers = await self._in_workspace(work, [items[place] for place in its], completes=completes)
            for place, outcome in zip(its, answers, strict=True):
                outcomes[place] = outcome
        return outcomes

    async def _in_workspace(
        self, work: Callable[..., Awaitable[Any]], items: Sequence[tuple[RunningJob, Any]], *, completes: bool
    ) -> Sequence[Any]:
        def failed() -> None:
            kind = items[0][0].kind
            _log.warning("jobs.batch_failed", job_kind=kind, jobs=len(items), completes=completes, exc_info=True)

        serve = partial(self._in_one_transaction, work, completes=completes)
        return await together_or_alone(serve, items, failed=failed)

    async def _in_one_transaction(
        self, work: Callable[..., Awaitable[Any]], items: Sequence[tuple[RunningJob, Any]], *, completes: bool
    ) -> list[Any]:
        workspace_id = items[0][0].workspace_id
        async with self._database.transaction(workspace_id) as tx:
            keys, rerun = [job.key for job, _ in items], False
            if completes:
                owned, rerun = await store.finish(tx, keys)
            else:
                owned = await store.owned_attempts(tx, keys)
            ours = [item for item in items if item[0].key in owned]
            answers = await work(tx, Actor.system(workspace_id), ours) if ours else ()
            if rerun:
                await self._rerun(tx, [job for job, _ in ours])
        remaining = iter(answers) if not completes else iter([None] * len(ours))
        return [next(remaining) if job.key in owned else AttemptLost(job.id, job.attempt) for job, _ in items]

    async def _rerun(self, tx: Transaction, jobs: Sequence[RunningJob]) -> None:
        """Queue jobs again that were requested while they ran: later changes must not be missed."""
        attempts = [self._max_attempts.get(job.kind, job.max_attempts) for job in jobs]
        await announce(tx, await unique.rerun(tx, [job.key for job in jobs], attempts))
