"""Scores of profiles: points, three-valued logic, caps, gates, intervals, and what would improve them."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadflood.domains.icps.models.evaluate import Evaluation, Facts, Rater, current, evaluate
from leadflood.domains.icps.models.improving import improvements, lifted_score
from leadflood.domains.icps.models.profiles import (
    CombinedTest,
    Criterion,
    CriterionGroup,
    FactOperator,
    FactTest,
    FitGate,
    FitProfile,
    Test,
    Tier,
)
from tests.support.profiles import CATALOG, NOW, Deal

TIERS = (Tier("A", 70), Tier("B", 45), Tier("C", None))
GERMAN = FactTest("lead.country", FactOperator.IN, ("DE",))
SIZE = FactTest("company.employees", FactOperator.BETWEEN, (50, 500))
STACK = FactTest("company.technology", FactOperator.ANY_OF, ("HubSpot",))


def criterion(name: str, test: Test, points: int, otherwise: int = 0) -> Criterion:
    return Criterion(name, name, test, points, otherwise)


def scored(profile: FitProfile, values: dict[str, Any], **observed: Any) -> Evaluation:  # noqa: ANN401  any fact
    return evaluate(profile, Facts(values, observed), CATALOG, NOW)


def profile_of(
    *criteria: Criterion,
    cap: int | None = None,
    gates: tuple[FitGate, ...] = (),
    **more: Any,  # noqa: ANN401  any attribute
) -> FitProfile:
    return FitProfile((CriterionGroup("All", criteria, cap),), TIERS, gates, **more)


SOME = profile_of(criterion("german", GERMAN, 45), criterion("size", SIZE, 25), criterion("stack", STACK, 10))


def test_a_lead_with_unknown_facts_has_a_score_an_interval_and_the_tiers_that_it_could_reach() -> None:
    found = scored(SOME, {"lead.country": "DE"})

    assert (found.score, found.lo, found.hi) == (45, 45, 80)
    assert (found.tier, found.worst, found.best) == ("B", "B", "A")
    assert (found.known, found.total) == (1, 3)


def test_false_gives_the_other_points_and_unknown_those_nearest_to_zero() -> None:
    profile = profile_of(criterion("german", GERMAN, 10, -30), criterion("size", SIZE, 20, 5))

    assert scored(profile, {"lead.country": "FR", "company.employees": 10}).score == -25
    unknown = scored(profile, {})
    assert (unknown.score, unknown.lo, unknown.hi) == (5, -25, 30)


@pytest.mark.parametrize(
    ("match", "parts", "expected"),
    [
        ("all", (True, None), None),
        ("all", (False, None), False),
        ("any", (True, None), True),
        ("any", (False, None), None),
        ("none", (True, None), False),
        ("none", (False, None), None),
        ("none", (False, False), True),
    ],
)
def test_combinations_follow_three_valued_logic(match: Any, parts: tuple[bool | None, ...], expected: object) -> None:  # noqa: ANN401  a literal
    keys = ("lead.is_free_mail", "lead.is_disposable")
    test = CombinedTest(match, tuple(FactTest(key, FactOperator.IS, True) for key in keys))
    values = {key: part for key, part in zip(keys, parts, strict=True) if part is not None}

    (line,) = scored(profile_of(criterion("both", test, 10, -10)), values).groups[0].lines

    assert line.outcome.now is expected


def test_a_cap_limits_the_sum_of_a_group_in_both_directions() -> None:
    most = profile_of(criterion("german", GERMAN, 45), criterion("size", SIZE, 25), cap=50)
    least = profile_of(criterion("german", GERMAN, -45), criterion("size", SIZE, -25), cap=50)
    values = {"lead.country": "DE", "company.employees": 60}

    assert scored(most, values).score == 50
    assert scored(least, values).score == -50
    assert (scored(most, {"lead.country": "DE"}).lo, scored(most, {"lead.country": "DE"}).hi) == (45, 50)


def test_a_gate_excludes_or_limits_the_tier_and_an_unknown_one_widens_the_range() -> None:
    free = FactTest("lead.is_free_mail", FactOperator.IS, True)
    gated = replace(SOME, gates=(FitGate("free", free, "Private address"),))
    limited = replace(SOME, gates=(FitGate("free", free, "Private address", "C"),))
    values = {"lead.country": "DE", "company.employees": 60}

    excluded = scored(gated, {**values, "lead.is_free_mail": True})
    assert (excluded.tier, excluded.excluded_by, excluded.score) == (None, "free", 70)
    assert scored(limited, {**values, "lead.is_free_mail": True}).tier == "C"
    unknown = scored(gated, values)
    assert (unknown.tier, unknown.worst, unknown.best, unknown.open_gates) == ("A", None, "A", ["free"])
    assert scored(limited, values).worst == "C"


def test_whether_a_fact_is_known_counts_now_and_can_change() -> None:
    profile = profile_of(criterion("phone", FactTest("lead.phone", FactOperator.KNOWN, True), 15))

    missing = scored(profile, {})
    assert (missing.score, missing.lo, missing.hi, missing.known) == (0, 0, 15, 0)
    assert scored(profile, {"lead.phone": "+4930123"}).lo == 15


def test_a_value_that_is_too_old_counts_unless_the_profile_takes_it_as_unknown() -> None:
    facts_ = Facts({"company.employees": 60}, {"company.employees": NOW - timedelta(days=366)})
    fresh = Facts({"company.employees": 60}, {"company.employees": NOW - timedelta(days=364)})
    strict = replace(SOME, stale_is_unknown=True)

    assert evaluate(SOME, facts_, CATALOG, NOW).score == 25
    assert (evaluate(strict, facts_, CATALOG, NOW).score, evaluate(strict, facts_, CATALOG, NOW).hi) == (0, 80)
    assert evaluate(strict, fresh, CATALOG, NOW).score == 25


def test_text_is_compared_without_case_and_accents_and_codes_as_they_are() -> None:
    industry = profile_of(criterion("industry", FactTest("company.industry", FactOperator.IN, ("Café",)), 5))
    country = profile_of(criterion("country", FactTest("lead.country", FactOperator.IS, "DE"), 5))

    assert scored(industry, {"company.industry": "CAFE"}).score == 5
    assert scored(country, {"lead.country": "de"}).score == 0


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_the_score_is_within_the_interval_for_every_completion_of_the_unknown(seed: int) -> None:
    deal = Deal(seed)
    profile = deal.profile()
    order = [*(tier.name for tier in profile.tiers), None]
    for _ in range(20):
        known = deal.facts()
        found = evaluate(profile, known, CATALOG, NOW)

        then = evaluate(profile, deal.completion(current(profile, known, CATALOG, NOW)), CATALOG, NOW)

        assert found.lo <= found.score <= found.hi
        assert found.lo <= then.lo <= then.score <= then.hi <= found.hi
        assert order.index(found.best) <= order.index(found.tier) <= order.index(found.worst)
        assert order.index(found.best) <= order.index(then.tier) <= order.index(found.worst)


@given(st.lists(st.tuples(st.integers(-40, 40), st.integers(-40, 40)), min_size=1, max_size=4), st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_the_ends_are_reached_where_each_criterion_has_a_fact_of_its_own(
    points: list[tuple[int, int]], cap: int
) -> None:
    keys = ("lead.is_free_mail", "lead.is_disposable", "lead.is_role_address", "company.parked")[: len(points)]
    profile = profile_of(
        *(
            criterion(f"c{place}", FactTest(key, FactOperator.IS, True), *points[place])
            for place, key in enumerate(keys)
        ),
        cap=cap,
    )
    reached = [
        scored(profile, dict(zip(keys, each, strict=True))).score for each in product([True, False], repeat=len(keys))
    ]

    found = scored(profile, {})

    assert (min(reached), max(reached)) == (found.lo, found.hi)


def test_the_smallest_sets_that_lift_a_lead_are_named() -> None:
    tests = [
        criterion("german", GERMAN, 45),
        criterion("size", SIZE, 25),
        criterion("stack", STACK, 10),
        criterion("phone", FactTest("lead.phone", FactOperator.KNOWN, True), 15),
    ]
    profile = profile_of(*tests)
    found = scored(profile, {"lead.country": "DE", "company.technology": frozenset({"Shopify"})})

    sets = improvements(profile, found, "A")

    assert [[line.criterion.id for line in each.lines] for each in sets] == [["size"], ["phone", "stack"]]
    assert [[line.criterion.id for line in each.to_change] for each in sets] == [[], ["stack"]]
    assert [each.score for each in sets] == [70, 70]


def test_no_set_lifts_a_lead_that_is_there_excluded_or_limited() -> None:
    free = FactTest("lead.is_free_mail", FactOperator.IS, True)
    limited = replace(SOME, gates=(FitGate("free", free, "Private address", "B"),))
    excluding = replace(SOME, gates=(FitGate("free", free, "Private address"),))
    values = {"lead.is_free_mail": True}

    assert not improvements(limited, scored(limited, values), "A")
    assert improvements(limited, scored(limited, values), "B")
    assert not improvements(excluding, scored(excluding, values), "B")
    assert not improvements(SOME, scored(SOME, {"lead.country": "DE"}), "B")


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_every_set_lifts_the_score_over_the_border_and_none_is_larger_than_needed(seed: int) -> None:
    deal = Deal(seed)
    profile = deal.profile()
    found = evaluate(profile, deal.facts(), CATALOG, NOW)
    for each in improvements(profile, found, "A"):
        assert len(each.lines) <= 3
        assert lifted_score(found, each.lines) == each.score >= 40
        for line in each.lines:
            smaller = [other for other in each.lines if other is not line]
            assert lifted_score(found, smaller) < 40


def test_a_rater_gives_the_score_and_the_tier_of_an_evaluation() -> None:
    deal = Deal(20261201)
    facts = [deal.facts() for _ in range(20)]
    for _ in range(300):
        profile = deal.profile()
        rater = Rater(profile, CATALOG)
        for each in facts:
            found, rated = evaluate(profile, each, CATALOG, NOW), rater.rate(each, NOW)
            results = [line.outcome.now for group in found.groups for line in group.lines]
            assert (rated.score, rated.tier, list(rated.results)) == (found.score, found.tier, results)
