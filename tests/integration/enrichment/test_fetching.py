"""The engine's way to the outside, with the small internet there: every misbehavior ends in a plain sentence."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from leadflood.demo.internet.dns_server import DnsFault
from leadflood.demo.internet.faults import DOMAIN, FAULTS
from leadflood.demo.internet.internet import Internet, demo_handler, demo_zone
from leadflood.demo.internet.registers import GLEIF
from leadflood.demo.internet.world import companies
from leadflood.domains.enrichment.engine.fetching import DoorFetcher
from leadflood.domains.enrichment.engine.memory import MemoryBreakers, MemoryFingerprints, MemoryLookups, MemoryRates
from leadflood.domains.enrichment.engine.ports import EnginePorts
from leadflood.domains.enrichment.engine.profiles import ProfileRequest, build_profile, parse_target
from leadflood.domains.enrichment.engine.running import Engine
from leadflood.domains.enrichment.models import (
    Answer,
    Busy,
    Fact,
    Fetcher,
    Found,
    Missed,
    Question,
    Receipt,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.runs import RunRequest, Step, StepState
from leadflood.domains.enrichment.models.waits import retry_after
from leadflood.domains.enrichment.registry import build_sources, default_policy
from leadflood.kernel.config import Settings
from leadflood.kernel.door.errors import UnexpectedContent
from leadflood.kernel.door.hosts import Hosts
from leadflood.kernel.door.resolver import RecordType
from leadflood.kernel.parsing import PageSource
from tests.support.page_titles import titles
from tests.support.sandbox import shared_sandbox
from tests.support.small_internet import open_door
from tests.support.unspaced import UnspacedHosts

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
async def internet() -> AsyncIterator[Internet]:
    async with Internet(demo_zone(), demo_handler) as started:
        yield started


@pytest.fixture(scope="module")
async def fetcher(internet: Internet) -> AsyncIterator[DoorFetcher]:
    async with fetching(internet, UnspacedHosts()) as made:
        yield made


@asynccontextmanager
async def fetching(internet: Internet, hosts: Hosts | None) -> AsyncIterator[DoorFetcher]:
    """A fetcher. Without hosts, robots.txt is not asked for."""
    async with open_door(internet, hosts=hosts) as door:
        yield DoorFetcher(door, shared_sandbox(), "tests")


class HomePage:
    """Reads the title of a home page, and leaves all errors to the engine."""

    def __init__(self, seconds: float) -> None:
        self.spec = SourceSpec(
            name="home_page",
            version="1",
            label="Website",
            subject=SubjectKind.COMPANY,
            speed=Speed.NETWORK,
            needs=(frozenset({company.DOMAIN}),),
            gives=frozenset({company.NAME}),
            family="website",
            one_service=False,
            concurrency=12,
            seconds=seconds,
        )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        page = await fetcher.page(f"https://{question.text(company.DOMAIN)}/")
        (parsed,) = await fetcher.parsed(titles, [PageSource(page.url, page.text)])
        title = "" if parsed.result is None else parsed.result["title"]
        if not title:
            return Missed(f"{question.text(company.DOMAIN)} has no title.")
        return Found([Fact.of(company.NAME, title, 0.7, Receipt("title", "The title.", page.fetched_at, page.url))])


async def read(fetcher: Fetcher, names: Collection[str], *, seconds: float) -> dict[str, Step]:
    """The step of the home page of each fault."""
    ports = EnginePorts(MemoryLookups(), MemoryRates(), MemoryBreakers(), fetcher, MemoryFingerprints().hash)
    engine, wanted = Engine([HomePage(seconds)], ports), frozenset({company.NAME})
    requests = [RunRequest(SubjectKind.COMPANY, {company.DOMAIN: f"{name}.{DOMAIN}"}, wanted) for name in names]
    results = await asyncio.gather(*map(engine.run, requests))
    return {name: result.steps[0] for name, result in zip(names, results, strict=True)}


READABLE = {
    *("alias", "good", "half-closed", "redirect-to", "wrong-charset", "endless-body", "endless-nothing", "gzip-bomb"),
    *("deflate-bomb", "deep-html", "long-script", "robots-refuse", "slow-robots"),
}
"""Pages that are read, though their title may be missing."""
HANGING = {"hang", "hang-after-headers", "slow-headers", "endless-nothing", "silent", "timeout", "garbage"}
OTHERS = {
    *("alias", "alias-to-loopback", "closed", "cname-loop", "half-closed", "half-private", "loopback", "many-texts"),
    *("mapped", "missing", "nat64", "no-address", "private", "private-ipv6", "rebinding", "refused", "servfail"),
}
JARGON = re.compile(r"Error|Exception|Traceback|errno|\bNone\b|0x|\bDNS\b|\bSSL\b|NXDOMAIN|SERVFAIL|null|[<>{}]")
SAYS = {
    "expired-certificate": "The certificate of expired-certificate.faults.example expired on ",
    "hang": "Website took too long and was stopped.",
    "missing": "missing.faults.example does not exist.",
    "robots-error": "robots-error.faults.example answered with error 500 when it was asked whether ",
    "redirect-loop": "redirect-loop.faults.example redirects in a circle.",
    "loopback": "loopback.faults.example may not be contacted: ",
    "self-signed-certificate": "The certificate of self-signed-certificate.faults.example is not from a trusted",
}


async def test_every_misbehavior_ends_in_a_sentence_that_salespeople_understand(fetcher: DoorFetcher) -> None:
    assert {*DnsFault} <= HANGING | OTHERS
    steps = await read(fetcher, sorted(({*FAULTS} | OTHERS) - HANGING), seconds=30)
    steps |= await read(fetcher, sorted(HANGING), seconds=1)

    for name, step in steps.items():
        assert step.sentence.endswith("."), name
        assert not JARGON.search(step.sentence), (name, step.sentence)
        assert step.state is not StepState.FAILED, name
        assert step.sentence.startswith(SAYS.get(name, "")), (name, step.sentence)
    assert {name for name, step in steps.items() if step.state in {StepState.FOUND, StepState.MISSED}} == READABLE


async def test_pages_records_and_data_are_read(fetcher: DoorFetcher) -> None:
    one = companies()[0]

    page = await fetcher.page(f"https://{one.domain}/")
    records = await fetcher.records(one.domain, RecordType.MX)
    data = await fetcher.data(f"https://{GLEIF}/api/v1/lei-records/{one.identifiers['lei']}")
    missing = await fetcher.data(f"https://{GLEIF}/api/v1/lei-records/unknown")

    assert (page.status, one.name in page.text, page.headers["content-type"]) == (200, True, "text/html; charset=utf-8")
    assert records.records == (f"10 {one.mail}",)
    assert data.value["data"]["attributes"]["entity"]["legalName"]["name"] == one.legal_name
    assert (missing.status, missing.value) == (404, None)


@pytest.mark.parametrize(
    ("name", "seconds"), [("rate-limited", 60), ("rate-limited-silently", 300), ("rate-limited-for-decades", 86_400)]
)
async def test_a_server_that_is_asked_too_often_names_the_time(internet: Internet, name: str, seconds: float) -> None:
    async with fetching(internet, None) as fetcher:
        with pytest.raises(Busy) as busy:
            await fetcher.page(f"https://{name}.{DOMAIN}/")

    left = (busy.value.until - datetime.now(UTC)).total_seconds()
    assert seconds - 30 < left <= seconds


@pytest.mark.parametrize("name", ["html-for-json", "truncated-json"])
async def test_data_that_is_none_is_refused(fetcher: DoorFetcher, name: str) -> None:
    with pytest.raises(UnexpectedContent):
        await fetcher.data(f"https://{name}.{DOMAIN}/")


def test_a_wait_is_read_in_both_forms_and_is_a_day_at_most() -> None:
    waits = {
        "60": 60,
        " 5 ": 5,
        "999999999": 86_400,
        "9" * 5000: 86_400,
        "Mon, 30 Nov 2026 12:01:00 GMT": 60,
        "Mon, 30 Nov 2026 12:01:00": 60,
        "Mon, 30 Nov 2020 12:01:00 GMT": 0,
        "Mon, 30 Nov 9999 12:01:00 GMT": 86_400,
    }
    for text, seconds in waits.items():
        assert retry_after(text, NOW) == timedelta(seconds=seconds), text
    for text in ("", "soon", "-5", "²", "1.5", "99999999999999999999 Nov 2026"):
        assert retry_after(text, NOW) is None, text


async def test_many_people_of_a_company_lead_to_one_visit() -> None:
    one = companies()[0]
    people = [parse_target(f"person{number}@{one.domain}") for number in range(25)]
    async with Internet(demo_zone(), demo_handler) as internet, fetching(internet, UnspacedHosts()) as fetcher:
        sources = build_sources(Settings(_env_file=None))
        ports = EnginePorts(MemoryLookups(), MemoryRates(), MemoryBreakers(), fetcher, MemoryFingerprints().hash)
        engine, request = Engine(sources, ports), ProfileRequest(default_policy(sources))
        profiles = await asyncio.gather(*(build_profile(engine, person, request) for person in people))

    assert all(profile.company and profile.company.chosen[company.NAME] for profile in profiles)
    paths = [item.path for item in internet.http.received if item.host == one.domain]
    assert len(paths) == len({*paths}) <= 5
    registers = [item.url for item in internet.http.received if item.host == GLEIF]
    assert len(registers) == 1
