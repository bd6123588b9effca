"""Jobs that link leads to companies, and that remove companies after the retention period."""

from functools import partial
from typing import Any, Final

from leadflood.domains.companies import service
from leadflood.domains.companies.events import (
    LINK_LEADS,
    LINK_WORKSPACE,
    LINK_WORKSPACES,
    PURGE_COMPANIES,
    LinkLeadsPayload,
)
from leadflood.domains.companies.queries import links
from leadflood.domains.companies.store import merging
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob, NoPayload
from leadflood.domains.jobs.purging import delete_old
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database

_MAX_SECONDS: Final = 6 * 3600.0
"""Seconds for all leads of a workspace: each chunk is committed, and an attempt continues where the last one ended."""


def definitions(database: Database, *, retention_days: int) -> list[JobDefinition[Any]]:
    """The jobs of this domain.

    `database`: for transactions across workspaces. `retention_days`: for how long a deleted company can be restored,
    and a merge undone.
    """

    async def purge(_context: JobContext[NoPayload]) -> None:
        await delete_old(database, partial(merging.purge, days=retention_days))

    async def link_workspaces(_context: JobContext[NoPayload]) -> None:
        async with database.system(read_only=True) as tx:
            workspace_ids = await links.workspaces_with_leads(tx)
        for workspace_id in workspace_ids:
            async with database.transaction(workspace_id) as tx:
                job = NewJob(LINK_WORKSPACE, NoPayload(), workspace_id)
                await jobs.enqueue(tx, Actor.system(workspace_id), jobs=[job])

    return [
        JobDefinition(LINK_LEADS, _link_leads),
        JobDefinition(LINK_WORKSPACE, _link_workspace, timeout=_MAX_SECONDS),
        JobDefinition(LINK_WORKSPACES, link_workspaces),
        JobDefinition(PURGE_COMPANIES, purge),
    ]


async def _link_leads(context: JobContext[LinkLeadsPayload]) -> None:
    async with context.transaction() as tx:
        await service.create_companies(tx, context.actor, lead_ids=context.payload.lead_ids)
    async with context.transaction() as tx:
        await service.relink(tx, context.actor, lead_ids=context.payload.lead_ids)


async def _link_workspace(context: JobContext[NoPayload]) -> None:
    more = True
    while more:
        async with context.transaction() as tx:
            await service.create_more(tx, context.actor)
        async with context.transaction() as tx:
            more = await service.relink_more(tx, context.actor)
