"""The job that tests a source."""

from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.enrichment.events import TEST_SOURCE, SourceTestPayload
from leadflood.domains.enrichment.models.runs import RunRequest
from leadflood.domains.enrichment.models.source_tests import SourceTestResult
from leadflood.domains.enrichment.service import source_tests as service
from leadflood.domains.enrichment.service.workspace_sources import SourceSets
from leadflood.domains.enrichment.store.lookups import LookupAsker, end_claims
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import Complete, JobContext, JobDefinition
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


def definitions(sources: SourceSets, engines: SubjectEngines) -> list[JobDefinition[SourceTestPayload]]:
    """The job, with the sources of its workspace, enabled or not."""

    async def test(context: JobContext[SourceTestPayload]) -> Complete[tuple[str, SourceTestResult]] | None:
        """Ask the source once. A test that another one has replaced asks nothing."""
        job, payload = context.job, context.payload
        asker = LookupAsker(job.workspace_id, payload.subject, payload.subject_id, job.id, testing=True)
        async with context.transaction() as tx:
            if not await service.is_requested(tx, context.actor, source=payload.source, job_id=job.id):
                return None
            found = await sources.one(tx, job.workspace_id, payload.source)
            rules = (await sources.of(tx, job.workspace_id)).rules
            subject = await service.begin(tx, context.actor, payload=payload, rules=rules)
            await end_claims(tx, asker)
        if found is None or subject is None:
            result = service.not_asked(payload.source, deleted=subject is None)
        else:
            (source,) = found.sources
            others = [
                one for one in subject.stored if one.source != payload.source
            ]  # or its answer changes its question
            request = RunRequest(payload.subject, subject.given, source.spec.gives, rules.policy, stored=others)
            result = await engines.test(asker, source, request, found.gates)
        return Complete(service.finish, (payload.source, result))

    return [JobDefinition(TEST_SOURCE, test, on_failed=_failed)]


async def _failed(tx: Transaction, job: RunningJob, payload: SourceTestPayload | None, error: str) -> None:
    if payload is not None:
        await service.fail(tx, Actor.system(job.workspace_id), source=payload.source, job_id=job.id, error=error)
