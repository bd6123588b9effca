"""Fixtures of enrichment."""

import pytest

from leadflood.kernel.db.database import Database
from tests.conftest import Workspace, new_workspace
from tests.integration.enrichment.bench import Bench


@pytest.fixture
def bench(database: Database, workspace: Workspace) -> Bench:
    """A workspace whose jobs a test runs itself."""
    return Bench(database, workspace.actor)


@pytest.fixture
async def other_bench(database: Database) -> Bench:
    """Another workspace."""
    return Bench(database, Workspace(await new_workspace(database)).actor)
