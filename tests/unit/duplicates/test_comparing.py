"""Similarity of two leads, on real samples and edge cases."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product
from random import Random

import pytest

from leadflood.domains.duplicates.models import ComparedLead as Lead
from leadflood.domains.duplicates.models import Match, PersonKey, ReasonKind, compare
from tests.support.samples import SAMPLES


def matched(one: Lead, two: Lead) -> Match | None:
    """The match as in a scan: only leads that share a key are compared."""
    a, b = PersonKey.of(one), PersonKey.of(two)
    return compare(a, b) if a.blocks() & b.blocks() else None


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Lead("a.b@gmail.com"), Lead("ab+x@googlemail.com")),
        (Lead("x@one.com", "Ada", "Lovelace", "Acme Ltd."), Lead("y@two.com", "ada", "LOVELACE", "The ACME Company")),
        (Lead("x@one.com", "Ada", "Lovelace", "Acme"), Lead("y@two.com", "Lovelace", "Ada", "Acme Inc")),
        (Lead("x@one.com", "José", "Muñoz", "Böhm GmbH"), Lead("y@two.com", "Jose", "Munoz", "Bohm")),
        (Lead("x@one.com", "Ada Lovelace", None, "Acme"), Lead("y@two.com", "Ada", "Lovelace", "Acme")),
        (Lead("x@one.com", "Ada", "L.", "Acme"), Lead("y@two.com", "Ada", "Lovelace", "Acme")),
        (Lead("x@one.com", "Ada", "Lovelase", "Acme"), Lead("y@two.com", "Ada", "Lovelace", "Acme")),
        (Lead("ada@acme.com", "Ada", "Lovelace"), Lead("y@two.com", "Ada", "Lovelace", "Acme")),
        (Lead("t54.gabriel@nichols.info"), Lead("t54.gabriel@nichosl.info")),
        (Lead("a@b.com", "Ada", "King", phone="+442079460958"), Lead("b@b.com", "Ada", phone="+442079460958;ext=3")),
        (Lead("x@one.com", "王", "伟", "阿里巴巴"), Lead("y@two.com", "王", "伟", "阿里巴巴")),
        (Lead("x@one.com", "محمد", "علي", "شركة"), Lead("y@two.com", "محمد", "علي", "شركة")),
    ],
)
def test_one_person_written_in_two_ways_is_a_pair(one: Lead, two: Lead) -> None:
    assert matched(one, two) == matched(two, one) is not None


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Lead("john@acme.com", "John", "Smith", "Acme"), Lead("jane@acme.com", "Jane", "Smith", "Acme")),
        (Lead("a@acme.com", "Ada", "King", "Acme"), Lead("b@acme.com", "Eva", "Long", "Acme")),
        (Lead("a@one.com", "John", "Smith", "Acme"), Lead("b@two.com", "John", "Smith", "Zenith")),
        (Lead("a@one.com", "John", "Smith"), Lead("b@gmail.com", "John", "Smith")),
        (Lead("a@b.com", "Ada", "King", phone="+442079460958"), Lead("b@b.com", "Bob", "Ross", phone="+442079460958")),
        (Lead("info@acme.com"), Lead("info@zenith.com")),
        (Lead("a@acme.com"), Lead("b@acme.com")),
        (Lead("\U0001f600@acme.com", "\U0001f600"), Lead("\U0001f601@acme.com", "\U0001f601")),
    ],
)
def test_two_people_are_no_pair(one: Lead, two: Lead) -> None:
    assert matched(one, two) is None


def people(name: str) -> Iterator[tuple[str, Lead]]:
    """The rows of a sample as leads, each with its cluster; what has no address is no lead."""
    with (SAMPLES / "dedupe" / f"{name}.truth.csv").open(newline="", encoding="utf-8") as file:
        clusters = {row["rid"]: row["cluster"] for row in csv.DictReader(file)}
    with (SAMPLES / "dedupe" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            lead = Lead(
                row.get("Email 1") or row.get("email") or f"{row['rid']}@nobody.test",
                row.get("First Name") or row.get("first_name") or row.get("given_name") or None,
                row.get("Last Name") or row.get("surname") or None,
                row.get("Company") or row.get("suburb") or row.get("city") or None,
            )
            yield clusters[row["rid"]], lead


FIRST = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Margaret", "Radia", "Dennis", "Frances", "Niklaus"]
LAST = [
    "Lovelace",
    "Hopper",
    "Turing",
    "Dijkstra",
    "Liskov",
    "Knuth",
    "Hamilton",
    "Perlman",
    "Ritchie",
    "Allen",
    "Wirth",
]
COMPANIES = ["Analytical", "Enigma", "Structured", "Fortress", "Apollo", "Spanning", "Orbital", "Bletchley", "Pascal"]


def generated(number: int) -> Iterator[tuple[str, Lead]]:
    """Different people; of each third one there is a second lead, which somebody typed at another time."""
    random = Random(1)  # noqa: S311  which of them, and how
    names = random.sample(list(product(FIRST, LAST)), number)
    for index, (first, last) in enumerate(names):
        company = f"{random.choice(COMPANIES)} {index}"
        lead = Lead(f"{first}.{last}@{company.lower().replace(' ', '-')}.com".lower(), first, last, company)
        yield str(index), lead
        if index % 3 == 0:
            yield str(index), random.choice(SLIPS)(lead)


def misspelt(name: str | None) -> str:
    assert name is not None
    return name[:-2] + name[-1] + name[-2]


def elsewhere(lead: Lead) -> str:
    return f"{lead.last_name}.{lead.company}@else.example".replace(" ", "")


SLIPS: list[Callable[[Lead], Lead]] = [
    lambda lead: replace(lead, email=elsewhere(lead)),
    lambda lead: replace(lead, email=elsewhere(lead), company=f"{lead.company} GmbH"),
    lambda lead: replace(lead, email=elsewhere(lead), first_name=lead.last_name, last_name=lead.first_name),
    lambda lead: replace(lead, email=elsewhere(lead), last_name=misspelt(lead.last_name)),
    lambda lead: replace(lead, email=lead.email.replace("@", "+news@"), first_name=None, company=None),
]


def test_generated_people_are_told_apart() -> None:
    assert_told_apart(list(generated(105)), 0.99, 0.95)


@pytest.mark.samples
@pytest.mark.parametrize(
    ("name", "precision", "recall"),
    [("datablist_leads_duplicates", 0.99, 0.99), ("febrl1", 0.99, 0.6), ("splink_fake_1000", 0.95, 0.5)],
)
def test_samples_are_told_apart(name: str, precision: float, recall: float) -> None:
    """The samples have a town instead of a company, and half of their distinguishing data is not part of a lead."""
    assert_told_apart(list(people(name)), precision, recall)


def assert_told_apart(leads: Sequence[tuple[str, Lead]], precision: float, recall: float) -> None:
    known = [(cluster, PersonKey.of(lead)) for cluster, lead in leads]
    by_key: dict[int, list[int]] = defaultdict(list)
    for number, (_, person) in enumerate(known):
        for key in person.blocks():
            by_key[key].append(number)
    pairs = {pair for numbers in by_key.values() for pair in combinations(numbers, 2)}
    found = {pair for pair in pairs if compare(known[pair[0]][1], known[pair[1]][1])}
    true = {pair for pair in combinations(range(len(known)), 2) if known[pair[0]][0] == known[pair[1]][0]}

    assert found, "nothing was found"
    assert len(found & true) / len(found) >= precision
    assert len(found & true) / len(true) >= recall


def test_what_two_have_in_common_is_told() -> None:
    found = matched(
        Lead("ada+x@acme.com", "Ada", "Lovelace", "Acme", "+442079460958"),
        Lead("ada@acme.com", "Ada", "Lovelace", "Acme", "+442079460958"),
    )

    assert found is not None
    assert [reason.kind for reason in found.reasons] == [
        ReasonKind.SAME_MAILBOX,
        ReasonKind.SAME_PHONE,
        ReasonKind.SIMILAR_NAME,
        ReasonKind.SIMILAR_COMPANY,
    ]
    assert found.score == 100
