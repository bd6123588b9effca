"""The address of the list says what a view says: nothing of a filter, its order or its columns is lost on the way."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from leadflood.domains.leads.contracts.filters import LeadQuery, LeadSort
from leadflood.domains.leads.contracts.views import MAX_COLUMNS, MAX_WIDTH, MIN_WIDTH, CreateView, SavedView
from leadflood.domains.leads.filters import LEAD_FILTERS
from leadflood.domains.leads.labels import COLUMNS
from leadflood.kernel.filters import ME, WITHOUT_VALUE, FilterField, Kind, Operator
from leadflood.web.pages.lead_list_params import LeadListParams
from leadflood.web.pages.leads_filter import FilterWords

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OWNER = UUID("0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5")
FIELDS = [*LEAD_FILTERS, LEAD_FILTERS.get("customFields.plan")]
COUNTRIES = ["DE", "GB", "US", "FR", "IT", "ES", "PL", "NL", "BE", "AT", "CH", "SE", "NO", "DK", "FI", "PT", "IE",
             "CZ", "HU", "RO", "BG", "GR", "HR", "SI", "SK"]  # fmt: skip

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp")), min_size=1).filter(
    lambda text: bool(text.strip())
)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(datetime.isoformat)  # noqa: DTZ001


def one_value(field: FilterField) -> st.SearchStrategy[str] | st.SearchStrategy[int]:
    if field.kind is Kind.NUMBER:
        return st.integers(-999, 999)
    if field.name == "country":
        return st.sampled_from(COUNTRIES)
    if field.name == "source":
        return st.from_regex("[a-z][a-z0-9]{0,8}", fullmatch=True)
    if field.choices is not None:
        return st.sampled_from(list(field.choices))
    if field.kind in {Kind.PERSON, Kind.REFERENCE}:
        return st.sampled_from([str(OWNER), *([ME] if field.kind is Kind.PERSON else [])])
    return moments if field.kind is Kind.TIME else words.map(lambda text: " ".join(text.split())[:60])


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from(FIELDS))
    operator = draw(st.sampled_from(field.operators))
    given: dict[str, Any] = {"field": field.name, "operator": operator.value}
    if operator in WITHOUT_VALUE:
        return given
    value: st.SearchStrategy[Any] = one_value(field)
    if operator is Operator.IN_LAST_DAYS:
        value = st.sampled_from([1, 7, 14, 30, 3650])
    elif operator is Operator.BETWEEN:
        value = st.lists(moments if field.kind is Kind.TIME else st.integers(0, 9), min_size=2, max_size=2)
    elif operator in {Operator.GREATER_THAN, Operator.LESS_THAN}:
        value = st.integers(-5, 5)
    elif operator in {Operator.BEFORE, Operator.ON_OR_AFTER} and field.kind is Kind.CUSTOM:
        value = st.just("2026-03-01")
    elif operator.value.endswith("Of"):
        value = st.lists(value, min_size=1, max_size=25, unique=True)
    return given | {"value": draw(value)}


trees = st.recursive(
    conditions(),
    lambda parts: st.dictionaries(st.sampled_from(["all", "any"]), st.lists(parts, max_size=3), min_size=1, max_size=1),
    max_leaves=6,
).map(lambda node: node if "field" not in node else {"all": [node]})
columns = st.lists(
    st.sampled_from([*COLUMNS, "customFields.plan", "customFields.a_b"]), min_size=1, max_size=MAX_COLUMNS, unique=True
)


def view_of(filter_: dict[str, Any], sort: LeadSort, names: list[str], widths: dict[str, int]) -> SavedView:
    body = {"name": "Any", "filter": filter_, "sort": sort.value, "columns": names, "columnWidths": widths}
    command = CreateView.model_validate(body)
    stored = {"id": OWNER, "user_id": OWNER, "mine": True, "position": 0, "version": 1}
    return SavedView(**stored, **dict(command), created_at=NOW, updated_at=NOW)


@given(
    tree=trees,
    sort=st.sampled_from(LeadSort),
    names=columns,
    widths=st.dictionaries(st.sampled_from([*COLUMNS]), st.integers(MIN_WIDTH, MAX_WIDTH), max_size=5),
)
def test_a_view_survives_its_way_through_the_address(
    tree: dict[str, Any], sort: LeadSort, names: list[str], widths: dict[str, int]
) -> None:
    view = view_of(tree, sort, names, widths)

    state = LeadListParams.of_view(view)
    read = LeadListParams.read(parse_qsl(state.url().partition("?")[2], keep_blank_values=True))

    assert read == state  # so that a view that was just opened has nothing to save
    assert (read.sort, list(read.columns), dict(read.widths)) == (sort, names, widths)
    assert meaning(read.query) == meaning(LeadQuery.model_validate(tree).model_dump(mode="json"))


@given(tree=trees)
def test_every_condition_of_a_view_has_a_chip(tree: dict[str, Any]) -> None:
    state = LeadListParams.of_view(view_of(tree, LeadSort.NEWEST, ["name"], {}))

    chips = [*state.chips, *state.tree_chips(FilterWords())]
    own = bool(state.q) + bool(state.owner)
    assert bool(chips) or bool(own) == state.narrowed
    assert all(label and said for label, said, _ in chips)


def meaning(tree: dict[str, Any]) -> object:
    """A tree as sets: order, and groups of one, say nothing."""
    if "field" in tree:
        value = tree.get("value")
        several = isinstance(value, list) and tree["operator"] != "between"
        one = value[0] if several and isinstance(value, list) and len(value) == 1 else None
        if several and one is not None and tree["operator"] == "isAnyOf":
            return (tree["field"], "is", json.dumps(one))
        return (tree["field"], tree["operator"], json.dumps(sorted(value) if several and value else value))
    match, parts = next(iter(tree.items()), ("all", []))
    found: set[object] = set()
    for part in parts:
        inner = meaning(part)
        found |= set(inner[1]) if isinstance(inner, tuple) and inner[0] == match and "field" not in part else {inner}
    if len(found) == 1:
        return next(iter(found))
    return ("all" if not found else match, frozenset(found))
