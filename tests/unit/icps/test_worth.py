"""Whether an answer could change a tier: compared with trying all values, and what is too much to try."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, product
from math import prod
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from leadflood.domains.icps.models import worth
from leadflood.domains.icps.models.catalog import FactPlace, ProfileField, Shape
from leadflood.domains.icps.models.evaluate import Facts, current, evaluate
from leadflood.domains.icps.models.profiles import (
    CombinedTest,
    Criterion,
    CriterionGroup,
    FactOperator,
    FactTest,
    FactValue,
    FitGate,
    FitProfile,
    Test,
    Tier,
)
from leadflood.domains.icps.models.worth import Case, could_change
from tests.support.profiles import CATALOG, KEYS, NOW, TEXTS, Deal

TIERS = (Tier("A", 70), Tier("B", 45), Tier("C", None))
SIZE = FactTest("company.employees", FactOperator.BETWEEN, (50, 500))
STACK = FactTest("company.technology", FactOperator.ANY_OF, ("HubSpot",))
FREE = FactTest("lead.is_free_mail", FactOperator.IS, True)


def criterion(name: str, test: Test, points: int, otherwise: int = 0) -> Criterion:
    return Criterion(name, name, test, points, otherwise)


def profile_of(*criteria: Criterion, cap: int | None = None, gates: tuple[FitGate, ...] = ()) -> FitProfile:
    return FitProfile((CriterionGroup("All", criteria, cap),), TIERS, gates)


GERMAN = criterion("german", FactTest("lead.country", FactOperator.IS, "DE"), 45)
SOME = profile_of(GERMAN, criterion("size", SIZE, 25), criterion("stack", STACK, 10))


def asked(profile: FitProfile, values: dict[str, Any], *keys: str, also: tuple[str, ...] = ()) -> bool:
    """Whether a source of these facts is worth asking. `also`: other facts that may change."""
    absent = {key for key in profile.fields if key not in values}
    return could_change(Case(profile, CATALOG, values, frozenset(keys), frozenset({*absent, *also}), NOW))


def test_a_source_is_not_asked_whose_facts_alone_or_with_others_move_no_lead_over_a_border() -> None:
    german = {"lead.country": "DE"}

    assert asked(SOME, german, "company.employees")
    assert not asked(SOME, german, "company.technology"), "45 + 10 is B, and 45 + 25 is A with or without 10"
    assert not asked(SOME, {"lead.country": "FR"}, "company.employees", "company.technology"), "at most 35"
    assert not asked(SOME, german, "lead.phone"), "no test reads it"


def test_facts_that_only_count_together_are_worth_asking_for_while_the_other_is_unknown() -> None:
    profile = profile_of(GERMAN, criterion("size", SIZE, 20), criterion("stack", STACK, 10))

    assert asked(profile, {"lead.country": "DE"}, "company.technology")
    assert not asked(profile, {"lead.country": "DE", "company.employees": 9}, "company.technology")
    assert asked(profile, {"lead.country": "DE", "company.employees": 60}, "company.technology")


def test_a_known_fact_that_may_still_change_counts_as_any_value() -> None:
    profile = profile_of(GERMAN, criterion("size", SIZE, 20), criterion("stack", STACK, 10))
    values = {"lead.country": "DE", "company.employees": 9}

    assert asked(profile, values, "company.technology", also=("company.employees",))
    assert asked(profile, {**values, "company.technology": frozenset({"HubSpot"})}, "company.employees")


def test_tests_of_one_fact_exclude_each_other() -> None:
    big = FactTest("company.employees", FactOperator.AT_LEAST, 501)
    profile = profile_of(GERMAN, criterion("size", SIZE, 20), criterion("big", big, 20))

    assert not asked(profile, {"lead.country": "DE"}, "company.employees"), "never 85, though the interval says so"


def test_an_unknown_gate_is_worth_asking_for_and_one_that_excludes_ends_all_questions() -> None:
    gated = replace(SOME, gates=(FitGate("free", FREE, "Private address"),))
    limited = replace(SOME, gates=(FitGate("free", FREE, "Private address", "C"),))
    known = {"lead.country": "FR", "company.employees": 60, "company.technology": frozenset({"HubSpot"})}

    assert asked(gated, known, "lead.is_free_mail")
    assert not asked(limited, known, "lead.is_free_mail"), "C as it is"
    assert asked(limited, {**known, "lead.country": "DE"}, "lead.is_free_mail")
    assert not asked(gated, {"lead.country": "DE", "lead.is_free_mail": True}, "company.employees")


def test_a_cap_ends_what_more_points_can_do() -> None:
    profile = profile_of(GERMAN, criterion("size", SIZE, 25), cap=50)

    assert not asked(profile, {"lead.country": "DE"}, "company.employees")


def test_a_case_with_too_many_combinations_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"lead.country": "DE"}
    assert not asked(SOME, values, "company.technology")

    monkeypatch.setattr(worth, "MAX_STEPS", 3)

    assert asked(SOME, values, "company.technology")


def test_a_profile_with_many_sets_is_decided_in_bounded_steps() -> None:
    names = [f"T{place}" for place in range(40)]
    tests = [FactTest("company.technology", FactOperator.ALL_OF, (one, *names[-9:])) for one in names]
    profile = profile_of(GERMAN, *(criterion(f"c{place}", each, 1) for place, each in enumerate(tests)))

    assert asked(profile, {"lead.country": "DE"}, "company.technology")


@given(st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_it_is_exactly_what_trying_all_values_says(seed: int) -> None:
    deal, pick = Deal(seed), Random(seed)  # noqa: S311  test data
    profile = deal.profile()
    values = current(profile, deal.facts(), CATALOG, NOW)
    read = list(profile.fields)
    opened = pick.sample(read, min(len(read), pick.randint(1, 3)))
    answerable = frozenset(opened[: pick.randint(1, len(opened))])

    case = Case(profile, CATALOG, values, answerable, frozenset(opened), NOW)

    domains = {key: [case.values.get(key), *domain(CATALOG[key], profile)] for key in case.open}
    assume(prod(map(len, domains.values())) <= 3_000)

    assert could_change(case) is tried(case, domains)


def tried(case: Case, domains: dict[str, list[FactValue | None]]) -> bool:
    """Whether two tiers differ for the same values of the facts that the answer does not have."""
    profile = replace(case.profile, stale_is_unknown=False)
    others = sorted(case.open - case.answerable)
    answered = sorted(case.answerable)
    for rest in product(*(domains[key] for key in others)):
        tiers = set()
        for found in product(*(domains[key] for key in answered)):
            values = {**case.values, **dict(zip([*others, *answered], [*rest, *found], strict=True))}
            known = {key: value for key, value in values.items() if value is not None}
            tiers.add(evaluate(profile, Facts(known), CATALOG, NOW).tier)
        if len(tiers) > 1:
            return True
    return False


def domain(fact: ProfileField, profile: FitProfile) -> Iterator[FactValue]:
    """Enough values of a fact, found without the code under test: all texts, and all numbers around borders."""
    tests = [each for test in profile.tests for each in leaves(test) if each.field == fact.key]
    match fact.shape:
        case Shape.BOOLEAN:
            yield from (True, False)
        case Shape.NUMBER:
            wanted = {float(each) for test in tests for each in values_of(test)} or {0.0}
            step = 0.25 if fact.place is FactPlace.CUSTOM else 1
            yield from sorted({int(each) + more * step for each in wanted for more in range(-4, 5)})
        case Shape.DATE:
            ages = (-2, 0, 1, 2, 29, 30, 31, 364, 365, 366)
            yield from ((NOW - timedelta(days=age)).date().isoformat() for age in ages)
        case Shape.SET:
            named = sorted({str(text) for each in tests for text in values_of(each)})
            for size in range(len(named) + 1):
                yield from (frozenset({*chosen, "none of them"}) for chosen in combinations(named, size))
        case _:
            yield from (*TEXTS, "none of them")


def values_of(test: FactTest) -> tuple[Any, ...]:
    if test.operator is FactOperator.KNOWN:
        return ()
    return test.value if isinstance(test.value, tuple) else (test.value,)


def leaves(test: Test) -> Iterator[FactTest]:
    if isinstance(test, CombinedTest):
        for part in test.parts:
            yield from leaves(part)
    else:
        yield test


def test_the_keys_of_random_profiles_are_covered() -> None:
    assert {CATALOG[key].shape for key in KEYS} == set(Shape)
