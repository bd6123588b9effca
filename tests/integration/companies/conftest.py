"""Fixtures of companies."""

import pytest

from leadflood.kernel.db.database import Database
from tests.conftest import Workspace
from tests.integration.companies.desk import Desk


@pytest.fixture
def desk(database: Database, workspace: Workspace) -> Desk:
    """A workspace with companies."""
    return Desk(database, workspace.actor)
