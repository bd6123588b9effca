"""Start of the first count of a new installation."""

from contextlib import suppress
from datetime import timedelta

import pytest

from leadflood.domains.metrics import store
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from tests.conftest import Workspace

FORGET = sql("DELETE FROM figures_progress")
AGE = sql("UPDATE workspaces SET created_at = now() - make_interval(days => :days) WHERE id = :id")


class Undone(Exception):
    """Ends a transaction without a commit."""


@pytest.mark.parametrize(("age", "days"), [(3, 3), (400, 31)])
async def test_the_first_count_begins_with_the_first_workspace_and_not_before_what_is_shown(
    database: Database, workspace: Workspace, age: int, days: int
) -> None:
    with suppress(Undone):
        async with database.system() as tx:
            await tx.execute(FORGET)
            await tx.execute(AGE, {"days": age, "id": workspace.id})
            progress = await store.lock_progress(tx)
            raise Undone

    assert progress.now - progress.counted_until == timedelta(days=days)
