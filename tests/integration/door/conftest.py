"""The small internet, and doors that lead to it."""

from collections.abc import AsyncIterator

import pytest

from leadflood.demo.internet.internet import Internet
from leadflood.kernel.door.door import Door, DoorParts


async def user_agent() -> str:
    return "LeadFlood/0 (+http://localhost/bot; tests@example.test)"


@pytest.fixture(scope="session")
async def internet() -> AsyncIterator[Internet]:
    async with Internet() as started:
        yield started


@pytest.fixture
async def door(internet: Internet) -> AsyncIterator[Door]:
    """A door without spacing and robots.txt."""
    internet.http.received.clear()
    internet.dialer.dialed.clear()
    opened = Door(
        DoorParts(
            user_agent,
            gate=None,
            hosts=None,
            resolver=internet.resolver,
            dialer=internet.dialer,
            ssl_context=internet.ssl_context,
        )
    )
    yield opened
    await opened.aclose()
