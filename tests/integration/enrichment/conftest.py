"""Fixtures of enrichment."""

import pytest

from leadflood.kernel.db.database import Database
from tests.conftest import Workspace
from tests.integration.enrichment.bench import Bench


@pytest.fixture
def bench(database: Database, workspace: Workspace) -> Bench:
    """A workspace whose jobs a test runs itself."""
    return Bench(database, workspace.actor)
