"""A workspace in which somebody imports."""

import pytest

from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.db.database import Database
from tests.conftest import Workspace
from tests.support.desk import Desk


@pytest.fixture
def desk(database: Database, registry: JobRegistry, workspace: Workspace) -> Desk:
    """Somebody with a file."""
    return Desk(database, registry, workspace.actor)
