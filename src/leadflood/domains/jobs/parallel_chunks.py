"""Long work in chunks by two concurrent transactions, which commit in the order of the chunks.

One transaction is one process of PostgreSQL, and so one processor. As a chunk commits only after the one before it,
one position records the progress, and a job that was killed resumes from it.
"""

import asyncio
from typing import Any, Protocol, TypeVar

from leadflood.domains.jobs.completion import lock_attempt
from leadflood.domains.jobs.models import RunningJob
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.errors import LockConflict
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.tasks import task_group

PARALLEL_CHUNKS = 2

# Wait for a turn. Waiting inside PostgreSQL, and not in this process, lets it detect deadlocks with others.
_LOCK_POSITION = sql("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))")


class Chunk(Protocol):
    """The range between two positions."""

    @property
    def after(self) -> Any:  # noqa: ANN401  a position of any kind
        """The position before it."""

    @property
    def until(self) -> Any:  # noqa: ANN401  a position of any kind
        """The position of its last item."""


AnyChunk = TypeVar("AnyChunk", bound=Chunk)
Outcome = TypeVar("Outcome")


class ChunkedWork(Protocol[AnyChunk, Outcome]):
    """Functions that find, write and count a chunk."""

    async def position(self, tx: Transaction) -> Any | None:  # noqa: ANN401  a position of any kind
        """The position of the work; None if it was stopped."""

    async def find(self, tx: Transaction, after: Any) -> AnyChunk | None:  # noqa: ANN401  a position of any kind
        """The chunk after a position; None at the end."""

    async def write(self, tx: Transaction, chunk: AnyChunk) -> Outcome:
        """Write the chunk. It locks no row that other chunks need as well."""

    async def record(self, tx: Transaction, chunk: AnyChunk, outcome: Outcome) -> bool:
        """Advance the position and the counts. False if the position is different or the work was stopped."""


class _Stopped(Exception):
    """The work was stopped, so this chunk must be rolled back."""


async def write_in_parallel(database: Database, job: RunningJob, work: ChunkedWork[Any, Any]) -> bool:
    """Write all remaining chunks. Returns whether the work is complete; False if it was stopped.

    While chunks are written, the job's row is not locked: its lease is renewed, and it can be cancelled. Each chunk
    finally checks that the attempt is still current.

    Raises: AttemptLost, Unavailable.
    """
    try:
        return await _write(database, job, work, lanes=PARALLEL_CHUNKS)
    except LockConflict:  # with others that change the same leads; a lane that waits for none cannot be part of a cycle
        return await _write(database, job, work, lanes=1)


async def _write(database: Database, job: RunningJob, work: ChunkedWork[Any, Any], *, lanes: int) -> bool:
    async with database.transaction(job.workspace_id) as tx:
        start = await work.position(tx)
    if start is None:
        return False
    line = _Sequence(database, job, work, start)
    await line.advance(lanes)
    return not line.stopped


class _Sequence:
    def __init__(self, database: Database, job: RunningJob, work: ChunkedWork[Any, Any], start: Any) -> None:  # noqa: ANN401  a position of any kind
        self._database = database
        self._job = job
        self._work = work
        self._found = start
        self._finding = asyncio.Lock()
        self.stopped = False

    async def advance(self, lanes: int) -> None:
        async with task_group() as group:
            for _ in range(lanes):
                group.create_task(self._lane())

    async def _lane(self) -> None:
        more = True
        while more and not self.stopped:
            try:
                more = await self._write_next()
            except _Stopped:
                self.stopped = True

    async def _write_next(self) -> bool:
        async with self._database.transaction(self._job.workspace_id) as tx:
            async with self._finding:
                chunk = await self._work.find(tx, self._found)
                if chunk is None:
                    return False
                await self._lock_position(tx, chunk.until)
                self._found = chunk.until
            outcome = await self._work.write(tx, chunk)
            await self._lock_position(tx, chunk.after)
            await lock_attempt(tx, self._job)
            if not await self._work.record(tx, chunk, outcome):
                raise _Stopped
        return True

    async def _lock_position(self, tx: Transaction, place: Any) -> None:  # noqa: ANN401  a position of any kind
        """Hold a turn until the transaction ends."""
        await tx.execute(_LOCK_POSITION, {"place": f"{self._job.id} {place}"})
