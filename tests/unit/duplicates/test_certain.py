"""Pairs that are certain: not by constant columns, names alone, or with different generations."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from random import Random
from typing import Any

import pytest

from leadflood.domains.duplicates.models import (
    CERTAIN,
    UNTRAINED,
    Match,
    PersonKey,
    Reason,
    ReasonKind,
    Weights,
    compare,
)
from leadflood.domains.duplicates.models import ComparedLead as Lead
from leadflood.domains.duplicates.models.names import generation_of
from leadflood.domains.duplicates.models.training import train
from leadflood.domains.duplicates.models.values import Level

FIRST = ["Anna", "Thomas", "Michael", "Andreas", "Peter", "Stefan", "Christian", "Martin", "Sabine", "Petra", "Claudia"]
LAST = ["Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schulz", "Hoffmann", "Koch"]
PHONE = "+442079460958"


def matched(one: Lead, two: Lead, weights: Weights = UNTRAINED) -> Match | None:
    """The match as in a scan: only leads that share a key are compared."""
    a, b = PersonKey.of(one, weights), PersonKey.of(two, weights)
    return compare(a, b, weights) if a.blocks(weights) & b.blocks(weights) else None


CONSTANT = ["Deutschland", "Messe Hannover 2026", "Visitenkarte", True, 7, ["fair", "print"]]


def homonyms(number: int, fields: Callable[[int], dict[str, Any]]) -> list[Lead]:
    """Leads of different people with common names: each at another company and domain, unless they are many."""
    random = Random(1)  # noqa: S311
    names = [(random.choice(FIRST), random.choice(LAST)) for _ in range(number)]
    return [
        Lead(f"{first[0]}.{last}{n}@firm{n % 200}.de".lower(), first, last, f"Firm {n % 200} GmbH", None, fields(n))
        for n, (first, last) in enumerate(names)
    ]


def certain(leads: Sequence[Lead], weights: Weights) -> list[tuple[Lead, Lead]]:
    known = [(lead, PersonKey.of(lead, weights)) for lead in leads]
    return [
        (one, two)
        for (one, a), (two, b) in combinations(known, 2)
        if (match := compare(a, b, weights)) is not None and match.score == CERTAIN
    ]


@pytest.mark.parametrize("value", CONSTANT)
@pytest.mark.parametrize("every", [1, 20, 4])
def test_a_value_that_nearly_all_leads_share_says_nothing(value: Any, every: int) -> None:  # noqa: ANN401
    """Each twentieth or fourth lead has another one."""
    leads = homonyms(600, lambda n: {"customFields.note": value if every == 1 or n % every else f"Other {n}"})
    weights = train(leads, leads=len(leads), kinds={})
    note = weights.fields["customFields.note"]
    known = PersonKey.of(leads[1], weights).values["customFields.note"]

    share = 1 if every == 1 else 1 - 1 / every
    assert note.m[0] / 2 ** note.bits(Level.EXACT, known, colleagues=False) == pytest.approx(share, abs=0.02)
    assert abs(note.bits(Level.EXACT, known, colleagues=True)) < 0.6


@pytest.mark.parametrize("names", [True, False])
def test_a_shared_value_weighs_little_whoever_shares_it(*, names: bool) -> None:
    """Also if all of them have one name or none."""
    first, last = ("Ada", "King") if names else (None, None)
    fair = {"customFields.note": "Fair"}
    leads = [Lead(f"p{n}@mail{n}.com", first, last, fields=fair) for n in range(100)]
    weights = train(leads, leads=len(leads), kinds={})
    known = PersonKey.of(leads[1], weights).values["customFields.note"]

    assert weights.fields["customFields.note"].bits(Level.EXACT, known, colleagues=False) < 0.1


def test_a_value_of_many_columns_is_not_rare_because_others_are_more_frequent() -> None:
    leads = homonyms(3200, lambda n: {"customFields.group": f"Group {n % 400}"})
    group = train(leads, leads=len(leads), kinds={}).fields["customFields.group"]

    assert group.rare >= 7 / 3200


def test_homonyms_are_not_certain_because_of_constant_columns() -> None:
    leads = homonyms(
        600, lambda _: {"customFields.land": "Deutschland", "customFields.fair": "Hannover", "country": "DE"}
    )
    weights = train(leads, leads=len(leads), kinds={})

    for known in (weights, replace(weights, leads=20), UNTRAINED):
        assert {(one, two) for one, two in certain(leads, known) if one.company != two.company} == set()


@pytest.mark.parametrize("company", ["Acme", None])
def test_an_employer_of_everyone_says_nothing(company: str | None) -> None:
    leads = [
        replace(lead, company=company, email=f"p{n}@acme.com") for n, lead in enumerate(homonyms(300, lambda _: {}))
    ]
    weights = train(leads, leads=len(leads), kinds={})

    assert weights.company_bits("acme") < 0.1
    assert certain(leads, weights) == []


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Lead("xo@gmail.com", "Xanthippe", "Oberhuber"), Lead("xoberhuber77@yahoo.com", "Xanthippe", "Oberhuber")),
        (Lead("xanthippe.oberhuber@gmail.com"), Lead("xanthippe.oberhuber@yahoo.com")),
        (Lead("xo@one.com", "Xanthippe", "Oberhuber", "One"), Lead("ob@two.com", "Xanthippe", "Oberhuber", "Two")),
    ],
)  # fmt: skip
def test_a_name_alone_is_never_certain(one: Lead, two: Lead) -> None:
    fields: dict[str, Any] = {
        "country": "AT",
        "jobTitle": "Head of Sales",
        "customFields.vip": True,
        "customFields.city": "Graz",
    }
    for leads in (0, 100, 3000):
        for extra in ({}, fields):
            found = matched(
                replace(one, fields=extra), replace(two, fields=extra), Weights(leads=leads, duplicates=2.0)
            )
            assert found is None or found.score < CERTAIN


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("John", "Smith Sr."), ("John", "Smith Jr.")),
        (("John", "Smith, Jr"), ("John", "Smith III")),
        (("John Smith II", None), ("John", "Smith III")),
        (("John Sr.", "Smith"), ("John Jr.", "Smith")),
        (("John", "Smith Sr., MD"), ("John", "Smith Jr., PhD")),
        (("Jean", "Dupont père"), ("Jean", "Dupont fils")),
        (("Hans", "Meyer sen."), ("Hans", "Meyer jun.")),
        (("Hans", "Meyer senior"), ("Hans", "Meyer junior")),
        (("Hans", "Meyer d. Ä."), ("Hans", "Meyer d. J.")),
        (("José", "Silva Filho"), ("José", "Silva Neto")),
        (("Jan", "Novák st."), ("Jan", "Novák ml.")),
    ],
)
@pytest.mark.parametrize("emails", [("a@gmail.com", "b@gmail.com"), ("john.smith@gmail.com", "johnsmith@gmail.com")])
def test_parent_and_child_are_never_certain(
    one: tuple[str, str | None], two: tuple[str, str | None], emails: tuple[str, str]
) -> None:
    """They share a phone number, or even a mailbox."""
    found = matched(Lead(emails[0], *one, phone=PHONE), Lead(emails[1], *two, phone=PHONE))

    assert found is None or found.score < CERTAIN
    assert found is None or Reason(ReasonKind.SIMILAR_NAME, 1.0) not in found.reasons


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Lead("john.smith@gmail.com", "John", "Smith Sr."), Lead("john.smith.jr@gmail.com", "John", "Smith Jr.")),
        (Lead("john.smith@gmail.com", "John", "Smith"), Lead("john.smith.jr@gmail.com", "John", "Smith")),
        (Lead("z.quartermain@a.com", "Zeb", "Quartermain"), Lead("zq@b.com", "Zeb", "Quartermain Jr.")),
    ],
)
def test_a_generation_that_only_one_names_is_reviewed(one: Lead, two: Lead) -> None:
    found = matched(replace(one, phone=PHONE), replace(two, phone=PHONE))

    assert found is not None
    assert found.score < CERTAIN


def test_family_names_are_no_generation() -> None:
    for name in [("Amartya", "Sen"), ("Joana Neto", ""), ("Sr. Juan", "Pérez"), ("V", "Smith"), ("", "Junior")]:
        assert generation_of(*name) == ""
