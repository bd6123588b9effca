"""The verbs of duplicates, each in a transaction of its own, with the jobs of one's own run one attempt at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.duplicates import invariants, queries
from leadflood.domains.duplicates import jobs as duplicates_jobs
from leadflood.domains.duplicates.contracts import DuplicateView, MergeLeads, MergeView, ScanView
from leadflood.domains.duplicates.events import SCAN_DUPLICATES
from leadflood.domains.duplicates.models import CandidateStatus
from leadflood.domains.duplicates.service import merging, review, scanning
from leadflood.domains.enrichment.models import Source
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import UpdateLead
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from tests.integration.enrichment.bench import Bench
from tests.integration.leads.desk import Desk as LeadDesk
from tests.support.jobs import Jobs

# All that a merge may touch, but for versions, times of change, and what only grows. Jobs without a subject go through
# the whole workspace.
CHECKED: Mapping[str, Any] = {
    name: sql(statement)
    for name, statement in {
        "leads": """
SELECT id, email, email_norm, first_name, last_name, company, job_title, phone, website, country, source, owner_id,
       custom_fields, status, error, search_text, enriched_at, created_at, deleted_at IS NULL AS living
FROM leads WHERE workspace_id = :workspace_id ORDER BY id""",
        "runs": "SELECT * FROM lookups WHERE workspace_id = :workspace_id ORDER BY id",
        "values": "SELECT * FROM chosen_values WHERE workspace_id = :workspace_id ORDER BY value_id",
        "jobs": """
SELECT id, kind, subject_id, status FROM job_executions
WHERE workspace_id = :workspace_id AND subject_id IS NOT NULL ORDER BY id""",
        "pairs": """
SELECT id, lead_a, lead_b, score, reasons, status FROM duplicate_candidates
WHERE workspace_id = :workspace_id ORDER BY id""",
    }.items()
}


@dataclass(frozen=True)
class Desk:
    """A workspace in which somebody looks for duplicates."""

    database: Database
    actor: Actor
    adapter: Source

    @property
    def leads(self) -> LeadDesk:
        """The verbs of leads."""
        return LeadDesk(self.database, self.actor)

    @property
    def bench(self) -> Bench:
        """The jobs that enrich leads."""
        return Bench(self.database, self.actor)

    @property
    def registry(self) -> JobRegistry:
        """A program that knows the jobs of duplicates."""
        return JobRegistry(duplicates_jobs.definitions(self.database, LEAD_PARTICIPANTS))

    @property
    def jobs(self) -> Jobs:
        """The scans of this workspace."""
        return Jobs(self.database, self.actor.workspace_id, SCAN_DUPLICATES)

    async def lead(self, email: str, *, enriched: bool = False, **fields: object) -> UUID:
        """A lead, enriched or not."""
        made = await self.leads.create(email, **fields)
        if enriched:
            assert (await self.bench.attempt(made.job_id, self.adapter)).status == "completed"
        return made.lead_id

    async def edit(self, lead_id: UUID, **fields: object) -> None:
        """Change a lead, whatever its version."""
        command = UpdateLead.model_validate(fields)
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await leads.update_lead(tx, self.actor, lead_id=lead_id, command=command, expected_version=None)

    async def ask(self) -> ScanView:
        """Ask for a scan."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await scanning.request_scan(tx, self.actor, trace={})

    async def scan(self) -> ScanView:
        """Ask for a scan and let a worker do it."""
        asked = await self.ask()
        assert asked.job_id
        assert (await self.jobs.attempt(self.registry, asked.job_id)).status == "completed"
        return await self.last_scan()

    async def last_scan(self) -> ScanView:
        """State of the last scan."""
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            found = await queries.find_scan(tx, self.actor)
        assert found
        return found

    async def pairs(self, status: CandidateStatus = CandidateStatus.OPEN) -> list[DuplicateView]:
        """The pairs, the likeliest first."""
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return list((await queries.list_duplicates(tx, self.actor, status=status, limit=10_000)).items)

    async def emails(self) -> set[frozenset[str]]:
        """The open pairs, by address."""
        return {frozenset(lead.email for lead in pair.leads) for pair in await self.pairs()}

    async def dismiss(self, duplicate_id: UUID) -> DuplicateView:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await review.dismiss(tx, self.actor, duplicate_id=duplicate_id)

    async def reopen(self, duplicate_id: UUID) -> DuplicateView:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await review.reopen(tx, self.actor, duplicate_id=duplicate_id)

    async def merge(self, survivor_id: UUID, other_id: UUID, **body: object) -> MergeView:
        command = MergeLeads.model_validate({"survivorId": str(survivor_id), "otherId": str(other_id), **body})
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await merging.merge(tx, self.actor, LEAD_PARTICIPANTS, command=command)

    async def unmerge(self, merge_id: UUID) -> MergeView:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await merging.undo_merge(tx, self.actor, LEAD_PARTICIPANTS, merge_id=merge_id, trace={})

    async def stored(self) -> dict[str, list[str]]:
        """All rows that a merge may change."""
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return {
                name: [repr(row) for row in await tx.all(statement, {"workspace_id": self.actor.workspace_id})]
                for name, statement in CHECKED.items()
            }

    async def violations(self) -> list[str]:
        """Violations of the invariants of merges."""
        async with self.database.system(read_only=True) as tx:
            return await invariants.violations(tx)
