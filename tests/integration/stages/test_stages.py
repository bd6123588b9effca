"""Stages of leads: the team's list, and the field in the API, list, imports, exports, bulk changes, merge and undo."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.queries.neighbors import neighbors
from leadflood.domains.stages.models import default_stages, stage_key
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.api import Caller, caller, gate, parts, toys
from tests.support.desk import Desk, csv_of
from tests.support.web import Browser

__all__ = ["caller", "gate", "house", "new_house", "pages_app", "pages_parts", "parts", "site_parts", "toys", "viewer"]


async def call(
    toys: httpx.AsyncClient, caller: Caller, method: str, path: str, body: object = None, version: int | None = None
) -> httpx.Response:
    headers = caller.headers if version is None else {**caller.headers, "If-Match": f'"{version}"'}
    return await toys.request(method, path, json=body, headers=headers)


async def stages(toys: httpx.AsyncClient, caller: Caller) -> dict[str, Any]:
    return {each["key"]: each for each in (await call(toys, caller, "GET", "/v1/stages")).json()["items"]}


async def new_lead(toys: httpx.AsyncClient, caller: Caller, **values: str) -> str:
    body = {"email": f"{new_id().hex}@acme.test", **values}
    return str((await call(toys, caller, "POST", "/v1/leads", body)).json()["leadId"])


async def stage_of(toys: httpx.AsyncClient, caller: Caller, lead_id: str) -> str | None:
    stage: str | None = (await call(toys, caller, "GET", f"/v1/leads/{lead_id}")).json()["stage"]
    return stage


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Demo booked", "demo-booked"),
        ("In Prüfung!", "in-prufung"),
        ("商談中", "商談中"),
        ("🚀", "🚀"),
        ("a" * 50, "a" * 50),
    ],
)
def test_a_key_follows_from_the_name_and_is_its_own_key(name: str, key: str) -> None:
    assert (stage_key(name), stage_key(key)) == (key, key)


async def test_the_list_has_defaults_and_is_changed_by_the_team(toys: httpx.AsyncClient, caller: Caller) -> None:
    assert list(await stages(toys, caller)) == ["new", "working", "qualified", "customer", "disqualified"]
    made = (await call(toys, caller, "POST", "/v1/stages", {"name": "Demo booked", "color": "teal"})).json()
    path = f"/v1/stages/{made['id']}"
    moved = await call(toys, caller, "PATCH", path, {"name": "Demo", "position": 0}, version=1)
    stale = await call(toys, caller, "PATCH", path, {"name": "Late"}, version=1)
    taken = await call(toys, caller, "POST", "/v1/stages", {"name": "WORKING"})

    assert (moved.json()["key"], moved.json()["name"], moved.json()["version"]) == ("demo-booked", "Demo", 2)
    assert list(await stages(toys, caller))[:2] == ["demo-booked", "new"]
    assert (stale.status_code, stale.json()["currentVersion"]) == (412, 2)
    assert (taken.status_code, taken.json()["existingId"]) == (409, (await stages(toys, caller))["working"]["id"])
    assert await stage_of(toys, caller, await new_lead(toys, caller)) == "demo-booked"


async def test_the_last_stage_stays_and_leads_keep_an_archived_one(toys: httpx.AsyncClient, caller: Caller) -> None:
    lead_id = await new_lead(toys, caller, stage="Customer")
    answers = [
        (await call(toys, caller, "PATCH", f"/v1/stages/{each['id']}", {"archived": True}, version=1)).status_code
        for each in (await stages(toys, caller)).values()
    ]

    assert answers == [200, 200, 200, 200, 409]
    assert await stage_of(toys, caller, lead_id) == "customer"


async def test_a_lead_takes_a_stage_by_key_or_name_and_no_other(toys: httpx.AsyncClient, caller: Caller) -> None:
    lead_id = await new_lead(toys, caller, stage="Qualified")
    unknown = await call(toys, caller, "POST", "/v1/leads", {"email": "b@acme.test", "stage": "Nowhere"})
    changed = await call(toys, caller, "PATCH", f"/v1/leads/{lead_id}", {"stage": "customer"}, version=1)
    refused = await call(toys, caller, "PATCH", f"/v1/leads/{lead_id}", {"stage": "Nowhere"}, version=2)
    bulk = {"action": "set", "changes": {"stage": "Working"}, "leadIds": [lead_id]}
    done = (await call(toys, caller, "POST", "/v1/changesets", bulk)).json()
    during = await stage_of(toys, caller, lead_id)
    await call(toys, caller, "POST", f"/v1/changesets/{done['id']}/undos")

    assert (unknown.status_code, unknown.json()["code"], unknown.json()["errors"][0]["pointer"]) == (
        400, "unknown_stage", "/stage",
    )  # fmt: skip
    assert (changed.json()["stage"], refused.status_code) == ("customer", 400)
    assert (during, await stage_of(toys, caller, lead_id)) == ("working", "customer")
    history = (await call(toys, caller, "GET", f"/v1/leads/{lead_id}/field-history?field=stage")).json()["items"]
    assert [each["newValue"] for each in history] == ["customer", "working", "customer"]


async def test_leads_are_filtered_by_stage(toys: httpx.AsyncClient, caller: Caller) -> None:
    for stage in ("working", "customer", "working"):
        await new_lead(toys, caller, stage=stage)
    tree = {"all": [{"field": "stage", "operator": "is", "value": "Working"}]}

    found = await toys.get("/v1/leads", params={"filter": json.dumps(tree)}, headers=caller.headers)

    assert [each["stage"] for each in found.json()["items"]] == ["working", "working"]


async def sorted_pages(toys: httpx.AsyncClient, caller: Caller, **params: str) -> list[tuple[str, str | None]]:
    """Leads and their stages, page by page."""
    found: list[tuple[str, str | None]] = []
    cursor: str | None = ""
    while cursor is not None:
        given = {**params, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await toys.get("/v1/leads", params=given, headers=caller.headers)).json()
        found += [(each["id"], each["stage"]) for each in page["items"]]
        cursor = page["nextCursor"]
    return found


@pytest.mark.parametrize("changed", [False, True])
async def test_leads_are_sorted_by_the_order_of_the_stages(
    house: House, toys: httpx.AsyncClient, caller: Caller, *, changed: bool
) -> None:
    order = ["new", "working", "qualified", "customer", "disqualified"]
    if changed:
        order = ["customer", "new", "working", "qualified", "disqualified"]
        customer = (await stages(toys, caller))["customer"]["id"]
        await call(toys, caller, "PATCH", f"/v1/stages/{customer}", {"position": 0}, version=1)
    ids = {await new_lead(toys, caller, stage=stage): stage for stage in (*reversed(order), "customer", "working")}
    without = await new_lead(toys, caller)
    await call(toys, caller, "PATCH", f"/v1/leads/{without}", {"stage": None}, version=1)
    expected = sorted(ids.items(), key=lambda item: (order.index(item[1]), item[0]))

    assert await sorted_pages(toys, caller, sort="stage") == [*expected, (without, None)]
    assert await sorted_pages(toys, caller, sort="stage", q="acme") == [*expected, (without, None)]
    assert await sorted_pages(toys, caller, sort="-stage") == [*reversed(expected), (without, None)]
    actor = Actor.cli(caller.workspace_id)
    listed = [UUID(lead_id) for lead_id, _ in expected] + [UUID(without)]
    async with house.parts.database.transaction(caller.workspace_id, read_only=True) as tx:
        for before, lead_id, after in zip([None, *listed], listed, [*listed[1:], None], strict=False):
            beside = await neighbors(tx, actor, lead_id=lead_id, filters=LeadFilter(), sort=LeadSort.STAGE)
            assert (beside.previous, beside.next) == (before, after)


async def test_the_database_knows_the_default_stages(house: House) -> None:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        keys = await tx.scalar(sql("SELECT stage_keys(:workspace_id)"), {"workspace_id": house.workspace_id})

    assert keys == [stage.key for stage in default_stages(house.workspace_id)]


async def test_an_import_reads_names_reports_unknown_ones_and_starts_with_the_first_stage(
    house: House, registry: JobRegistry
) -> None:
    desk = Desk(house.parts.database, registry, house.actor)
    rows = [["email", "Stage"], ["a@acme.com", "Customer"], ["b@acme.com", "Nowhere"], ["c@acme.com", ""]]
    done = await desk.run(csv_of(rows))
    owner = await house.signed_in(Role.OWNER)
    await owner.get("/leads/export")
    exported = await owner.post("/leads/export", {"format": "csv", "columns": "all"})

    assert done.errors == {"/stage unknown_stage": 1}
    lines = exported.response.text.splitlines()
    place = lines[0].split(",").index("Stage")
    assert sorted(line.split(",")[place] for line in lines[1:]) == ["Customer", "New", "New"]


async def test_pages_show_the_stage_apart_from_enrichment_and_change_it(house: House, viewer: Browser) -> None:
    lead_id, owner = await house.lead("ada@acme.test"), await house.signed_in(Role.OWNER)
    await owner.get("/settings/stages/new")
    created = await owner.post("/settings/stages", {"name": "Won 🎉", "color": "green"})
    await owner.get(f"/leads/{lead_id}")
    await owner.post(f"/leads/{lead_id}", {"stage": "won", "base.stage": "new"})
    refused = await owner.post("/settings/stages", {"name": "won"})
    listed = await viewer.get("/leads?stage=won&column=name&column=stage&column=status")

    assert "Won 🎉" in created.text
    assert (refused.status, "Already exists" in refused.text) == (409, True)
    assert "Won 🎉" in listed.all("td[data-label=Stage] .tag.tone-ok")[0]
    assert "Won 🎉" in (await viewer.get(f"/leads/{lead_id}")).all("#lead-status .tag")[0]
    assert not (await viewer.get("/settings/stages")).all("form[action$=moves]")
    assert "No leads found" in (await viewer.get("/leads?stage=customer")).text
