"""The job that removes lists after the retention period."""

from functools import partial
from typing import Any

from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.purging import delete_old
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.domains.lists import store
from leadflood.domains.lists.events import PURGE_LISTS
from leadflood.kernel.db.database import Database


def definitions(database: Database, *, retention_days: int) -> list[JobDefinition[Any]]:
    """The jobs of this domain. `retention_days`: for how long a deleted list can be restored."""

    async def purge(_context: JobContext[NoPayload]) -> None:
        await delete_old(database, partial(store.purge, days=retention_days))

    return [JobDefinition(PURGE_LISTS, purge)]
