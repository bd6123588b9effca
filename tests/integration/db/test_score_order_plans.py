"""The list of leads in the order of their scores: 20,000 leads, as the application role under row-level security."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.kernel.actor import Actor
from leadflood.kernel.filters import Condition, Group, Operator
from tests.conftest import TEMPLATE
from tests.integration.db.conftest import listening
from tests.support import crowd
from tests.support.crowd import numbered
from tests.support.explained import READ, Plans
from tests.support.postgres import Cluster

ORDERED = "ordered"
ACTOR = Actor.cli(numbered(1, 1))
LEADS = 20_000
# A profile for each workspace. One lead of eleven is excluded, and of another one the score is missing; one of 5,000 is
# owned by nobody and has a score of 13.
_SCORES = """
INSERT INTO leadflood.icps (workspace_id, id, name, name_key, is_main, live_version_id)
SELECT id, id, 'Fit', 'fit', true, id FROM leadflood.workspaces;
INSERT INTO leadflood.icp_versions (workspace_id, id, icp_id, number, state, body, shapes)
SELECT id, id, id, 1, 'live', '{}', '{}' FROM leadflood.workspaces;
INSERT INTO leadflood.icp_scores (workspace_id, version_id, lead_id, score, lo, hi, tier, known)
SELECT workspace_id, workspace_id, id, number % 97, 0, 100, CASE WHEN number % 11 > 0 THEN 'A' END, 1
FROM (SELECT workspace_id, id, row_number() OVER (ORDER BY id) AS number FROM leadflood.leads) n
WHERE number % 11 <> 1;
"""


@pytest.fixture(scope="module", params=["with statistics", "without"])
async def crowded(cluster: Cluster, request: pytest.FixtureRequest) -> AsyncIterator[Plans]:
    """A database of its own, full, on a connection that tells its plans."""
    cluster.create_database(ORDERED, template=TEMPLATE)
    crowd.fill(cluster, cluster.url(ORDERED), leads=LEADS, history=False)
    cluster.run("ALTER TABLE leadflood.icp_scores SET (autovacuum_enabled = off)", ORDERED)
    cluster.run(_SCORES, ORDERED)
    if request.param == "with statistics":
        cluster.run("VACUUM ANALYZE leadflood.leads, leadflood.icp_scores, leadflood.icps", ORDERED)
    else:
        cluster.run("DELETE FROM pg_statistic WHERE starelid = 'leadflood.leads'::regclass", ORDERED)
    async with listening(cluster, ORDERED, *READ) as plans:
        yield plans
    cluster.drop_database(ORDERED)


@pytest.fixture
def plans(crowded: Plans) -> Plans:
    crowded.nodes.clear()
    return crowded


async def two_pages(plans: Plans, filters: LeadFilter, sort: LeadSort) -> list[LeadView]:
    """So often that PostgreSQL may choose a generic plan."""
    pages: list[LeadView] = []
    for _ in range(6):
        async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
            first = await queries.list_leads(tx, ACTOR, filters=filters, sort=sort, limit=50)
            second = await queries.list_leads(tx, ACTOR, filters=filters, sort=sort, after=first.after, limit=50)
            pages = [*first.items, *second.items]
    return pages


def where(**given: Any) -> LeadFilter:  # noqa: ANN401  conditions
    return LeadFilter(tree=Group("all", (Condition(**given),)))


@pytest.mark.parametrize("sort", [LeadSort.SCORE, LeadSort.SCORE_REVERSED])
@pytest.mark.parametrize(
    ("filters", "most"),
    [
        (LeadFilter(), 150),
        (LeadFilter(q="an"), 2_000),
        (LeadFilter(countries=("DE",)), 2_000),
        (where(field="tier", operator=Operator.IS, value="A"), 150),
    ],
)
async def test_pages_are_read_in_the_order_of_the_index(
    plans: Plans, filters: LeadFilter, most: int, sort: LeadSort
) -> None:
    leads = await two_pages(plans, filters, sort)

    assert len({lead.id for lead in leads}) == 100
    assert "icp_scores_order_idx" in {node.get("Index Name") for node in plans.nodes}
    read = plans.rows_read()
    assert read["icp_scores icp_scores_order_idx"] / 6 < most, read
    assert "icp_scores icp_scores_pkey" not in read
    if filters == LeadFilter():
        assert {place for place in read if place.startswith("leads ")} == {"leads leads_pkey"}


async def test_few_leads_that_match_are_sorted_without_the_others(plans: Plans) -> None:
    leads = await two_pages(plans, where(field="email", operator=Operator.CONTAINS, value="99@"), LeadSort.SCORE)

    assert leads
    assert "icp_scores_order_idx" not in {node.get("Index Name") for node in plans.nodes}
