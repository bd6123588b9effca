"""A workspace with a person whose data is everywhere."""

import pytest

from leadflood.domains.enrichment.sources.email_insight import EmailInsight
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.db.database import Database
from tests.conftest import Workspace
from tests.integration.duplicates.desk import Desk
from tests.integration.personal_data.world import World
from tests.support.desk import Desk as ImportDesk


@pytest.fixture
def world(database: Database, workspace: Workspace, registry: JobRegistry) -> World:
    """An empty workspace, whose jobs a test runs itself."""
    return World(Desk(database, workspace.actor, EmailInsight()), ImportDesk(database, registry, workspace.actor))
