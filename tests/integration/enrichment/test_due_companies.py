"""Companies are read again by the clock: only those that are due, have leads, and are not being read."""

from dataclasses import replace
from uuid import UUID

import pytest

from leadflood.domains.enrichment.events import READ_DUE_COMPANIES
from leadflood.domains.enrichment.jobs.due_companies import due_companies
from leadflood.domains.enrichment.models import Charge, Source
from leadflood.domains.jobs.models import NoPayload, RunningJob
from leadflood.domains.jobs.registry import JobContext
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id
from leadflood.kernel.queue.ports import Priority
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import Office, Register, domain, person

OVER = sql("""
UPDATE company_runs SET fresh_until = now() - interval '10 years' WHERE workspace_id = :workspace_id
""")
LIVE = sql("""
SELECT r.company_id, j.priority FROM company_runs r
JOIN job_executions j ON j.workspace_id = r.workspace_id AND j.id = r.job_id
WHERE r.workspace_id = :workspace_id AND r.ended_at IS NULL
""")


@pytest.fixture
def office(bench: Bench) -> Office:
    return Office(bench)


async def read(office: Office, register: Register) -> tuple[str, UUID]:
    """A company that was read for a lead. Returns it and the lead."""
    company = domain()
    made = await office.waiting(company, register)
    await office.read(company, register)
    await office.completes(made, register)
    return company, made.lead_id


async def refresh(bench: Bench, *sources: Source, enabled: bool = True) -> dict[UUID, int]:
    """Take one turn of the clock. Returns the priorities of the live runs of the workspace, by company."""
    (definition,) = due_companies(bench.database, sources, enabled=enabled)
    job = RunningJob(SYSTEM_WORKSPACE_ID, new_id(), READ_DUE_COMPANIES.name, 1, 3, "{}", None, {}, utc_now())
    assert await definition.handler(JobContext(bench.database, job, NoPayload(), worker_id=new_id())) is None
    async with bench.database.transaction(bench.actor.workspace_id, read_only=True) as tx:
        rows = await tx.all(LIVE, {"workspace_id": bench.actor.workspace_id})
    return {row.company_id: row.priority for row in rows}


async def make_due(bench: Bench) -> None:
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        await tx.execute(OVER, {"workspace_id": bench.actor.workspace_id})


async def test_a_company_that_is_due_is_read_again_after_all_else(office: Office) -> None:
    register = Register()
    company, _ = await read(office, register)
    assert await refresh(office.bench, register) == {}, "its facts are fresh"

    await make_due(office.bench)
    live = await refresh(office.bench, register)
    assert live == {await office.company_id(company): Priority.BULK}
    assert await refresh(office.bench, register) == live, "it is being read already"
    await office.read(company, register)
    assert await refresh(office.bench, register) == {}
    await office.sound()


async def test_companies_without_leads_are_left_alone(office: Office) -> None:
    register = Register()
    _, lead_id = await read(office, register)
    await office.bench.delete(lead_id)
    await make_due(office.bench)

    assert await refresh(office.bench, register) == {}


async def test_nothing_is_refreshed_without_the_setting_or_sources(office: Office) -> None:
    register = Register()
    await read(office, register)
    await make_due(office.bench)

    assert await refresh(office.bench, register, enabled=False) == {}
    assert await refresh(office.bench, person()) == {}


async def test_what_the_clock_starts_asks_no_source_that_charges(office: Office) -> None:
    """A user asks for money to be spent by adding or enriching a lead. The clock never does."""
    register, company = Register(), domain()
    paid = Register(spec=replace(register.spec, name="paid", charges=Charge.ON_HIT, most_units=1))

    async def steps() -> list[str]:
        await office.bench.attempt(await office.run_job(company), person(), register, paid)
        latest = (await office.facts(company)).latest
        return [] if latest is None else sorted(step.source for step in latest.steps)

    made = await office.bench.create(f"ada@{company}")
    await office.bench.attempt(made.job_id, person(), register, paid)
    assert await steps() == sorted([register.spec.name, "paid"]), "declined or not, it is a step"
    await make_due(office.bench)
    await refresh(office.bench, register)

    assert await steps() == [register.spec.name]
