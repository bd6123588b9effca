"""Conditions in words: names, labels, and times as the reader writes them; nothing of how they are stored."""

import json
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from leadflood.domains.fields.models import CustomField
from leadflood.kernel.field_types import FieldType, Option
from leadflood.kernel.ids import new_id
from leadflood.web import formats
from leadflood.web.pages.lead_list_params import LeadListParams
from leadflood.web.pages.leads_filter import FilterWords, chips, read_tree, whole_in_words

BERLIN, YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def custom(key: str, label: str, kind: FieldType, *options: Option) -> CustomField:
    return CustomField(new_id(), key, label, kind, options=options)


CUSTOM = [
    custom("umsatz", "Umsatz (Mio. EUR)", FieldType.NUMBER),
    custom("since", "Kunde seit", FieldType.DATE),
    custom("tier", "Stufe", FieldType.CHOICE, Option("a_1", "Gold")),
    custom("agent", "Betreuer", FieldType.PERSON),
    custom("vip", "VIP", FieldType.BOOLEAN),
]


def words(zone: tzinfo = UTC) -> FilterWords:
    return FilterWords({"u1": "Ada"}, CUSTOM, zone)


def said(condition: dict[str, Any], zone: tzinfo = UTC) -> str:
    """The chip of a condition."""
    formats.use(formats.DEFAULT)
    ((label, text, _),) = chips(read_tree(json.dumps({"all": [condition]})), words(zone))
    return f"{label} {text}"


@pytest.mark.parametrize(
    ("field", "operator", "value", "text"),
    [
        ("country", "isNot", "CH", "Country is not Switzerland"),
        ("country", "isAnyOf", ["DE", "AT"], "Country is any of Germany, Austria"),
        ("source", "isNot", "sample-data", "Source is not Sample data"),
        ("source", "isNot", "linkedin", "Source is not LinkedIn"),
        ("status", "isNot", "new", "Enrichment is not New"),
        ("customFields.umsatz", "contains", "1.2", "Umsatz (Mio. EUR) contains 1.2"),
        ("customFields.umsatz", "greaterThan", 1200, "Umsatz (Mio. EUR) is greater than 1,200"),
        ("customFields.umsatz", "isEmpty", None, "Umsatz (Mio. EUR) is empty"),
        ("customFields.since", "before", "2027-01-31", "Kunde seit is before Jan 31, 2027"),
        ("customFields.tier", "is", "a_1", "Stufe is Gold"),
        ("customFields.vip", "is", True, "VIP is Yes"),
        ("customFields.unknown", "is", "x", "unknown is x"),
        ("createdAt", "before", "2027-01-01T00:00:00Z", "Created is before Jan 1, 2027"),
    ],
)
def test_a_condition_has_the_labels_of_its_field_and_value(field: str, operator: str, value: Any, text: str) -> None:  # noqa: ANN401
    given = {} if value is None else {"value": value}

    assert said({"field": field, "operator": operator, **given}) == text


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        (UTC, "Created is before Dec 31, 2026, 11:00\u202fPM"),
        (BERLIN, "Created is before Jan 1, 2027"),
        (YORK, "Created is before Dec 31, 2026, 6:00\u202fPM"),
    ],
)
def test_a_time_is_that_of_the_reader(zone: tzinfo, text: str) -> None:
    assert said({"field": "createdAt", "operator": "before", "value": "2026-12-31T23:00:00Z"}, zone) == text


def test_a_time_is_written_as_in_the_region_of_the_reader() -> None:
    condition = {"field": "createdAt", "operator": "between", "value": ["2026-12-31T23:00:00Z", "2027-02-01T12:30:00Z"]}
    tree = read_tree(json.dumps({"all": [condition]}))
    formats.use(formats.region_of("de-DE", ""))
    try:
        ((_, text, _),) = chips(tree, words(BERLIN))
    finally:
        formats.use(formats.DEFAULT)

    assert text == "is between 1 Jan 2027 and 1 Feb 2027, 13:30"


def test_groups_and_stored_filters_have_the_same_words() -> None:
    tree: dict[str, Any] = {"any": [{"field": "country", "operator": "isNot", "value": "CH"},
                    {"all": [{"field": "customFields.umsatz", "operator": "lessThan", "value": 5},
                             {"field": "source", "operator": "is", "value": "trade-show"}]}]}  # fmt: skip
    text = "Country is not Switzerland or (Umsatz (Mio. EUR) is less than 5 and Source is Trade show)"

    ((label, shown, _),) = chips(read_tree(json.dumps(tree)), words())
    assert (label, shown) == ("Group", f"({text})")
    assert whole_in_words(tree, words()) == f"Group ({text})"


def test_a_list_since_a_time_shows_the_day_of_the_reader() -> None:
    state = LeadListParams.read([("since", "2026-12-31T23:00:00Z")])

    assert [(label, text) for label, text, _ in state.tree_chips(words(BERLIN))] == [("Created after", "Jan 1, 2027")]
