"""Tags on leads: endpoints, bulk changes with undo, merges of tags and of leads, filters, pages and erasure."""

import json
from typing import Any

import httpx
import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.tags import store
from leadflood.domains.tags.permissions import TAGS_READ, TAGS_WRITE
from leadflood.kernel.actor import Role
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.api import Caller, caller, gate, new_caller, parts, toys
from tests.support.web import Browser

__all__ = ["caller", "gate", "house", "new_house", "pages_app", "pages_parts", "parts", "site_parts", "toys", "viewer"]


async def new_lead(toys: httpx.AsyncClient, caller: Caller) -> str:
    answer = await toys.post("/v1/leads", json={"email": f"{new_id().hex}@acme.test"}, headers=caller.headers)
    return str(answer.json()["leadId"])


async def post(toys: httpx.AsyncClient, caller: Caller, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
    answer = await toys.post(path, json=body, headers=caller.headers)
    assert answer.status_code in (200, 201, 202), answer.text
    return answer.json()


async def items(toys: httpx.AsyncClient, caller: Caller, path: str, **query: str) -> list[Any]:
    answer = await toys.get(path, params=query, headers=caller.headers)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return found


async def tags_of(toys: httpx.AsyncClient, caller: Caller, lead_id: str) -> list[str]:
    return [tag["name"] for tag in await items(toys, caller, f"/v1/leads/{lead_id}/tags")]


async def leads_with(toys: httpx.AsyncClient, caller: Caller, operator: str, value: object = None) -> set[str]:
    condition = {"field": "tags", "operator": operator} | ({} if value is None else {"value": value})
    found = await items(toys, caller, "/v1/leads", filter=json.dumps({"all": [condition]}))
    return {lead["id"] for lead in found}


async def test_tags_are_created_by_name_and_a_name_exists_once_in_any_case(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    lead_id = await new_lead(toys, caller)
    await post(toys, caller, f"/v1/leads/{lead_id}/tags", {"names": ["VIP", "Größe 🚀"]})
    await post(toys, caller, f"/v1/leads/{lead_id}/tags", {"names": ["vip"]})

    assert await tags_of(toys, caller, lead_id) == ["Größe 🚀", "VIP"]
    (vip,) = await items(toys, caller, "/v1/tags", prefix="VI")
    assert (vip["name"], vip["leads"]) == ("VIP", {"value": 1, "exact": True})
    again = await toys.post("/v1/tags", json={"name": "viP"}, headers=caller.headers)
    assert (again.status_code, again.json()["existingId"]) == (409, vip["id"])
    timeline = await items(toys, caller, f"/v1/leads/{lead_id}/events")
    assert [each["data"]["tags"] for each in timeline if each["kind"] == "lead.tagged"] == [["Größe 🚀", "VIP"]]


@pytest.mark.parametrize("name", ["", " ", "a,b", "x" * 51, "a\0b", None, 7])
async def test_an_invalid_name_is_refused(toys: httpx.AsyncClient, caller: Caller, name: object) -> None:
    answer = await toys.post("/v1/tags", json={"name": name}, headers=caller.headers)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/name")


async def test_a_tag_of_another_workspace_does_not_exist(
    toys: httpx.AsyncClient, caller: Caller, new_caller_elsewhere: Caller
) -> None:
    tag = await post(toys, new_caller_elsewhere, "/v1/tags", {"name": "Theirs"})
    lead_id = await new_lead(toys, caller)

    assert (await toys.get(f"/v1/tags/{tag['id']}", headers=caller.headers)).status_code == 404
    body = {"names": ["Theirs"]}
    removed = await post(toys, caller, f"/v1/leads/{lead_id}/tag-removals", body)
    assert removed == {"items": []}


@pytest.fixture
async def new_caller_elsewhere(database: Database) -> Caller:
    """A caller in another workspace."""
    return await new_caller(database, [TAGS_READ, TAGS_WRITE])


async def test_a_bulk_change_adds_and_removes_tags_and_its_undo_keeps_later_changes(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    one, two = [await new_lead(toys, caller) for _ in range(2)]
    await post(toys, caller, f"/v1/leads/{one}/tags", {"names": ["VIP"]})
    body = {"action": "addTags", "arguments": {"names": ["vip", "Berlin"]}, "leadIds": [one, two]}
    added = await post(toys, caller, "/v1/changesets", body)

    assert (added["status"], added["updated"], added["label"]) == ("applied", 2, "Add tags Berlin, VIP")
    body = {"action": "removeTags", "arguments": {"names": ["BERLIN"]}, "leadIds": [one]}
    removed = await post(toys, caller, "/v1/changesets", body)
    assert await tags_of(toys, caller, one) == ["VIP"]
    undone = await post(toys, caller, f"/v1/changesets/{removed['id']}/undos")
    assert (undone["status"], undone["reverted"]) == ("undone", 1)
    assert await tags_of(toys, caller, one) == ["Berlin", "VIP"]
    await post(toys, caller, f"/v1/changesets/{added['id']}/undos")

    assert await tags_of(toys, caller, one) == ["VIP"]
    assert await tags_of(toys, caller, two) == []


async def test_arguments_of_a_bulk_change_are_checked(toys: httpx.AsyncClient, caller: Caller) -> None:
    lead_id = await new_lead(toys, caller)
    for body, pointer in (
        ({"action": "addTags", "leadIds": [lead_id]}, "/arguments/names"),
        ({"action": "addTags", "arguments": {"names": ["a,b"]}, "leadIds": [lead_id]}, "/arguments/names/0"),
        ({"action": "addBadges", "leadIds": [lead_id]}, "/action"),
    ):
        answer = await toys.post("/v1/changesets", json=body, headers=caller.headers)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


async def test_filters_find_any_all_none_and_without_tags(toys: httpx.AsyncClient, caller: Caller) -> None:
    both, one, none = [await new_lead(toys, caller) for _ in range(3)]
    await post(toys, caller, f"/v1/leads/{both}/tags", {"names": ["A", "B"]})
    await post(toys, caller, f"/v1/leads/{one}/tags", {"names": ["A"]})
    ids = {tag["name"]: tag["id"] for tag in await items(toys, caller, "/v1/tags")}
    all_ = list(ids.values())

    assert await leads_with(toys, caller, "is", ids["A"]) == {both, one}
    assert await leads_with(toys, caller, "isNot", ids["B"]) == {one, none}
    assert await leads_with(toys, caller, "isAnyOf", all_) == {both, one}
    assert await leads_with(toys, caller, "isAllOf", all_) == {both}
    assert await leads_with(toys, caller, "isNoneOf", all_) == {none}
    assert await leads_with(toys, caller, "isEmpty") == {none}
    searched = {"all": [{"field": "email", "operator": "contains", "value": "@acme"}]}
    searched["all"].append({"field": "tags", "operator": "isAllOf", "value": all_})  # type: ignore[dict-item]
    found = await items(toys, caller, "/v1/leads", filter=json.dumps(searched))
    assert {lead["id"] for lead in found} == {both}
    await toys.delete(f"/v1/tags/{ids['A']}", headers=caller.headers)
    assert await leads_with(toys, caller, "isEmpty") == {one, none}


async def test_expand_returns_tags_of_a_page_of_leads(toys: httpx.AsyncClient, caller: Caller) -> None:
    tagged, plain = [await new_lead(toys, caller) for _ in range(2)]
    await post(toys, caller, f"/v1/leads/{tagged}/tags", {"names": ["VIP"]})

    found = {lead["id"]: lead["tags"] for lead in await items(toys, caller, "/v1/leads", expand="tags")}
    assert ([tag["name"] for tag in found[tagged]], found[plain]) == (["VIP"], [])
    refused = await toys.get("/v1/leads?expand=badges", headers=caller.headers)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "?expand")


async def test_a_merged_tag_is_replaced_on_its_leads_and_the_undo_separates_them(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    one, both = [await new_lead(toys, caller) for _ in range(2)]
    await post(toys, caller, f"/v1/leads/{one}/tags", {"names": ["Vip"]})
    await post(toys, caller, f"/v1/leads/{both}/tags", {"names": ["Vip", "Important"]})
    ids = {tag["name"]: tag["id"] for tag in await items(toys, caller, "/v1/tags")}

    merged = await post(toys, caller, f"/v1/tags/{ids['Vip']}/merges", {"intoId": ids["Important"]})
    assert merged["updated"] == 2
    assert [await tags_of(toys, caller, lead) for lead in (one, both)] == [["Important"], ["Important"]]
    assert [tag["name"] for tag in await items(toys, caller, "/v1/tags")] == ["Important"]
    await post(toys, caller, f"/v1/changesets/{merged['id']}/undos")
    assert [await tags_of(toys, caller, lead) for lead in (one, both)] == [["Vip"], ["Important", "Vip"]]
    itself = await toys.post(f"/v1/tags/{ids['Vip']}/merges", json={"intoId": ids["Vip"]}, headers=caller.headers)
    assert (itself.status_code, itself.json()["errors"][0]["pointer"]) == (400, "/intoId")


async def test_a_deleted_tag_can_be_restored_with_its_leads_until_it_is_purged(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    lead_id = await new_lead(toys, caller)
    await post(toys, caller, f"/v1/leads/{lead_id}/tags", {"names": ["VIP"]})
    (tag,) = await items(toys, caller, "/v1/tags")
    assert (await toys.delete(f"/v1/tags/{tag['id']}", headers=caller.headers)).status_code == 204
    assert await tags_of(toys, caller, lead_id) == []

    await post(toys, caller, f"/v1/tags/{tag['id']}/restorations")
    assert await tags_of(toys, caller, lead_id) == ["VIP"]
    await toys.delete(f"/v1/tags/{tag['id']}", headers=caller.headers)
    async with database.system() as tx:
        await tx.execute(
            sql("UPDATE tags SET deleted_at = now() - interval '40 days' WHERE id = :tag_id"), {"tag_id": tag["id"]}
        )
        await store.purge(tx, 100, days=30)
    gone = await toys.post(f"/v1/tags/{tag['id']}/restorations", headers=caller.headers)
    assert gone.status_code == 404


async def test_a_merge_of_leads_combines_tags_unmerging_separates_them_and_an_erasure_removes_them(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    survivor, other = [await new_lead(toys, caller) for _ in range(2)]
    await post(toys, caller, f"/v1/leads/{survivor}/tags", {"names": ["own"]})
    await post(toys, caller, f"/v1/leads/{other}/tags", {"names": ["others"]})
    merged = await post(toys, caller, "/v1/merges", {"survivorId": survivor, "otherId": other})

    assert await tags_of(toys, caller, survivor) == ["others", "own"]
    await toys.post(f"/v1/merges/{merged['id']}/undos", headers=caller.headers)
    assert await tags_of(toys, caller, survivor) == ["own"]
    assert await tags_of(toys, caller, other) == ["others"]
    assert "tags" in [place.name for place in LEAD_PARTICIPANTS.places]
    await post(toys, caller, f"/v1/leads/{survivor}/erasures", {"dryRun": False})
    (own,) = await items(toys, caller, "/v1/tags", prefix="own")
    assert own["leads"]["value"] == 0


async def test_pages_tag_leads_one_and_many_and_manage_tags(house: House, viewer: Browser) -> None:
    lead_id, member = await house.lead("ada@acme.test"), await house.signed_in(Role.MEMBER)
    await member.get(f"/leads/{lead_id}")
    shown = await member.post_part(f"/leads/{lead_id}/tags", "panel-tags", {"tags": "VIP, Berlin"})
    assert [text.split()[0] for text in shown.all("#panel-tags .tag")] == ["Berlin", "VIP"]
    refused = await member.post(f"/leads/{lead_id}/tags", {"tags": "x" * 51})
    assert (refused.status, "Maximum 50 characters" in refused.text) == (400, True)
    await member.get("/leads?column=tags")
    many = await member.post("/leads/bulk-changes", {"action": "addTags", "tags": "Paris", "ids": str(lead_id)})
    assert "1 lead tagged." in many.text
    assert (await viewer.get("/leads?column=name&column=tags")).all("#leads-list td[data-label=Tags] li") == [
        "Berlin", "Paris", "VIP",
    ]  # fmt: skip

    page = await member.get("/settings/tags")
    assert page.all("#tags-list .tag") == ["Berlin", "Paris", "VIP"]
    tagged = page.attribute("#tags-list a[href^='/leads?filter=']", "href")
    assert (await viewer.get(f"{tagged}&column=name&column=tags")).all("#leads-list td[data-label=Tags] li") == [
        "Berlin", "Paris", "VIP",
    ]  # fmt: skip
    tag_page = next(node.attributes["href"] for node in page.html.css("#tags-list .row-link")) or ""
    await member.get(tag_page)
    renamed = await member.post(tag_page, {"name": "Köln", "color": "teal", "version": "1"})
    assert "Tag “Köln” saved." in renamed.text
    deleted = await member.post(f"{tag_page}/deletion")
    assert deleted.all("#tags-list .tag") == ["Paris", "VIP"]
    restored = await member.post(f"{tag_page}/restorations")
    assert restored.all("#tags-list .tag") == ["Köln", "Paris", "VIP"]
    seen = await viewer.get(f"/leads/{lead_id}")
    assert seen.all("#panel-tags form") == []
