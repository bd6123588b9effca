"""Notes on leads: endpoints, rights of the author, deletion with undo, merges, erasure, timeline and panel."""

from typing import Any

import httpx
import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.notes.models import MAX_TEXT
from leadflood.domains.notes.permissions import NOTES_READ, NOTES_WRITE
from leadflood.kernel.actor import Role
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.api import Caller, caller, gate, new_caller, parts, toys
from tests.support.web import Browser

__all__ = ["caller", "gate", "house", "new_house", "pages_app", "pages_parts", "parts", "site_parts", "toys", "viewer"]


async def call(
    toys: httpx.AsyncClient, caller: Caller, method: str, path: str, body: object = None, version: int | None = None
) -> httpx.Response:
    headers = caller.headers if version is None else {**caller.headers, "If-Match": f'"{version}"'}
    return await toys.request(method, path, json=body, headers=headers)


async def new_lead(toys: httpx.AsyncClient, caller: Caller) -> str:
    answer = await call(toys, caller, "POST", "/v1/leads", {"email": f"{new_id().hex}@acme.test"})
    return str(answer.json()["leadId"])


async def noted(toys: httpx.AsyncClient, caller: Caller, lead_id: str, text: str) -> dict[str, Any]:
    answer = await call(toys, caller, "POST", f"/v1/leads/{lead_id}/notes", {"text": text})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def texts(toys: httpx.AsyncClient, caller: Caller, lead_id: str) -> list[str]:
    answer = await call(toys, caller, "GET", f"/v1/leads/{lead_id}/notes")
    return [note["text"] for note in answer.json()["items"]]


async def test_notes_are_listed_newest_first_and_appear_in_the_timeline(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    lead_id = await new_lead(toys, caller)
    await noted(toys, caller, lead_id, "First\r\nsecond line 🚀")
    made = await noted(toys, caller, lead_id, "Later")

    assert await texts(toys, caller, lead_id) == ["Later", "First\nsecond line 🚀"]
    page = (await call(toys, caller, "GET", f"/v1/leads/{lead_id}/notes?limit=1")).json()
    rest = await call(toys, caller, "GET", f"/v1/leads/{lead_id}/notes?limit=1&cursor={page['nextCursor']}")
    assert [note["text"] for note in rest.json()["items"]] == ["First\nsecond line 🚀"]
    timeline = (await call(toys, caller, "GET", f"/v1/leads/{lead_id}/events")).json()["items"]
    assert (timeline[0]["kind"], timeline[0]["data"]) == ("lead.noted", {"noteId": made["id"]})


@pytest.mark.parametrize("text", ["", " \n ", "\u200b", "x" * (MAX_TEXT + 1), "\0", None, 7])
async def test_an_invalid_text_is_refused(toys: httpx.AsyncClient, caller: Caller, text: object) -> None:
    answer = await call(toys, caller, "POST", f"/v1/leads/{await new_lead(toys, caller)}/notes", {"text": text})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/text")


async def test_only_the_author_edits_and_only_with_the_current_version(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    made = await noted(toys, caller, await new_lead(toys, caller), "Draft")
    path = f"/v1/notes/{made['id']}"
    other = await new_caller(database, [NOTES_READ, NOTES_WRITE], workspace_id=caller.workspace_id)

    refused = await call(toys, other, "PATCH", path, {"text": "Mine now"}, version=1)
    kept = await call(toys, other, "DELETE", path)
    edited = await call(toys, caller, "PATCH", path, {"text": "Final"}, version=1)
    stale = await call(toys, caller, "PATCH", path, {"text": "Late"}, version=1)

    assert (refused.status_code, refused.json()["code"], kept.status_code) == (403, "not_the_author", 403)
    assert (edited.json()["text"], edited.json()["version"], edited.json()["editedAt"] is None) == ("Final", 2, False)
    assert (stale.status_code, stale.json()["currentVersion"]) == (412, 2)


async def test_a_deletion_can_be_undone(toys: httpx.AsyncClient, caller: Caller) -> None:
    lead_id = await new_lead(toys, caller)
    made = await noted(toys, caller, lead_id, "Gone soon")
    path = f"/v1/notes/{made['id']}"

    assert (await call(toys, caller, "DELETE", path)).status_code == 204
    assert (await texts(toys, caller, lead_id), (await call(toys, caller, "GET", path)).status_code) == ([], 404)
    assert (await call(toys, caller, "DELETE", path)).status_code == 404
    for _ in range(2):
        assert (await call(toys, caller, "POST", f"{path}/restorations")).status_code == 200
    assert await texts(toys, caller, lead_id) == ["Gone soon"]


async def test_a_merge_moves_notes_an_unmerge_returns_them_and_an_erasure_removes_them(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    survivor, other = await new_lead(toys, caller), await new_lead(toys, caller)
    await noted(toys, caller, other, "Of the other")
    body = {"survivorId": survivor, "otherId": other}
    merged = (await call(toys, caller, "POST", "/v1/merges", body)).json()

    assert await texts(toys, caller, survivor) == ["Of the other"]
    await call(toys, caller, "POST", f"/v1/merges/{merged['id']}/undos")
    assert (await texts(toys, caller, survivor), await texts(toys, caller, other)) == ([], ["Of the other"])
    assert "notes" in [place.name for place in LEAD_PARTICIPANTS.places]
    erased = await call(toys, caller, "POST", f"/v1/leads/{other}/erasures", {"dryRun": False})
    assert {each["name"]: each["rows"] for each in erased.json()["places"]}["notes"] == 1


async def test_the_panel_links_addresses_safely_and_undoes_a_deletion(house: House, viewer: Browser) -> None:
    lead_id, member = await house.lead("ada@acme.test"), await house.signed_in(Role.MEMBER)
    await member.get(f"/leads/{lead_id}")
    text = 'See https://acme.test/a?b=1&c="><script>alert(1)</script> and javascript:alert(1).'
    written = await member.post(f"/leads/{lead_id}/notes", {"text": text})
    shown = await viewer.get(f"/leads/{lead_id}")
    path = str(written.attribute("#panel-notes form[action$=deletion]", "action")).removesuffix("/deletion")
    await member.get(path)
    edited = await member.post(path, {"text": "Edited", "version": "1"})
    deleted = await member.post(f"{path}/deletion", {})
    blank = await member.post(f"/leads/{lead_id}/notes", {"text": " "})
    await member.post(f"{path}/restorations", {})

    assert shown.attribute("#panel-notes .note__text a", "href") == "https://acme.test/a?b=1&c="
    assert shown.attribute("#panel-notes .note__text a", "rel") == "nofollow noreferrer noopener"
    assert not shown.all("#panel-notes script")
    assert not shown.all("#panel-notes form")
    assert shown.all("#lead-timeline")[0].count("See https") == 1
    assert ("Edited" in edited.text, blank.status) == (True, 400)
    assert not deleted.all("#panel-notes .note")
    assert (await viewer.get(f"/leads/{lead_id}")).all("#panel-notes .note__text") == ["Edited"]
