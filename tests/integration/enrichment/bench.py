"""Runs enrichment jobs as a worker does, one attempt at a time, with sources whose answers a test decides."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from leadflood.domains.enrichment import jobs as enrichment_jobs
from leadflood.domains.enrichment import queries as enrichment
from leadflood.domains.enrichment.contracts import LeadEnrichmentView
from leadflood.domains.enrichment.engine.memory import MemoryFingerprints
from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.enrichment.events import ENRICH_LEAD
from leadflood.domains.enrichment.jobs.aliases import joining
from leadflood.domains.enrichment.jobs.effective import refreshing
from leadflood.domains.enrichment.models import (
    Answer,
    Away,
    Fact,
    FactField,
    Fetcher,
    Found,
    Missed,
    Question,
    Receipt,
    Refused,
    Source,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS
from leadflood.domains.jobs import execution
from leadflood.domains.jobs import queries as jobs
from leadflood.domains.jobs import service as jobs_service
from leadflood.domains.jobs.contracts import JobView
from leadflood.domains.jobs.errors import Retryable, Terminal
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads import service as leads_service
from leadflood.domains.leads.contracts import CreateLead, LeadCreated, LeadEventView, LeadView
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import QueueMessage
from leadflood.worker.executor import Executor
from tests.support.canned_web import CannedFetcher

Scripts = Sequence[Fact] | Exception
_ALL = frozenset(PERSON_FIELDS)
_FINGERPRINTS = MemoryFingerprints()


def value(
    what: FactField,
    found: str | bool | float,
    confidence: float = 0.5,
    *,
    url: str | None = None,
    quote: str | None = None,
) -> Fact:
    receipt = Receipt("a_method", f"It is {found}.", utc_now(), url, quote)
    return Fact.stored(what, found, confidence, receipt)


@dataclass
class Scripted:
    """A source that gives these answers in turn, the last one for ever. `gate` holds it up inside a call.

    An answer that is `Retryable` or `Terminal` is that of a source that is away or refuses.
    """

    name: str
    answers: list[Scripts]
    version: str = "1"
    is_local: bool = False
    gate: asyncio.Event | None = None
    asked: list[Question] = field(default_factory=list)
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def spec(self) -> SourceSpec:
        return SourceSpec(
            name=self.name,
            version=self.version,
            label=self.name,
            subject=SubjectKind.LEAD,
            speed=Speed.INSTANT if self.is_local else Speed.NETWORK,
            needs=(frozenset({fields.EMAIL}),),
            gives=_ALL,
            family=self.name,
            one_service=False,
        )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        self.asked.append(question)
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Retryable):
            raise Away(answer.reason)
        if isinstance(answer, Terminal):
            raise Refused(answer.reason, timedelta(0))
        if isinstance(answer, Exception):
            raise answer
        return Found(answer) if answer else Missed("It has nothing about this.", timedelta(0))


def engines_of(database: Database) -> SubjectEngines:
    """Engines whose sources fetch nothing."""
    return SubjectEngines(database, lambda _: CannedFetcher(), _FINGERPRINTS.hash)


@dataclass(frozen=True)
class Bench:
    """One workspace, its leads, and their jobs."""

    database: Database
    actor: Actor

    async def create(self, email: str = "ada.lovelace@acme.com") -> LeadCreated:
        command = CreateLead.model_validate({"email": email})
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await leads_service.create_lead(tx, self.actor, command=command, trace={})

    async def again(self, lead_id: UUID) -> UUID:
        """Ask for a fresh enrichment."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await leads_service.request_enrichment(tx, self.actor, lead_id=lead_id, trace={})

    async def attempt(self, job_id: UUID, *sources: Source) -> JobView:
        """Run the next attempt of a job, whenever it is due."""
        job = await self.job(job_id)
        ticket = QueueMessage(job.kind, self.actor.workspace_id, job_id, job.attempts + 1)
        worker_id = new_id()
        (claimed,) = await execution.claim(self.database, [ticket], worker_id, 60)
        await Executor(self.database, self.registry(*sources), worker_id).run(claimed)
        return await self.job(job_id)

    async def attempts(self, job_id: UUID, *sources: Source) -> JobView:
        """Run a job to its end."""
        job = await self.attempt(job_id, *sources)
        while job.status not in {"completed", "failed"}:
            job = await self.attempt(job_id, *sources)
        return job

    async def retry(self, job_id: UUID) -> JobView:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await jobs_service.retry_job(tx, self.actor, self.registry(), job_id=job_id)

    async def cancel(self, job_id: UUID) -> JobView:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await jobs_service.cancel_job(tx, self.actor, self.registry(), job_id=job_id)

    async def delete(self, lead_id: UUID) -> None:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await leads_service.delete_lead(tx, self.actor, lead_id=lead_id)

    async def restore(self, lead_id: UUID) -> LeadView:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await leads_service.restore_lead(tx, self.actor, lead_id=lead_id)

    async def job(self, job_id: UUID) -> JobView:
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return await jobs.get_job(tx, self.actor, job_id=job_id)

    async def jobs(self) -> Sequence[JobView]:
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return (await jobs.list_jobs(tx, self.actor, limit=50)).items

    async def lead(self, lead_id: UUID) -> LeadView:
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return await leads.get_lead(tx, self.actor, lead_id=lead_id)

    async def timeline(self, lead_id: UUID) -> Sequence[LeadEventView]:
        """Oldest first."""
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return (await leads.list_events(tx, self.actor, lead_id=lead_id, limit=100)).items[::-1]

    async def enrichment(self, lead_id: UUID) -> LeadEnrichmentView:
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return await enrichment.get_lead_enrichment(tx, self.actor, lead_id=lead_id)

    async def chosen(self, lead_id: UUID) -> dict[str, tuple[str | bool | float, str]]:
        """The chosen value of each field and the source that found it."""
        values = [item for item in (await self.enrichment(lead_id)).values if item.chosen]
        assert len({item.field for item in values}) == len(values)
        return {item.field: (item.value, item.source) for item in values}

    def registry(self, *sources: Source) -> JobRegistry:
        definitions = enrichment_jobs.definitions(sources, engines_of(self.database))
        return JobRegistry([*definitions, *refreshing(self.database), *joining()])


def raising(error: Callable[[str], Exception], reason: str) -> list[Scripts]:
    return [error(reason)]


MAX_ATTEMPTS = ENRICH_LEAD.max_attempts
