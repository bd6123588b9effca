"""Fixtures of spending."""

import pytest

from leadflood.kernel.db.database import Database
from tests.conftest import Workspace
from tests.integration.spending.till import Till


@pytest.fixture
async def till(database: Database, workspace: Workspace) -> Till:
    """A workspace with a price, and without a budget."""
    made = Till(database, workspace.actor)
    await made.price()
    return made
