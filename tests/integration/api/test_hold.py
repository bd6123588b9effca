"""The hold on outgoing effects, over the API: for the sessions of instance operators alone."""

from uuid import UUID

import httpx
import pytest

from leadflood.api.context import ApiContext
from leadflood.kernel.actor import SCOPES, Role
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID
from tests.support.api import Caller, client_of, new_caller
from tests.support.identity import make_operator
from tests.support.tenants import new_member, new_session
from tests.support.trail import events_of

PATH = "/v1/instance/hold"
CLOSED = {"reason": "Rehearsing a restore"}


@pytest.fixture
async def operator(parts: ApiContext, caller: Caller) -> tuple[UUID, dict[str, str]]:
    """An operator who may only look at the workspace, and the header of a session."""
    user_id = await new_member(parts.database, caller.workspace_id, Role.VIEWER)
    await make_operator(parts.database, user_id)
    _, token = await new_session(parts.database, caller.workspace_id, user_id)
    return user_id, {"Authorization": f"Bearer {token}"}


async def test_an_operator_closes_and_opens_the_hold(parts: ApiContext, operator: tuple[UUID, dict[str, str]]) -> None:
    user_id, headers = operator
    async with client_of(parts) as client:

        async def put(action: str, body: object = None) -> tuple[bool, str]:
            answer = await client.post(f"{PATH}/{action}", json=body, headers={**headers, "X-Request-Id": action})
            assert answer.status_code == 200, answer.text
            shown = (await client.get(PATH, headers=headers)).json()
            assert answer.json() == shown
            return shown["closed"], shown["reason"]

        try:
            assert await put("closings", CLOSED) == (True, CLOSED["reason"])
            assert await put("closings", {"reason": "Again"}) == (True, CLOSED["reason"])
        finally:
            assert await put("openings") == (False, "")
        assert await put("openings") == (False, "")

    events = [item for item in await events_of(parts.database, SYSTEM_WORKSPACE_ID) if item.actor.id == user_id]
    assert [(event.action, event.request_id) for event in events] == [
        ("hold.closed", "closings"),
        ("hold.opened", "openings"),
    ]


async def test_no_key_and_no_owner_sees_or_changes_it(parts: ApiContext, caller: Caller) -> None:
    key = await new_caller(parts.database, list(SCOPES))
    owner_id = await new_member(parts.database, caller.workspace_id, Role.OWNER)
    _, owner = await new_session(parts.database, caller.workspace_id, owner_id)
    async with client_of(parts) as client:
        for headers in (key.headers, {"Authorization": f"Bearer {owner}"}):
            answers: list[httpx.Response] = [
                await client.get(PATH, headers=headers),
                await client.post(f"{PATH}/closings", json=CLOSED, headers=headers),
                await client.post(f"{PATH}/openings", headers=headers),
            ]
            assert [answer.status_code for answer in answers] == [403, 403, 403]
