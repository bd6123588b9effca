"""Enrichments of many in the browser, over HTTP and on the command line: estimate, start, pause, cancel."""

import httpx

from leadflood.kernel.actor import Role
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.test_batches import enriched
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.api import Caller, caller, gate, new_caller, parts, toys
from tests.support.web import Browser

__all__ = [
    "caller",
    "gate",
    "house",
    "new_caller",
    "new_house",
    "pages_app",
    "pages_parts",
    "parts",
    "site_parts",
    "toys",
    "viewer",
]


async def test_selected_leads_are_estimated_then_enriched_on_a_live_page(house: House, viewer: Browser) -> None:
    ids = await enriched(Bench(house.parts.database, house.actor), "ada@acme.com", "bob@acme.com")
    member = await house.signed_in(Role.MEMBER)
    await member.get("/leads")
    asked = await member.post("/enrichments/estimates", {"ids": list(map(str, ids)), "next": "/leads"})
    assert "Enrich 2 leads?" in asked.text
    assert "2 of 2 would be skipped" in asked.text

    started = await member.post("/enrichments", {"ids": list(map(str, ids)), "includeFresh": "on"})
    page = started.path
    seen = await viewer.get(page)
    assert "0 of 2 leads" in seen.all("#enrichment-state")[0]
    assert not seen.html.css("form[action$=pauses]"), "a viewer changes nothing"
    live = await viewer.get(page, hx_request="true", x_live="poll")
    assert live.html.css_first("#enrichment-state") is not None
    assert "Selected leads" in (await viewer.get("/enrichments")).all("#enrichments-list")[0]

    await member.get(page)
    await member.post(f"{page}/pauses", {})
    assert "Paused" in (await viewer.get(page)).all("#enrichment-status")[0]
    await member.post(f"{page}/resumptions", {})
    await member.post(f"{page}/cancellations", {})
    assert "Canceled" in (await viewer.get(page)).all("#enrichment-status")[0]
    again = await member.post(f"{page}/pauses", {})
    assert "Only a running enrichment can be paused." in again.text


async def test_domains_are_estimated_and_wrong_ones_are_named(house: House) -> None:
    member = await house.signed_in(Role.MEMBER)
    await member.get("/enrichments/new")
    wrong = await member.post("/enrichments/estimates", {"domains": "gmail.com", "name": ""})
    assert wrong.status == 400
    assert "belong to one company" in wrong.text

    asked = await member.post("/enrichments/estimates", {"domains": "acme.com, globex.de", "name": "Fair"})
    assert "Enrich 2 companies?" in asked.text
    started = await member.post("/enrichments", {"domains": "acme.com, globex.de", "name": "Fair"})
    assert "Fair" in (await member.get(started.path)).text


async def test_an_import_without_leads_starts_nothing(house: House) -> None:
    member = await house.signed_in(Role.MEMBER)
    await member.get("/enrichments")
    asked = await member.post("/enrichments/estimates", {"importId": str(new_id())})
    assert "There is nothing to enrich." in asked.text
    refused = await member.post("/enrichments", {"importId": str(new_id())})
    assert refused.status == 409


async def test_nothing_selected_says_so(house: House) -> None:
    member = await house.signed_in(Role.MEMBER)
    await member.get("/leads")
    assert (await member.post("/enrichments/estimates", {"next": "/leads"})).status == 400


async def test_a_batch_over_http_is_estimated_started_once_and_changed(toys: httpx.AsyncClient, caller: Caller) -> None:
    lead = await toys.post("/v1/leads", json={"email": f"{new_id().hex}@acme.com"}, headers=caller.headers)
    scope = {"leadIds": [lead.json()["leadId"]], "includeFresh": True}
    estimate = await toys.post("/v1/enrichments", json={**scope, "dryRun": True}, headers=caller.headers)
    assert (estimate.status_code, estimate.json()["total"]) == (200, 1)
    assert (await toys.get("/v1/enrichments", headers=caller.headers)).json()["items"] == []

    once = {**caller.headers, "Idempotency-Key": new_id().hex}
    started = [await toys.post("/v1/enrichments", json=scope, headers=once) for _ in range(2)]
    assert [answer.status_code for answer in started] == [202, 202]
    place = started[0].headers["location"]
    assert place == started[1].headers["location"] == f"/v1/enrichments/{started[0].json()['id']}"
    assert len((await toys.get("/v1/enrichments", headers=caller.headers)).json()["items"]) == 1

    for name, status in (("pauses", "paused"), ("resumptions", "running"), ("cancellations", "canceled")):
        changed = await toys.post(f"{place}/{name}", headers=caller.headers)
        assert (changed.status_code, changed.json()["status"]) == (202, status)
    late = await toys.post(f"{place}/pauses", headers=caller.headers)
    assert (late.status_code, late.json()["code"]) == (409, "enrichment_not_ready")
    both = await toys.post("/v1/enrichments", json={**scope, "domains": ["acme.com"]}, headers=caller.headers)
    assert both.status_code == 400
