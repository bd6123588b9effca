"""A workspace with companies whose runs a test takes step by step."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from leadflood.domains.companies import queries as company_queries
from leadflood.domains.enrichment import invariants
from leadflood.domains.enrichment.contracts import CompanyEnrichmentView
from leadflood.domains.enrichment.models import (
    Answer,
    Fetcher,
    Found,
    Question,
    Source,
    SourceSpec,
    lead_fields,
)
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.queries.companies import get_company_enrichment
from leadflood.domains.jobs.contracts import JobView
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.leads.contracts import LeadCreated
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.support.asked_sources import fact, spec_of


def domain() -> str:
    """A domain that no other test has."""
    return f"{new_id().hex[-12:]}.com"


@dataclass
class Register:
    """A source about companies that counts what it is asked. `fault`: raised instead of an answer."""

    spec: SourceSpec = field(
        default_factory=lambda: spec_of(
            f"register-{new_id().hex}", fields.NAME, fields.CITY, fields.PARKED, one_service=False
        )
    )
    fault: Exception | None = None
    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        name = question.text(fields.DOMAIN) or ""
        self.asked.append(name)
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return Found([fact(f"Company {name}"), fact("Berlin", of=fields.CITY)])


def person() -> Scripted:
    """An instant source about people."""
    return Scripted("at_once", [[value(lead_fields.FIRST_NAME, "Ada")]], is_local=True)


@dataclass(frozen=True)
class Office:
    """A bench with companies."""

    bench: Bench

    async def run_job(self, company: str) -> UUID:
        """The job of the live run of a company."""
        rows = await self.rows(company)
        (job_id,) = [row["job_id"] for row in rows if row["ended_at"] is None]
        assert isinstance(job_id, UUID)
        return job_id

    async def rows(self, company: str) -> Sequence[dict[str, object]]:
        """The runs of a company, oldest first."""
        async with self.bench.database.system(read_only=True) as tx:
            found = await tx.all(
                sql("SELECT * FROM company_runs WHERE domain = :domain ORDER BY id"), {"domain": company}
            )
        return [dict(row) for row in found]

    async def company_id(self, company: str) -> UUID:
        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            owners = await company_queries.owners_of(tx, self.bench.actor.workspace_id, [company])
        return owners[company].company_id

    async def facts(self, company: str) -> CompanyEnrichmentView:
        company_id = await self.company_id(company)
        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            return await get_company_enrichment(tx, self.bench.actor, company_id=company_id)

    async def chosen(self, company: str) -> dict[str, object]:
        return {item.field: item.value for item in (await self.facts(company)).values if item.chosen}

    async def waiting(self, company: str, register: Source, name: str = "ada") -> LeadCreated:
        """A lead that waits for its company."""
        made = await self.bench.create(f"{name}@{company}")
        job = await self.bench.attempt(made.job_id, person(), register)
        assert (job.status, job.waiting_for) == (JobStatus.QUEUED, f"Waiting for {company}.")
        return made

    async def read(self, company: str, register: Source) -> JobView:
        """Run the job of the live run."""
        return await self.bench.attempt(await self.run_job(company), person(), register)

    async def completes(self, made: LeadCreated, register: Source) -> None:
        """The lead was woken, and its next attempt completes it."""
        assert (await self.bench.job(made.job_id)).waiting_for is None, "it is woken"
        assert (await self.bench.attempt(made.job_id, person(), register)).status == JobStatus.COMPLETED
        assert (await self.bench.lead(made.lead_id)).status == LeadStatus.ENRICHED
        await self.sound()

    async def sound(self) -> None:
        """Nothing contradicts the rules."""
        async with self.bench.database.system(read_only=True) as tx:
            assert [item for item in await invariants.violations(tx) if "run" in item or "company" in item] == []
