"""Filters, held against the same filters worked out in Python: any tree, by any way to the leads."""

from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflood.domains.leads.contracts.filters import LeadFilter, LeadQuery, LeadSort
from leadflood.domains.leads.filters import LEAD_FILTERS
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.leads.queries.search import count_leads
from leadflood.kernel.actor import Actor, ActorKind, Permission
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.filters import Condition, FilterField, Group, Kind, Operator, written
from leadflood.kernel.schema import Count
from tests.conftest import new_workspace
from tests.integration.leads.corpus import SOURCES, VALUES, Corpus, expected, plant
from tests.integration.leads.desk import Desk
from tests.support.examples import examples
from tests.support.identity import Identity

FIELDS: Final = [field for field in LEAD_FILTERS if field.name in {"search", *VALUES}]
"""Those of leads themselves."""
ALL_LEADS: Final = Group("any", (Condition("search", Operator.MATCHES, "@"), Condition("website", Operator.IS_EMPTY)))
"""Every lead has an address: a condition that all meet, and which takes the way of a search."""


@pytest.fixture(scope="module")
async def corpus(database: Database, settings: Settings, secret_box: SecretBox) -> Corpus:
    """150 leads that several tests read."""
    desk = Desk(database, Actor.cli(await new_workspace(database)))
    return await plant(desk, Identity(database, settings, secret_box))


@st.composite
def conditions(draw: st.DrawFn, corpus: Corpus) -> Condition:
    field = draw(st.sampled_from(FIELDS))
    operator = draw(st.sampled_from(field.operators))
    if operator in {Operator.IS_EMPTY, Operator.IS_NOT_EMPTY}:
        return Condition(field.name, operator)
    if operator is Operator.IN_LAST_DAYS:
        return Condition(field.name, operator, draw(st.sampled_from([1, 4, 3650])))
    if operator is Operator.BETWEEN:
        return Condition(field.name, operator, (draw(values(corpus, field)), draw(values(corpus, field))))
    if operator is Operator.IS_ANY_OF:
        several = draw(st.lists(values(corpus, field), min_size=1, max_size=3, unique=True))
        return Condition(field.name, operator, tuple(several))
    value = draw(values(corpus, field))
    if field.kind is Kind.TEXT or field.kind is Kind.SEARCH:
        start = draw(st.integers(0, len(value) - 1))
        part = value[start : draw(st.integers(start + 1, len(value)))].strip() or value
        value = draw(st.sampled_from([value, part, part.upper(), value.lower()]))
    return Condition(field.name, operator, value)


@st.composite
def values(draw: st.DrawFn, corpus: Corpus, field: FilterField) -> str:
    """One that a lead has."""
    if field.kind is Kind.SEARCH:
        lead = corpus.leads[draw(st.integers(0, len(corpus.leads) - 1))]
        words = [
            lead.email,
            lead.company,
            lead.last_name,
            lead.first_name,
            lead.job_title,
            "zürich",
            "zuerich",
            "7946 0958",
        ]
        return " ".join(draw(st.lists(st.sampled_from([word for word in words if word]), min_size=1, max_size=2)))
    if field.kind is Kind.TIME:
        return str(
            draw(st.sampled_from([value.isoformat() for lead in corpus.leads if (value := VALUES[field.name](lead))]))
        )
    if field.name == "source":
        return draw(st.sampled_from([*SOURCES, "nowhere"]))
    if field.name == "status":
        return draw(st.sampled_from([item.value for item in LeadStatus]))
    return str(draw(st.sampled_from([value for lead in corpus.leads if (value := VALUES[field.name](lead))])))


def trees(corpus: Corpus) -> st.SearchStrategy[Group]:
    leaf: st.SearchStrategy[Condition | Group] = conditions(corpus)
    nested = st.recursive(
        leaf,
        lambda parts: st.builds(Group, st.sampled_from(["all", "any"]), st.lists(parts, max_size=3).map(tuple)),
        max_leaves=5,
    )
    return st.builds(Group, st.sampled_from(["all", "any"]), st.lists(nested, min_size=1, max_size=3).map(tuple))


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of the corpus, where an example is discarded
@examples(40)
@given(data=st.data())
async def test_list_search_and_count_mean_by_any_tree_what_python_works_out(
    corpus: Corpus, data: st.DataObject
) -> None:
    tree, sort = data.draw(trees(corpus)), data.draw(st.sampled_from(LeadSort))
    filters = LeadFilter(tree=LEAD_FILTERS.parse(written(tree)))
    leads = expected(corpus.leads, filters, sort)

    listed = await corpus.desk.walk(filters, sort, limit=data.draw(st.sampled_from([7, 200])))
    searched = await corpus.desk.walk(LeadFilter(tree=Group("all", (filters.tree, ALL_LEADS))), sort, limit=200)
    async with corpus.desk.database.transaction(corpus.desk.actor.workspace_id, read_only=True) as tx:
        counted = await count_leads(tx, corpus.desk.actor, filters=filters)

    assert [lead.id for lead in listed] == leads
    assert [lead.id for lead in searched] == leads
    assert counted == Count(value=len(leads), exact=True)


def of(field: FilterField, operator: Operator, value: Any) -> Condition:  # noqa: ANN401  of any field
    """A condition with the value of a lead."""
    if operator in {Operator.IS_EMPTY, Operator.IS_NOT_EMPTY}:
        return Condition(field.name, operator)
    if operator is Operator.IN_LAST_DAYS:
        return Condition(field.name, operator, 3)
    text = value.isoformat() if field.kind is Kind.TIME else str(value)
    if operator is Operator.BETWEEN:
        return Condition(field.name, operator, (text, "2100-01-01T00:00:00+00:00"))
    return Condition(field.name, operator, (text,) if operator is Operator.IS_ANY_OF else text)


EACH: Final = [(field, operator) for field in FIELDS for operator in field.operators]


async def test_every_operator_of_every_field_finds_what_python_works_out(corpus: Corpus) -> None:
    lead = next(lead for lead in corpus.leads if all(value(lead) is not None for value in VALUES.values()))
    for field, operator in EACH:
        value = "ada" if field.kind is Kind.SEARCH else VALUES[field.name](lead)
        tree = written(Group("all", (of(field, operator, value),)))
        filters = LeadQuery.model_validate(tree).lead_filter()

        found = [item.id for item in await corpus.desk.walk(filters, limit=200)]

        assert found == expected(corpus.leads, filters, LeadSort.NEWEST), tree


async def test_me_is_whoever_reads(corpus: Corpus) -> None:
    filters = LeadQuery.model_validate({"all": [{"field": "owner", "operator": "is", "value": "me"}]}).lead_filter()
    found: dict[UUID | None, set[UUID | None]] = {}
    users: list[UUID | None] = [*corpus.owners, None]
    for user_id in users:
        kind = ActorKind.CLI if user_id is None else ActorKind.USER
        actor = Actor(kind, corpus.desk.actor.workspace_id, frozenset(Permission), user_id=user_id)
        shown = await Desk(corpus.desk.database, actor).walk(filters, limit=200)
        found[user_id] = {lead.owner_id for lead in shown}

    assert found == {corpus.owners[0]: {corpus.owners[0]}, corpus.owners[1]: {corpus.owners[1]}, None: set()}
