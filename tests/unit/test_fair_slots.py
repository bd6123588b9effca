"""Slots go round: a key that asks often waits behind its own requests."""

import asyncio

import pytest

from leadflood.kernel.errors import Unavailable
from leadflood.kernel.fair_slots import FairSlots
from tests.support.waiting import soon, turns


class Users:
    """Callers that keep their slots until they are told to leave."""

    def __init__(self, slots: FairSlots) -> None:
        self.slots = slots
        self.entered: list[str] = []
        self.leaves: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, *names: str) -> None:
        """Ask for a slot for each name, whose first letter is its key."""
        for name in names:
            self.leaves[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._use(name))
            await turns(2)

    async def leave(self, name: str) -> None:
        self.leaves[name].set()
        await soon(self.tasks[name])
        await turns(2)

    async def _use(self, name: str) -> None:
        async with self.slots.slot(name[0]):
            self.entered.append(name)
            await self.leaves[name].wait()


async def test_keys_take_turns_whoever_asked_first_or_most() -> None:
    users = Users(FairSlots(1, per_key=1, queue=100))
    await users.ask("a1", "a2", "a3", "b1", "c1", "b2")

    for _ in range(6):
        await users.leave(users.entered[-1])

    assert users.entered == ["a1", "a2", "b1", "c1", "a3", "b2"]


async def test_one_key_cannot_have_all_slots() -> None:
    users = Users(FairSlots(3, per_key=2, queue=100))
    await users.ask("a1", "a2", "a3", "b1")
    assert users.entered == ["a1", "a2", "b1"]

    await users.leave("b1")
    assert users.entered == ["a1", "a2", "b1"]
    await users.leave("a1")
    assert users.entered == ["a1", "a2", "b1", "a3"]


async def test_a_full_queue_refuses_and_waiters_that_give_up_lose_nothing() -> None:
    users = Users(FairSlots(1, per_key=1, queue=2))
    await users.ask("a1", "a2", "b1")
    with pytest.raises(Unavailable):
        async with users.slots.slot("c"):
            pass

    users.tasks["a2"].cancel()
    await turns(3)
    await users.ask("c1")
    users.leaves["a1"].set()  # and before the next one runs, it gives up
    await turns(1)
    users.tasks["b1"].cancel()
    await turns(5)

    assert users.entered[-1] == "c1"
    await users.leave("c1")
    assert users.slots.waiting == 0
    await users.ask("d1")
    assert users.entered[-1] == "d1"


async def test_any_key_gets_a_slot_even_none() -> None:
    slots = FairSlots(1, per_key=1, queue=2)

    async def entered() -> bool:
        async with slots.slot(None):
            return True

    assert await soon(asyncio.create_task(entered()))
