"""Tier and score where leads are: filters, a column, files, and the panel of the lead page."""

import json

from leadflood.kernel.actor import Role
from tests.integration.icps.desk import BIG, GERMAN, Desk, body_of, publish_profile
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.web import Browser

__all__ = ["house", "new_house", "pages_app", "pages_parts", "site_parts", "viewer"]


async def found(desk: Desk, field: str, operator: str, value: object) -> set[str]:
    tree = json.dumps({"all": [{"field": field, "operator": operator, "value": value}]})
    answer = await desk.toys.get("/v1/leads", params={"filter": tree}, headers=desk.caller.headers)
    assert answer.status_code == 200, answer.text
    return {lead["id"] for lead in answer.json()["items"]}


async def test_leads_are_filtered_by_tier_and_score_and_have_it_as_a_field(desk: Desk) -> None:
    german, french = await desk.lead(country="DE"), await desk.lead(country="FR")
    await desk.publish((await desk.profile())["id"], 1)

    assert await found(desk, "tier", "is", "B") == {german}
    assert await found(desk, "tier", "isAnyOf", ["B", "C"]) == {german, french}
    assert await found(desk, "score", "lessThan", 20) == {french}
    assert await found(desk, "possibleScore", "greaterThan", 40) == {german}
    one = await desk.ask("GET", f"/v1/leads/{german}?expand=fit")
    assert (one["fit"]["tier"], one["fit"]["score"], one["fit"]["hi"]) == ("B", 20, 50)
    await desk.profile(GERMAN, name="Draft only")
    assert await found(desk, "tier", "is", "B") == {german}


async def test_an_export_has_tier_and_score(desk: Desk) -> None:
    await desk.lead(country="DE")
    await desk.publish((await desk.profile())["id"], 1)

    answer = await desk.toys.get("/v1/leads/exports?format=csv&columns=email,fit", headers=desk.caller.headers)

    assert answer.status_code == 200, answer.text
    assert "B 20" in answer.text


async def test_the_lead_page_shows_how_the_points_add_up_and_the_list_has_a_column(
    house: House, viewer: Browser
) -> None:
    lead_id = await house.lead("ada@acme.test")
    admin = await house.signed_in(Role.ADMIN)
    assert not (await admin.get(f"/leads/{lead_id}")).all("#panel-fit")
    await publish_profile(house.parts.database, house.actor, body_of(GERMAN, BIG))

    seen = await viewer.get(f"/leads/{lead_id}")

    panel = seen.all("#panel-fit")[0]
    assert "of 2 criteria are unknown" in panel
    assert "What would make this A?" in panel
    assert "Find out: Big, German" in panel
    assert "0 to 50" in (await viewer.get("/leads?column=fit")).text
