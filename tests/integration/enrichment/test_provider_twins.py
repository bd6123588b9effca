"""Sources ask the twins of their providers through the door: what they say they cost is what the twins charged."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import pytest

from leadflood.demo.internet.internet import Internet
from leadflood.demo.internet.world import companies
from leadflood.demo.providers.hunter import HunterTwin
from leadflood.demo.providers.people import person_of
from leadflood.demo.providers.twin import Twin
from leadflood.demo.providers.twins import Twins
from leadflood.domains.enrichment.engine.fetching import DoorFetcher
from leadflood.domains.enrichment.models import (
    AnswerLost,
    FactField,
    Found,
    KeyRejected,
    MeteredSource,
    Missed,
    Objected,
    OutOfCredits,
    Repeat,
    Source,
    SubjectKind,
    Ticket,
    TicketSource,
)
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models import lead_fields as person
from leadflood.domains.enrichment.registry import PROVIDERS
from tests.support.sandbox import shared_sandbox
from tests.support.small_internet import open_door
from tests.unit.enrichment.sources.asking import ask, question

DOMAIN = companies()[0].domain
NAMES = {provider.name: provider for provider in PROVIDERS}
HOSTS = {provider.name: provider.origin.removeprefix("https://") for provider in PROVIDERS}
CASES = [(provider.name, source.spec.name) for provider in PROVIDERS for source in provider.sources("")]


@dataclass
class Office:
    """Twins, and the way to them."""

    twins: Twins
    fetcher: DoorFetcher

    def twin(self, provider: str) -> Twin:
        return next(twin for twin in self.twins.all if HOSTS[provider] in twin.hosts)

    def source(self, provider: str, name: str, key: str | None = None) -> Source:
        """A source with the key of the twin, or another one."""
        made = NAMES[provider].sources(self.twin(provider).key if key is None else key)
        return next(source for source in made if source.spec.name == name)


@asynccontextmanager
async def open_office() -> AsyncIterator[Office]:
    twins = Twins()
    async with Internet(twins.zone, twins.serve) as internet, open_door(internet) as door:
        yield Office(twins, DoorFetcher(door, shared_sandbox(), "tests"))


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[Office]:
    async with open_office() as opened:
        yield opened


@pytest.fixture
def office(shared: Office) -> Office:
    """Twins that have charged nothing."""
    for twin in shared.twins.all:
        twin.__init__()  # type: ignore[misc]
    return shared


def known_to(provider: str) -> str:
    """The address of a person whom a twin knows."""
    found = {"abstract_email": "abstract"}.get(provider, provider)
    return next(
        email
        for number in range(100)
        if person_of(email := f"ada{'abcdefghij'[number % 10] * (number // 10 + 1)}.lovelace@{DOMAIN}", provider=found)
    )


def known_of(source: Source, email: str) -> Mapping[FactField, Any]:
    """Values of the fields of the first need of a source."""
    first, _, last = email.partition("@")[0].partition(".")
    every = {
        company.DOMAIN: email.partition("@")[2],
        person.EMAIL: email,
        person.FIRST_NAME: first,
        person.LAST_NAME: last,
        person.COMPANY_DOMAIN: email.partition("@")[2],
    }
    return {field: every[field] for field in source.spec.needs[0]}


@pytest.mark.parametrize(("provider", "name"), CASES)
async def test_a_hit_costs_what_the_twin_charged_and_its_counter_says_so(
    office: Office, provider: str, name: str
) -> None:
    source, twin = office.source(provider, name), office.twin(provider)
    known = known_of(source, known_to(provider))

    before = await usage(office, source)
    answer = await ask(source, known, office.fetcher)
    while isinstance(answer, Ticket):
        asked = question(source, known)
        answer = await cast("TicketSource", source).poll(answer, asked, office.fetcher)

    assert isinstance(answer, Found)
    assert answer.units == twin.charged > 0
    assert answer.units <= source.spec.most_units
    after = await usage(office, source)
    assert before is None or after is None or after - before == answer.units


async def usage(office: Office, source: Source) -> int | None:
    """The provider's counter; None if it has none."""
    if source.spec.repeat is not Repeat.RECONCILE:
        return None
    return await cast("MeteredSource", source).usage(office.fetcher)


@pytest.mark.parametrize(("provider", "name"), CASES)
async def test_an_unknown_subject_is_a_miss_at_the_documented_price(office: Office, provider: str, name: str) -> None:
    source, twin = office.source(provider, name), office.twin(provider)
    known = known_of(source, "grace.hopper@unknown.example.com")

    answer = await ask(source, known, office.fetcher)
    while isinstance(answer, Ticket):
        answer = await cast("TicketSource", source).poll(answer, question(source, known), office.fetcher)

    if not isinstance(answer, Found):
        assert isinstance(answer, Missed)
    assert answer.units == twin.charged


@pytest.mark.parametrize(("provider", "name"), CASES)
async def test_a_wrong_key_and_an_empty_account_are_told_apart(office: Office, provider: str, name: str) -> None:
    wrong = office.source(provider, name, key="wrong-key-1234")
    known = known_of(wrong, known_to(provider))
    with pytest.raises(KeyRejected) as rejected:
        await ask(wrong, known, office.fetcher)
    assert "wrong-key" not in rejected.value.sentence

    office.twin(provider).credits = 0
    kind = KeyRejected if provider == "zerobounce" else OutOfCredits  # which has one sentence for both
    with pytest.raises(kind):
        await ask(office.source(provider, name), known, office.fetcher)
    assert office.twin(provider).charged == 0


@pytest.mark.parametrize(("provider", "name"), CASES)
async def test_an_answer_that_is_lost_was_charged_once_and_is_not_asked_for_again(
    office: Office, provider: str, name: str
) -> None:
    source, twin = office.source(provider, name), office.twin(provider)
    before = await usage(office, source)
    twin.calls.clear()
    twin.lost = 1

    with pytest.raises(AnswerLost):
        await ask(source, known_of(source, known_to(provider)), office.fetcher)

    assert len(twin.calls) == 1
    assert len(twin.charges) == 1
    after = await usage(office, source)
    assert before is None or after is None or after - before == twin.charged


async def test_a_person_who_objected_is_recognized(office: Office) -> None:
    twin = cast("HunterTwin", office.twin("hunter"))
    email = known_to("hunter")
    twin.objected.add(email)

    for name in ("hunter_email_finder", "hunter_email_verifier"):
        source = office.source("hunter", name)
        with pytest.raises(Objected):
            await ask(source, known_of(source, email), office.fetcher)
    assert twin.charged == 0


def test_people_are_asked_about_by_sources_with_a_price() -> None:
    specs = [source.spec for provider in PROVIDERS for source in provider.sources("")]

    assert {spec.subject for spec in specs} == {SubjectKind.LEAD, SubjectKind.COMPANY}
    assert all(spec.most_units > 0 and spec.charges != "never" for spec in specs)
    assert all(hasattr(source, "usage") for provider in PROVIDERS for source in provider.sources("")
               if source.spec.repeat is Repeat.RECONCILE)  # fmt: skip
