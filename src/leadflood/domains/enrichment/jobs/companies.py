"""The run of a company, and the job that clears runs."""

from functools import partial
from typing import Any, Final

from leadflood.domains.enrichment.engine.lead_questions import asked_fields
from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.enrichment.events import CLEAR_RUNS, ENRICH_COMPANY, EnrichCompany
from leadflood.domains.enrichment.models import SubjectKind
from leadflood.domains.enrichment.models.company_runs import instant_facts
from leadflood.domains.enrichment.models.runs import RunRequest
from leadflood.domains.enrichment.queries.worth import read_worth
from leadflood.domains.enrichment.service import company_runs
from leadflood.domains.enrichment.service.workspace_sources import SourceSets
from leadflood.domains.enrichment.store import batches, read_pages, source_tests
from leadflood.domains.enrichment.store.company_runs import purge
from leadflood.domains.enrichment.store.lookups import LookupAsker, end_claims
from leadflood.domains.jobs.models import NoPayload, RunningJob
from leadflood.domains.jobs.purging import delete_old
from leadflood.domains.jobs.registry import Complete, JobContext, JobDefinition, Later
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.fair_slots import FairSlots

_CONCURRENT: Final = 64
"""Companies that a worker reads at a time. More would wait for each other with their time running."""
_PER_KEY: Final = 48
"""Of one workspace and priority: a batch leaves room for others, and for leads that a user just added."""
_QUEUE: Final = 10_000
"""Runs that wait for their turn: more than a worker has jobs."""
_TIMEOUT: Final = 900.0
"""Seconds of an attempt, most of which it may wait for its turn."""


def definitions(sources: SourceSets, engines: SubjectEngines) -> list[JobDefinition[EnrichCompany]]:
    """The run of a company with the sources of its workspace."""
    reading = _CompanyReading(sources, engines)
    return [JobDefinition(ENRICH_COMPANY, reading.read, on_failed=_run_failed, timeout=_TIMEOUT)]


def clearing(database: Database, *, retention_days: int) -> list[JobDefinition[Any]]:
    """The job that clears runs. `database`: for transactions across workspaces."""

    async def clear(_context: JobContext[NoPayload]) -> None:
        async with database.system() as tx:
            await company_runs.end_abandoned(tx)
        await delete_old(database, partial(purge, days=retention_days))
        await delete_old(database, partial(batches.purge, days=retention_days))
        await delete_old(database, read_pages.purge)
        await delete_old(database, partial(source_tests.purge, days=retention_days))

    return [JobDefinition(CLEAR_RUNS, clear)]


class _CompanyReading:
    """The handler of the run of a company."""

    def __init__(self, sources: SourceSets, engines: SubjectEngines) -> None:
        self._sources = sources
        self._engines = engines
        self._slots = FairSlots(_CONCURRENT, per_key=_PER_KEY, queue=_QUEUE)

    async def read(self, context: JobContext[EnrichCompany]) -> Complete[company_runs.RunEnd] | Later | None:
        """Ask the sources, whose answers are stored as they come, then choose among them."""
        async with self._slots.slot((context.job.workspace_id, context.job.priority)):
            async with context.transaction() as tx:
                every = await self._sources.of(tx, context.actor.workspace_id)
                plan, free_plan = every.plan or "", every.free.plan or ""
                task = await company_runs.begin(
                    tx, context.actor, payload=context.payload, sources=plan, free_sources=free_plan
                )
                if task is None:
                    return None
                sources = every.free if task.free_only else every
                if task.not_before is not None and task.not_before > utc_now():
                    return Later(task.not_before, "Some sources want to be asked later.")
                asker = LookupAsker(context.job.workspace_id, SubjectKind.COMPANY, task.company_id, context.job.id)
                await end_claims(tx, asker)
                stored = await company_runs.stored_candidates(
                    tx, context.actor, company_id=task.company_id, rules=every.rules
                )
                worth = await read_worth(
                    tx, context.actor, subject=asker.kind, subject_id=task.company_id, sources=sources
                )
            request = RunRequest(
                SubjectKind.COMPANY,
                task.given,
                asked_fields(sources.companies),
                sources.rules.policy,
                newer_than=task.newer_than,
                stored=stored,
                worth=worth,
            )
            keeps_pages = any(source.spec.reads_pages for source in every.companies)
            run = await self._engines.run(asker, sources.companies, request, sources.gates, keeps_pages=keeps_pages)
        instant = instant_facts(run.result, sources.companies)
        end = company_runs.RunEnd(task, run.result, run.lookup_ids, instant, every.rules)
        return Complete(company_runs.finish, end)


async def _run_failed(tx: Transaction, job: RunningJob, _payload: EnrichCompany | None, error: str) -> None:
    await company_runs.fail(tx, Actor.system(job.workspace_id), job_id=job.id, error=error)
