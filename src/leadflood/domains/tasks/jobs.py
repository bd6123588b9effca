"""The job that removes tasks after the retention period."""

from functools import partial
from typing import Any

from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.purging import delete_old
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.domains.tasks import store
from leadflood.domains.tasks.events import PURGE_TASKS
from leadflood.kernel.db.database import Database


def definitions(database: Database, *, retention_days: int) -> list[JobDefinition[Any]]:
    """The jobs of this domain. `retention_days`: for how long a deleted task can be restored."""

    async def purge(_context: JobContext[NoPayload]) -> None:
        await delete_old(database, partial(store.purge, days=retention_days))

    return [JobDefinition(PURGE_TASKS, purge)]
