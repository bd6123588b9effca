"""The facts of a company on its page, on those of its leads, and over HTTP; and Re-enrich."""

from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.kernel.actor import Role
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import Office, Register, domain
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.asked_sources import ScriptedSource, fact, finds, spec_of
from tests.support.web import Browser

__all__ = ["house", "new_house", "pages_app", "pages_parts", "site_parts", "viewer"]


async def test_a_company_is_seen_being_read_and_its_facts_have_receipts(house: House, viewer: Browser) -> None:
    company, register = domain(), Register()
    office = Office(Bench(house.parts.database, house.actor))
    made = await office.waiting(company, register)
    page = f"/companies/{await office.company_id(company)}"

    seen = await viewer.get(f"/leads/{made.lead_id}")
    assert f"Reading {company}" in seen.all("#panel-company-facts")[0]
    assert f"Waiting for {company}." in seen.all("#lead-job")[0]
    waiting = (await viewer.get(page)).all("#panel-run")[0]
    assert ("Queued" in waiting, "Re-enrich" in waiting) == (True, False)
    live = await viewer.get(page, hx_request="true", x_live="poll")
    assert all(live.html.css_first(f"#panel-{name}") is not None for name in ("facts", "run")), "they are live"

    await office.read(company, register)
    await office.completes(made, register)

    facts = (await viewer.get(page)).all("#panel-facts")[0]
    for text in (f"Company {company}", "Berlin", "A test says so.", "Confidence", "Only value"):
        assert text in facts
    assert "Found 2 values." in (await viewer.get(page)).all("#panel-run")[0]
    assert "Berlin" in (await viewer.get(f"/leads/{made.lead_id}")).all("#panel-company-facts")[0]


async def test_members_enrich_again_and_viewers_do_not(house: House, viewer: Browser) -> None:
    company, register = domain(), Register()
    office = Office(Bench(house.parts.database, house.actor))
    made = await office.waiting(company, register)
    await office.read(company, register)
    await office.completes(made, register)
    page, member = f"/companies/{await office.company_id(company)}", await house.signed_in(Role.MEMBER)
    assert not (await viewer.get(page)).all("form[action$=enrichments]")

    await member.get(page)
    await member.post(f"{page}/enrichments", {})

    assert "Queued" in (await viewer.get(page)).all("#panel-run")[0]
    await office.read(company, register)
    assert register.asked == [company, company]


async def test_values_that_were_not_chosen_are_shown_with_their_source(house: House, viewer: Browser) -> None:
    company, bench = domain(), Bench(house.parts.database, house.actor)
    office = Office(bench)
    sure = ScriptedSource(spec_of(f"sure-{company}", fields.EMPLOYEES), [finds(fact(42, of=fields.EMPLOYEES))])
    unsure = ScriptedSource(spec_of(f"unsure-{company}", fields.EMPLOYEES, fields.FOUNDED), [
        finds(fact(40, 0.3, of=fields.EMPLOYEES), fact(1999, of=fields.FOUNDED))
    ])  # fmt: skip
    made = await bench.create(f"ada@{company}")
    await bench.attempt(made.job_id, sure, unsure)
    await bench.attempt(await office.run_job(company), sure, unsure)

    facts = (await viewer.get(f"/companies/{await office.company_id(company)}")).all("#panel-facts")[0]

    assert ("42" in facts, "Other value:" in facts, "40" in facts) == (True, True, True)
