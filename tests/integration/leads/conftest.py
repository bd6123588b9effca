"""Fixtures of leads."""

import pytest

from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from tests.conftest import Workspace
from tests.integration.leads.desk import Desk
from tests.support.identity import Identity


@pytest.fixture
def desk(database: Database, workspace: Workspace) -> Desk:
    """An empty workspace to work in."""
    return Desk(database, workspace.actor)


@pytest.fixture
def identity(database: Database, settings: Settings, secret_box: SecretBox) -> Identity:
    return Identity(database, settings, secret_box)
