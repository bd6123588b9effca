"""Bodies of profiles: what is refused and how, files in YAML, and the templates."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from leadflood.domains.icps.contracts.bodies import ProfileBody, described, read_profile
from leadflood.domains.icps.contracts.files import read_file, write_file
from leadflood.domains.icps.models.catalog import STANDARD
from leadflood.domains.icps.models.profiles import CombinedTest, FactOperator, FactTest
from leadflood.domains.icps.models.templates import TEMPLATES, template_text
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.schema import field_errors
from tests.support.profiles import CATALOG


def body_of(test: object, **more: Any) -> dict[str, Any]:  # noqa: ANN401  any part
    return {
        "groups": [{"name": "All", "criteria": [{"key": "one", "label": "One", "test": test, "points": 10}]}],
        "tiers": [{"name": "A", "atLeast": 10}, {"name": "B"}],
        **more,
    }


def faults(data: dict[str, Any]) -> list[tuple[str, str]]:
    try:
        read_profile(ProfileBody.model_validate(data), CATALOG)
    except ValidationError as error:
        return [(fault.pointer, fault.message) for fault in field_errors(error)]
    except InvalidInput as error:
        return [(fault.pointer, fault.message) for fault in error.errors]
    return []


_TEST = "/groups/0/criteria/0/test"


@pytest.mark.parametrize(
    ("test", "pointer", "message"),
    [
        ({"field": "lead.size", "in": ["x"]}, f"{_TEST}/field", "There is no fact 'lead.size'"),
        ({"field": "lead.country", "atLeast": 5}, f"{_TEST}/atLeast", "lead.country is a code. Use one of: in, is"),
        ({"field": "company.employees", "between": [9, 1]}, f"{_TEST}/between", "Put the smaller number first."),
        ({"field": "company.employees", "between": [1]}, f"{_TEST}/between", "At least 2 required."),
        ({"field": "company.employees", "is": "ten"}, f"{_TEST}/is", "company.employees is a number."),
        ({"field": "company.parked", "is": 1}, f"{_TEST}/is", "company.parked is a boolean."),
        ({"field": "lead.country"}, _TEST, "Provide a field with one comparison"),
        ({"in": ["DE"]}, _TEST, "Provide a field with one comparison"),
        ({"field": "lead.country", "in": ["DE"], "known": True}, _TEST, "Provide a field with one comparison"),
        ({"matchesTitle": {"seniority": ["boss"]}}, f"{_TEST}/matchesTitle/seniority/0", "Must be one of: owner,"),
        ({"matchesTitle": {}}, f"{_TEST}/matchesTitle", "Provide a seniority, a function, or both."),
        ({"field": "lead.country", "in": ["DE"], "regex": "D."}, f"{_TEST}/regex", "Unknown field."),
    ],
)
def test_a_fault_names_the_field_and_the_remedy(test: object, pointer: str, message: str) -> None:
    found = faults(body_of(test))

    assert [each for each, _ in found] == [pointer]
    assert found[0][1].startswith(message)


def test_tiers_identifiers_depth_and_size_are_checked() -> None:
    german = {"field": "lead.country", "in": ["DE"]}
    deep = {"all": [{"any": [{"none": [{"all": [german]}]}]}]}
    rising = [{"name": "A", "atLeast": 10}, {"name": "A", "atLeast": 20}, {"name": "C"}]
    gates = [{"key": "g", "test": german, "effect": "capTier", "reason": "x"}]
    large = body_of({"field": "lead.company", "in": ["x" * 200] * 45})

    assert faults(body_of(german)) == []
    assert faults(body_of(deep)) == [(f"{_TEST}/all/0/any/0/none/0", "Combine tests at most 3 deep.")]
    assert [each for each, _ in faults(body_of(german, tiers=rising))] == ["/tiers/1/atLeast", "/tiers/1/name"]
    assert faults(body_of(german, gates=gates)) == [("/gates/0/tier", "Provide one of the tiers after the best: B.")]
    assert faults(large)[0][1].startswith("A profile has at most 8,000 bytes.")
    twice = body_of(german)
    twice["groups"] *= 2
    assert [each for each, _ in faults(twice)] == ["/groups/1/criteria/0/key"]


def test_a_title_is_a_test_of_seniority_and_function() -> None:
    body = ProfileBody.model_validate(body_of({"matchesTitle": {"seniority": ["head"], "function": ["sales"]}}))

    (criterion,) = read_profile(body, STANDARD).criteria

    parts = (
        FactTest("lead.seniority", FactOperator.IN, ("head",)),
        FactTest("lead.job_function", FactOperator.IN, ("sales",)),
    )
    assert criterion.test == CombinedTest("all", parts)
    assert described(criterion.test, STANDARD) == "(Seniority is one of head and Function is one of sales)"


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_fit_every_workspace_and_can_be_written_and_read(name: str) -> None:
    title, body = read_file(template_text(name))

    assert title
    assert list(read_profile(body, STANDARD).criteria)
    assert read_file(write_file(title, body)) == (title, body)


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40).filter(str.strip), st.integers(-100, 100))
@settings(max_examples=200, deadline=None)
def test_a_file_gives_the_same_profile_whatever_its_texts_are(value: str, label: str, points: int) -> None:
    data = body_of({"field": "lead.company", "in": [value, "NO", "2026-01-01", "1e3", "true", "null", "~"]})
    data["groups"][0]["criteria"][0] |= {"label": label, "points": points}
    assume(not faults(data))
    body = ProfileBody.model_validate(data)

    assert read_file(write_file(label, body)) == (label, body)
    assert write_file(label, body) == write_file(label, body)


def test_a_country_that_looks_like_a_boolean_is_a_text() -> None:
    text = (
        "groups: [{name: All, criteria: [{key: n, label: N, points: 1, test: {field: lead.country, in: [NO, SE]}}]}]\n"
        "tiers: [{name: A, atLeast: 1}, {name: B}]\n"
    )

    assert read_file(text)[1].groups[0].criteria[0].test.in_ == ["NO", "SE"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("groups:\n  - [", "This is not YAML in line 2"),
        ("- 1", "The file has to contain groups"),
        ("a: &a [1]\nb: *a", "Write repeated parts out"),
        ("a: !!python/object:os.system 1", "This is not YAML in line 1"),
        ("x" * 64_001, "The file has more than 64,000 characters."),
        ("[" * 5_000, "The file is nested too deeply."),
    ],
)
def test_files_that_are_no_profiles_are_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=r".+") as refusal:
        read_file(text)

    assert refusal.value.errors[0].message.startswith(message)
