"""All sources together against the small internet: companies of ten countries, and every misbehavior."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from leadflood.demo.internet.faults import DOMAIN
from leadflood.demo.internet.internet import Internet, demo_handler, demo_zone
from leadflood.demo.internet.world import DemoCompany, companies
from leadflood.domains.enrichment.engine.fetching import DoorFetcher
from leadflood.domains.enrichment.engine.memory import MemoryBreakers, MemoryFingerprints, MemoryLookups, MemoryRates
from leadflood.domains.enrichment.engine.ports import EnginePorts
from leadflood.domains.enrichment.engine.running import Engine
from leadflood.domains.enrichment.models import (
    Answer,
    FactField,
    FactValue,
    Found,
    Missed,
    SourceFailure,
    SubjectKind,
    Ticket,
    lead_fields,
)
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.runs import RunRequest, RunResult
from leadflood.domains.enrichment.registry import build_sources, default_policy
from leadflood.domains.enrichment.sources.email_check import EmailCheck
from leadflood.domains.enrichment.sources.website.source import Website
from leadflood.kernel.config import Settings
from leadflood.kernel.door.errors import DoorError
from tests.support.sandbox import shared_sandbox
from tests.support.small_internet import open_door
from tests.support.unspaced import UnspacedHosts
from tests.unit.enrichment.sources.asking import ask

KEPT = {"vat": fields.VAT_ID, "lei": fields.LEI, "siren": fields.SIREN, "cik": fields.CIK,
        "company_number": fields.COMPANY_NUMBER, "register": fields.REGISTER_NUMBER}  # fmt: skip
MISBEHAVING = (
    *(
        "bad-name",
        "broken-gzip",
        "close",
        "deep-html",
        "expired-certificate",
        "file",
        "good",
        "large-headers",
        "no-http",
    ),
    *("rate-limited", "rate-limited-for-decades", "redirect-loop", "robots-error", "robots-refuse", "slow-robots"),
    *("self-signed-certificate", "thirty-redirects", "unavailable", "wrong-charset", "wrong-length"),
)
"""Those that matter to the source itself; tests/integration/enrichment/test_fetching.py has all of them."""


@pytest.fixture(scope="module")
async def fetcher() -> AsyncIterator[DoorFetcher]:
    async with Internet(demo_zone(), demo_handler) as internet, open_door(internet, hosts=UnspacedHosts()) as door:
        yield DoorFetcher(door, shared_sandbox(), "tests")


@pytest.fixture
def engine(fetcher: DoorFetcher) -> Engine:
    settings = Settings(companies_house_key=SecretStr("key"))
    ports = EnginePorts(MemoryLookups(), MemoryRates(), MemoryBreakers(), fetcher, MemoryFingerprints().hash)
    return Engine(build_sources(settings), ports)


def expected(company: DemoCompany) -> dict[FactField, FactValue]:
    """Values that the pages and registers of a company have."""
    known: dict[FactField, FactValue] = {
        fields.NAME: company.name,
        fields.LEGAL_NAME: company.legal_name,
        fields.COUNTRY: company.country,
        fields.CITY: company.city,
        fields.POSTAL_CODE: company.postal_code,
        fields.STREET: company.street,
        fields.PHONE: company.phone,
        fields.EMAIL: f"info@{company.domain}",
        fields.FOUNDED: company.founded,
        fields.EMPLOYEES: company.employees,
    }
    numbers = {KEPT[kind]: number for kind, number in company.identifiers.items()}
    return known | numbers


async def test_companies_of_ten_countries_are_known_by_their_pages_and_registers(engine: Engine) -> None:
    asked = [companies()[place] for place in range(0, 200, 20)]
    wanted = frozenset(COMPANY_FIELDS)
    requests = [RunRequest(SubjectKind.COMPANY, {fields.DOMAIN: each.domain}, wanted) for each in asked]
    results = await asyncio.gather(*map(engine.run, requests))

    assert [line for each, result in zip(asked, results, strict=True) for line in differences(each, result)] == []


def differences(company: DemoCompany, result: RunResult) -> list[tuple[str, str, FactValue, list[FactValue]]]:
    """The fields of a company whose values were not chosen: domain, field, value, and what was chosen."""
    chosen = {field: [one.best.fact.value for one in result.chosen.get(field, ())] for field in COMPANY_FIELDS}
    wrong: list[tuple[str, str, FactValue, list[FactValue]]] = []
    for field, value in expected(company).items():
        keys = {field.compare(one) for one in chosen[field]}
        if not any(key.endswith(field.compare(field.normalise(value))) for key in keys):
            wrong.append((company.domain, field.name, value, chosen[field]))
    behind = {"nginx"} if "Cloudflare" in company.technologies else set[str]()
    missing = {*company.technologies} - {*chosen[fields.TECHNOLOGY]} - behind
    return [*wrong, *((company.domain, "technology", name, chosen[fields.TECHNOLOGY]) for name in sorted(missing))]


async def test_misbehavior_of_a_website_has_a_typed_answer(fetcher: DoorFetcher) -> None:
    answers = await asyncio.gather(*(answered(name, fetcher) for name in MISBEHAVING))
    sentences = {
        name: answer.sentence
        for name, answer in zip(MISBEHAVING, answers, strict=True)
        if not isinstance(answer, (Found, Missed, Ticket))
    }

    assert len(sentences) >= 12
    assert [name for name, sentence in sentences.items() if not sentence.endswith(".")] == []


async def answered(name: str, fetcher: DoorFetcher) -> Answer | DoorError | SourceFailure:
    """The answer about a website with this misbehavior, or the typed failure."""
    try:
        return await ask(Website(), {fields.DOMAIN: f"{name}.{DOMAIN}"}, fetcher)
    except (DoorError, SourceFailure) as failure:
        return failure


async def test_an_address_at_a_provider_is_not_called_invalid(fetcher: DoorFetcher) -> None:
    answer = await ask(EmailCheck(), {lead_fields.EMAIL: "ada@gmail.com"}, fetcher)

    assert isinstance(answer, Found)
    assert [fact.value for fact in answer.facts] == ["unknown"]
    assert answer.facts[0].receipt.evidence.startswith("gmail.com accepts mail (Gmail).")


def test_the_policy_names_all_sources() -> None:
    sources = build_sources(Settings())

    assert default_policy(sources).order == tuple(source.spec.name for source in sources)
    assert "companies_house" not in default_policy(sources).order
