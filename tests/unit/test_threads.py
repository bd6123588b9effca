"""Threads of their own: bounded, and refused when full."""

import asyncio
import threading

import pytest

from leadflood.kernel.errors import Unavailable
from leadflood.kernel.threads import BoundedThreads
from tests.support.waiting import soon, turns, until


async def test_calls_over_the_bound_are_refused_until_one_has_run() -> None:
    threads, gate = BoundedThreads("work", threads=1, queue=1), threading.Event()
    running, waiting = (asyncio.ensure_future(threads.run(gate.wait)) for _ in range(2))
    await turns(1)

    with pytest.raises(Unavailable) as refused:
        await threads.run(gate.wait)
    with pytest.raises(Unavailable):
        threads.require_capacity()

    assert refused.value.headers == {"Retry-After": "1"}
    gate.set()
    assert [*await soon(asyncio.gather(running, waiting))] == [True, True]
    await until(lambda: _has_capacity(threads))
    assert await threads.run(int, "7") == 7


async def test_a_call_whose_caller_is_gone_keeps_its_place_until_it_has_run() -> None:
    threads, gate = BoundedThreads("work", threads=1, queue=0), threading.Event()
    running = asyncio.ensure_future(threads.run(gate.wait))
    await turns(1)
    running.cancel()
    await asyncio.wait([running])

    with pytest.raises(Unavailable):
        await threads.run(int)

    gate.set()
    await until(lambda: _has_capacity(threads))
    assert await threads.run(int) == 0


def _has_capacity(threads: BoundedThreads) -> bool:
    try:
        threads.require_capacity()
    except Unavailable:
        return False
    return True
