"""Fixtures of engagement."""

import httpx
import pytest

from leadflood.kernel.db.database import Database
from tests.integration.icps.desk import Desk
from tests.support.api import Caller, caller, gate, parts, toys

__all__ = ["caller", "gate", "parts", "toys"]


@pytest.fixture
def desk(toys: httpx.AsyncClient, caller: Caller, database: Database) -> Desk:
    """A caller who may do everything."""
    return Desk(toys, caller, database)
