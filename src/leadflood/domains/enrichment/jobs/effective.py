"""Jobs that bring the found values of many leads up to date, in transactions of up to 500."""

from typing import Any, Final
from uuid import UUID

from leadflood.domains.companies import service as companies
from leadflood.domains.companies.queries.links import workspaces_with_leads
from leadflood.domains.enrichment.events import (
    REFRESH_COMPANY_LEADS,
    REFRESH_LEADS,
    REFRESH_WORKSPACES,
    RefreshCompanyLeads,
)
from leadflood.domains.enrichment.service import effective
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob, NoPayload
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database

_MAX_SECONDS: Final = 6 * 3600.0
"""Seconds for all leads of a company or workspace. Each chunk is committed; another attempt finds little to write."""


def refreshing(database: Database) -> list[JobDefinition[Any]]:
    """The jobs. `database`: for transactions across workspaces."""

    async def refresh_workspaces(_context: JobContext[NoPayload]) -> None:
        async with database.system(read_only=True) as tx:
            workspace_ids = await workspaces_with_leads(tx)
        for workspace_id in workspace_ids:
            async with database.transaction(workspace_id) as tx:
                job = NewJob(REFRESH_LEADS, NoPayload(), workspace_id)
                await jobs.enqueue(tx, Actor.system(workspace_id), jobs=[job])

    return [
        JobDefinition(REFRESH_COMPANY_LEADS, _refresh_company_leads, timeout=_MAX_SECONDS),
        JobDefinition(REFRESH_LEADS, _refresh_leads, timeout=_MAX_SECONDS),
        JobDefinition(REFRESH_WORKSPACES, refresh_workspaces),
    ]


async def _refresh_company_leads(context: JobContext[RefreshCompanyLeads]) -> None:
    company_id = context.payload.company_id
    async with context.transaction() as tx:
        await companies.await_links(tx, context.actor, company_id=company_id)
    after_id: UUID | None = None
    while True:
        async with context.transaction() as tx:
            after_id = await effective.refresh_members(tx, context.actor, company_id=company_id, after_id=after_id)
        if after_id is None:
            return


async def _refresh_leads(context: JobContext[NoPayload]) -> None:
    after_id: UUID | None = None
    while True:
        async with context.transaction() as tx:
            after_id = await effective.refresh_more(tx, context.actor, after_id=after_id)
        if after_id is None:
            return
