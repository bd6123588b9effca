"""The small internet, and doors that lead to it."""

from collections.abc import AsyncIterator

import pytest

from leadflood.demo.internet.internet import Internet
from leadflood.kernel.door.door import Door
from tests.support.small_internet import open_door


@pytest.fixture(scope="session")
async def internet() -> AsyncIterator[Internet]:
    async with Internet() as started:
        yield started


@pytest.fixture
async def door(internet: Internet) -> AsyncIterator[Door]:
    """A door without spacing and robots.txt."""
    internet.http.received.clear()
    internet.dialer.dialed.clear()
    async with open_door(internet) as opened:
        yield opened
