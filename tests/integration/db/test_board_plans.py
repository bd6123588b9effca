"""Query plans of the board of leads: columns with many leads, with few, and with none."""

from collections.abc import AsyncIterator

import pytest

from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.queries.search import count_each
from leadflood.kernel.actor import Actor
from leadflood.kernel.filters import Condition, Group, Operator
from leadflood.kernel.schema import Count
from tests.conftest import TEMPLATE
from tests.integration.db.conftest import listening
from tests.support import crowd
from tests.support.crowd import numbered
from tests.support.explained import READ, Plans
from tests.support.postgres import Cluster

BOARD = "board"
LEADS = 20_000
READS = 6
ACTOR = Actor.cli(numbered(1, 1))
STAGES = ("new", "working", "qualified", "customer", "empty")
# Half of the leads are new, a third is being worked on, a few are qualified, and one is a customer.
_SPREAD = """
UPDATE leadflood.leads SET stage = CASE
    WHEN number = 1 THEN 'customer' WHEN number % 2 = 0 THEN 'new' WHEN number % 3 = 0 THEN 'working'
    WHEN number % 500 = 7 THEN 'qualified' END
FROM (SELECT id AS own_id, row_number() OVER (ORDER BY id) AS number FROM leadflood.leads) n WHERE own_id = id;
VACUUM ANALYZE leadflood.leads
"""


@pytest.fixture(scope="module")
async def crowded(cluster: Cluster) -> AsyncIterator[Plans]:
    """A database of its own, full, on a connection that tells its plans."""
    cluster.create_database(BOARD, template=TEMPLATE)
    crowd.fill(cluster, cluster.url(BOARD), leads=LEADS, history=False)
    cluster.run(_SPREAD, BOARD)
    async with listening(cluster, BOARD, *READ) as plans:
        yield plans
    cluster.drop_database(BOARD)


@pytest.fixture
def plans(crowded: Plans) -> Plans:
    crowded.nodes.clear()
    return crowded


def filters(**given: object) -> list[LeadFilter]:
    """One for each stage, and one for leads without a stage."""
    own = [*(Condition("stage", Operator.IS, key) for key in STAGES), Condition("stage", Operator.IS_EMPTY)]
    return [LeadFilter(**given, tree=Group("all", (each,))) for each in own]  # type: ignore[arg-type]


async def read(plans: Plans, sort: LeadSort = LeadSort.NEWEST, **given: object) -> list[list[LeadView]]:
    """The first cards of all columns: so often that PostgreSQL may choose a generic plan."""
    columns: list[list[LeadView]] = []
    for _ in range(READS):
        async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
            wanted = filters(**given)
            columns = await queries.list_leads_of_each(tx, ACTOR, filters=wanted, sort=sort, limits=[20] * len(wanted))
    return columns


async def test_the_first_cards_of_all_columns_come_from_an_index_whatever_their_number(plans: Plans) -> None:
    columns = await read(plans)

    assert [len(leads) for leads in columns] == [20, 20, 20, 1, 0, 20]
    assert plans.used() <= {"leads_board_idx", "leads_list_idx"}
    assert sum(plans.rows_read().values()) / READS < 1000


@pytest.mark.parametrize("sort", [sort for sort in LeadSort if sort.column != "stage"])
async def test_each_column_is_the_list_of_its_stage(plans: Plans, sort: LeadSort) -> None:
    columns = await read(plans, sort)

    for one, leads in zip(filters(), columns, strict=True):
        async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
            page = await queries.list_leads(tx, ACTOR, filters=one, sort=sort, limit=20)
        assert [lead.id for lead in leads] == [lead.id for lead in page.items]


@pytest.mark.parametrize("needle", ["an", "alpenline", "nowhere to be found"])
async def test_each_column_of_a_search_is_the_list_of_its_stage(plans: Plans, needle: str) -> None:
    columns = await read(plans, q=needle)

    for one, leads in zip(filters(q=needle), columns, strict=True):
        async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
            page = await queries.list_leads(tx, ACTOR, filters=one, limit=20)
        assert [lead.id for lead in leads] == [lead.id for lead in page.items]


async def test_columns_with_few_leads_are_counted_from_an_index_alone(plans: Plans) -> None:
    counts: list[Count] = []
    async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
        counts = await count_each(tx, ACTOR, filters=filters())

    assert [count.value for count in counts][3:5] == [1, 0]
    assert sum(node["Node Type"] == "Index Only Scan" for node in plans.nodes) >= 3
