"""Values of a company that are not sure enough to fill the fields of its leads: accepted one by one, or all."""

from uuid import UUID

from leadflood.domains.enrichment.contracts.decisions import AcceptedFacts
from leadflood.domains.enrichment.models.decisions import Decision
from leadflood.domains.enrichment.service import decisions
from leadflood.kernel.actor import Role
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import domain
from tests.integration.enrichment.test_decisions import COUNTRY, PHONE, Desk
from tests.integration.web.conftest import House, house, new_house, owner, pages_app, pages_parts, site_parts, viewer
from tests.support.asked_sources import fact
from tests.support.tenants import bearer, new_key, new_member
from tests.support.web import Browser

__all__ = ["house", "new_house", "owner", "pages_app", "pages_parts", "site_parts", "viewer"]


async def unsure(desk: Desk) -> tuple[str, UUID, UUID]:
    """A company whose name and country are not sure enough. Returns domain, ID, and a lead."""
    company = domain()
    ada = await desk.lead(f"a@{company}")
    company_id = await desk.office.company_id(company)
    await desk.read(company_id, fact("Acme", 0.6), fact("DE", 0.7, of=COUNTRY), fact("+493012345678", 0.9, of=PHONE))
    assert await desk.of(ada) == {}
    return company, company_id, ada


async def accept(desk: Desk, company_id: UUID) -> AcceptedFacts:
    async with desk.bench.database.transaction(desk.bench.actor.workspace_id) as tx:
        return await decisions.accept_for_company(tx, desk.bench.actor, company_id=company_id, trace={})


async def test_all_suggested_values_are_accepted_as_one_change_with_undo(bench: Bench) -> None:
    desk = Desk(bench)
    company, company_id, ada = await unsure(desk)

    made = await accept(desk, company_id)

    assert made.fields == ["country", "name", "phone"]
    assert await desk.of(ada) == {"company": "Acme", "country": "DE"}, "phones of companies never fill"
    again = await accept(desk, company_id)
    assert (again.fields, again.changeset_id) == ([], None)
    await desk.decide(company_id, "country", Decision.CORRECTED, "AT")
    assert await desk.undo(made) == ("undone", 1), "what was decided about since stays"
    assert (await desk.of(ada), await desk.of_company(company, "name")) == ({"country": "AT"}, ["Acme"])
    await desk.sound()


async def test_they_are_accepted_on_the_page_of_the_company(house: House, viewer: Browser) -> None:
    desk = Desk(Bench(house.parts.database, house.actor))
    company, company_id, ada = await unsure(desk)
    path, member = f"/companies/{company_id}", await house.signed_in(Role.MEMBER)
    assert not (await viewer.get(path)).html.css("form[action$=acceptances], [aria-label^='Accept:']")
    page = await member.get(path)
    buttons = {each.attributes["aria-label"]: each for each in page.html.css("[aria-label^='Accept:']")}
    assert set(buttons) == {"Accept: Acme", "Accept: Germany", "Accept: +49 30 12345678"}

    one = await member.post(f"{path}/decisions", {"decision": buttons["Accept: Germany"].attributes["value"] or ""})
    assert (await desk.of(ada), "2 suggested values" in one.text) == ({"country": "DE"}, True)
    done = await member.post(f"{path}/acceptances")
    assert ("Accepted 2 values." in done.text, await desk.of(ada)) == (True, {"company": "Acme", "country": "DE"})
    assert not done.html.css("form[action$=acceptances]")
    assert company


async def test_they_are_accepted_over_http(house: House) -> None:
    desk = Desk(Bench(house.parts.database, house.actor))
    _, company_id, ada = await unsure(desk)
    owner_id = await new_member(house.parts.database, house.workspace_id, Role.OWNER)
    headers = bearer((await new_key(house.parts.database, house.workspace_id, owner_id))[1])
    client = (await house.stranger()).client

    answer = await client.post(f"/v1/companies/{company_id}/facts/acceptances", headers=headers)
    assert (answer.status_code, answer.json()["fields"]) == (200, ["country", "name", "phone"])
    undone = await client.post(f"/v1/changesets/{answer.json()['changesetId']}/undos", headers=headers)
    assert (undone.status_code, await desk.of(ada)) == (202, {})
