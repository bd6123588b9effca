"""Fixtures of rules."""

import httpx
import pytest

from leadflood.kernel.db.database import Database
from tests.integration.rules.rule_desk import RuleDesk
from tests.support.api import Caller, caller, gate, parts, toys

__all__ = ["caller", "gate", "parts", "toys"]


@pytest.fixture
def desk(toys: httpx.AsyncClient, caller: Caller, database: Database) -> RuleDesk:
    """A caller who may do everything."""
    return RuleDesk(toys, caller, database)
