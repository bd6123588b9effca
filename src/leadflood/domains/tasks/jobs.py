"""The job that removes tasks after the retention period."""

from typing import Any

from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.domains.tasks import store
from leadflood.domains.tasks.events import PURGE_TASKS
from leadflood.kernel.db.database import Database

_BATCH = 5000


def definitions(database: Database, *, retention_days: int) -> list[JobDefinition[Any]]:
    """The jobs of this domain. `retention_days`: for how long a deleted task can be restored."""

    async def purge(_context: JobContext[NoPayload]) -> None:
        removed = _BATCH
        while removed == _BATCH:
            async with database.system() as tx:
                removed = await store.purge(tx, days=retention_days, batch=_BATCH)

    return [JobDefinition(PURGE_TASKS, purge)]
