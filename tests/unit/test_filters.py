"""Filters as JSON: what is read, what is refused with its place, and what a search looks for."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from leadflood.domains.leads.contracts.filters import LeadFilter, LeadQuery, read_filter
from leadflood.domains.leads.filters import LEAD_FILTERS
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.filter_sql import Conditions, is_leakproof, rarest, searched
from leadflood.kernel.filters import EVERYTHING, FilterReader, written
from leadflood.kernel.ids import new_id
from leadflood.kernel.schema import field_errors
from leadflood.kernel.search import search_terms

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ACME = {"field": "company", "operator": "is", "value": "Acme"}


def deep(levels: int) -> dict[str, Any]:
    return {"all": [deep(levels - 1)]} if levels else ACME


@pytest.mark.parametrize(
    ("given", "pointer", "code", "words"),
    [
        ({"all": [{"field": "shoe", "operator": "is", "value": 1}]}, "/all/0/field", "unknown_field", "company"),
        ({"all": [{"field": 7, "operator": "is", "value": 1}]}, "/all/0/field", "wrong_type", "string"),
        (
            {"any": [ACME, {"field": "status", "operator": "contains", "value": "new"}]},
            "/any/1/operator", "not_allowed", "is, isNot, isAnyOf",
        ),
        ({"all": [{"field": "status", "operator": "is", "value": "won"}]}, "/all/0/value", "not_allowed", "enriched"),
        ({"all": [{"any": [{**ACME, "value": "x" * 201}]}]}, "/all/0/any/0/value", "too_long", "200"),
        ({"all": [{**ACME, "value": ["a"]}]}, "/all/0/value", "wrong_type", "string"),
        ({"all": [{**ACME, "values": ["a"]}]}, "/all/0/values", "unknown_field", "operator"),
        ({"all": [{"field": "owner", "operator": "is", "value": "you"}]}, "/all/0/value", "invalid_format", "UUID"),
        ({"all": [{"field": "owner", "operator": "isEmpty", "value": 1}]}, "/all/0/value", "not_allowed", "out"),
        (
            {"all": [{"field": "createdAt", "operator": "inLastDays", "value": 0}]},
            "/all/0/value", "out_of_range", "3650",
        ),
        (
            {"all": [{"field": "createdAt", "operator": "between", "value": ["2026-01-01T00:00:00Z"]}]},
            "/all/0/value", "wrong_type", "two",
        ),
        (
            {"all": [{"field": "createdAt", "operator": "before", "value": "x"}]},
            "/all/0/value", "invalid_format", "RFC",
        ),
        ({"all": [{**ACME, "operator": "isAnyOf", "value": []}]}, "/all/0/value", "wrong_type", "50"),
        ({"all": ["acme"]}, "/all/0", "wrong_type", "condition"),
        ({"all": [{"none": [ACME]}]}, "/all/0/none", "unknown_field", "group"),
        ({"all": [{"all": [ACME], "any": []}]}, "/all/0", "not_allowed", "not both"),
        ({"all": [ACME], "any": [ACME]}, "", "not_allowed", "not both"),
        ({"all": [deep(4)]}, "/all/0/all/0/all/0/all/0", "too_deep", "4"),
        ({"all": [ACME] * 51}, "", "too_long", "50"),
    ],
)  # fmt: skip
def test_a_filter_at_fault_is_refused_with_the_place_of_its_condition(
    given: object, pointer: str, code: str, words: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        LeadQuery.model_validate(given)

    (fault,) = field_errors(refused.value)
    assert (fault.pointer, fault.code) == (pointer, code)
    assert words in fault.message


def test_all_faults_of_a_filter_are_named_at_once() -> None:
    text = '{"all": [{"field": "shoe"}, {"field": "status", "operator": "is"}]}'

    with pytest.raises(InvalidInput) as refused:
        read_filter(text, "?filter")

    assert [error.pointer for error in refused.value.errors] == ["?filter/all/0/field", "?filter/all/1/value"]


@pytest.mark.parametrize("text", ["", "x", "[" * 20_000, '{"all": [}'])
def test_what_is_not_json_is_no_filter(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_filter(text, "?filter")


def test_the_shorthand_is_read_as_a_tree() -> None:
    short = LeadQuery.model_validate({"q": "ada", "all": [ACME]})

    assert written(short.lead_filter().whole)["all"] == [
        {"field": "search", "operator": "matches", "value": "ada"},
        ACME,
    ]
    assert LeadQuery.model_validate({}).lead_filter().whole == EVERYTHING
    assert LeadQuery.model_validate(short.model_dump(mode="json")).lead_filter().whole == short.lead_filter().whole


def test_only_work_that_goes_on_later_has_its_relative_values_fixed() -> None:
    me = new_id()
    tree = LeadQuery.model_validate(
        {
            "any": [
                {"field": "owner", "operator": "isAnyOf", "value": ["me"]},
                {"all": [{"field": "createdAt", "operator": "inLastDays", "value": 7}]},
                {"field": "company", "operator": "is", "value": "me"},
            ]
        }
    ).lead_filter().whole  # fmt: skip

    fixed = LEAD_FILTERS.fixed(tree, FilterReader(NOW, Actor.requester(new_id(), ActorKind.USER, me)))

    assert [condition.value for condition in fixed.conditions] == [(str(me),), "2026-03-03T12:00:00+00:00", "me"]


@pytest.mark.parametrize(
    ("operator", "value", "compared", "fixed"),
    [
        ("is", "me", ("me", "{user}"), ("{user}",)),
        ("isNot", "me", ("me", "{user}"), ("{user}",)),
        ("isAnyOf", ["me", "free"], ("me", "free", "{user}"), ("{user}", "free")),
        ("is", "free", "free", "free"),
        ("contains", "me", "%me%", "me"),
    ],
)
def test_me_means_the_reader_in_custom_fields_too(operator: str, value: Any, compared: Any, fixed: Any) -> None:  # noqa: ANN401  JSON
    user = new_id()
    reader = FilterReader(NOW, Actor.requester(new_id(), ActorKind.USER, user))
    tree = LEAD_FILTERS.parse({"all": [{"field": "customFields.manager", "operator": operator, "value": value}]})

    def of_user(expected: Any) -> Any:  # noqa: ANN401  JSON
        return tuple(map(of_user, expected)) if isinstance(expected, tuple) else expected.format(user=user)

    assert repr(of_user(compared)) in repr(LEAD_FILTERS.compiled(tree, reader))
    assert [condition.value for condition in LEAD_FILTERS.fixed(tree, reader).conditions] == [of_user(fixed)]


def test_the_same_shape_of_a_filter_is_one_statement() -> None:
    def statement(status: str, source: str) -> tuple[list[str], dict[str, Any]]:
        filters = LeadFilter(sources=(source,), tree=LeadQuery.model_validate({"status": [status]}).lead_filter().whole)
        conditions = Conditions()
        conditions.add(LEAD_FILTERS.compiled(filters.whole, FilterReader(NOW, Actor.system(new_id()))))
        return [part.text for part in conditions.parts], conditions.values

    first, second = statement("new", "api"), statement("failed", "fair")

    assert first[0] == second[0] == ["(source = $1 AND status = $2)"]
    assert (first[1], second[1]) == (
        {"value_1": "api", "value_2": "new"},
        {"value_1": "fair", "value_2": "failed"},
    )


@pytest.mark.parametrize(
    ("given", "leakproof", "patterns"),
    [
        ({"status": ["new"], "unowned": True}, True, ()),
        ({"q": "ada"}, False, ("%ada%",)),
        ({"q": "al adamson"}, False, ("%adamson%",)),
        ({"all": [{"field": "company", "operator": "startsWith", "value": "Acme"}]}, False, ("%acme%%",)),
        ({"all": [{"field": "website", "operator": "contains", "value": "acme"}]}, False, ()),
        ({"any": [{**ACME, "value": "A_B"}, {"field": "search", "operator": "matches", "value": "ada"}]}, False,
         ("%a\\_b%", "%ada%")),
        ({"any": [ACME, {"field": "status", "operator": "is", "value": "new"}]}, False, ()),
        ({"all": [{**ACME, "operator": "isNot"}]}, False, ()),
    ],
)  # fmt: skip
def test_what_must_go_through_the_search_and_what_its_text_then_has(
    given: object, leakproof: bool, patterns: tuple[str, ...]
) -> None:
    node = LEAD_FILTERS.compiled(
        LeadQuery.model_validate(given).lead_filter().whole, FilterReader(NOW, Actor.system(new_id()))
    )

    assert is_leakproof(node) is leakproof
    assert tuple(item.strip("%") for item in rarest(searched(node))) == tuple(
        pattern.strip("%") for pattern in patterns
    )


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Ada  LOVELACE", [("%ada%",), ("%lovelace%",)]),
        ("lo", [("lo%", "% lo%", "%\nlo%")]),
        ("Müller", [("%muller%", "%mueller%")]),
        ("mueller", [("%mueller%",)]),
        ("Straße", [("%strasse%",)]),
        ("50%_\\", [("%50\\%\\_\\\\%", "%50\\%\\_%")]),
        ("Wei\u00df, J\u00fcrgen.", [("%weiss,%", "%weiss%"), ("%jurgen.%", "%juergen.%", "%jurgen%", "%juergen%")]),
        ("Founder/CEO", [("%founder/ceo%", "%founder%"), ("%founder/ceo%", "%ceo%")]),
        ('"founder"', [('%"founder"%', "%founder%")]),
        ("A/S", [("%a/s%", "a%", "% a%", "%\na%"), ("%a/s%", "s%", "% s%", "%\ns%")]),
        ("Hans-Peter", [("%hans-peter%", "%hans%"), ("%hans-peter%", "%peter%")]),
        ("ada@acme-corp.com", [("%ada@acme-corp.com%",)]),
        ("wei\u00df - &", [("%weiss%",)]),
        ("&", [("%&%",)]),
        ("(0151) 1234-5678", [("%(0151)%", "%15112345678%"), ("%1234-5678%", "%15112345678%")]),
        ("(+49) 151", [("%(+49)%", "%49151%"), ("%151%", "%49151%")]),
        ("0151 \u2013 12345", [("%0151%", "%15112345%"), ("%\u2013%", "%15112345%"), ("%12345%", "%15112345%")]),
        ("\u0660\u0661\u0665\u0661\u0661\u0662", [("%\u0660\u0661\u0665\u0661\u0661\u0662%", "%15112%")]),
        ("8 (495) 1234567", [("8%", "% 8%", "%\n8%", "%84951234567%", "%4951234567%"),
                             ("%(495)%", "%84951234567%", "%4951234567%"),
                             ("%1234567%", "%84951234567%", "%4951234567%")]),
        ("+44 (0)20 7946-0958", [("%+44%", "%442079460958%"), ("%(0)20%", "%442079460958%"),
                                 ("%7946-0958%", "%442079460958%")]),
        ("020 7946 0958", [("%020%", "%2079460958%"), ("%7946%", "%2079460958%"), ("%0958%", "%2079460958%")]),
        ("room 101", [("%room%",), ("%101%",)]),
        (" \u0301 ", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_search_is_for_each_word_in_each_of_its_spellings(text: str, terms: list[tuple[str, ...]]) -> None:
    assert search_terms(text) == terms
