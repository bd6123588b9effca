"""Targets and profiles: a person and their company from an address, a company from a domain."""

import pytest

from leadflood.domains.enrichment.engine.memory import MemoryBreakers, MemoryFingerprints, MemoryLookups, MemoryRates
from leadflood.domains.enrichment.engine.ports import EnginePorts
from leadflood.domains.enrichment.engine.profiles import ProfileRequest, ProfileTarget, build_profile, parse_target
from leadflood.domains.enrichment.engine.running import Engine
from leadflood.domains.enrichment.models import Away
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models import lead_fields as lead
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.runs import RunState
from leadflood.domains.enrichment.sources.email_insight import EmailInsight
from leadflood.kernel.text import InvalidValue
from tests.support.asked_sources import ScriptedSource, fact, finds, spec_of
from tests.support.canned_web import CannedFetcher

TARGETS = [
    (" Acme.com ", ProfileTarget(None, "acme.com")),
    ("https://www.shop.acme.co.uk/a?b#c", ProfileTarget(None, "acme.co.uk")),
    ("ada.github.io", ProfileTarget(None, "ada.github.io")),
    ("Bücher.de", ProfileTarget(None, "xn--bcher-kva.de")),
    ("hang.faults.example", ProfileTarget(None, "hang.faults.example")),
    ("Ada@Acme.com", ProfileTarget("Ada@acme.com", None)),
]


def test_domains_urls_and_addresses_are_targets() -> None:
    for text, target in TARGETS:
        assert parse_target(text) == target


@pytest.mark.parametrize(
    "text", ["", "  ", "acme", "com", "co.uk", "github.io", "10.0.0.1", "[::1]", "ada@", "@acme.com", "x" * 3000, "🚀"]
)  # fmt: skip
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_target(text)


def engine_of(*sources: ScriptedSource) -> Engine:
    ports = EnginePorts(MemoryLookups(), MemoryRates(), MemoryBreakers(), CannedFetcher(), MemoryFingerprints().hash)
    return Engine([EmailInsight(), *sources], ports)


async def test_an_address_leads_to_the_person_and_the_company() -> None:
    site = ScriptedSource(spec_of("website", company.NAME), [finds(fact("Acme Inc."))])

    profile = await build_profile(engine_of(site), parse_target("ada.lovelace@acme.com"), ProfileRequest(Policy()))

    assert profile.person is not None
    assert profile.company is not None
    assert profile.person.chosen[lead.FIRST_NAME][0].best.fact.value == "Ada"
    assert profile.company.chosen[company.NAME][0].best.fact.value == "Acme Inc."
    assert site.questions[0].text(company.DOMAIN) == "acme.com"
    assert (profile.domain, profile.state) == ("acme.com", RunState.COMPLETED)


async def test_free_mail_leads_to_no_company() -> None:
    site = ScriptedSource(spec_of("website", company.NAME), [finds(fact("Gmail"))])

    profile = await build_profile(engine_of(site), parse_target("ada@gmail.com"), ProfileRequest(Policy()))

    assert (profile.company, site.questions) == (None, [])


async def test_the_reason_of_a_failure_is_the_sentence_of_the_profile() -> None:
    site = ScriptedSource(spec_of("website", company.NAME), [Away("acme.com did not answer.")])
    dns = ScriptedSource(spec_of("dns", company.DMARC), [Away("acme.com did not answer.")])

    failed = await build_profile(engine_of(site, dns), parse_target("acme.com"), ProfileRequest(Policy()))
    partial = await build_profile(engine_of(site), parse_target("ada@acme.com"), ProfileRequest(Policy()))

    assert (failed.state, failed.sentence) == (RunState.FAILED, "acme.com did not answer.")
    assert (partial.state, partial.sentence) == (RunState.PARTIAL, "acme.com did not answer.")
