"""The list of companies: columns of found values, and enriching those that are selected, or all that a search finds."""

from typing import Any

from leadflood.domains.enrichment.models import company_fields
from leadflood.domains.enrichment.models.decisions import Decision
from leadflood.kernel.actor import Role
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.test_decisions import Desk, known
from tests.integration.web.conftest import House, house, new_house, owner, pages_app, pages_parts, site_parts, viewer
from tests.support.asked_sources import fact
from tests.support.web import Browser, Seen

__all__ = ["house", "new_house", "owner", "pages_app", "pages_parts", "site_parts", "viewer"]


def form_of(page: Seen) -> dict[str, Any]:
    """The hidden fields of a confirmation."""
    fields: dict[str, list[str]] = {}
    for each in page.html.css("form[action='/enrichments'] input[type=hidden]"):
        fields.setdefault(each.attributes["name"] or "", []).append(each.attributes["value"] or "")
    return {name: values for name, values in fields.items() if name != "csrf"}


async def test_found_values_are_columns_of_the_list(house: House, viewer: Browser) -> None:
    desk = Desk(Bench(house.parts.database, house.actor))
    _, company_id, _ = await known(desk)
    await desk.decide(company_id, "employees", Decision.CORRECTED, 1200)
    await desk.read(company_id, fact("Robotics", of=company_fields.INDUSTRY))
    await desk.decide(company_id, "industry", Decision.CORRECTED, "Robotics")

    listed = await viewer.get("/companies")
    cells = {
        each.attributes["data-label"]: each.text(strip=True) for each in listed.html.css("tbody tr td[data-label]")
    }
    assert (cells["Country"], cells["Employees"], cells["Industry"]) == ("France", "1,200", "Robotics")
    assert not listed.html.css(".cell-select"), "viewers enrich nothing"


async def test_selected_companies_are_enriched_after_an_estimate(house: House) -> None:
    member = await house.signed_in(Role.MEMBER)
    await member.get("/companies/new")
    await member.post("/companies", {"companies": "acme.com\nacme.de\nglobex.de"})
    listed = await member.get("/companies")
    boxes = [each.attributes["value"] for each in listed.html.css("tbody .cell-select input[name=domains]")]
    assert sorted(map(str, boxes)) == ["acme.com", "acme.de", "globex.de"]

    asked = await member.post("/enrichments/estimates", {"companiesMatching": "", "domains": ["acme.com", "acme.de"]})
    assert "Enrich 2 companies?" in asked.text
    started = await member.post("/enrichments", form_of(asked))
    assert "of 2 companies" in started.text
    nobody = await member.post("/enrichments/estimates", {"companiesMatching": ""})
    assert nobody.status == 400


async def test_all_companies_of_a_search_are_enriched_not_only_those_of_the_page(house: House) -> None:
    member = await house.signed_in(Role.MEMBER)
    await member.get("/companies/new")
    domains = [f"acme{number}.com" for number in range(53)]
    await member.post("/companies", {"companies": "\n".join([*domains, "globex.de"])})
    listed = await member.get("/companies?q=acme")
    everything = listed.html.css_first("[data-select-everything]")
    assert everything is not None
    assert everything.attributes["data-select-everything"] == "All 53 selected"

    asked = await member.post(
        "/enrichments/estimates", {"companiesMatching": "acme", "all": "on", "domains": ["acme1.com"]}
    )
    assert "Enrich 53 companies?" in asked.text
    started = await member.post("/enrichments", form_of(asked))
    assert "of 53 companies" in started.text
