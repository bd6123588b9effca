"""Rows that the enrichment of leads and their companies reads, while the statistics are those of empty tables."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest_asyncio

from leadflood.domains.companies import service as companies
from leadflood.domains.leads.service.found_values import set_found_values
from leadflood.kernel.db.sql import sql
from tests.conftest import Workspace, new_workspace
from tests.integration.db.conftest import without_statistics
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import Office, Register, domain, person
from tests.support.explained import Plans
from tests.support.postgres import Cluster

COMPANIES = 40
PEOPLE = 2
TABLES = {"companies", "company_domains", "company_leads", "lookups", "found_values", "chosen_values"}
_SET_CUSTOM = sql("""
UPDATE leads SET custom_fields = jsonb_build_object('notes', jsonb_build_array(:value::text)) WHERE id = ANY (:lead_ids)
""")
MANY = 100
CALLS = 8
"""More than PostgreSQL plans anew."""
MAX_READS = 12
"""Reads per lead and index, from its first attempt to its last. A statement that reads all rows of the workspace for
each lead adds half as many as there are leads, or companies."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(cluster: Cluster) -> AsyncIterator[tuple[Office, Plans]]:
    """A workspace in a database without statistics, and the plans of what runs there."""
    async with without_statistics(cluster, "enrichment_rows_read") as plans:
        actor = Workspace(await new_workspace(plans.database)).actor
        yield Office(Bench(plans.database, actor)), plans


async def test_enriches_each_lead_with_a_few_reads(told: tuple[Office, Plans]) -> None:
    office, plans = told
    register = Register()
    plans.nodes.clear()

    for _ in range(COMPANIES):
        company = domain()
        made = [await office.waiting(company, register, name=f"ada{number}") for number in range(PEOPLE)]
        await office.read(company, register)
        for lead in made:
            await office.bench.attempt(lead.job_id, person(), register)

    read = {place: rows for place, rows in plans.rows_read().items() if place.startswith(tuple(TABLES))}
    assert {place.split()[0] for place in read} >= TABLES
    assert max(read.values()) <= MAX_READS * COMPANIES * PEOPLE, read


async def test_many_leads_are_not_compared_with_each_other(told: tuple[Office, Plans]) -> None:
    office, plans = told
    bench = office.bench
    leads = [(await bench.create(f"ada{number}@{domain()}")).lead_id for number in range(MANY)]

    async def write(value: str, lead_ids: Sequence[UUID]) -> None:
        async with bench.database.transaction(bench.actor.workspace_id) as tx:
            await companies.relink(tx, bench.actor, lead_ids=lead_ids)
            await set_found_values(tx, bench.actor, found={lead_id: {"first_name": "Ada"} for lead_id in lead_ids})
            await tx.execute(_SET_CUSTOM, {"lead_ids": lead_ids, "value": value})

    for turn in range(CALLS):
        await write(f"{turn}", leads[:1])
    await write("first", leads)
    plans.nodes.clear()
    await write("second", leads)

    removed = [node.get("Rows Removed by Join Filter", 0) * node["Actual Loops"] for node in plans.nodes]
    assert len(removed) > CALLS
    assert max(removed) <= 2 * MANY
