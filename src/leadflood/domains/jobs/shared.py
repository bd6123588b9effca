"""Transactions guarded by the attempts of running jobs: those that many share, and those that are long."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Text, bindparam, text

from leadflood.domains.jobs import store
from leadflood.domains.jobs.errors import AttemptLost
from leadflood.domains.jobs.models import RunningJob
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Contended, Database, Transaction
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.grouping import Grouping

MOST_TOGETHER = 200
_PATIENCE = text("SELECT set_config('lock_timeout', :timeout, true)").bindparams(bindparam("timeout", type_=Text))

Value = TypeVar("Value")
Answer = TypeVar("Answer")
_Given_contra = TypeVar("_Given_contra", contravariant=True)
_Told_co = TypeVar("_Told_co", covariant=True)


class Work(Protocol[_Given_contra, _Told_co]):
    """What is done for many jobs of one workspace at once: a function of a module, which reads and writes by sets."""

    async def __call__(
        self, tx: Transaction, actor: Actor, jobs: Sequence[tuple[RunningJob, _Given_contra]], /
    ) -> Sequence[_Told_co]:
        """An answer for each job, in order. All of them are held by their attempts."""
        ...


async def hold_attempt(tx: Transaction, job: RunningJob, *, patience: float | None = None) -> None:
    """Make sure that this attempt still runs, and does until `tx` ends: for work that is too long to lock its job.

    A locked job cannot be cancelled, and its lease is not renewed.

    Args: patience: seconds to wait for whoever is ending the job, where that one may be waiting for what `tx` locks.
        Less than a second, after which PostgreSQL decides who of the two must give way, and may choose the other.

    Raises: AttemptLost, leadflood.kernel.db.database.Contended.
    """
    if patience is not None:
        await tx.execute(_PATIENCE, {"timeout": f"{patience}s"})
    if not await store.holds(tx, [job.key]):
        raise AttemptLost(job.id, job.attempt)


async def in_one_transaction(
    database: Database, work: Work[Any, Answer], items: Sequence[tuple[RunningJob, Any]], *, completes: bool
) -> list[Answer | AttemptLost]:
    """The answers for jobs of one workspace, in order; `AttemptLost` for those that are no longer ours."""
    workspace_id = items[0][0].workspace_id
    async with database.transaction(workspace_id) as tx:
        held = await (store.finish if completes else store.holds)(tx, [job.key for job, _ in items])
        ours = [item for item in items if item[0].key in held]
        answers = iter(await work(tx, Actor.system(workspace_id), ours) if ours else ())
    return [next(answers) if job.key in held else AttemptLost(job.id, job.attempt) for job, _ in items]


class SharedTransactions:
    """Collects jobs that have come to the same piece of work while the transaction before is under way.

    What belongs to one job happens with its attempt still running, or not at all. Where a shared transaction fails,
    nothing of it was written, and each job is done again alone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._groups: dict[tuple[object, bool], Grouping[tuple[RunningJob, Any], Any]] = {}

    async def run(self, work: Work[Value, Answer], job: RunningJob, value: Value, *, completes: bool) -> Answer:
        """The answer for one job. `completes`: the transaction also completes it.

        Raises: AttemptLost: when another attempt has taken over, or an operator cancelled the job.
        """
        group = self._groups.get((work, completes))
        if group is None:
            group = Grouping(partial(self._serve, work, completes=completes), most=MOST_TOGETHER)
            self._groups[work, completes] = group
        answer: Answer = await group((job, value))
        return answer

    async def _serve(
        self, work: Work[Any, Any], items: Sequence[tuple[RunningJob, Any]], *, completes: bool
    ) -> list[Any]:
        places: defaultdict[UUID, list[int]] = defaultdict(list)
        for place, (job, _) in enumerate(items):
            places[job.workspace_id].append(place)
        outcomes: list[Any] = [None] * len(items)
        for its in places.values():
            told = await self._in_workspace(work, [items[place] for place in its], completes=completes)
            for place, outcome in zip(its, told, strict=True):
                outcomes[place] = outcome
        return outcomes

    async def _in_workspace(
        self, work: Work[Any, Any], items: Sequence[tuple[RunningJob, Any]], *, completes: bool
    ) -> Sequence[Any]:
        try:
            return await in_one_transaction(self._database, work, items, completes=completes)
        except Exception as error:  # noqa: BLE001  a job's own fault must end its own attempt and no other
            away = isinstance(error, Unavailable) and not isinstance(error, Contended)
            if away or len(items) == 1:
                return [error] * len(items)
        alone = [await self._in_workspace(work, [item], completes=completes) for item in items]
        return [outcome for (outcome,) in alone]
