"""Static lists: endpoints, members by email and in bulk with undo, filter, merges of leads, pages and erasure."""

import json
from typing import Any

import httpx
import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.lists import store
from leadflood.domains.lists.models import addresses_in
from leadflood.kernel.actor import Role
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.api import Caller, caller, gate, parts, toys
from tests.support.web import Browser

__all__ = ["caller", "gate", "house", "new_house", "pages_app", "pages_parts", "parts", "site_parts", "toys", "viewer"]


async def new_lead(toys: httpx.AsyncClient, caller: Caller, email: str = "") -> str:
    body = {"email": email or f"{new_id().hex}@acme.test"}
    return str((await toys.post("/v1/leads", json=body, headers=caller.headers)).json()["leadId"])


async def post(toys: httpx.AsyncClient, caller: Caller, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
    answer = await toys.post(path, json=body, headers=caller.headers)
    assert answer.status_code in (200, 201, 202), answer.text
    return answer.json()


async def items(toys: httpx.AsyncClient, caller: Caller, path: str, **query: str) -> list[Any]:
    answer = await toys.get(path, params=query, headers=caller.headers)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return found


async def lists_of(toys: httpx.AsyncClient, caller: Caller, lead_id: str) -> list[str]:
    return [each["name"] for each in await items(toys, caller, f"/v1/leads/{lead_id}/lists")]


async def leads_on(toys: httpx.AsyncClient, caller: Caller, list_id: str) -> set[str]:
    tree = {"all": [{"field": "list", "operator": "is", "value": list_id}]}
    return {lead["id"] for lead in await items(toys, caller, "/v1/leads", filter=json.dumps(tree))}


async def test_leads_are_added_by_id_and_by_email_and_unknown_addresses_are_reported(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    one, two = await new_lead(toys, caller, "ada@acme.test"), await new_lead(toys, caller, "Bob@acme.test")
    made = await post(toys, caller, "/v1/lists", {"name": "Berlin dinner"})
    await post(toys, caller, f"/v1/leads/{one}/lists", {"listId": made["id"]})
    emails = ["ADA@acme.test", "bob@ACME.test", "nobody@acme.test", "🚀"]

    added = await post(toys, caller, f"/v1/lists/{made['id']}/leads", {"emails": emails})
    assert added == {"added": 1, "alreadyMembers": 1, "unknown": 2, "unknownEmails": ["nobody@acme.test", "🚀"]}
    assert await leads_on(toys, caller, made["id"]) == {one, two}
    found = await toys.get(f"/v1/lists/{made['id']}", headers=caller.headers)
    assert found.json()["leads"] == {"value": 2, "exact": True}
    timeline = await items(toys, caller, f"/v1/leads/{two}/events")
    assert timeline[0]["data"]["list"] == "Berlin dinner"


async def test_names_exist_once_and_a_change_needs_the_version(toys: httpx.AsyncClient, caller: Caller) -> None:
    made = await post(toys, caller, "/v1/lists", {"name": "Guests"})
    again = await toys.post("/v1/lists", json={"name": "GUESTS"}, headers=caller.headers)
    assert (again.status_code, again.json()["existingId"]) == (409, made["id"])

    path, headers = f"/v1/lists/{made['id']}", {**caller.headers, "If-Match": '"1"'}
    changed = await toys.patch(path, json={"name": "Guests 2026", "description": "May"}, headers=headers)
    assert (changed.json()["name"], changed.json()["description"], changed.json()["version"]) == (
        "Guests 2026", "May", 2,
    )  # fmt: skip
    stale = await toys.patch(path, json={"description": None}, headers=headers)
    assert (stale.status_code, stale.json()["currentVersion"]) == (412, 2)


async def test_a_bulk_change_adds_and_removes_leads_and_can_be_undone(toys: httpx.AsyncClient, caller: Caller) -> None:
    one, two = [await new_lead(toys, caller) for _ in range(2)]
    made = await post(toys, caller, "/v1/lists", {"name": "Guests"})
    await post(toys, caller, f"/v1/leads/{one}/lists", {"listId": made["id"]})
    arguments = {"listId": made["id"]}
    whole = {"matching": {}, "expectedCount": 10}
    added = await post(toys, caller, "/v1/changesets", {"action": "addToList", "arguments": arguments, **whole})
    assert (added["updated"], added["label"]) == (1, "Add to list Guests")
    removed = await post(
        toys, caller, "/v1/changesets", {"action": "removeFromList", "arguments": arguments, "leadIds": [one, two]}
    )
    assert (removed["updated"], await leads_on(toys, caller, made["id"])) == (2, set())

    await post(toys, caller, f"/v1/changesets/{removed['id']}/undos")
    assert await leads_on(toys, caller, made["id"]) == {one, two}
    await post(toys, caller, f"/v1/changesets/{added['id']}/undos")
    assert await leads_on(toys, caller, made["id"]) == {one}
    unknown = {"action": "addToList", "arguments": {"listId": str(new_id())}, "leadIds": [one]}
    refused = await toys.post("/v1/changesets", json=unknown, headers=caller.headers)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/arguments/listId")


async def test_a_deleted_list_can_be_restored_with_its_leads_until_it_is_purged(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    lead_id = await new_lead(toys, caller)
    made = await post(toys, caller, "/v1/lists", {"name": "Guests"})
    await post(toys, caller, f"/v1/leads/{lead_id}/lists", {"listId": made["id"]})
    path = f"/v1/lists/{made['id']}"
    assert (await toys.delete(path, headers=caller.headers)).status_code == 204
    assert await leads_on(toys, caller, made["id"]) == set()
    await post(toys, caller, f"{path}/restorations")
    assert await leads_on(toys, caller, made["id"]) == {lead_id}

    await toys.delete(path, headers=caller.headers)
    async with database.system() as tx:
        statement = sql("UPDATE lists SET deleted_at = now() - interval '40 days' WHERE id = :list_id")
        await tx.execute(statement, {"list_id": made["id"]})
        await store.purge(tx, 100, days=30)
    assert (await toys.post(f"{path}/restorations", headers=caller.headers)).status_code == 404


async def test_a_merge_of_leads_combines_lists_unmerging_separates_them_and_an_erasure_removes_them(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    survivor, other = [await new_lead(toys, caller) for _ in range(2)]
    lists = [await post(toys, caller, "/v1/lists", {"name": name}) for name in ("Own", "Others")]
    for lead_id, made in zip((survivor, other), lists, strict=True):
        await post(toys, caller, f"/v1/leads/{lead_id}/lists", {"listId": made["id"]})
    merged = await post(toys, caller, "/v1/merges", {"survivorId": survivor, "otherId": other})

    assert await lists_of(toys, caller, survivor) == ["Others", "Own"]
    await toys.post(f"/v1/merges/{merged['id']}/undos", headers=caller.headers)
    assert [await lists_of(toys, caller, lead) for lead in (survivor, other)] == [["Own"], ["Others"]]
    assert "lists" in [place.name for place in LEAD_PARTICIPANTS.places]
    await post(toys, caller, f"/v1/leads/{survivor}/erasures", {"dryRun": False})
    assert await leads_on(toys, caller, lists[0]["id"]) == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ada@acme.com\nbob@acme.com", ["ada@acme.com", "bob@acme.com"]),
        ("Name;Email\nAda;ada@acme.com;extra\n", ["ada@acme.com"]),
        ('"Lovelace, Ada" <ada@acme.com>, bob@acme.com', ["ada@acme.com"]),
        ("\r\n  mailto:ada@acme.com.\r\n", ["mailto:ada@acme.com"]),
        ("", []),
        ("no address here", []),
    ],
)
def test_the_first_address_of_each_line_is_found(text: str, found: list[str]) -> None:
    assert list(addresses_in(text)) == found


async def test_pages_create_a_list_and_add_leads_from_the_lead_the_list_and_a_selection(
    house: House, viewer: Browser
) -> None:
    ada, bob = await house.lead("ada@acme.test"), await house.lead("bob@acme.test")
    member = await house.signed_in(Role.MEMBER)
    await member.get("/lists/new")
    page = await member.post("/lists", {"name": "Guests", "description": "May"})
    list_id = page.path.removeprefix("/lists/")
    added = await member.post(f"/lists/{list_id}/leads", {"emails": "ada@acme.test;Ada\nnobody@acme.test"})
    assert "1 lead added." in added.text
    assert "No lead for 1 address: nobody@acme.test." in added.text
    many = await member.post("/leads/bulk-changes", {"action": "addToList", "listId": list_id, "ids": str(bob)})
    assert "1 lead added." in many.text
    empty = await member.post(f"/lists/{list_id}/leads", {"emails": "nothing"})
    assert (empty.status, "Enter 1 to" in empty.text) == (400, True)

    assert (await viewer.get("/lists")).all("#lists-list td[data-label=Leads]") == ["2"]
    assert (await viewer.get("/leads?column=name&column=lists")).all("#leads-list td[data-label=Lists]") == [
        "Guests",
        "Guests",
    ]
    removed = await member.post_part(f"/leads/{ada}/lists/{list_id}/removals", "panel-lists", {})
    assert "Not on a list." in removed.text
    for path in ("/lists", f"/lists/{list_id}"):
        leads = (await viewer.get(path)).attribute("main a[href^='/leads?filter=']", "href")
        assert (await viewer.get(leads or "")).all("#leads-list td[data-label=Email]") == ["bob@acme.test"]
    chip = await viewer.get(
        f"/leads?filter={json.dumps({'all': [{'field': 'list', 'operator': 'is', 'value': list_id}]})}"
    )
    assert "is Guests" in chip.text
    deleted = await member.post(f"/lists/{list_id}/deletion")
    assert "List “Guests” deleted." in deleted.text
