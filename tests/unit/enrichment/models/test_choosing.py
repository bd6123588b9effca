"""Which value of a field is chosen."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflood.domains.enrichment.models import Fact
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.choosing import Because, ChosenFact, FactCandidate, aged, choose, choose_all
from leadflood.domains.enrichment.models.policies import Policy
from tests.support.asked_sources import fact
from tests.support.canned_web import NOW

POLICY = Policy(order=("website", "register", "guess"))


def said(source: str, found: Fact, *, family: str = "") -> FactCandidate:
    return FactCandidate(found, source, family or source)


def chosen(*candidates: FactCandidate, pinned: tuple[str, ...] = ()) -> ChosenFact:
    (found,) = choose(candidates, now=NOW, policy=POLICY, pinned=pinned)
    return found


def test_families_that_agree_are_surer_than_a_single_one() -> None:
    best = chosen(said("a", fact("Acme Inc.", 0.6)), said("b", fact("ACME", 0.6)), said("c", fact("Emca", 0.8)))

    assert best.best.fact.key == "acme"
    assert best.confidence == pytest.approx(1 - 0.4 * 0.4)
    assert best.because is Because.AGREED
    assert [loser.fact.value for loser in best.losers] == ["Emca"]


def test_sources_of_one_family_do_not_confirm_each_other() -> None:
    best = chosen(
        said("a", fact("Acme", 0.6), family="site"),
        said("b", fact("Acme", 0.7), family="site"),
        said("c", fact("Emca", 0.75)),
    )

    assert (best.best.fact.value, best.because) == ("Emca", Because.SUREST)


def test_a_value_loses_half_of_its_confidence_with_each_lifetime() -> None:
    lifetime = company.NAME.time_to_live
    old = fact("Acme", 0.8, at=NOW - 2 * lifetime)

    assert aged(old, NOW) == pytest.approx(0.2)
    assert aged(fact("Acme", 0.8, at=NOW + lifetime), NOW) == pytest.approx(0.8)
    assert chosen(said("a", old), said("b", fact("Emca", 0.3))).best.fact.value == "Emca"


def test_a_weaker_answer_never_replaces_a_value() -> None:
    before = said("website", fact("Acme", 0.6, at=NOW - timedelta(days=30)))

    assert chosen(before, said("website", fact("Emca", 0.4))).best is before


def test_among_equals_the_order_of_the_policy_decides() -> None:
    best = chosen(said("guess", fact("Emca")), said("register", fact("Acme")))
    spelling = chosen(said("guess", fact("ACME")), said("website", fact("Acme Inc.")))

    assert best.best.source == "register"
    assert spelling.best.fact.value == "Acme Inc."


def test_a_pinned_value_wins_whatever_else_there_is() -> None:
    best = chosen(said("a", fact("Acme", 0.2)), said("b", fact("Emca", 0.99)), pinned=("acme",))

    assert (best.best.fact.value, best.because) == ("Acme", Because.PINNED)


def test_every_sure_element_of_a_field_with_several_values_is_chosen() -> None:
    found = [
        said("a", fact("React", 0.4, of=company.TECHNOLOGY)),
        said("b", fact("react", 0.4, of=company.TECHNOLOGY)),
        said("a", fact("Vue", 0.4, of=company.TECHNOLOGY)),
        said("a", fact("nginx", 0.9, of=company.TECHNOLOGY)),
    ]

    values = choose(found, now=NOW, policy=POLICY)

    assert [value.best.fact.value for value in values] == ["nginx", "React"]
    assert all(value.losers == () for value in values)


def test_fields_without_a_chosen_value_are_left_out() -> None:
    weak = said("a", fact("Vue", 0.4, of=company.TECHNOLOGY))

    assert choose_all([weak, said("a", fact("Acme"))], now=NOW, policy=POLICY).keys() == {company.NAME}
    assert choose([], now=NOW, policy=POLICY) == ()


_candidates = st.lists(
    st.builds(
        lambda value, confidence, source, family, days: FactCandidate(
            fact(value, confidence, at=NOW - timedelta(days=days)), source, family
        ),
        st.sampled_from(["Acme", "ACME Inc.", "Emca", "emca", "Other"]),
        st.sampled_from([0.0, 0.1, 0.3, 0.6, 0.6000000001, 0.9, 1.0]),
        st.sampled_from(["website", "register", "guess", "x", "y"]),
        st.sampled_from(["one", "two", "three", "four", "five", "six", "seven"]),
        st.integers(0, 900),
    ),
    max_size=9,
)


@given(_candidates, st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order_of_the_candidates(
    candidates: list[FactCandidate], shuffling: random.Random
) -> None:
    shuffled = list(candidates)
    shuffling.shuffle(shuffled)

    assert choose(shuffled, now=NOW, policy=POLICY) == choose(candidates, now=NOW, policy=POLICY)


@given(_candidates)
def test_the_chosen_value_is_the_surest_and_nothing_is_lost(candidates: list[FactCandidate]) -> None:
    for value in choose(candidates, now=NOW, policy=POLICY):
        assert 0 <= value.confidence <= 1
        assert value.confidence >= max(aged(each.fact, NOW) for each in candidates) - 1e-12
        assert len(value.agreeing) + len(value.losers) == len(candidates)
