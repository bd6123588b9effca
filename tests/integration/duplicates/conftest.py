"""A workspace in which somebody looks for duplicates."""

import pytest

from leadflood.domains.enrichment.sources.email_insight import EmailInsight
from leadflood.kernel.db.database import Database
from tests.conftest import Workspace
from tests.integration.duplicates.desk import Desk


@pytest.fixture
def desk(database: Database, workspace: Workspace) -> Desk:
    """An empty workspace, whose jobs a test runs itself."""
    return Desk(database, workspace.actor, EmailInsight())
