"""Levels of engagement and priorities: of the lead, as filters, columns and in files; and their settings."""

import json
from datetime import timedelta
from typing import Any

import pytest

from leadflood.domains.engagement.models import Rules
from leadflood.domains.engagement.permissions import ENGAGEMENT_READ, ENGAGEMENT_WRITE
from leadflood.kernel.actor import Role
from leadflood.kernel.clock import utc_now
from tests.integration.icps.desk import BIG, GERMAN, Desk, body_of, publish_profile
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.api import new_caller
from tests.support.web import Browser

__all__ = ["house", "new_house", "pages_app", "pages_parts", "site_parts", "viewer"]

SETTINGS = "/v1/engagement-settings"


async def engage(desk: Desk, lead_id: str, points: int, days: float = 0) -> None:
    at = (utc_now() - timedelta(days=days)).isoformat()
    await desk.ask("POST", f"/v1/leads/{lead_id}/engagements", status=201, kind="visit", points=points, at=at)


async def found(desk: Desk, field: str, operator: str, value: object, **more: str) -> set[str]:
    tree = json.dumps({"all": [{"field": field, "operator": operator, "value": value}]})
    answer = await desk.toys.get("/v1/leads", params={"filter": tree, **more}, headers=desk.caller.headers)
    assert answer.status_code == 200, answer.text
    return {lead["id"] for lead in answer.json()["items"]}


async def level(desk: Desk, lead_id: str) -> tuple[Any, Any]:
    seen = await desk.ask("GET", f"/v1/leads/{lead_id}/engagement")
    return seen["level"], seen["points"]


async def test_a_lead_has_the_level_of_its_decayed_points(desk: Desk) -> None:
    fresh, faded, mixed, idle, left = [await desk.lead() for _ in range(5)]
    await engage(desk, fresh, 50)
    await engage(desk, faded, 100, 40)
    for days in (0, 30, 60):
        await engage(desk, mixed, 40, days)
    await engage(desk, left, -80)

    assert await level(desk, fresh) == (2, pytest.approx(50, abs=0.01))
    assert await level(desk, faded) == (2, pytest.approx(39.69, abs=0.01))
    assert await level(desk, mixed) == (1, pytest.approx(70, abs=0.01))
    assert await level(desk, idle) == (3, 0)
    assert await level(desk, left) == (3, pytest.approx(-80, abs=0.01))
    assert await found(desk, "engagement", "is", "1") == {mixed}
    assert await found(desk, "engagement", "isAnyOf", ["2", "3"]) == {fresh, faded, idle, left}
    assert await found(desk, "engagement", "isNot", "3") == {fresh, faded, mixed}
    assert await found(desk, "engagementPoints", "greaterThan", 45) == {fresh, mixed}
    assert await found(desk, "engagementPoints", "lessThan", 0) == {left}
    assert await found(desk, "engagement", "is", "2", q="acme") == {fresh, faded}


async def test_a_priority_is_tier_and_level(desk: Desk) -> None:
    german, french = await desk.lead(country="DE"), await desk.lead(country="FR")
    await engage(desk, german, 60)
    assert (await desk.ask("GET", f"/v1/leads/{german}/engagement"))["priority"] is None
    await desk.publish((await desk.profile())["id"], 1)

    assert (await desk.ask("GET", f"/v1/leads/{german}/engagement"))["priority"] == "B1"
    assert await found(desk, "priority", "is", "B1") == {german}
    assert await found(desk, "priority", "isAnyOf", ["C3", "A1"]) == {french}
    assert await found(desk, "priority", "is", "C3", q="acme") == {french}
    one = await desk.ask("GET", f"/v1/leads/{german}?expand=engagement&expand=priority")
    assert (one["engagement"]["level"], one["priority"]) == (1, "B1")
    file = await desk.toys.get(
        "/v1/leads/exports?format=csv&columns=country,engagement,priority", headers=desk.caller.headers
    )
    assert "DE,1 (60.0),B1" in file.text
    assert "FR,,C3" in file.text


async def change(desk: Desk, status: int = 200, **given: Any) -> Any:  # noqa: ANN401  JSON
    version = (await desk.ask("GET", SETTINGS))["version"]
    return await desk.ask("PATCH", SETTINGS, status=status, match=f'"{version}"', **given)


async def test_settings_decide_about_all_leads(desk: Desk) -> None:
    lead_id = await desk.lead()
    await engage(desk, lead_id, 40, 30)
    usual = await desk.ask("GET", SETTINGS)
    assert (usual["halfLifeDays"], usual["level1From"], usual["level2From"]) == (30, 50, 20)
    assert (Rules().half_life_days, Rules().level_1_from, Rules().level_2_from) == (30, 50, 20)
    before = await level(desk, lead_id)

    changed = await change(desk, halfLifeDays=15, level2From=9, points={"Fair visited": 15, "page_visited": 3})

    assert before == (3, pytest.approx(20, abs=0.01))
    assert changed["ownPoints"] == {"fair_visited": 15, "page_visited": 3}
    assert await level(desk, lead_id) == (2, pytest.approx(10, abs=0.01))
    fair = await desk.ask("POST", f"/v1/leads/{lead_id}/engagements", status=201, kind="fair_visited")
    assert fair["points"] == 15
    assert await level(desk, lead_id) == (2, pytest.approx(25, abs=0.01))
    again = await change(desk, halfLifeDays=30, points={"page_visited": None})
    assert (again["ownPoints"], again["version"]) == ({"fair_visited": 15}, 2)
    assert await level(desk, lead_id) == (2, pytest.approx(35, abs=0.01))


async def test_invalid_settings_are_refused(desk: Desk) -> None:
    borders = await change(desk, 400, level2From=60)
    kind = await change(desk, 400, points={"a/b": 3})
    stale = await desk.ask("PATCH", SETTINGS, status=412, match='"7"', halfLifeDays=3)
    many = await change(desk, 400, halfLifeDays=0)
    member = await new_caller(desk.database, [ENGAGEMENT_READ, ENGAGEMENT_WRITE], workspace_id=desk.caller.workspace_id)
    headers = {**member.headers, "If-Match": '"0"'}
    refused = await desk.toys.patch(SETTINGS, json={"halfLifeDays": 3}, headers=headers)

    assert (borders["code"], borders["errors"][0]["pointer"]) == ("invalid_borders", "/level2From")
    assert "letters a to z" in kind["errors"][0]["message"]
    assert (stale["code"], stale["currentVersion"]) == ("engagement_settings_changed", 0)
    assert many["errors"][0]["pointer"] == "/halfLifeDays"
    assert refused.json()["requiredPermission"] == "engagement:configure"


async def test_the_lead_page_and_the_list_show_level_and_priority(house: House, viewer: Browser) -> None:
    lead_id, member = await house.lead("ada@acme.test"), await house.signed_in(Role.MEMBER)
    await publish_profile(house.parts.database, house.actor, body_of(GERMAN, BIG))
    await member.get(f"/leads/{lead_id}")
    await member.post(f"/leads/{lead_id}/engagements", {"kind": "demo requested", "points": "60"})

    panel = (await viewer.get(f"/leads/{lead_id}")).all("#panel-engagement")[0]
    columns = (await viewer.get("/leads?column=engagement&column=priority")).text

    assert "C1" in panel
    assert "Level 1 from 50 points, level 2 from 20" in panel
    assert "60.0 points" in columns
    assert "C1" in columns
