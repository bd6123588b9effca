"""The job that reads companies again whose facts are no longer fresh."""

from collections.abc import Sequence
from typing import Final

from leadflood.domains.enrichment.events import READ_DUE_COMPANIES
from leadflood.domains.enrichment.models import Source
from leadflood.domains.enrichment.models.company_runs import company_sources, plan_of
from leadflood.domains.enrichment.service import company_runs
from leadflood.domains.enrichment.store.due_companies import due
from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database

_MAX: Final = 2000
"""Companies that are looked at."""
_PER_WORKSPACE: Final = 20
"""Companies of a workspace that one turn begins to read."""


def due_companies(database: Database, sources: Sequence[Source], *, enabled: bool) -> list[JobDefinition[NoPayload]]:
    """The job. It runs by the clock, so it asks no source that charges.

    `database`: for transactions across workspaces. `sources`: the free ones.
    """
    about = company_sources(sources)

    async def refresh(context: JobContext[NoPayload]) -> None:
        """Start runs with the priority of bulk work; each asks only what has to be asked again."""
        if not enabled or not about:
            return
        async with database.system(read_only=True) as tx:
            found = await due(tx, most=_MAX, per_workspace=_PER_WORKSPACE)
        for workspace_id, company_ids in found.items():
            async with database.transaction(workspace_id) as tx:
                await company_runs.request_in_bulk(
                    tx,
                    Actor.system(workspace_id),
                    company_ids=company_ids,
                    sources=plan_of(about),
                    include_fresh=False,
                    free_only=True,
                    trace=context.job.trace,
                )

    return [JobDefinition(READ_DUE_COMPANIES, refresh)]
