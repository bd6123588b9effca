"""Leads by priority: counts, links to the leads, and the settings on the page."""

from leadflood.domains.engagement.permissions import ENGAGEMENT_READ
from leadflood.kernel.actor import Role
from tests.integration.engagement.test_levels import engage
from tests.integration.icps.desk import BIG, GERMAN, Desk, body_of, publish_profile
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.api import new_caller
from tests.support.web import Browser

__all__ = ["house", "new_house", "pages_app", "pages_parts", "site_parts", "viewer"]


async def counts(desk: Desk) -> dict[tuple[str | None, int], int]:
    cells = (await desk.ask("GET", "/v1/engagement-matrix"))["cells"]
    return {(each["tier"], each["level"]): each["leads"] for each in cells}


async def test_leads_are_counted_by_tier_and_level(desk: Desk) -> None:
    german, deleted = await desk.lead(country="DE"), await desk.lead(country="DE")
    await desk.lead(country="FR")
    await engage(desk, german, 60)
    version = (await desk.ask("GET", f"/v1/leads/{deleted}"))["version"]
    await desk.ask("DELETE", f"/v1/leads/{deleted}", status=204, match=f'"{version}"')
    assert await counts(desk) == {(None, 1): 1, (None, 2): 0, (None, 3): 1}

    await desk.publish((await desk.profile())["id"], 1)

    found = await counts(desk)
    assert list(found) == [(tier, level) for tier in ("A", "B", "C", None) for level in (1, 2, 3)]
    assert {cell: leads for cell, leads in found.items() if leads} == {("B", 1): 1, ("C", 3): 1}
    reader = await new_caller(desk.database, [ENGAGEMENT_READ], workspace_id=desk.caller.workspace_id)
    refused = await desk.toys.get("/v1/engagement-matrix", headers=reader.headers)
    assert refused.json()["requiredPermission"] == "icps:read"


async def test_each_number_leads_to_the_leads_that_it_counts(house: House, viewer: Browser) -> None:
    await house.lead("ada@acme.test")
    before = await viewer.get("/engagement")
    assert "All leads" in before.text
    assert "ada@acme.test" in (await viewer.get(str(before.attribute("td a[aria-label^='Level 3']", "href")))).text
    await publish_profile(house.parts.database, house.actor, body_of(GERMAN, BIG))

    seen = await viewer.get("/engagement")

    assert seen.attribute("td a[aria-label^='C3']", "aria-label") == "C3: 1 lead"
    assert "ada@acme.test" in (await viewer.get(str(seen.attribute("td a[aria-label^='C3']", "href")))).text
    assert "ada@acme.test" not in (await viewer.get(str(seen.attribute("td a[aria-label^='A1']", "href")))).text
    assert not seen.all("form[action='/engagement/settings']")


async def test_an_admin_changes_levels_and_points_on_the_page(house: House) -> None:
    admin = await house.signed_in(Role.ADMIN)
    await admin.get("/engagement")
    levels = {"version": "0", "halfLifeDays": "10", "level1From": "40", "level2From": "60"}

    refused = await admin.post("/engagement/settings", levels)
    saved = await admin.post("/engagement/settings", {**levels, "level2From": "15"})
    kind = await admin.post("/engagement/settings", {"version": "1", "kind": "Fair visited", "kindPoints": "-3"})
    stale = await admin.post("/engagement/settings", {"version": "1", "kind": "fair_visited", "kindPoints": ""})
    usual = await admin.post("/engagement/settings", {"version": "2", "kind": "fair_visited", "kindPoints": ""})

    assert (refused.status, "Must be at most the points of level 1." in refused.text) == (400, True)
    assert "Points halve every 10 days" in saved.text
    assert "Level 1 from 40 points, level 2 from 15" in saved.text
    assert "fair_visited" in kind.text
    assert (stale.status, "changed since you read them" in stale.text) == (412, True)
    assert "fair_visited" not in usual.text
