"""Sources about a person that want to be asked later: a later job asks them, and nobody else again."""

from dataclasses import replace
from datetime import timedelta

from leadflood.domains.enrichment.contracts import LeadRunView
from leadflood.domains.enrichment.events import SOURCES_ANSWERED_KIND
from leadflood.domains.enrichment.models import Busy, Charge, Found, Missed, SourceSpec, Speed, SubjectKind, Ticket
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.models.fact_fields import FactField
from leadflood.domains.enrichment.models.follow_ups import MAX_FOLLOW_UPS
from leadflood.domains.enrichment.models.runs import RunState, StepState
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.spending.models import Period
from leadflood.kernel.clock import utc_now
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.integration.spending.till import PRICE, SOURCE, Till
from tests.support.asked_sources import ScriptedSource, spec_of
from tests.support.jobs import Jobs

PHONE = Found([value(fields.PHONE, "+4930123456", 0.9)], units=2)


def later() -> Busy:
    return Busy("It was asked as often as it allows.", utc_now() + timedelta(minutes=5))


def about_persons(spec: SourceSpec, *reads: FactField) -> SourceSpec:
    """The declaration as one about persons, which reads their email and, if they are known, other fields."""
    needs = (frozenset({fields.EMAIL}), *(frozenset({each}) for each in reads))
    return replace(spec, subject=SubjectKind.LEAD, needs=needs, one_service=False)


def named() -> Scripted:
    return Scripted(f"names_{new_id().hex}", [[value(fields.FIRST_NAME, "Ada", 0.9)]])


def busy(*answers: Busy | Found | Missed) -> ScriptedSource:
    return ScriptedSource(about_persons(spec_of(f"busy_{new_id().hex}", fields.PHONE)), answers)


def waterfall(*answers: Ticket | Found) -> ScriptedSource:
    """A provider that charges for a request and has its result later."""
    spec = spec_of(SOURCE, fields.PHONE, speed=Speed.TICKET, charges=Charge.ON_HIT, most_units=3)
    return ScriptedSource(about_persons(spec, fields.FIRST_NAME), answers)


async def latest(bench: Bench, lead_id: object) -> LeadRunView:
    found = (await bench.enrichment(lead_id)).latest_run  # type: ignore[arg-type]
    assert found is not None
    return found


async def follow_up(bench: Bench, jobs: Jobs, lead_id: object, *sources: Scripted | ScriptedSource) -> str:
    """Let the time come and run the job that asks again. Returns its status."""
    await jobs.change(
        "UPDATE lead_runs SET not_before = now() WHERE lead_id = :id AND next_job_id IS NOT NULL", id=lead_id
    )
    job = next(job for job in await bench.jobs() if job.kind == "enrichment.lead.v1" and job.status == "queued")
    return (await bench.attempt(job.id, *sources)).status


async def test_a_source_that_wants_patience_is_asked_by_a_later_job(bench: Bench, jobs: Jobs) -> None:
    names, phones = named(), busy(later(), PHONE)
    made = await bench.create()

    assert (await bench.attempt(made.job_id, names, phones)).status == JobStatus.COMPLETED
    first = await latest(bench, made.lead_id)
    assert (first.state, [step.state for step in first.steps]) == (
        RunState.PARTIAL,
        [StepState.FOUND, StepState.WAITING],
    )
    assert first.not_before is not None
    (queued,) = [job for job in await bench.jobs() if job.kind == "enrichment.lead.v1"]
    waiting = await bench.attempt(queued.id, names, phones)
    assert (waiting.status, waiting.waiting_until) == (JobStatus.QUEUED, first.not_before)

    assert await follow_up(bench, jobs, made.lead_id, names, phones) == JobStatus.COMPLETED

    assert (await bench.chosen(made.lead_id))["phone"][0] == "+4930123456"
    assert (await bench.lead(made.lead_id)).status == LeadStatus.ENRICHED
    assert (len(names.asked), len(phones.questions)) == (1, 2)
    second = await latest(bench, made.lead_id)
    assert (second.state, [step.source for step in second.steps]) == (
        RunState.COMPLETED,
        [names.name, phones.spec.name],
    )
    assert second.not_before is None
    assert (await bench.timeline(made.lead_id))[-1].kind == SOURCES_ANSWERED_KIND


async def test_a_ticket_that_was_paid_for_is_polled_although_more_is_known_now(bench: Bench, jobs: Jobs) -> None:
    till = Till(bench.database, bench.actor)
    await till.price()
    budget_id = await till.budget(100)
    names, provider = named(), waterfall(Ticket("r1", utc_now()), Ticket("r1", utc_now()), PHONE)
    made = await bench.create()

    await bench.attempt(made.job_id, provider, names)
    assert await till.sums(budget_id) == (3 * PRICE, 0, 0)
    assert await follow_up(bench, jobs, made.lead_id, provider, names) == JobStatus.COMPLETED
    assert (await latest(bench, made.lead_id)).not_before is not None
    assert await follow_up(bench, jobs, made.lead_id, provider, names) == JobStatus.COMPLETED

    assert (len(provider.questions), len(provider.polled)) == (1, 2)
    assert await till.sums(budget_id) == (0, 0, 2 * PRICE)
    assert (await bench.chosen(made.lead_id))["phone"][0] == "+4930123456"
    (paid,) = [step for step in (await latest(bench, made.lead_id)).steps if step.source == SOURCE]
    assert (paid.cost_micros, paid.currency) == (2 * PRICE, "EUR")
    (receipt,) = [item for item in (await bench.enrichment(made.lead_id)).values if item.field == "phone"]
    assert (receipt.cost_micros, receipt.currency) == (2 * PRICE, "EUR")
    assert await till.violations() == []


async def test_a_call_that_the_budget_of_a_day_does_not_allow_is_made_when_it_opens_again(
    bench: Bench, jobs: Jobs
) -> None:
    till = Till(bench.database, bench.actor)
    await till.price()
    budget_id = await till.budget(3 * PRICE, period=Period.DAY)
    assert await till.settle(await till.bought(1), 1)
    names, provider = named(), waterfall(PHONE)
    made = await bench.create()

    await bench.attempt(made.job_id, names, provider)
    declined = await latest(bench, made.lead_id)
    assert (declined.steps[-1].source, declined.steps[-1].state) == (SOURCE, StepState.SKIPPED)
    assert declined.steps[-1].until is not None
    assert declined.not_before is not None
    await till.change(budget_id, limit=100)
    await follow_up(bench, jobs, made.lead_id, names, provider)

    assert (await bench.chosen(made.lead_id))["phone"][0] == "+4930123456"
    assert await till.sums(budget_id) == (0, 0, 3 * PRICE)


async def test_a_call_without_a_budget_is_shown_with_its_reason_and_not_tried_again(bench: Bench) -> None:
    await Till(bench.database, bench.actor).price()
    names, provider = named(), waterfall(PHONE)
    made = await bench.create()

    await bench.attempt(made.job_id, names, provider)

    run = await latest(bench, made.lead_id)
    assert (run.steps[-1].message, run.steps[-1].until, run.not_before) == ("No budget is set.", None, None)


async def test_another_enrichment_takes_the_place_of_the_later_job(bench: Bench, jobs: Jobs) -> None:
    names, phones = named(), busy(later(), PHONE, PHONE)
    made = await bench.create()
    await bench.attempt(made.job_id, names, phones)

    await bench.attempt(await bench.again(made.lead_id), names, phones)

    assert await follow_up(bench, jobs, made.lead_id, names, phones) == JobStatus.COMPLETED
    assert len(phones.questions) == 2, "the former job asks nobody"


async def test_a_source_that_is_never_ready_is_not_asked_for_ever(bench: Bench, jobs: Jobs) -> None:
    names, phones = named(), busy(*(later() for _ in range(MAX_FOLLOW_UPS + 1)))
    made = await bench.create()
    await bench.attempt(made.job_id, names, phones)

    for _ in range(MAX_FOLLOW_UPS):
        await follow_up(bench, jobs, made.lead_id, names, phones)

    run = await latest(bench, made.lead_id)
    assert (run.not_before, run.steps[-1].state) == (None, StepState.WAITING)
    assert len(phones.questions) == MAX_FOLLOW_UPS + 1
    assert (await bench.lead(made.lead_id)).status == LeadStatus.ENRICHED


async def test_nobody_asks_about_a_deleted_lead(bench: Bench, jobs: Jobs) -> None:
    names, phones = named(), busy(later(), PHONE)
    made = await bench.create()
    await bench.attempt(made.job_id, names, phones)
    await bench.delete(made.lead_id)

    assert await follow_up(bench, jobs, made.lead_id, names, phones) == JobStatus.COMPLETED

    assert len(phones.questions) == 1


async def test_a_later_job_leaves_the_calls_of_another_job_alone(bench: Bench, jobs: Jobs) -> None:
    names, phones = named(), busy(later(), PHONE)
    other = ScriptedSource(about_persons(spec_of(f"other_{new_id().hex}", fields.JOB_TITLE)), [Missed("Nothing.")])
    made = await bench.create()
    await bench.attempt(made.job_id, names, phones)
    await jobs.change(
        """INSERT INTO lookups (workspace_id, id, lead_id, source, source_version, state, job_id, claim, claimed_until,
                                question_hash, asked_at)
           SELECT workspace_id, gen_random_uuid(), id, :source, '1', 'asked', gen_random_uuid(), gen_random_uuid(),
                  now() + interval '1 minute', '\\x01', now() FROM leads WHERE id = :lead_id""",
        lead_id=made.lead_id,
        source=other.spec.name,
    )

    await follow_up(bench, jobs, made.lead_id, names, phones)

    asked = "SELECT claimed_until > now() AS open FROM lookups WHERE source = :source"
    assert [row.open for row in await jobs.rows(asked, source=other.spec.name)] == [True]
