"""Paid sources that are not asked because no answer could change the tier of a lead."""

from dataclasses import replace
from typing import Any

import pytest

from leadflood.domains.enrichment.contracts import SourceStepView
from leadflood.domains.enrichment.contracts.settings import ChangeEnrichmentSettings
from leadflood.domains.enrichment.models import Charge, FactField, Found, Source, Speed, SubjectKind, Ticket
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.enrichment.service.settings import change_settings
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.integration.icps.desk import body_of, criterion, publish_profile
from tests.integration.spending.till import PRICE, SOURCE, Till
from tests.support.asked_sources import NOTHING, ScriptedSource, spec_of

FREE = criterion("business", {"field": "lead.is_free_mail", "is": False}, 25)
HEAD = criterion("head", {"field": "lead.seniority", "in": ["head"]}, 15)
BIG = criterion("big", {"field": "company.employees", "atLeast": 50}, 15)
BIGGER = Found([value(company.EMPLOYEES, 60, 0.9)], units=2)
SPENT = sql("SELECT source, amount_micros, units, reason FROM avoided_calls WHERE workspace_id = :workspace_id")


@pytest.fixture
async def till(bench: Bench) -> Till:
    till = Till(bench.database, bench.actor)
    await till.price()
    await till.budget(100 * PRICE)
    return till


def paid(gives: FactField, found: Any, name: str = SOURCE) -> ScriptedSource:  # noqa: ANN401  any value
    spec = spec_of(name, gives, speed=Speed.PAID, charges=Charge.ON_CALL, most_units=3)
    about = replace(spec, subject=SubjectKind.LEAD, needs=(frozenset({fields.EMAIL}),), one_service=False)
    return ScriptedSource(about, [Found([value(gives, found, 0.9)], units=2)])


def free(*, is_free: bool) -> Scripted:
    return Scripted(f"free_{new_id().hex}", [[value(fields.IS_FREE_MAIL, is_free, 0.9)]])


async def only_for_tier(bench: Bench) -> None:
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        command = ChangeEnrichmentSettings.model_validate({"paidSourcesOnlyForTier": True})
        await change_settings(tx, bench.actor, command=command)


async def paid_step(bench: Bench, lead_id: object) -> SourceStepView:
    run = (await bench.enrichment(lead_id)).latest_run  # type: ignore[arg-type]
    assert run is not None
    return next(step for step in run.steps if step.source == SOURCE)


async def avoided(bench: Bench) -> list[tuple[str, int, int]]:
    async with bench.database.transaction(bench.actor.workspace_id, read_only=True) as tx:
        rows = await tx.all(SPENT, {"workspace_id": bench.actor.workspace_id})
    return [(row.source, row.amount_micros, row.units) for row in rows]


async def test_a_source_whose_answer_cannot_change_the_tier_is_not_asked_and_costs_nothing(
    bench: Bench, till: Till
) -> None:
    await publish_profile(bench.database, bench.actor, body_of(FREE, HEAD))
    await only_for_tier(bench)
    provider, made = paid(fields.SENIORITY, "head"), await bench.create()

    await bench.attempt(made.job_id, free(is_free=True), provider)

    step = await paid_step(bench, made.lead_id)
    assert (step.state, provider.questions) == (StepState.SKIPPED, [])
    assert step.message == "Not asked: no answer could change the tier C of Fit."
    assert (step.avoided_micros, step.avoided_currency, step.cost_micros) == (3 * PRICE, "EUR", 0)
    assert (await bench.lead(made.lead_id)).status == LeadStatus.ENRICHED
    assert await avoided(bench) == [(SOURCE, 3 * PRICE, 3)]


async def test_it_is_asked_where_an_answer_can_change_the_tier(bench: Bench, till: Till) -> None:
    await publish_profile(bench.database, bench.actor, body_of(FREE, HEAD))
    await only_for_tier(bench)
    provider, made = paid(fields.SENIORITY, "head"), await bench.create()

    await bench.attempt(made.job_id, free(is_free=False), provider)

    assert (await paid_step(bench, made.lead_id)).cost_micros == 2 * PRICE
    assert await avoided(bench) == []


async def test_what_a_found_fact_leads_to_counts_too(bench: Bench, till: Till) -> None:
    await publish_profile(bench.database, bench.actor, body_of(FREE, HEAD))
    await only_for_tier(bench)
    provider, made = paid(fields.JOB_TITLE, "Head of Sales"), await bench.create()
    spec = spec_of("titles", fields.SENIORITY, needs=(frozenset({fields.JOB_TITLE}),))
    titles = ScriptedSource(replace(spec, subject=SubjectKind.LEAD, one_service=False), [NOTHING])

    await bench.attempt(made.job_id, free(is_free=False), provider, titles)

    assert len(provider.questions) == 1, "a source reads the title, and gives the seniority"


@pytest.mark.parametrize("case", ["not chosen", "no profile", "another profile"])
async def test_without_setting_or_main_profile_it_is_asked_as_usual(bench: Bench, till: Till, case: str) -> None:
    if case != "no profile":
        await publish_profile(bench.database, bench.actor, body_of(FREE, HEAD))
    if case == "another profile":
        async with bench.database.transaction(bench.actor.workspace_id) as tx:
            clear = sql("UPDATE icps SET is_main = false WHERE workspace_id = :workspace_id")
            await tx.execute(clear, {"workspace_id": bench.actor.workspace_id})
    if case != "not chosen":
        await only_for_tier(bench)
    provider, made = paid(fields.SENIORITY, "head"), await bench.create()

    await bench.attempt(made.job_id, free(is_free=True), provider)

    assert len(provider.questions) == 1


async def test_a_ticket_that_was_paid_for_is_polled_although_its_answer_can_change_nothing(
    bench: Bench, till: Till
) -> None:
    spec = replace(paid(fields.SENIORITY, "head").spec, speed=Speed.TICKET)
    provider = ScriptedSource(spec, [Ticket("r1", utc_now())])
    made = await bench.create()
    await bench.attempt(made.job_id, free(is_free=True), provider)
    await publish_profile(bench.database, bench.actor, body_of(FREE, HEAD))
    await only_for_tier(bench)

    await bench.attempt(await bench.again(made.lead_id), free(is_free=True), provider)

    assert (len(provider.questions), len(provider.polled)) == (1, 1)


async def test_a_call_counts_once_and_only_the_first_of_sources_for_the_same_field(bench: Bench, till: Till) -> None:
    await publish_profile(bench.database, bench.actor, body_of(FREE, HEAD))
    await only_for_tier(bench)
    await till.price(source="second")
    made = await bench.create()
    asked: list[Source] = [free(is_free=True), paid(fields.SENIORITY, "head"), paid(fields.SENIORITY, "head", "second")]

    await bench.attempt(made.job_id, *asked)
    await bench.attempt(await bench.again(made.lead_id), *asked)

    assert await avoided(bench) == [(SOURCE, 3 * PRICE, 3)]


async def test_the_profile_of_another_workspace_does_not_count(bench: Bench, other_bench: Bench, till: Till) -> None:
    await publish_profile(other_bench.database, other_bench.actor, body_of(FREE, HEAD))
    await only_for_tier(other_bench)
    await only_for_tier(bench)
    provider, made = paid(fields.SENIORITY, "head"), await bench.create()

    await bench.attempt(made.job_id, free(is_free=True), provider)

    assert len(provider.questions) == 1
    assert await avoided(other_bench) == []


def about_companies(answer: Found = BIGGER) -> ScriptedSource:
    spec = spec_of(SOURCE, company.EMPLOYEES, speed=Speed.PAID, charges=Charge.ON_CALL, most_units=3)
    return ScriptedSource(replace(spec, one_service=False), [answer])


async def company_run(bench: Bench, *sources: Scripted | ScriptedSource) -> None:
    job = next(job for job in await bench.jobs() if job.kind == "enrichment.company.v1" and job.status == "queued")
    assert (await bench.attempt(job.id, *sources)).status == JobStatus.COMPLETED


async def test_a_source_about_a_company_is_asked_if_the_tier_of_any_of_its_leads_can_change(
    bench: Bench, till: Till
) -> None:
    await publish_profile(bench.database, bench.actor, body_of(FREE, HEAD, BIG))
    await only_for_tier(bench)
    provider, sure = about_companies(), free(is_free=True)
    titles = Scripted("titles", [[value(fields.SENIORITY, "staff", 0.9), value(fields.IS_FREE_MAIL, True, 0.9)]])
    first = await bench.create()
    await bench.attempt(first.job_id, titles)
    await bench.attempt(await bench.again(first.lead_id), titles, provider)

    await company_run(bench, titles, provider)
    assert (provider.questions, await avoided(bench)) == ([], [(SOURCE, 3 * PRICE, 3)])

    second = await bench.create("bob@acme.com")
    await bench.attempt(second.job_id, sure, provider)
    await company_run(bench, sure, provider)
    assert len(provider.questions) == 1, "the tier of the other lead depends on it"
