"""Rows that an import reads per row of its file, while the statistics are those of empty tables."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from leadflood.bootstrap import build_registry
from leadflood.domains.imports.models.states import Duplicates
from leadflood.domains.imports.service import commit, relating, sandboxed_parser
from leadflood.kernel.config import Settings
from tests.conftest import Workspace, new_workspace
from tests.integration.db.conftest import without_statistics
from tests.support.desk import Desk, csv_of
from tests.support.explained import Plans
from tests.support.postgres import Cluster
from tests.support.sandbox import shared_sandbox

NAME = "rows_read"
ROWS = 2000
CHUNK = 100
DISTANCE = ROWS // 4
TABLES = ("import_rows", "lead_tags")
MAX_READS = 12
"""Reads per row of the file and index, from the first chunk of the preview to the undo of the last tag. A statement
that reads the whole import for each chunk adds 20, and one that does so for each row of a chunk thousands."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(cluster: Cluster, settings: Settings) -> AsyncIterator[tuple[Desk, Plans]]:
    """A workspace in a database without statistics, and the plans of what runs there."""
    async with without_statistics(cluster, NAME) as plans:
        actor = Workspace(await new_workspace(plans.database)).actor
        yield Desk(plans.database, build_registry(settings, plans.database, shared_sandbox()), actor), plans


def people(duplicates: Duplicates) -> bytes:
    """A file in which each fifth row has the email of one far before it, and each has a tag."""
    meant = [number - DISTANCE if number % 5 == 0 and number > DISTANCE else number for number in range(ROWS)]
    rows = [[f"{duplicates}{number}@acme.com", f"Ada {place}", "VIP"] for place, number in enumerate(meant)]
    return csv_of([["Email", "First name", "Tags"], *rows])


@pytest.mark.parametrize("duplicates", list(Duplicates))
async def test_reads_each_row_a_few_times(
    told: tuple[Desk, Plans], duplicates: Duplicates, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, plans = told
    for module in (sandboxed_parser, commit, relating):
        monkeypatch.setattr(module, "BATCH", CHUNK)
    plans.nodes.clear()

    done = await desk.run(people(duplicates), enrich=False, duplicates=duplicates)
    await desk.undo_all(done.id)

    read = {place: rows for place, rows in plans.rows_read().items() if place.startswith(TABLES)}
    assert read["import_rows import_rows_pkey"] >= ROWS
    assert any(place.startswith("lead_tags") for place in read)
    assert max(read.values()) <= MAX_READS * ROWS, read
