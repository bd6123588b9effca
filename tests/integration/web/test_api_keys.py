"""API keys on their pages: made once, shown once, ended."""

import re

import httpx
import pytest

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import ApiKeyView
from leadflood.kernel.actor import SCOPES, Role
from leadflood.kernel.clock import utc_now
from tests.integration.web.conftest import House, NewHouse
from tests.support.web import Browser, Seen

PATH = "/settings/api-keys"


async def keys_of(house: House) -> list[ApiKeyView]:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        return list((await queries.list_api_keys(tx, house.actor, limit=100)).items)


async def made(browser: Browser, **fields: str | list[str]) -> Seen:
    await browser.get(f"{PATH}/new")
    return await browser.post(PATH, {"name": "Web form", "scopes": ["leads:write"], "days": "", **fields})


def token_in(seen: Seen) -> str:
    found = re.search(r"lf_live_\w+", seen.all(".code--line pre")[0])
    assert found is not None
    return found[0]


async def test_a_key_is_shown_once_and_works_as_its_example_says(house: House, owner: Browser) -> None:
    empty = await owner.get(PATH)
    assert "No API keys yet" in empty.text
    assert "Create key" in empty.text

    seen = await made(owner)
    token = token_in(seen)

    assert seen.status == 201
    assert seen.response.headers["cache-control"] == "no-store"
    assert seen.attribute(".code--line button", "data-copy") == token
    example = seen.all(".code--wrap pre")[0]
    assert "/v1/leads -H" in example
    assert f"Bearer {token}" in example
    async with httpx.AsyncClient(transport=httpx.ASGITransport(house.app), base_url="https://leadflood.test") as client:
        headers = {"Authorization": f"Bearer {token}"}
        assert (await client.post("/v1/leads", json={"email": "ada@acme.com"}, headers=headers)).status_code == 201
        assert (await client.get("/v1/leads", headers=headers)).status_code == 403

    for path in (PATH, "/settings/audit"):
        later = await owner.get(path)
        assert token not in later.response.text
        assert "Web form" in later.text
    (key,) = await keys_of(house)
    assert (key.scopes, key.expires_at, token.startswith(key.prefix)) == (["leads:write"], None, True)


async def test_a_key_ends_when_it_was_said_to(house: House, owner: Browser) -> None:
    assert (await made(owner, days="7")).status == 201

    (key,) = await keys_of(house)
    assert key.expires_at is not None
    assert 6 <= (key.expires_at - utc_now()).days <= 7


async def test_a_reading_key_gets_an_example_that_it_may_run(owner: Browser) -> None:
    reading = await made(owner, scopes=["leads:read"])
    other = await made(owner, scopes=["jobs:read"])

    assert "/v1/leads?limit=1" in reading.all(".code--wrap pre")[0]
    assert "/v1/auth/me" in other.all(".code--wrap pre")[0]


async def test_every_scope_that_a_key_can_carry_is_offered_and_explained(owner: Browser) -> None:
    seen = await owner.get(f"{PATH}/new")

    offered = [node.attributes.get("value") for node in seen.html.css("input[name=scopes]")]
    assert sorted(map(str, offered)) == sorted(SCOPES)
    assert all(seen.all("label.choice .choice__hint"))


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"name": ""}, "Name"),
        ({"scopes": []}, "Scopes"),
        ({"scopes": ["account"]}, "Scopes"),
        ({"scopes": ["everything"]}, "Scopes"),
        ({"days": "100000000000"}, "Expiration"),
    ],
)
async def test_a_fault_is_told_and_what_was_chosen_is_kept(
    house: House, owner: Browser, fields: dict[str, str | list[str]], fault: str
) -> None:
    seen = await made(owner, **{"name": "<b>Form</b>", "scopes": ["jobs:read"], **fields})

    assert seen.status == 400
    assert [item.partition(":")[0] for item in seen.all(".error-summary li")] == [fault]
    assert seen.attribute("#f-name", "value") == fields.get("name", "<b>Form</b>")
    chosen = [node.attributes.get("value") for node in seen.html.css("input[name=scopes][checked]")]
    assert chosen == ([] if "scopes" in fields else ["jobs:read"])
    assert await keys_of(house) == []


async def test_a_revoked_key_is_refused_at_once_and_stays_listed(house: House, owner: Browser) -> None:
    token = token_in(await made(owner, scopes=["leads:read"]))
    (key,) = await keys_of(house)
    asked = await owner.get(PATH)
    action = asked.attribute(f"dialog#revoke-{key.id} form", "action") or ""

    seen = await owner.post(action)

    assert any(item.startswith("Key revoked.") for item in seen.all(".toast__text"))
    assert seen.all("#keys-list tbody td[data-label=Status]") == ["Revoked"]
    assert seen.html.css("dialog[id^=revoke-]") == []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(house.app), base_url="https://leadflood.test") as client:
        answer = await client.get("/v1/leads", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert (await owner.post(action)).status == 404


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
async def test_whoever_may_not_see_keys_gets_403(house: House, owner: Browser, role: Role) -> None:
    await made(owner)
    (key,) = await keys_of(house)
    browser = await house.signed_in(role)
    await browser.get("/settings")

    assert (await browser.get(PATH)).status == 403
    assert (await browser.get(f"{PATH}/new")).status == 403
    assert (await browser.post(PATH, {"name": "Mine", "scopes": "leads:read", "days": ""})).status == 403
    assert (await browser.post(f"{PATH}/{key.id}/revocations")).status == 403
    assert [item.revoked_at for item in await keys_of(house)] == [None]


async def test_a_key_of_another_workspace_does_not_exist(owner: Browser, new_house: NewHouse) -> None:
    other = await new_house()
    await made(await other.signed_in(Role.OWNER), name="Theirs")
    (theirs,) = await keys_of(other)

    seen = await owner.get(PATH)

    assert "Theirs" not in seen.text
    assert (await owner.post(f"{PATH}/{theirs.id}/revocations")).status == 404
    assert [item.revoked_at for item in await keys_of(other)] == [None]
