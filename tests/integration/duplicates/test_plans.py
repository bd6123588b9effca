"""Scans of workspaces that the statistics of the database do not know: each look-up reads a few rows of one index."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.duplicates.service import scanning
from leadflood.domains.duplicates.store import scanning as store
from leadflood.kernel.actor import Actor
from leadflood.kernel.ids import new_id
from tests.conftest import TEMPLATE
from tests.integration.db.conftest import listening
from tests.support import crowd
from tests.support.crowd import numbered
from tests.support.explained import Plans
from tests.support.postgres import Cluster

NAME = "duplicate_plans"
OTHERS = 25_000
SCANNED = {"leads", "duplicate_keys", "duplicate_candidates"}
MAX_BLOCKS = 60
"""Of 8 kB, for one look-up of a row or a few: the depth of an index, and the rows."""
READ_TOGETHER = {
    ("leads", "leads_latest_idx"),
    ("leads", "leads_recently_deleted_idx"),
    ("duplicate_keys", "duplicate_keys_pkey"),
}
"""Index scans that read the rows of all leads of a part: the limit applies to each lead."""

# As the scans of the others have left it; the statistics know of it.
OF_OTHERS = """
ALTER TABLE leadflood.leads SET (autovacuum_enabled = off);
ALTER TABLE leadflood.duplicate_keys SET (autovacuum_enabled = off);
ALTER TABLE leadflood.duplicate_candidates SET (autovacuum_enabled = off);
INSERT INTO leadflood.duplicate_keys (workspace_id, key, lead_id)
SELECT workspace_id, hashtextextended(email || k, 0), id FROM leadflood.leads, generate_series(1, 6) k;
INSERT INTO leadflood.duplicate_candidates (workspace_id, id, lead_a, lead_b, score, reasons)
SELECT workspace_id, gen_random_uuid(), id, other, 60, '[]'
FROM (SELECT *, lead(id) OVER (PARTITION BY workspace_id ORDER BY id) AS other FROM leadflood.leads) l
WHERE other IS NOT NULL;
ANALYZE leadflood.leads, leadflood.duplicate_keys, leadflood.duplicate_candidates;
"""
# A workspace that came in since, with people like theirs.
FRESH = """
INSERT INTO leadflood.workspaces (id, name) VALUES ('{workspace}', 'Fresh');
INSERT INTO leadflood.leads (workspace_id, id, email, email_norm, first_name, last_name, company, phone, country,
                             source, custom_fields, search_text, created_at, updated_at, deleted_at)
SELECT '{workspace}', gen_random_uuid(), copy || email, copy || email_norm, first_name, last_name || copy, company,
       phone, country, source, custom_fields, search_text, created_at, updated_at, CASE WHEN n % 50 = 0 THEN now() END
FROM (SELECT l.*, chr(96 + copy) AS copy, row_number() OVER () AS n
      FROM leadflood.leads l, generate_series(1, 4) copy WHERE workspace_id = '{source}') l
WHERE n <= {number};
"""


READ_BLOCKS = (
    "auto_explain.log_analyze = on",
    "auto_explain.log_buffers = on",
    "auto_explain.log_timing = off",
)


@pytest.fixture(scope="module")
async def crowded(cluster: Cluster) -> AsyncIterator[Plans]:
    """A database with other workspaces, on a connection that tells its plans."""
    cluster.create_database(NAME, template=TEMPLATE)
    crowd.fill(cluster, cluster.url(NAME), leads=OTHERS, history=False)
    cluster.run(OF_OTHERS, NAME)
    async with listening(cluster, NAME, *READ_BLOCKS) as plans:
        yield plans
    cluster.drop_database(NAME)


def looked_up(plans: Plans) -> dict[tuple[str, str], float]:
    """The most blocks that one look-up read, by table and index."""
    most: dict[tuple[str, str], float] = {}
    for node in plans.nodes:
        table = node.get("Relation Name")
        if table in SCANNED and node["Actual Loops"] and node["Node Type"] != "ModifyTable":
            found = (str(table), str(node.get("Index Name", node["Node Type"])))
            most[found] = max(most.get(found, 0), blocks(node) / node["Actual Loops"])
    return most


def blocks(node: dict[str, Any]) -> float:
    return float(node["Shared Hit Blocks"] + node["Shared Read Blocks"])


async def scan(plans: Plans, workspace_id: UUID, *, batches: int) -> int:
    """The first parts of a first scan. Returns how many leads they had."""
    actor, scan_id = Actor.system(workspace_id), new_id()
    database, done = plans.database, 0
    async with database.transaction(workspace_id) as tx:
        await store.insert_scan(tx, workspace_id, scan_id)
        scan = await store.begin(tx, workspace_id, scan_id)
        assert scan
        weights = await scanning.prepare(tx, actor, scan=scan)
    plans.nodes.clear()
    async with database.transaction(workspace_id) as tx:
        assert await scanning.delete_stale_keys(tx, scan=scan, after=None)
    for _ in range(batches):
        async with database.transaction(workspace_id) as tx:
            done += await scanning.scan_more(tx, actor, scan_id=scan_id, weights=weights)
    return done


@pytest.mark.parametrize(
    ("leads", "batches"), [(5_000, 6), (40_000, 4), pytest.param(100_000, 4, marks=pytest.mark.long)]
)
async def test_a_workspace_without_statistics_is_scanned_by_the_right_indexes(
    crowded: Plans, cluster: Cluster, leads: int, batches: int
) -> None:
    workspace_id = new_id()
    cluster.run(FRESH.format(workspace=workspace_id, source=numbered(1, 1), number=leads), NAME)

    done = await scan(crowded, workspace_id, batches=batches)

    assert done == min(leads * 49 // 50, batches * scanning.BATCH)
    found = looked_up(crowded)
    assert {table for table, index in found if index.endswith(("_pkey", "_key", "_idx"))} == SCANNED
    allowed = {name: MAX_BLOCKS * (scanning.BATCH if name in READ_TOGETHER else 1) for name in found}
    assert {name: most for name, most in found.items() if most > allowed[name]} == {}
