"""A workspace in which people define custom fields."""

import pytest

from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.db.database import Database
from tests.conftest import Workspace
from tests.support.api import caller, gate, parts, toys
from tests.support.desk import Desk

__all__ = ["caller", "gate", "parts", "toys"]


@pytest.fixture
def desk(database: Database, registry: JobRegistry, workspace: Workspace) -> Desk:
    """Somebody with a file."""
    return Desk(database, registry, workspace.actor)
