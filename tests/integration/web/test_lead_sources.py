"""The sources that enrichment asked for a lead, and its status after a refresh that failed."""

from dataclasses import replace
from datetime import timedelta

from leadflood.domains.enrichment.models import Busy, SubjectKind
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.jobs.errors import Terminal
from leadflood.kernel.clock import utc_now
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.integration.web.conftest import House
from tests.support.asked_sources import ScriptedSource, spec_of
from tests.support.web import Browser


async def test_a_source_that_failed_beside_one_that_answered_is_named_with_its_reason(
    owner: Browser, house: House
) -> None:
    bench = Bench(house.parts.database, house.actor)
    made = await bench.create("ada@acme.com")
    found = Scripted("email_insight", [[value(fields.COMPANY_NAME, "Acme")]])
    await bench.attempt(made.job_id, found, Scripted("simulated", [Terminal("The account is closed.")]))

    seen = await owner.get(f"/leads/{made.lead_id}")

    answers = [item.partition(" · ")[0] for item in seen.all(".sources li")]  # without the time that it took
    assert answers == ["Email address: 1 value", "Simulated provider: The account is closed."]
    assert [node.attributes["aria-label"] for node in seen.html.css(".sources svg")] == ["Found", "Not possible"]
    assert "Enriched" in seen.all("#lead-status")[0]


async def test_a_source_that_is_asked_again_later_is_shown_with_its_time(owner: Browser, house: House) -> None:
    bench = Bench(house.parts.database, house.actor)
    made = await bench.create("ada@acme.com")
    at = utc_now() + timedelta(minutes=30)
    spec = replace(spec_of("simulated", fields.PHONE), subject=SubjectKind.LEAD, needs=(frozenset({fields.EMAIL}),))
    busy = ScriptedSource(spec, [Busy("It was asked as often as it allows.", at)])
    found = Scripted("email_insight", [[value(fields.COMPANY_NAME, "Acme")]])

    await bench.attempt(made.job_id, found, busy)

    seen = await owner.get(f"/leads/{made.lead_id}")
    waiting = seen.all(".sources li")[-1]
    assert "Simulated provider: It was asked as often as it allows." in waiting
    assert "again" in waiting
    assert "Retrying waiting sources in" in seen.all("#lead-found")[0]
    assert "Sources asked again" in seen.all("#lead-job")[0]


async def test_a_failed_refresh_leaves_a_lead_enriched_and_says_so(owner: Browser, house: House) -> None:
    bench = Bench(house.parts.database, house.actor)
    made = await bench.create("ada@acme.com")
    await bench.attempt(made.job_id, Scripted("simulated", [[value(fields.COMPANY_NAME, "Acme")]]))
    await bench.attempt(await bench.again(made.lead_id), Scripted("simulated", [Terminal("The account is closed.")]))

    status = (await owner.get(f"/leads/{made.lead_id}")).all("#lead-status")[0]

    assert "New Enriched" in status
    assert "Last refresh failed just now" in status


async def test_a_value_shows_its_quote_and_why_it_was_chosen(owner: Browser, house: House) -> None:
    bench = Bench(house.parts.database, house.actor)
    made = await bench.create("ada@acme.com")
    quoted = value(fields.COMPANY_NAME, "Acme Ltd", 0.9, quote="Copyright Acme Ltd <b>2026</b>")
    agreeing = Scripted("simulated", [[value(fields.COMPANY_NAME, "Acme", 0.4)]])
    await bench.attempt(made.job_id, Scripted("website", [[quoted]]), agreeing)

    (shown,) = (await owner.get(f"/leads/{made.lead_id}")).all("#lead-found .receipt")

    assert "“Copyright Acme Ltd <b>2026</b>”" in shown
    assert "Several sources agree" in shown
