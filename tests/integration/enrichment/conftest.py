"""Fixtures of enrichment."""

import pytest

from leadflood.domains.enrichment.engine.memory import MemoryFingerprints
from leadflood.domains.enrichment.models import SubjectKind
from leadflood.domains.enrichment.store.lookups import LookupAsker
from leadflood.kernel.db.database import Database
from tests.conftest import Workspace, new_workspace
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.buyer import Buyer
from tests.integration.spending.till import Till
from tests.support.new_companies import new_company


@pytest.fixture
def bench(database: Database, workspace: Workspace) -> Bench:
    """A workspace whose jobs a test runs itself."""
    return Bench(database, workspace.actor)


@pytest.fixture
async def other_bench(database: Database) -> Bench:
    """Another workspace."""
    return Bench(database, Workspace(await new_workspace(database)).actor)


@pytest.fixture
async def buyer(database: Database, workspace: Workspace) -> Buyer:
    """A workspace with a price, and a company that runs are about."""
    till = Till(database, workspace.actor)
    await till.price()
    asker = LookupAsker(workspace.id, SubjectKind.COMPANY, await new_company(database, workspace.id))
    return Buyer(till, asker, MemoryFingerprints().hash)
