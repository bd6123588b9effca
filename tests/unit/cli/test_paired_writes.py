"""The transport that sends head and body of an answer together."""

import asyncio
from collections.abc import Iterable, Sequence

import pytest

from leadflood.cli.server import PairedWrites


class Wire(asyncio.Transport):
    """Remembers what each call of the operating system would have sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.sent.append(b"".join(list_of_data))

    def close(self) -> None:
        self.sent.append("closed")

    def get_extra_info(self, name: str, default: object = None) -> str:
        return f"the wire's {name}"


def told(writes: Sequence[bytes]) -> tuple[Wire, PairedWrites]:
    wire = Wire()
    transport = PairedWrites(wire, asyncio.get_running_loop())
    for each in writes:
        transport.write(each)
    return wire, transport


async def end_of_turn() -> None:
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.call_soon(ended.set_result, None)
    await ended


@pytest.mark.parametrize(
    ("writes", "at_once", "later"),
    [
        ([b"head "], [], [b"head "]),
        ([b"head ", b"body"], [b"head body"], [b"head body"]),
        ([b"head ", b"one ", b"two"], [b"head one "], [b"head one ", b"two"]),
        ([b"head ", b"", b"next head ", b"body"], [b"head ", b"next head body"], [b"head ", b"next head body"]),
    ],
)
async def test_two_writes_of_a_turn_are_sent_together_and_nothing_waits_longer(
    writes: Sequence[bytes], at_once: Sequence[bytes], later: Sequence[bytes]
) -> None:
    wire, _ = told(writes)

    assert wire.sent == list(at_once)
    await end_of_turn()
    assert wire.sent == list(later)


async def test_what_was_written_is_sent_before_the_connection_closes() -> None:
    wire, transport = told([b"goodbye"])
    transport.close()
    await end_of_turn()

    assert wire.sent == [b"goodbye", "closed"]
    assert transport.get_extra_info("peername") == "the wire's peername"
