"""The leads before and after a lead, in any order and under any filter, as the list has them; and counts of views."""

import pytest

from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.leads.queries.neighbors import Neighbors, neighbors
from leadflood.domains.leads.queries.search import MAX_COUNT_OF_SEARCH, count_each, count_leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.filters import Condition, Group, Operator
from leadflood.kernel.ids import new_id
from tests.conftest import new_workspace
from tests.integration.leads.corpus import Corpus, expected, plant
from tests.integration.leads.desk import Desk
from tests.support.identity import Identity

FILTERS = {
    "all": LeadFilter(),
    "some": LeadFilter(statuses=(LeadStatus.NEW, LeadStatus.FAILED), has_phone=False),
    "found": LeadFilter(q="acme"),
    "none": LeadFilter(q="nothing is called like this"),
}


@pytest.fixture(scope="module")
async def corpus(database: Database, settings: Settings, secret_box: SecretBox) -> Corpus:
    """150 leads that several tests read."""
    desk = Desk(database, Actor.cli(await new_workspace(database)))
    return await plant(desk, Identity(database, settings, secret_box))


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("sort", LeadSort)
async def test_a_lead_stands_between_the_leads_of_its_list(corpus: Corpus, name: str, sort: LeadSort) -> None:
    filters, desk = FILTERS[name], corpus.desk
    order = expected(corpus.leads, filters, sort)
    around = [Neighbors(before, after) for before, after in zip([None, *order], [*order[1:], None], strict=False)]
    chosen = sorted({*range(0, len(order), 5), *range(max(len(order) - 2, 0), len(order))})

    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        found = [await neighbors(tx, desk.actor, lead_id=order[index], filters=filters, sort=sort) for index in chosen]

    assert found == [around[index] for index in chosen]


async def test_a_lead_that_the_filter_leaves_out_has_a_place_all_the_same(corpus: Corpus) -> None:
    filters, desk = FILTERS["some"], corpus.desk
    whole, part = (expected(corpus.leads, each, LeadSort.NAME) for each in (LeadFilter(), filters))
    outside = next(each for each in whole[20:] if each not in part)
    at = whole.index(outside)

    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        found = await neighbors(tx, desk.actor, lead_id=outside, filters=filters, sort=LeadSort.NAME)

    assert found.previous == next((each for each in reversed(whole[:at]) if each in part), None)
    assert found.next == next((each for each in whole[at:] if each in part), None)


async def test_a_lead_that_is_not_there_has_no_neighbors(corpus: Corpus, database: Database) -> None:
    desk, stranger = corpus.desk, Actor.cli(await new_workspace(database))

    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        assert await neighbors(tx, desk.actor, lead_id=new_id(), filters=LeadFilter()) == Neighbors()
    async with desk.database.transaction(stranger.workspace_id, read_only=True) as tx:
        assert await neighbors(tx, stranger, lead_id=corpus.leads[0].id, filters=LeadFilter()) == Neighbors()


async def test_several_filters_are_counted_as_each_alone(corpus: Corpus) -> None:
    desk = corpus.desk
    tree = Group("any", (Condition("company", Operator.CONTAINS, "acme"), Condition("owner", Operator.IS_EMPTY)))
    filters = [*FILTERS.values(), LeadFilter(owner_id=corpus.owners[0]), LeadFilter(tree=tree), LeadFilter(q="a")]

    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        each = [await count_leads(tx, desk.actor, filters=one) for one in filters]
        together = await count_each(tx, desk.actor, filters=filters)
        nothing = await count_each(tx, desk.actor, filters=[])

    assert together == each
    assert nothing == []
    assert len({count.value for count in each}) > 3
    assert max(count.value for count in each) < MAX_COUNT_OF_SEARCH
