"""Similarity of two leads, on real samples and edge cases."""

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product
from random import Random
from typing import Any

import pytest

from leadflood.domains.duplicates.models import CERTAIN, UNTRAINED, Match, PersonKey, ReasonKind, Weights, compare
from leadflood.domains.duplicates.models import ComparedLead as Lead
from leadflood.domains.duplicates.models.training import train
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
        (Lead("jane.doe@gmial.com", "Jane", "Doe"), Lead("jane.doe@gmail.com", "Jane", "Doe")),
        (Lead("jane.doe@hotmial.com", "Jane", "Doe"), Lead("j.doe77@hotmail.com", "Jane", "Doe")),
        (Lead("jane@yaho.com", "Jane", "Doe"), Lead("jane@yahoo.com")),
        (Lead("jd@acmee.com", "Jane", "Doe"), Lead("jd@acme.com", "Jane", "Doe")),
        (Lead("t.m@acme.com", "Thomas", "Müller"), Lead("thomas.mueller@acme.com", "Thomas", "Mueller")),
        (Lead("ae@acme.com", "Jörg", "Weiß"), Lead("joerg.weiss@acme.com", "Joerg", "Weiss")),
        (Lead("ivanov@acme.ru", "Иван", "Иванов"), Lead("i.ivanov@acme.ru", "Ivan", "Ivanov")),
        (Lead("a@acme.gr", "Γιώργος", "Παπαδάκης"), Lead("gp@acme.gr", "Giorgos", "Papadakis")),
        (Lead("a@firma.pl", "Łukasz", "Wiśniewski"), Lead("lw@firma.pl", "Lukasz", "Wisniewski")),
        (Lead("bjorn@gmail.com", "Bjørn", "Strømskag"), Lead("b.s@online.no", "Bjoern", "Stroemskag")),
        (Lead("zeb.q@gmail.com", "Zebulon", "Quartermain"), Lead("zq77@yahoo.com", "Zebulon", "Quartermain")),
        (Lead("th@gmail.com", "Thorsten", "Hintermeier"), Lead("hi@web.de", "Thorsten", "Hintermeier")),
        (Lead("zebulon.quartermain@gmail.com"), Lead("zebulon.quartermain@yahoo.com")),
        (Lead("a@gmail.com", "Dr. Zebulon", "Quartermain"), Lead("b@yahoo.com", "Zebulon", "Quartermain Jr.")),
        (Lead("ak@draw.io", "Ada", "King", "Draw.io"), Lead("ada@home.example", "Ada", "King", "Draw Ltd")),
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
        (Lead("john@gmail.com", "John", "Smith"), Lead("js@yahoo.com", "John", "Smith")),
        (Lead("a@gmail.com", "Maria", "Garcia"), Lead("b@hotmail.com", "María", "García")),
        (Lead("a@gmail.com", "Thomas", "Müller"), Lead("b@web.de", "Thomas", "Mueller")),
        (Lead("a@qq.com", "伟", "王"), Lead("b@163.com", "伟", "王")),
        (Lead("a@gmail.com", "Anh", "Nguyen"), Lead("b@gmail.com", "Anh", "Nguyen")),
        (Lead("john.smith1@gmail.com"), Lead("john.smith2@gmail.com")),
        (Lead("john.smith@acme.com"), Lead("john.smith@zenith.com")),
        (Lead("info@acme.com"), Lead("info@acne.com")),
        (Lead("sales@acme.com", "Ann", "Lee"), Lead("sales@acmee.com", "Bob", "Ray")),
        (Lead("jane@zwetkow.com", "Jane", "Zwetkow"), Lead("john@zwetkow.com", "John", "Zwetkow")),
        (Lead("anna.kim@acme.com", "Anna", "Kim"), Lead("anne.kim@acme.com", "Anne", "Kim")),
        (Lead("\U0001f600@acme.com", "\U0001f600"), Lead("\U0001f601@acme.com", "\U0001f601")),
    ],
)
def test_two_people_are_no_pair(one: Lead, two: Lead) -> None:
    assert matched(one, two) is None


Read = Callable[[dict[str, str]], Lead]


def as_lead(row: dict[str, str]) -> Lead:
    """A row of a sample in the plain fields of a lead, a town as its company, an address if it has none."""
    return Lead(
        row.get("Email 1") or row.get("email") or f"{row['rid']}@nobody.test",
        row.get("First Name") or row.get("first_name") or row.get("given_name") or None,
        row.get("Last Name") or row.get("surname") or None,
        row.get("Company") or row.get("suburb") or row.get("city") or None,
    )


def with_fields(row: dict[str, str]) -> Lead:
    """A row of a sample with all that it says: what is no field of a lead becomes a custom one."""
    named = {"rid", "First Name", "first_name", "given_name", "Last Name", "surname", "Company", "Email 1", "email"}
    fields = {"website": row["Website"]} if row.get("Website") else {}
    fields |= {
        f"customFields.{name}": value for name, value in row.items() if value and name not in {*named, "Website"}
    }
    return replace(as_lead(row), company=row.get("Company") or None, fields=fields)


def people(name: str, read: Read) -> Iterator[tuple[str, Lead]]:
    """The rows of a sample as leads, each with its cluster."""
    with (SAMPLES / "dedupe" / f"{name}.truth.csv").open(newline="", encoding="utf-8") as file:
        clusters = {row["rid"]: row["cluster"] for row in csv.DictReader(file)}
    with (SAMPLES / "dedupe" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield clusters[row["rid"]], read(row)


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
@pytest.mark.parametrize("read", [as_lead, with_fields])
@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize(
    ("name", "precision", "f1"),
    [("datablist_leads_duplicates", 0.98, 0.99), ("febrl1", 0.98, 0.8), ("splink_fake_1000", 0.98, 0.75)],
)
def test_samples_are_told_apart(name: str, precision: float, f1: float, read: Read, *, trained: bool) -> None:
    """By the documented weights, and by those that are estimated from the sample without its truth."""
    leads = list(people(name, read))
    weights = train([lead for _, lead in leads], leads=len(leads), kinds={}) if trained else UNTRAINED

    found, true = compared(leads, weights)

    assert len(found & true) / len(found) >= precision
    assert 2 * len(found & true) / (len(found) + len(true)) >= f1


@pytest.mark.samples
@pytest.mark.parametrize(("name", "f1"), [("febrl1", 0.98), ("splink_fake_1000", 0.8)])
def test_custom_fields_tell_people_apart_once_a_workspace_is_known(name: str, f1: float) -> None:
    leads = list(people(name, with_fields))
    weights = train([lead for _, lead in leads], leads=len(leads), kinds={})

    found, true = compared(leads, weights)

    assert 2 * len(found & true) / (len(found) + len(true)) >= f1


def assert_told_apart(leads: Sequence[tuple[str, Lead]], precision: float, recall: float) -> None:
    found, true = compared(leads, UNTRAINED)

    assert found, "nothing was found"
    assert len(found & true) / len(found) >= precision
    assert len(found & true) / len(true) >= recall


def compared(leads: Sequence[tuple[str, Lead]], weights: Weights) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """The pairs that a scan finds, and those that there are."""
    known = [(cluster, PersonKey.of(lead, weights)) for cluster, lead in leads]
    by_key: dict[int, list[int]] = defaultdict(list)
    for number, (_, person) in enumerate(known):
        for key in person.blocks(weights):
            by_key[key].append(number)
    pairs = {pair for numbers in by_key.values() for pair in combinations(numbers, 2)}
    found = {pair for pair in pairs if compare(known[pair[0]][1], known[pair[1]][1], weights)}
    true = {pair for pair in combinations(range(len(known)), 2) if known[pair[0]][0] == known[pair[1]][0]}
    return found, true


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


def test_what_contradicts_keeps_a_pair_from_being_certain() -> None:
    sure = matched(
        Lead("a@one.com", "Zebulon", "Quartermain", "Acme"), Lead("z@two.com", "Zebulon", "Quartermain", "Acme")
    )
    unsure = matched(Lead("ab@gmail.com", "Ann", "Lee"), Lead("a.b@gmail.com", "Bob", "Ray"))

    assert sure is not None
    assert unsure is not None
    assert (sure.score, unsure.score < CERTAIN) == (CERTAIN, True)


def workspace(number: int, fields: Callable[[int], dict[str, Any]]) -> list[Lead]:
    """Leads of many people, each third of whom has a second one that was typed at another time."""
    leads = []
    for index in range(number):
        first, last = FIRST[index % 11], f"{chr(97 + index // 26)}{chr(97 + index % 26)}{LAST[index % 10]}"
        lead = Lead(f"p{index}@mail{index % 40}.com", first, last, None, None, fields(index))
        leads.append(lead)
        if index % 3 == 0:
            leads.append(replace(lead, email=f"q{index}@other{index % 40}.com"))
    return leads


def test_a_rare_value_says_much_and_a_common_one_little() -> None:
    weights = train(
        workspace(
            300,
            lambda index: {
                "customFields.birthday": f"19{50 + index % 50}-{1 + index % 12:02}-{1 + index % 28:02}",
                "customFields.plan": ["free", "pro"][index % 2],
            },
        ),
        leads=400,
        kinds={},
    )
    one = Lead(
        "jan@gmail.com", "Ada", "Smith", fields={"customFields.birthday": "1984-03-01", "customFields.plan": "pro"}
    )
    two = replace(one, email="smith@yahoo.com")
    other = replace(two, fields={"customFields.birthday": "1961-11-24", "customFields.plan": "pro"})

    birthday, plan = weights.fields["customFields.birthday"], weights.fields["customFields.plan"]
    assert birthday.u[0] < 0.02
    assert plan.u[0] > 0.3
    assert "customFields.birthday" in weights.keys
    assert "customFields.plan" not in weights.keys
    people = [PersonKey.of(lead, weights) for lead in (one, two, other)]
    found = compare(people[0], people[1], weights)
    assert found is not None
    assert [(reason.kind, reason.field) for reason in found.reasons if reason.field] == [
        (ReasonKind.SIMILAR_FIELD, "customFields.birthday")
    ]
    assert compare(people[0], people[2], weights) is None
    assert people[0].blocks(weights) & people[1].blocks(weights)


def test_what_colleagues_share_says_nothing_of_them() -> None:
    """A postcode of the office is rare, but everybody at the company has it."""
    leads = [
        Lead(f"{chr(97 + n % 26)}{n}@firm{n // 6}.com", FIRST[n % 11], f"{LAST[n % 10]}{n}", f"Firm {n // 6}",
             fields={"customFields.postcode": f"{10000 + n // 6}", "customFields.badge": f"{n * 7919}"})
        for n in range(360)
    ]  # fmt: skip
    weights = train(leads, leads=360, kinds={})

    postcode, badge = weights.fields["customFields.postcode"], weights.fields["customFields.badge"]
    assert postcode.at_company[0] > 0.9
    assert badge.at_company[0] < 0.3
    one, two = (PersonKey.of(lead, weights) for lead in leads[:2])
    assert compare(one, two, weights) is None


def test_weights_are_stored_and_read_again() -> None:
    weights = train(workspace(120, lambda index: {"customFields.code": index * 31}), leads=160, kinds={})

    read = Weights.read(json.loads(json.dumps(weights.stored())))

    assert read is not None
    assert read.fields.keys() == weights.fields.keys()
    assert read.prior == weights.prior
    assert read.keys == weights.keys
    assert Weights.read({**weights.stored(), "version": 0}) is None


def test_nothing_of_names_is_in_what_is_stored() -> None:
    """The weights that a scan stores contain no names: an erasure has nothing to do there."""
    stored = json.dumps(train(workspace(200, lambda _: {"customFields.note": "Secret"}), leads=200, kinds={}).stored())

    assert not [name for name in (*FIRST, *LAST, "Secret", "secret") if name.lower() in stored.lower()]


@pytest.mark.parametrize("leads", [[], [Lead("a@b.com")], [Lead(f"a{n}@b.com") for n in range(3)]])
def test_a_workspace_of_hardly_any_leads_has_the_documented_weights(leads: list[Lead]) -> None:
    weights = train(leads, leads=len(leads), kinds={})

    assert (weights.fields, weights.keys) == ({}, [])
    assert weights.prior == pytest.approx(UNTRAINED.prior)


def test_the_more_leads_there_are_the_less_a_name_alone_says() -> None:
    one = PersonKey.of(Lead("a@gmail.com", "Sabine", "Krüger"))
    two = PersonKey.of(Lead("b@web.de", "Sabine", "Krüger"))

    assert compare(one, two, Weights(leads=1000)) is not None
    assert compare(one, two, Weights(leads=1_000_000)) is None
