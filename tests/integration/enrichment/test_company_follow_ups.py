"""Sources that want to be asked later: the run ends without them, and a later one asks them."""

from datetime import timedelta
from uuid import UUID

import pytest

from leadflood.domains.enrichment.contracts import CompanyEnrichmentView
from leadflood.domains.enrichment.models import Busy
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.models.company_runs import CompanyRunState
from leadflood.domains.enrichment.service import company_runs
from leadflood.domains.jobs.models import JobStatus
from leadflood.kernel.clock import utc_now
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import Office, Register, domain, person
from tests.support.asked_sources import ScriptedSource, fact, finds, spec_of
from tests.support.jobs import Jobs


@pytest.fixture
def office(bench: Bench) -> Office:
    return Office(bench)


def busy_register(company: str) -> ScriptedSource:
    """A register that wants to be asked later, the first time."""
    spec = spec_of(f"busy-{company}", fields.EMPLOYEES, one_service=False)
    busy = Busy("The register was asked as often as it allows.", utc_now() + timedelta(minutes=5))
    return ScriptedSource(spec, [busy, finds(fact(42, of=fields.EMPLOYEES))])


async def read(office: Office, company: str, *sources: Register | ScriptedSource) -> CompanyEnrichmentView:
    """A lead of the company waits, the run ends, and the lead is enriched."""
    made = await office.bench.create(f"ada@{company}")
    await office.bench.attempt(made.job_id, person(), *sources)
    await office.bench.attempt(await office.run_job(company), person(), *sources)
    assert (await office.bench.attempt(made.job_id, person(), *sources)).status == JobStatus.COMPLETED
    return await office.facts(company)


async def test_a_source_that_wants_patience_is_asked_by_a_later_run_for_which_no_lead_waits(
    office: Office, jobs: Jobs
) -> None:
    company, register, bench = domain(), Register(), office.bench
    busy = busy_register(company)

    found = await read(office, company, register, busy)

    assert found.latest is not None
    assert (found.latest.state, found.latest.message) == (
        CompanyRunState.PARTIAL,
        "The register was asked as often as it allows.",
    )
    assert found.scheduled is not None
    assert found.scheduled.not_before is not None
    assert found.scheduled.not_before > utc_now() + timedelta(minutes=4)
    follow_up = await bench.attempt(found.scheduled.job_id, person(), register, busy)
    assert (follow_up.status, follow_up.waiting_until) == (JobStatus.QUEUED, found.scheduled.not_before)
    await jobs.change(
        "UPDATE company_runs SET fresh_until = now() WHERE domain = :domain AND ended_at IS NOT NULL", domain=company
    )
    second = await bench.create(f"grace@{company}")
    assert (await bench.attempt(second.job_id, person(), register, busy)).status == JobStatus.COMPLETED

    await jobs.change("UPDATE company_runs SET not_before = now() WHERE domain = :domain", domain=company)
    assert (await bench.attempt(found.scheduled.job_id, person(), register, busy)).status == JobStatus.COMPLETED

    assert (await office.chosen(company))["employees"] == 42
    assert register.asked == [company], "its answer is used again"
    ended = await office.facts(company)
    assert (ended.scheduled, ended.latest and ended.latest.state) == (None, CompanyRunState.COMPLETED)
    await office.sound()


async def test_enrich_again_does_not_wait_for_the_later_run(office: Office) -> None:
    company, register, bench = domain(), Register(), office.bench
    busy = busy_register(company)
    before = await read(office, company, register, busy)
    assert before.scheduled is not None
    company_id: UUID = await office.company_id(company)

    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        job_id = await company_runs.enrich_company(tx, bench.actor, company_id=company_id, trace={})
    assert job_id != before.scheduled.job_id
    await bench.attempt(job_id, person(), register, busy)

    after = await office.facts(company)
    assert [run.state for run in after.runs] == ["completed", "canceled", "partial"]
    assert (await bench.attempt(before.scheduled.job_id, person(), register, busy)).status == JobStatus.COMPLETED
    assert len(busy.questions) == 2
    await office.sound()
