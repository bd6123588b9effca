"""Two transactions at a time write the chunks of one job: in order, each once, and stopped as one would be."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from leadflood.domains.jobs import execution
from leadflood.domains.jobs.errors import AttemptLost
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.parallel_chunks import write_in_parallel
from leadflood.domains.jobs.registry import JobContext
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.errors import LockConflict
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from tests.conftest import Workspace
from tests.support.jobs import Jobs
from tests.support.waiting import eventually, soon

CHUNKS = 5

_BEGIN = sql("INSERT INTO heartbeats (name, beat_at, worker_id) VALUES (:name, now(), :position)")
_PLACE = sql("SELECT worker_id FROM heartbeats WHERE name = :name")
_MOVE = sql("UPDATE heartbeats SET worker_id = :until WHERE name = :name AND worker_id = :after")
_TOUCH = sql("UPDATE heartbeats SET beat_at = now() WHERE name = :name")
_BROKEN = sql("SELECT 1 / 0")
_WAITING = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


class Killed(BaseException):
    """The process is gone at this point."""


@dataclass(frozen=True)
class Chunk:
    """One piece of work, known by its number."""

    after: int
    until: int


async def nothing(_number: int) -> None:
    """An injection point that does nothing."""


async def handled(_context: JobContext[Any]) -> None:
    """Run the job as a worker does."""


@dataclass
class Toy:
    """Work that is a row a chunk. `writing` and `keeping` are called before either, with the chunk's number."""

    jobs: Jobs
    job: RunningJob
    writing: Callable[[int], Awaitable[None]] = nothing
    keeping: Callable[[int], Awaitable[None]] = nothing
    kept: list[int] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.jobs.database

    def name(self, what: object) -> str:
        return f"lanes {self.job.id} {what}"

    async def prepare(self) -> None:
        async with self.database.system() as tx:
            for what in ("position", *range(1, CHUNKS + 1)):
                await tx.execute(_BEGIN, {"name": self.name(what), "position": UUID(int=0)})

    async def come_to(self) -> int:
        async with self.database.system() as tx:
            return await self.position(tx)

    async def position(self, tx: Transaction) -> int:
        place: UUID = await tx.scalar(_PLACE, {"name": self.name("position")})
        return place.int

    async def find(self, _tx: Transaction, after: int) -> Chunk | None:
        return Chunk(after, after + 1) if after < CHUNKS else None

    async def write(self, tx: Transaction, chunk: Chunk) -> None:
        await self.writing(chunk.until)
        await tx.execute(_TOUCH, {"name": self.name(chunk.until)})
        await self.jobs.write(tx, self.job.id)

    async def record(self, tx: Transaction, chunk: Chunk, _outcome: None) -> bool:
        await self.keeping(chunk.until)
        self.kept.append(chunk.until)
        values = {"name": self.name("position"), "after": UUID(int=chunk.after), "until": UUID(int=chunk.until)}
        return await tx.changed(_MOVE, values) == 1

    async def run(self) -> bool:
        return await soon(write_in_parallel(self.database, self.job, self))

    async def written(self) -> int:
        return await self.jobs.written(self.job.id)


@pytest.fixture
async def toy(database: Database, workspace: Workspace) -> Toy:
    jobs = Jobs(database, workspace.actor.workspace_id)
    toy = Toy(jobs, await jobs.started(await jobs.one()))
    await toy.prepare()
    return toy


class Gate:
    """Holds the first chunk back until it is opened."""

    def __init__(self, toy: Toy) -> None:
        self._open = asyncio.Event()
        self._toy = toy
        toy.writing = self

    async def __call__(self, number: int) -> None:
        if number == 1:
            await self._open.wait()

    def open(self) -> None:
        self._open.set()

    async def second_waits(self) -> None:
        """The second chunk is written, and waits for the first."""
        assert await eventually(lambda: self._toy.jobs.rows(_WAITING))


async def test_the_second_chunk_is_written_beside_the_first_and_kept_after_it(toy: Toy) -> None:
    gate = Gate(toy)
    running = asyncio.create_task(toy.run())
    await gate.second_waits()
    assert (await toy.written(), toy.kept) == (0, [])

    gate.open()

    assert await running
    assert (await toy.written(), toy.kept, await toy.come_to()) == (CHUNKS, [1, 2, 3, 4, 5], CHUNKS)


@pytest.mark.parametrize("number", range(1, CHUNKS + 1))
async def test_killed_between_two_commits_each_chunk_is_written_once(toy: Toy, number: int) -> None:
    async def killed(at: int) -> None:
        if at == number:
            raise Killed

    toy.keeping = killed
    with pytest.raises(Killed):
        await toy.run()
    assert (await toy.written(), await toy.come_to()) == (number - 1, number - 1)

    toy.keeping = nothing

    assert await toy.run()
    assert (await toy.written(), await toy.come_to()) == (CHUNKS, CHUNKS)


async def test_killed_while_the_second_waits_neither_is_there(toy: Toy) -> None:
    gate = Gate(toy)
    running = asyncio.create_task(toy.run())
    await gate.second_waits()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await toy.written(), await toy.come_to()) == (0, 0)

    gate.open()

    assert await toy.run()
    assert await toy.written() == CHUNKS


async def test_stopped_meanwhile_neither_is_kept(toy: Toy) -> None:
    gate = Gate(toy)
    running = asyncio.create_task(toy.run())
    await gate.second_waits()
    sql = "UPDATE heartbeats SET worker_id = :elsewhere WHERE name = :name"
    await toy.jobs.change(sql, name=toy.name("position"), elsewhere=UUID(int=CHUNKS + 1))

    gate.open()

    assert not await running
    assert await toy.written() == 0


async def test_an_operator_need_not_wait_for_chunks_and_what_is_cancelled_is_not_kept(toy: Toy) -> None:
    gate = Gate(toy)
    running = asyncio.create_task(toy.run())
    await gate.second_waits()

    cancelled = await soon(toy.jobs.cancel(toy.jobs.registry(handled), toy.job.id))
    gate.open()

    assert cancelled.status == "failed"
    with pytest.raises(AttemptLost):
        await running
    assert (await toy.written(), await toy.come_to()) == (0, 0)


async def test_the_lease_is_renewed_while_chunks_are_written(toy: Toy) -> None:
    gate = Gate(toy)
    running = asyncio.create_task(toy.run())
    await gate.second_waits()
    await toy.jobs.expire_lease(toy.job.id)

    assert not await execution.renew(toy.database, [toy.job], 60)

    query = "SELECT lease_expires_at > now() FROM job_executions WHERE id = :id"
    assert (await toy.jobs.rows(query, id=toy.job.id))[0][0]
    gate.open()
    assert await running


async def test_a_ring_with_somebody_else_is_broken_and_everything_is_written_once(toy: Toy) -> None:
    with suppress(LockConflict):
        async with toy.database.transaction(toy.jobs.workspace_id) as other:
            await other.execute(_TOUCH, {"name": toy.name(1)})
            running = asyncio.create_task(toy.run())
            assert await eventually(lambda: toy.jobs.rows(_WAITING))
            await other.execute(_TOUCH, {"name": toy.name(2)})

    assert await running
    assert (await toy.written(), await toy.come_to()) == (CHUNKS, CHUNKS)


@dataclass
class Ring(Toy):
    """PostgreSQL ends the first chunk once; the second sees where that left the position before the first is told."""

    seen: asyncio.Event = field(default_factory=asyncio.Event)

    async def record(self, tx: Transaction, chunk: Chunk, outcome: None) -> bool:
        if chunk.until == 1 and not self.seen.is_set():
            with suppress(asyncpg.PostgresError):
                await tx.execute(_BROKEN)
            await self.seen.wait()
            raise LockConflict("PostgreSQL ended this transaction.")
        kept = await super().record(tx, chunk, outcome)
        self.seen.set()
        return kept


async def test_what_the_second_saw_of_a_ring_stops_nothing(toy: Toy) -> None:
    assert await Ring(toy.jobs, toy.job).run()
    assert (await toy.written(), await toy.come_to()) == (CHUNKS, CHUNKS)
