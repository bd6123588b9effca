"""Jobs of leads: removing for good what was deleted long enough ago."""

from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.domains.leads import store
from leadflood.domains.leads.events import PURGE_DELETED
from leadflood.kernel.db.database import Database

_BATCH = 1000


def definitions(database: Database, *, retention_days: int) -> list[JobDefinition]:
    """The jobs of this domain. `database`: for the sweep over all workspaces."""

    async def purge(_context: JobContext) -> None:
        while True:
            async with database.system() as tx:
                if await store.purge(tx, days=retention_days, batch=_BATCH) < _BATCH:
                    return

    return [JobDefinition(PURGE_DELETED, purge)]
