"""The job that removes tags after the retention period."""

from functools import partial
from typing import Any

from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.purging import delete_old
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.domains.tags import store
from leadflood.domains.tags.events import PURGE_TAGS
from leadflood.kernel.db.database import Database


def definitions(database: Database, *, retention_days: int) -> list[JobDefinition[Any]]:
    """The jobs of this domain. `retention_days`: for how long a deleted tag can be restored."""

    async def purge(_context: JobContext[NoPayload]) -> None:
        await delete_old(database, partial(store.purge, days=retention_days))

    return [JobDefinition(PURGE_TAGS, purge)]
