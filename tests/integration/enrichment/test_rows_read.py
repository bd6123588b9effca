"""Rows that the enrichment of leads and their companies reads, while the statistics are those of empty tables."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.conftest import Workspace, new_workspace
from tests.integration.db.conftest import without_statistics
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import Office, Register, domain, person
from tests.support.explained import Plans
from tests.support.postgres import Cluster

COMPANIES = 40
PEOPLE = 2
TABLES = {"company_domains", "company_leads", "lookups", "found_values", "chosen_values"}
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
