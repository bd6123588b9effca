"""Calls that are served in groups."""

import asyncio
from collections.abc import Sequence

import pytest

from leadflood.kernel.batching import Batcher


class Server:
    """Serves a group once the test lets it, and remembers what was together."""

    def __init__(self, *, max_size: int = 10) -> None:
        self.groups: list[list[str]] = []
        self.go = asyncio.Event()
        self.grouping = Batcher(self.serve, max_size=max_size)

    async def serve(self, items: Sequence[str]) -> list[str | Exception]:
        self.groups.append(list(items))
        await self.go.wait()
        if "bug" in items:
            raise LookupError("bug")
        return [ValueError(item) if item == "bad" else item.upper() for item in items]

    async def ask(self, *items: str) -> list[asyncio.Task[str]]:
        """Ask for all, and return once the first group is being served."""
        tasks = [asyncio.create_task(self.grouping(item)) for item in items]
        while not self.groups:
            await asyncio.wait(tasks, timeout=0)
        return tasks


async def outcomes(tasks: Sequence[asyncio.Task[str]]) -> list[object]:
    return list(await asyncio.gather(*tasks, return_exceptions=True))


async def test_a_lone_call_is_served_at_once_and_what_waits_meanwhile_together() -> None:
    server = Server()
    first = await server.ask("a")
    others = [asyncio.create_task(server.grouping(item)) for item in "bcd"]
    await asyncio.wait(others, timeout=0)
    server.go.set()

    assert await outcomes([*first, *others]) == ["A", "B", "C", "D"]
    assert server.groups == [["a"], ["b", "c", "d"]]
    assert server.grouping.idle


async def test_a_group_has_a_limit() -> None:
    server = Server(max_size=2)
    server.go.set()

    assert await outcomes(await server.ask(*"abcde")) == [*"ABCDE"]
    assert server.groups == [["a", "b"], ["c", "d"], ["e"]]


async def test_an_error_of_one_is_its_own() -> None:
    server = Server()
    server.go.set()

    one, refused, other = await outcomes(await server.ask("a", "bad", "b"))

    assert (one, type(refused), other) == ("A", ValueError, "B")


async def test_an_error_of_the_group_is_everybodys_and_the_next_group_goes_on() -> None:
    server = Server()
    server.go.set()

    assert [type(outcome) for outcome in await outcomes(await server.ask("a", "bug"))] == [LookupError, LookupError]
    assert await server.grouping("c") == "C"


@pytest.mark.parametrize("served", [True, False])
async def test_a_call_that_is_cancelled_disturbs_nobody(served: bool) -> None:
    server = Server()
    first = await server.ask("a", "b")
    later = [asyncio.create_task(server.grouping(item)) for item in "cd"]
    await asyncio.wait(later, timeout=0)
    (first if served else later)[0].cancel()
    server.go.set()

    done = await outcomes([*first, *later])

    assert sum(isinstance(entry, asyncio.CancelledError) for entry in done) == 1
    assert server.groups == [["a", "b"], ["c", "d"] if served else ["d"]]
