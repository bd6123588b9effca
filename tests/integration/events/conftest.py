"""Toys."""

import pytest

from leadflood.kernel.db.database import Database
from tests.conftest import Workspace
from tests.integration.events.toys import Toybox


@pytest.fixture
def toys(database: Database, workspace: Workspace) -> Toybox:
    """The toys of a fresh workspace."""
    return Toybox(database, workspace.id)
