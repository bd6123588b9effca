"""Pages of companies, and the panel on the page of a lead."""

from leadflood.domains.companies import service
from leadflood.kernel.actor import Role
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.web import Browser

__all__ = ["house", "new_house", "pages_app", "pages_parts", "site_parts", "viewer"]


async def test_companies_are_added_merged_split_and_undone_on_their_pages(house: House, viewer: Browser) -> None:
    member = await house.signed_in(Role.MEMBER)
    assert "No companies yet" in (await viewer.get("/companies")).text
    await member.get("/companies/new")
    refused = await member.post("/companies", {"companies": "gmail.com"})
    assert (refused.status, "doesn't belong to one company" in refused.text) == (400, True)
    await member.post("/companies", {"companies": "acme.com, Acme\nacme.de;Acme GmbH"})

    seen = await viewer.get("/companies?q=ACME")
    assert len(seen.all("tbody tr")) == 2
    acme = seen.attribute("tbody .row-link", "href") or ""
    assert not (await viewer.get(acme)).all("form[action$=merges]")
    wrong = await member.post(f"{acme}/merges", {"other": "nobody.example"})
    assert (wrong.status, "Create it first" in wrong.text) == (400, True)
    await member.get(acme)
    await member.post(f"{acme}/merges", {"other": "acme.de"})
    merged = await viewer.get(acme)
    assert ("acme.de" in merged.text, "Merged with another company" in merged.text) == (True, True)
    await member.get(acme)
    await member.post(f"{acme}/splits", {"domain": "acme.de"})
    page = await member.get(acme)
    await member.post(page.attribute("form[action$=undos]", "action") or "", {})
    assert "Undone" in (await viewer.get(acme)).text


async def test_the_lead_page_shows_its_company_and_lets_members_choose_another(house: House, viewer: Browser) -> None:
    lead_id, member = await house.lead("ada@acme.com"), await house.signed_in(Role.MEMBER)
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await service.relink(tx, house.actor, lead_ids=[lead_id])
    seen = await viewer.get(f"/leads/{lead_id}")
    assert "Linked by email" in seen.all("#panel-company")[0]
    assert "acme.com" in (await viewer.get("/leads?column=linkedCompany")).text

    await member.get(f"/leads/{lead_id}")
    await member.post(f"/leads/{lead_id}/company", {"none": "on"})
    assert "unlinked this lead" in (await viewer.get(f"/leads/{lead_id}")).all("#panel-company")[0]
    unknown = await member.post(f"/leads/{lead_id}/company", {"company": "other.com"})
    assert (unknown.status, "Create it first" in unknown.text) == (400, True)
    await member.post(f"/leads/{lead_id}/company/resets", {})
    assert "Linked by email" in (await viewer.get(f"/leads/{lead_id}")).all("#panel-company")[0]
