"""Certain duplicates within a list: those that a scan would call certain, at a cost that grows with the list."""

from leadflood.domains.duplicates.models import ComparedLead, PersonKey, Weights
from leadflood.domains.duplicates.service import list_comparison
from leadflood.domains.duplicates.service.list_comparison import NEIGHBOURS, KnownWeights, certain_pairs, weights_of

PHONE = "+447911123456"


def person(email: str, first: str = "Ada", last: str = "Lovelace", phone: str | None = None) -> ComparedLead:
    return ComparedLead(email, first, last, None, phone)


async def test_one_person_under_several_emails_is_found_and_colleagues_are_not() -> None:
    people = [
        person("ada.lovelace@gmail.com"),
        person("grace@navy.mil", "Grace", "Hopper"),
        person("adalovelace+news@googlemail.com"),
        person("info@acme.com", "", "", PHONE),
        person("sales@acme.com", "", "", PHONE),
        person("ada.lovelace@gmial.com"),
        person("grace.hopper@acme.com", "Grace", "Hopper"),
    ]

    assert await certain_pairs(people) == [(0, 2), (0, 5), (2, 5)]


async def test_pairs_are_few_however_many_people_share_a_key() -> None:
    people = [person(f"a{number}@b{number}.com", f"First{number}", f"Last{number}", PHONE) for number in range(1000)]
    keys = [PersonKey.of(each) for each in people]

    candidates = list_comparison._candidates(keys, Weights())

    assert 0 < len(candidates) <= NEIGHBOURS * sum(len(key.blocks()) for key in keys)


async def test_weights_are_those_of_the_workspace_unless_the_list_is_longer() -> None:
    people = [person(f"ada{number}@b{number}.com") for number in range(30)]
    large, small = Weights(leads=30), Weights(leads=29)

    assert await weights_of(people, KnownWeights(large, {})) is large
    for known in (None, small):
        estimated = await weights_of(people, KnownWeights(known, {}))
        assert (estimated.leads, estimated.duplicates == large.duplicates) == (30, False)
