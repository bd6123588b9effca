"""The loops of a worker: they outlive an absent database, and end when told."""

import asyncio

import pytest

from leadflood.kernel.errors import Unavailable
from leadflood.worker.loops import Shutdown, repeat


async def test_a_loop_goes_on_after_the_database_was_away() -> None:
    stop = Shutdown()
    calls = 0

    async def step() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise Unavailable("away")
        stop()

    await repeat("test", step, stop)

    assert calls == 2


async def test_a_loop_outlives_any_number_of_failures() -> None:
    pauses: list[float] = []

    class Hasty(Shutdown):
        async def wait(self, seconds: float | None = None) -> bool:
            pauses.append(seconds or 0)
            if len(pauses) == 2000:
                self()
            return self.requested

    async def step() -> None:
        raise Unavailable("away")

    await repeat("test", step, Hasty())

    assert max(pauses) <= 5
    assert min(pauses) >= 0.1


async def test_a_loop_does_not_hide_a_bug() -> None:
    async def step() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await repeat("test", step, Shutdown())


async def test_waiting_for_the_first_ends_with_the_stop() -> None:
    stop = Shutdown()
    never = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(stop.first(never))

    stop()
    await waiting

    assert never.cancelled()


async def test_waiting_for_the_first_passes_its_error_on() -> None:
    async def fails() -> None:
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        await Shutdown().first(fails())
