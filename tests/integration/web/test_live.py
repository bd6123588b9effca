"""Live pages: the stream of a page carries its own blocks when they change, and ends with the right to see them."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import httpx
import pytest

from leadflood.domains.identity.service import access, members, sessions
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import UpdateLead
from leadflood.kernel.actor import Actor, Role
from leadflood.web.cookies import SESSION
from tests.integration.web.conftest import House, NewHouse
from tests.support.served import Served
from tests.support.waiting import PATIENCE, soon
from tests.support.web import Browser

STREAM = {"Accept": "text/event-stream"}


class Stream:
    """The events of a page's stream, as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self) -> tuple[str, str]:
        """The next event: its name, and the HTML it carries. Heartbeats are passed over."""
        name = ""
        while True:
            line = await soon(anext(self._lines))
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
                return name, data if isinstance(data, str) else ""

    async def ended(self) -> bool:
        """Whether the server closes the stream."""
        async for line in self._lines:
            assert not line.startswith("event: parts")
        return True


@asynccontextmanager
async def streaming(server: Served, browser: Browser, path: str) -> AsyncIterator[Stream]:
    """Open the stream of a page as the browser's visitor."""
    cookies = {"Cookie": f"{SESSION}={browser.client.cookies[SESSION]}"}
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client,
        client.stream("GET", path, headers={**STREAM, **cookies}) as response,
    ):
        yield Stream(response)


async def actor_of(house: House, browser: Browser) -> Actor:
    return (await access.authenticate_browser(house.parts.database, browser.client.cookies[SESSION])).actor


async def rename(house: House, lead_id: UUID, company: str) -> None:
    async with house.parts.database.transaction(house.workspace_id) as tx:
        command = UpdateLead.model_validate({"company": company})
        await leads.update_lead(tx, house.actor, lead_id=lead_id, command=command, expected_version=None)


async def test_a_change_reaches_an_open_page_as_its_own_block(server: Served, owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", company="Acme")

    async with streaming(server, owner, f"/leads/{lead_id}") as stream:
        first = await stream.next()
        await rename(house, lead_id, "Initech")
        second = await stream.next()

    assert first[0] == second[0] == "parts"
    assert 'id="lead-fields"' in second[1]
    assert "Initech" in second[1]
    assert 'id="lead-job"' not in second[1], "what did not change is not sent again"


async def test_a_change_in_another_workspace_is_not_told(
    server: Served, owner: Browser, new_house: NewHouse, house: House
) -> None:
    theirs = await new_house()

    async with streaming(server, owner, "/leads") as stream:
        await stream.next()
        await theirs.lead("theirs@acme.com")
        await house.lead("ours@acme.com")
        _, html = await stream.next()

    assert "ours@acme.com" in html
    assert "theirs@acme.com" not in html


@pytest.mark.parametrize("ending", ["signed out", "ended elsewhere"])
async def test_a_stream_ends_with_its_session(server: Served, house: House, owner: Browser, ending: str) -> None:
    copy = await house.stranger()
    copy.enter(owner.client.cookies[SESSION])

    async with streaming(server, owner, "/leads") as stream:
        await stream.next()
        if ending == "signed out":
            await copy.get("/leads")
            await copy.post("/sign-out")
        else:
            actor = await actor_of(house, owner)
            assert actor.session_id
            await sessions.end_any_session(house.parts.database, actor, session_id=actor.session_id)
        assert (await stream.next())[0] == "end"
        assert await soon(stream.ended())


async def test_a_stream_ends_when_its_visitor_is_removed(server: Served, house: House, viewer: Browser) -> None:
    actor = await actor_of(house, viewer)
    await house.signed_in(Role.OWNER)

    async with streaming(server, viewer, "/leads") as stream:
        await stream.next()
        assert actor.user_id
        async with house.parts.database.transaction(house.workspace_id) as tx:
            await members.remove_member(tx, house.actor, user_id=actor.user_id)
        assert (await stream.next())[0] == "end"


async def test_a_stranger_gets_no_stream(server: Served) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get("/leads", headers=STREAM)

    assert answer.text.startswith("event: end")


async def test_a_page_without_its_stream_asks_for_the_same_blocks(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com")

    part = await owner.get(f"/leads/{lead_id}", hx_request="true", x_live="poll")

    assert part.html.css_first("#lead-job") is not None
    assert part.html.css_first("#lead-timeline") is not None
    assert "<html" not in part.response.text


async def test_over_the_limit_of_a_person_the_oldest_page_pauses_and_the_others_stay_live(
    server: Served, owner: Browser, house: House
) -> None:
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(streaming(server, owner, "/leads")) for _ in range(11)]
        for stream in opened[1:]:
            assert (await stream.next())[0] == "parts"
        names = [(await opened[0].next())[0] for _ in range(2)]

        assert names == ["parts", "paused"]
        assert await soon(opened[0].ended())
        await house.lead("ada@acme.com")
        for stream in opened[1:]:
            assert "ada@acme.com" in (await stream.next())[1]
