"""Leads and companies of one workspace whose found values tests change and read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from leadflood.domains.companies import service as companies
from leadflood.domains.companies.contracts import UpdateCompany
from leadflood.domains.companies.queries import get_company
from leadflood.domains.enrichment.events import REFRESH_COMPANY_LEADS, REFRESH_LEADS
from leadflood.domains.enrichment.models import Fact, company_fields
from leadflood.domains.enrichment.queries.effective import found_values
from leadflood.domains.enrichment.service.company_runs import enrich_company
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import JobStatus, NewJob, NoPayload
from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import UpdateLead
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.kernel.db.sql import sql
from tests.integration.enrichment.bench import Bench, Scripted
from tests.integration.enrichment.office import Office
from tests.support.asked_sources import ScriptedSource, finds, spec_of

_STORED = sql("""
SELECT id, found_first_name, found_last_name, found_company, found_job_title, found_phone, found_country, found_website
FROM leads WHERE workspace_id = :workspace_id
""")
_GIVEN = (company_fields.NAME, company_fields.COUNTRY, company_fields.PHONE, company_fields.WEBSITE)


@dataclass
class Shelf:
    """A workspace. Its leads are enriched by one source about people and one about companies."""

    bench: Bench
    name: str = "register"
    leads: list[UUID] = field(default_factory=list)

    @property
    def office(self) -> Office:
        return Office(self.bench)

    async def lead(self, email: str, *facts: Fact) -> UUID:
        """A new lead, enriched by a source about people alone."""
        made = await self.bench.create(email)
        self.leads.append(made.lead_id)
        await self.bench.attempts(made.job_id, self._person(facts))
        return made.lead_id

    async def enrich(self, lead_id: UUID, *facts: Fact) -> None:
        """Enrich a lead again: the source finds these now."""
        await self.bench.attempts(await self.bench.again(lead_id), self._person(facts))

    async def read(self, company_id: UUID, *facts: Fact) -> None:
        """Ask the source about a company again: it finds these now."""
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            job_id = await enrich_company(tx, self.bench.actor, company_id=company_id, trace={})
        source = ScriptedSource(spec_of(self.name, *_GIVEN, one_service=False), [finds(*facts)])
        assert (await self.bench.attempts(job_id, source)).status == JobStatus.COMPLETED

    async def edit(self, lead_id: UUID, **fields: object) -> None:
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            command = UpdateLead.model_validate(fields)
            await service.update_lead(tx, self.bench.actor, lead_id=lead_id, command=command, expected_version=None)

    async def name_company(self, company_id: UUID, name: str | None) -> None:
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            version = (await get_company(tx, self.bench.actor, company_id=company_id)).version
            command = UpdateCompany(name=name)
            await companies.update_company(
                tx, self.bench.actor, company_id=company_id, command=command, expected_version=version
            )

    async def stored(self) -> dict[UUID, dict[str, str]]:
        """The found values of all leads, by lead."""
        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            rows = await tx.all(_STORED, {"workspace_id": self.bench.actor.workspace_id})
        return {
            row["id"]: {
                name.removeprefix("found_"): value for name, value in dict(row).items() if value and name != "id"
            }
            for row in rows
        }

    async def of(self, lead_id: UUID) -> dict[str, str]:
        return (await self.stored())[lead_id]

    async def meant(self) -> dict[UUID, dict[str, str]]:
        """The found values of all leads as the choices say, by lead."""
        stored = await self.stored()
        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            found = await found_values(tx, self.bench.actor, lead_ids=list(stored))
        return {lead_id: dict(values) for lead_id, values in found.items()}

    async def listed(self, q: str | None = None, sort: LeadSort = LeadSort.NEWEST) -> list[UUID]:
        """The leads that a search finds, in an order."""
        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            page = await queries.list_leads(tx, self.bench.actor, filters=LeadFilter(q=q), sort=sort, limit=100)
        return [lead.id for lead in page.items]

    async def refresh_all(self) -> None:
        """Run the job that brings all leads of the workspace up to date."""
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            job = NewJob(REFRESH_LEADS, NoPayload(), self.bench.actor.workspace_id)
            await jobs.enqueue(tx, self.bench.actor, jobs=[job])
        await self.refresh()

    async def refreshes(self) -> list[UUID]:
        """The queued jobs that bring leads up to date."""
        kinds = {REFRESH_COMPANY_LEADS.name, REFRESH_LEADS.name}
        return [job.id for job in await self.bench.jobs() if job.kind in kinds and job.status == JobStatus.QUEUED]

    async def refresh(self) -> int:
        """Run those jobs. Returns their number."""
        job_ids = await self.refreshes()
        for job_id in job_ids:
            assert (await self.bench.attempts(job_id)).status == JobStatus.COMPLETED
        return len(job_ids)

    @staticmethod
    def _person(facts: Sequence[Fact]) -> Scripted:
        return Scripted("people", [facts], is_local=True)
