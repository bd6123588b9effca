"""A hostile file can only end the process that reads it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from tempfile import TemporaryFile
from typing import Any

import psutil
import pytest

from leadflood.kernel.sandbox.pool import Sandbox
from leadflood.kernel.sandbox.process import Task, TaskRefused, TaskStopped
from leadflood.kernel.sandbox.protocol import TaskLimits
from tests.support import sandbox_tasks as tasks
from tests.support.waiting import soon, until

MEMORY = 128 * 1024 * 1024
PLENTY = TaskLimits(memory=MEMORY, cpu=600, wall=600)
TIGHT = TaskLimits(memory=MEMORY, cpu=1, wall=600)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    opened = Sandbox(processes=2, preload=[tasks.__name__])
    yield opened
    await opened.aclose()


async def run(sandbox: Sandbox, task: Task, request: Any = None, *, limits: TaskLimits = PLENTY) -> list[Any]:  # noqa: ANN401
    with TemporaryFile() as file:
        file.write("Zoë".encode())
        file.seek(0)
        async with sandbox.process("a") as process, aclosing(process.run(task, file, request, limits)) as results:
            return [result async for result in results]


def children() -> set[int]:
    """Sandboxed processes of this one, zombies included."""
    found = set()
    for child in psutil.Process().children():
        if child.status() == psutil.STATUS_ZOMBIE or "leadflood.kernel.sandbox.child" in child.cmdline():
            found.add(child.pid)
    return found


async def test_whatever_ends_a_task_the_next_one_runs_and_no_process_is_left(sandbox: Sandbox) -> None:
    before = children()
    ends: dict[Task, tuple[TaskLimits, str]] = {
        tasks.spin: (TIGHT, "time"),
        tasks.wait: (TaskLimits(memory=MEMORY, cpu=600, wall=0.2), "time"),
        tasks.eat: (PLENTY, "memory"),
        tasks.abort: (PLENTY, "crash"),
        tasks.be_killed: (PLENTY, "crash"),
        tasks.fail: (PLENTY, "crash"),
        tasks.say_too_much: (TaskLimits(memory=10**9, cpu=600, wall=600), "crash"),
    }

    for task, (limits, why) in ends.items():
        with pytest.raises(TaskStopped) as stopped:
            await soon(run(sandbox, task, limits=limits))
        assert (task.__name__, stopped.value.why) == (task.__name__, why)
    with pytest.raises(TaskRefused, match="There is no \ud800 in leads"):
        await run(sandbox, tasks.refuse)

    assert await run(sandbox, tasks.read_all, "> ") == ["> Zoë"]
    assert len(children() - before) == 1  # kept for the next task
    await sandbox.aclose()
    assert children() <= before  # a child of another test may have ended meanwhile


async def test_one_process_serves_one_task_after_another(sandbox: Sandbox) -> None:
    pids = set()
    for _ in range(3):
        async with sandbox.process("a") as process:
            pids.add(process.pid)
            with TemporaryFile() as file, pytest.raises(TaskRefused):
                async for _ in process.run(tasks.refuse, file, None, PLENTY):
                    pass

    assert len(pids) == 1


async def test_nothing_of_the_parent_can_be_reached(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADFLOOD_SECRET_KEY", "a secret of thirty-two characters")

    ((seen),) = await run(sandbox, tasks.surroundings)

    assert not [name for name in seen["environment"] if name not in {"PYTHONPATH", "PYTHONUTF8", "LC_CTYPE"}]
    assert seen["files"] <= 7  # standard streams, control, channel, the file, and the listing itself
    assert (seen["core"], seen["writes"]) == (0, False)


async def test_a_task_whose_results_nobody_reads_waits_and_ends_with_its_caller(sandbox: Sandbox) -> None:
    with TemporaryFile() as file:
        async with sandbox.process("a") as process:
            child = psutil.Process(process.pid)
            async with aclosing(process.run(tasks.results_without_end, file, None, PLENTY)) as results:
                assert len([await anext(results) for _ in range(3)]) == 3
                await until(lambda: child.status() == psutil.STATUS_SLEEPING)
                assert child.memory_info().rss < MEMORY

    assert not psutil.pid_exists(child.pid)


async def test_a_caller_that_is_cancelled_takes_its_process_with_it(sandbox: Sandbox) -> None:
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def caller() -> None:
        with TemporaryFile() as file:
            async with sandbox.process("a") as process:
                async for _ in process.run(tasks.spin, file, None, PLENTY):
                    started.set_result(process.pid)

    calling = asyncio.ensure_future(caller())
    pid = await soon(started)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling

    assert not psutil.pid_exists(pid)


async def test_a_parent_that_is_killed_takes_a_busy_process_with_it() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.support.sandbox_parent"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert parent.stdout is not None
    pid = int(await soon(parent.stdout.readline()))
    assert psutil.pid_exists(pid)

    parent.kill()
    await parent.wait()

    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
