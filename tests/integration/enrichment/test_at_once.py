"""Leads are enriched together if all sources are local; the result is the same as for each one alone."""

from collections import Counter
from collections.abc import Callable

from leadflood.domains.enrichment.events import ENRICH_LEAD
from leadflood.domains.enrichment.models import Answer, Fetcher, Found, Question, Source
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.sources.simulated import Simulated
from leadflood.domains.jobs import execution
from leadflood.domains.jobs.models import JobStatus, RunningJob
from leadflood.domains.jobs.registry import JobRegistry, Later
from leadflood.domains.leads.contracts import LeadCreated
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.clock import utc_now
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import QueueMessage
from leadflood.worker.executor import Executor
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.support.jobs import Jobs, Workers
from tests.support.waiting import eventually


class AtOnce(Scripted):
    """Finds a first name for each lead, without waiting for anybody."""

    def __init__(self, answer: Callable[[str], str] = lambda _: "Ada") -> None:
        super().__init__("at_once", [], is_local=True)
        self._answer = answer
        self.counts: Counter[str] = Counter()

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        email = question.text(fields.EMAIL) or ""
        self.counts[email] += 1
        return Found([value(fields.FIRST_NAME, self._answer(email))])


async def claimed(bench: Bench, *made: LeadCreated, attempt: int = 1) -> list[RunningJob]:
    """These leads' jobs, claimed together."""
    tickets = [QueueMessage(ENRICH_LEAD.name, bench.actor.workspace_id, item.job_id, attempt) for item in made]
    return await execution.claim(bench.database, tickets, new_id(), 60)


def runner(bench: Bench, *sources: Source) -> Executor:
    return Executor(bench.database, bench.registry(*sources), new_id())


async def test_a_lead_enriched_at_once_leaves_what_one_in_two_steps_leaves(bench: Bench) -> None:
    answers = [[value(fields.COMPANY_NAME, "Acme", 0.9), value(fields.FIRST_NAME, "Ada")]]
    slow, *quick = [await bench.create(f"ada{n}@acme.com") for n in range(3)]
    await bench.attempt(slow.job_id, Scripted("one", [*answers]))

    left = await runner(bench, Scripted("one", [*answers], is_local=True)).run_many(await claimed(bench, *quick))

    assert left == []
    for item in quick:
        job, lead = await bench.job(item.job_id), await bench.lead(item.lead_id)
        timeline = await bench.timeline(item.lead_id)
        assert (job.status, job.attempts) == (JobStatus.COMPLETED, 1)
        assert [entry.at for entry in timeline[1:]] == [job.started_at, job.finished_at]
        assert (lead.enriched_at, lead.updated_at) == (job.finished_at, job.finished_at)
        assert await told(bench, item) == await told(bench, slow)


async def told(bench: Bench, made: LeadCreated) -> list[object]:
    """Lead, timeline and receipts, without IDs and times."""
    lead, view = await bench.lead(made.lead_id), await bench.enrichment(made.lead_id)
    entries = [
        (entry.kind, entry.actor, {**entry.data, "jobId": entry.data["jobId"] == str(made.job_id)})
        for entry in await bench.timeline(made.lead_id)
    ]
    values = [item.model_dump(exclude={"observed_at"}) for item in view.values]
    runs = [(run.source, run.status, run.cost_micros, run.job_id == made.job_id) for run in view.runs]
    return [lead.status, lead.version, lead.error, entries, values, runs]


async def test_a_cancelled_job_among_them_keeps_nothing_and_the_others_everything(bench: Bench) -> None:
    source = AtOnce()
    made = [await bench.create(f"ada{n}@acme.com") for n in range(3)]
    jobs = await claimed(bench, *made)
    await bench.cancel(made[1].job_id)

    assert await runner(bench, source).run_many(jobs) == []

    statuses = [(await bench.lead(item.lead_id)).status for item in made]
    assert statuses == [LeadStatus.ENRICHED, LeadStatus.FAILED, LeadStatus.ENRICHED]
    assert [len((await bench.enrichment(item.lead_id)).runs) for item in made] == [1, 0, 1]
    assert (await bench.job(made[1].job_id)).status == JobStatus.FAILED


async def test_a_job_that_another_attempt_took_over_changes_nothing(bench: Bench, jobs: Jobs) -> None:
    source = AtOnce()
    made = [await bench.create(f"ada{n}@acme.com") for n in range(2)]
    first = await claimed(bench, *made)
    await jobs.expire_lease(made[0].job_id)
    await execution.rescue(bench.database, bench.registry(source))
    (second,) = await claimed(bench, made[0], attempt=2)

    assert await runner(bench, source).run_many(first) == []
    assert (await bench.lead(made[0].lead_id)).status == LeadStatus.NEW

    assert not runner(bench, source).takes_many(second)
    await runner(bench, source).run(second)
    for item in made:
        assert (await bench.job(item.job_id)).status == JobStatus.COMPLETED
        assert len((await bench.enrichment(item.lead_id)).runs) == 1


async def test_jobs_of_leads_that_are_gone_are_left_to_be_run_alone(bench: Bench) -> None:
    made = [await bench.create(f"ada{n}@acme.com") for n in range(3)]
    await bench.delete(made[1].lead_id)
    jobs = await claimed(bench, *made)

    left = await runner(bench, AtOnce()).run_many(jobs)

    assert [job.id for job in left] == [made[1].job_id]
    await runner(bench, AtOnce()).run(left[0])
    assert (await bench.job(made[1].job_id)).status == JobStatus.COMPLETED


async def test_where_a_source_breaks_its_word_that_job_is_left_and_the_others_complete(bench: Bench) -> None:
    made = [await bench.create(f"ada{n}@acme.com") for n in range(3)]
    jobs = await claimed(bench, *made)
    known = {"ada0@acme.com": "Ada", "ada1@acme.com": "Ada"}
    source = AtOnce(lambda email: known[email])

    assert [job.id for job in await runner(bench, source).run_many(jobs)] == [made[2].job_id]

    statuses = [(await bench.lead(item.lead_id)).status for item in made]
    assert statuses == [LeadStatus.ENRICHED, LeadStatus.ENRICHED, LeadStatus.NEW]
    assert (await bench.job(made[2].job_id)).status == JobStatus.RUNNING


async def test_a_value_that_no_database_takes_fails_its_own_job_and_none_beside_it(
    bench: Bench, jobs: Jobs, workers: Workers
) -> None:
    made = [await bench.create(f"lead{n}@acme.com") for n in range(40)]
    bad = made.pop(17)
    source = AtOnce(lambda email: "\x00" if email == "lead17@acme.com" else "Ada")
    await workers.start(bench.registry(source), job_lease_seconds=60)

    assert await jobs.ended(*(item.job_id for item in made)) == {"completed": len(made)}

    async def given_up() -> bool:
        await jobs.hurry()
        return (await bench.job(bad.job_id)).status == JobStatus.FAILED

    await eventually(given_up)
    for item in made:
        assert (await bench.job(item.job_id)).attempts == 1
        assert len((await bench.enrichment(item.lead_id)).runs) == 1
    assert (await bench.lead(bad.lead_id)).status == LeadStatus.FAILED
    assert (await bench.enrichment(bad.lead_id)).runs == []


async def test_two_enrichments_of_one_lead_leave_one_chosen_value(bench: Bench) -> None:
    made = await bench.create()
    again = LeadCreated.model_construct(lead_id=made.lead_id, job_id=await bench.again(made.lead_id))

    assert await runner(bench, AtOnce()).run_many(await claimed(bench, made, again)) == []

    assert await bench.chosen(made.lead_id) == {"first_name": ("Ada", "at_once")}
    assert len((await bench.enrichment(made.lead_id)).runs) == 2
    assert (await bench.lead(made.lead_id)).version == 5


def together(bench: Bench, *sources: Source) -> bool:
    registry: JobRegistry = bench.registry(*sources)
    definition = registry.find(ENRICH_LEAD.name)
    assert definition is not None
    return definition.load is not None


async def test_one_source_that_waits_is_enough_for_each_lead_to_be_shown_processing(bench: Bench) -> None:
    def simulated(latency: float, failure_rate: float) -> Simulated:
        return Simulated(latency=latency, failure_rate=failure_rate, failure_kind="retryable", random_unit=lambda: 0.5)

    assert together(bench, simulated(0, 0), AtOnce())
    assert not together(bench, simulated(2, 0))
    assert not together(bench, simulated(0, 0.1))
    assert not together(bench, AtOnce(), Scripted("waits", [[]]))


async def test_jobs_that_waited_for_their_company_run_together_and_those_that_failed_alone(bench: Bench) -> None:
    source = AtOnce()
    waited, failed = [await bench.create(f"ada{n}@acme.com") for n in range(2)]
    for job in await claimed(bench, waited, failed):
        if job.id == waited.job_id:
            async with bench.database.transaction(job.workspace_id) as tx:
                await execution.reschedule(tx, bench.actor, [(job, Later(utc_now(), "Waiting for acme.com."))])
        else:
            await execution.end_attempt(bench.database, bench.registry(source), job, "It failed.")
    (woken,) = await claimed(bench, waited, attempt=2)
    (again,) = await claimed(bench, failed, attempt=2)

    assert not runner(bench, source).takes_many(again)
    assert runner(bench, source).takes_many(woken)
    assert await runner(bench, source).run_many([woken]) == []
    assert (await bench.lead(waited.lead_id)).status == LeadStatus.ENRICHED
    assert (await bench.job(waited.job_id)).status == JobStatus.COMPLETED
