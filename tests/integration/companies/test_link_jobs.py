"""Jobs that link leads create the missing companies first, in a transaction of their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.companies import jobs as companies_jobs
from leadflood.domains.companies import service
from leadflood.domains.companies.events import LINK_LEADS, LINK_WORKSPACE, LinkLeadsPayload
from leadflood.domains.jobs.models import NewJob, NoPayload
from leadflood.domains.jobs.registry import JobContext, JobRegistry
from leadflood.domains.jobs.service import enqueue
from leadflood.domains.leads.service import personal_data
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from tests.integration.companies.desk import Desk
from tests.support.jobs import Jobs
from tests.support.waiting import eventually, soon

_HAS_LINKED = sql("SELECT true FROM company_leads WHERE lead_id = ANY (:lead_ids::uuid[]) LIMIT 1")
_WAITING = sql("SELECT count(*) FROM pg_stat_activity WHERE :pid::integer = ANY (pg_blocking_pids(pid))")


@dataclass(frozen=True)
class Work:
    """Leads that the job is to link."""

    leads: list[UUID]
    job_id: UUID


class HeldContext(JobContext[LinkLeadsPayload]):
    """Holds the transaction that has linked leads open until the test lets it go on."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401  as its base class
        super().__init__(*given, **named)
        self.linked = asyncio.Event()
        self.go_on = asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with super().transaction() as tx:
            yield tx
            if await tx.scalar(_HAS_LINKED, {"lead_ids": self.payload.lead_ids}):
                self.linked.set()
                await self.go_on.wait()


async def _unlinked(desk: Desk, *emails: str) -> Work:
    """Leads like those of an import."""
    leads = [await desk.lead(email) for email in emails]
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        (job_id,) = await enqueue(tx, desk.actor, jobs=[NewJob(LINK_LEADS, LinkLeadsPayload(lead_ids=leads))])
    return Work(leads, job_id)


async def _create_companies(desk: Desk, lead_id: UUID) -> None:
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await service.create_companies(tx, desk.actor, lead_ids=[lead_id])


async def _blocks(desk: Desk, pid: int) -> bool:
    """Whether somebody waits for this session."""
    async with desk.database.system(read_only=True) as tx:
        return bool(await tx.scalar(_WAITING, {"pid": pid}))


async def test_jobs_with_the_same_new_domains_do_not_wait_for_each_others_links(desk: Desk) -> None:
    first, second = [await _unlinked(desk, f"{name}@acme.com", f"{name}@zeta.com") for name in ("ada", "bob")]
    jobs = Jobs(desk.database, desk.actor.workspace_id, LINK_LEADS)
    registry = JobRegistry(companies_jobs.definitions(desk.database, retention_days=30))
    job = await jobs.started(first.job_id)
    held = HeldContext(desk.database, job, LinkLeadsPayload.model_validate_json(job.payload), worker_id=new_id())
    definition = registry.find(LINK_LEADS.name)
    assert definition is not None

    running = asyncio.ensure_future(definition.handler(held))
    await soon(held.linked.wait())
    assert (await jobs.attempt(registry, second.job_id)).status == "completed"
    assert [await desk.link(lead) is None for lead in (*first.leads, *second.leads)] == [True, True, False, False]
    held.go_on.set()
    await running

    assert await desk.companies() == ["acme.com", "zeta.com"]
    assert [await desk.link(lead) is None for lead in first.leads] == [False, False]


async def test_a_job_that_is_killed_before_it_links_is_repeated(desk: Desk) -> None:
    work = await _unlinked(desk, "ada@acme.com")
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await service.create_companies(tx, desk.actor, lead_ids=work.leads)
    assert (await desk.companies(), await desk.link(work.leads[0])) == (["acme.com"], None)

    registry = JobRegistry(companies_jobs.definitions(desk.database, retention_days=30))
    await Jobs(desk.database, desk.actor.workspace_id, LINK_LEADS).attempt(registry, work.job_id)

    assert (await desk.companies(), await desk.link(work.leads[0])) == (["acme.com"], ("acme.com", "email", False))


async def test_an_erasure_before_the_links_removes_the_company_of_the_person(desk: Desk) -> None:
    own, ada = (
        await desk.lead("me@mail.ada-lovelace.com"),
        await desk.lead("ada@gmail.com", website="https://x.ada.dev/"),
    )
    await desk.relink([await desk.lead("bob@acme.com"), await desk.lead("lace@lovelace.com")])
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await service.create_companies(tx, desk.actor, lead_ids=[own, ada])
    assert await desk.companies() == ["acme.com", "ada-lovelace.com", "ada.dev", "lovelace.com"]

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        for lead in (own, ada):
            await personal_data.erase_person(tx, desk.actor, LEAD_PARTICIPANTS, who=lead, dry_run=False)
        pid = await tx.scalar(sql("SELECT pg_backend_pid()"))
        late = asyncio.create_task(_create_companies(desk, own))
        await eventually(lambda: _blocks(desk, pid))
    await late

    assert await desk.companies() == ["acme.com", "lovelace.com"]


async def test_the_walk_creates_companies_before_it_links(desk: Desk) -> None:
    leads = [await desk.lead(f"p{n}@company{n}.com") for n in range(3)]

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await service.create_more(tx, desk.actor, batch=2)
    assert (await desk.companies(), await desk.link(leads[0])) == (["company0.com", "company1.com"], None)

    jobs = Jobs(desk.database, desk.actor.workspace_id, LINK_WORKSPACE)
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        (job_id,) = await enqueue(tx, desk.actor, jobs=[NewJob(LINK_WORKSPACE, NoPayload(), desk.actor.workspace_id)])
    registry = JobRegistry(companies_jobs.definitions(desk.database, retention_days=30))
    assert (await jobs.attempt(registry, job_id)).status == "completed"
    assert [await desk.link(lead) for lead in leads] == [(f"company{n}.com", "email", False) for n in range(3)]
