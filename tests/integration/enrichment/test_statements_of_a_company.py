"""Statements and transactions of reading one company, from its first lead to its last: upper bounds."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest_asyncio

from leadflood.domains.enrichment.events import ENRICH_COMPANY, ENRICH_LEAD
from leadflood.domains.enrichment.models import Source
from leadflood.domains.enrichment.sources.company_place import CompanyPlace
from leadflood.domains.enrichment.sources.dns import Dns
from leadflood.domains.enrichment.sources.email_insight import EmailInsight
from leadflood.domains.enrichment.sources.website.source import Website
from leadflood.domains.jobs import execution
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.door.hosts import Spacing
from leadflood.kernel.door.postgres_hosts import PostgresHosts
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import QueueMessage
from leadflood.worker.executor import Executor
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import Office
from tests.support.small_internet import open_registry
from tests.support.statements import counted

FIRST, COMPANY = "nordlabs-de.de", "alpenflow-de.de"
LEADS = 5
MOST_STATEMENTS = 76
"""Two of them look for profiles that are published: after the enrichment of leads, and after that of the company."""
MOST_TRANSACTIONS = 15
_OF_THE_PROCESS = ("SELECT current_setting('jit')", "WITH RECURSIVE typeinfo_tree", "SELECT source, failures, openings")
"""Types, which the driver looks up for each connection, and breakers, which are read once a second."""


class Unspaced(PostgresHosts):
    """Reserves places as in production, but does not wait for them."""

    async def reserve(self, spacings: Sequence[Spacing]) -> float:
        await super().reserve(spacings)
        return 0.0


@pytest_asyncio.fixture
async def registry(database: Database, secret_box: SecretBox) -> AsyncIterator[JobRegistry]:
    """The jobs of a worker, with the small internet. The hold is not asked: it is read once in five seconds."""
    sources: list[Source] = [EmailInsight(), Website(), Dns(), CompanyPlace()]
    async with open_registry(database, secret_box, sources, hosts=Unspaced(database)) as made:
        yield made


@dataclass
class Reading:
    """Reads companies with their leads as a worker does."""

    bench: Bench
    registry: JobRegistry
    texts: list[str] = field(default_factory=list)

    async def read(self, company: str) -> None:
        """All leads of a company wait for it, it is read, and they are completed."""
        made = [await self.bench.create(f"ada{number}@{company}") for number in range(LEADS)]
        jobs = [one.job_id for one in made]
        await self.attempts(ENRICH_LEAD.name, jobs, 1)
        run_job = await Office(self.bench).run_job(company)
        await self.attempts(ENRICH_COMPANY.name, [run_job], 1)
        await self.attempts(ENRICH_LEAD.name, jobs, 2)
        assert {(await self.bench.job(job_id)).status for job_id in [run_job, *jobs]} == {JobStatus.COMPLETED}

    async def attempts(self, kind: str, job_ids: Sequence[UUID], attempt: int) -> None:
        worker_id, database = new_id(), self.bench.database
        executor = Executor(database, self.registry, worker_id)
        tickets = [QueueMessage(kind, self.bench.actor.workspace_id, job_id, attempt) for job_id in job_ids]
        with counted(database.pool) as statements, counted(database.system_pool) as single:
            claimed = await execution.claim(database, tickets, worker_id, 300)
            alone = await executor.run_many(claimed) if executor.takes_many(claimed[0]) else claimed
            await asyncio.gather(*(executor.run(job) for job in alone))
        assert len(claimed) == len(job_ids)
        self.texts += [text for text in [*statements.texts, *single.texts] if not text.startswith(_OF_THE_PROCESS)]


async def test_reading_a_company_with_its_leads_needs_few_statements(bench: Bench, registry: JobRegistry) -> None:
    reading = Reading(bench, registry)
    await reading.read(FIRST)  # what a process reads once
    reading.texts.clear()

    await reading.read(COMPANY)

    begun = [text for text in reading.texts if text.startswith("BEGIN")]
    statements = [text for text in reading.texts if not text.startswith(("BEGIN", "COMMIT"))]
    shown = "\n".join(f"{count} {text[:120]}" for text, count in Counter(reading.texts).most_common())
    assert len(statements) <= MOST_STATEMENTS, shown
    assert len(begun) <= MOST_TRANSACTIONS, shown
