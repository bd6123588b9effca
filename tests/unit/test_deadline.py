"""The deadline of a request."""

import asyncio

import pytest

from leadflood.kernel.deadline import Deadline
from leadflood.kernel.errors import BodyTimeout, DeadlineExceeded

SOON = 0.01


async def overdue() -> None:
    """Returns once another deadline of the same length is over."""
    with pytest.raises(DeadlineExceeded):
        async with Deadline(SOON):
            await asyncio.Event().wait()


async def test_what_takes_longer_is_cancelled_and_refused() -> None:
    ended: list[type[BaseException]] = []

    async def wait() -> None:
        async with Deadline(SOON):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as error:
                ended.append(type(error))
                raise

    with pytest.raises(DeadlineExceeded) as refusal:
        await wait()

    assert ended == [asyncio.CancelledError]
    assert (refusal.value.status, refusal.value.code) == (503, "deadline_exceeded")
    assert refusal.value.headers == {"Retry-After": "2"}


async def test_time_that_is_paused_does_not_count_and_the_rest_does() -> None:
    async def wait() -> None:
        async with Deadline(SOON) as deadline:
            with deadline.paused():
                await overdue()
            await asyncio.Event().wait()

    with pytest.raises(DeadlineExceeded):
        await wait()


async def test_a_body_that_takes_longer_than_it_may_is_refused_as_such() -> None:
    async def wait(seconds: float) -> None:
        async with Deadline(seconds) as deadline:
            with deadline.paused(SOON):
                await asyncio.Event().wait()

    for seconds in (60, SOON / 2):
        with pytest.raises(BodyTimeout):
            await wait(seconds)


async def test_time_after_a_body_counts_although_the_body_might_have_taken_long() -> None:
    async def wait() -> None:
        async with Deadline(SOON) as deadline:
            with deadline.paused(60):
                await overdue()
            await asyncio.Event().wait()

    with pytest.raises(DeadlineExceeded):
        await wait()


async def test_a_lifted_deadline_ends_nothing() -> None:
    async with Deadline(SOON) as deadline:
        deadline.lift()
        await overdue()
        with deadline.paused():
            await overdue()


async def test_an_error_and_a_cancellation_from_outside_stay_what_they_are() -> None:
    with pytest.raises(LookupError):
        async with Deadline(60):
            raise LookupError

    async def wait() -> None:
        async with Deadline(60):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.wait([task], timeout=0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
