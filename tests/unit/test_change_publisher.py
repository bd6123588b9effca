"""Notifications of changes: immediate, rate limited, and never concurrent."""

import asyncio
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from leadflood.kernel.db.change_publisher import EVERYTHING, ChangePublisher, payload_of, workspaces_of
from leadflood.kernel.ids import new_id


@given(st.frozensets(st.uuids(), max_size=1000))
def test_a_payload_names_the_workspaces_or_all_and_fits_into_a_notification(workspaces: frozenset[UUID]) -> None:
    payload = payload_of(workspaces)

    assert len(payload) < 8000
    assert workspaces_of(payload) == (None if payload == EVERYTHING else workspaces)
    assert (payload == EVERYTHING) == (len(workspaces) > 370)


@given(st.text())
def test_a_payload_of_somebody_else_stands_for_all_or_for_workspaces_but_never_breaks(payload: str) -> None:
    found = workspaces_of(payload)

    assert found is None or all(isinstance(item, UUID) for item in found)


class Channel:
    """Keeps what is sent, and sends as slowly as the test wants."""

    def __init__(self) -> None:
        self.sent: list[frozenset[UUID] | None] = []
        self.entered = asyncio.Event()
        self.open = asyncio.Event()
        self.under_way = 0

    async def send(self, payload: str) -> None:
        self.under_way += 1
        assert self.under_way == 1
        self.entered.set()
        await self.open.wait()
        self.sent.append(workspaces_of(payload))
        self.under_way -= 1


async def test_what_changes_while_a_signal_is_under_way_is_sent_together_afterwards() -> None:
    channel, first, second, third = Channel(), new_id(), new_id(), new_id()
    signals = ChangePublisher(channel.send)

    signals.changed([first])
    await channel.entered.wait()
    for _ in range(1000):
        signals.changed([second, third])
    channel.open.set()
    await signals.close()

    assert channel.sent == [frozenset({first}), frozenset({second, third})]
