"""Viewers who see the same share one render, and nobody is ever sent what was made for somebody else."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from starlette.requests import Request

from leadflood.kernel.actor import Role
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import Forbidden
from leadflood.kernel.observability import TraceContext
from leadflood.kernel.request_context import RequestContext, attach
from leadflood.web import pipeline
from leadflood.web.context import WebContext
from leadflood.web.cookies import SESSION, CsrfFailed, check_csrf
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import PageRoute
from leadflood.web.render_cache import RenderCache
from tests.integration.web.conftest import House
from tests.support.addresses import pages
from tests.support.tenants import new_tenant
from tests.support.waiting import eventually, soon
from tests.support.web import Browser

_MOVE = sql("UPDATE users SET time_zone = 'Asia/Tokyo' WHERE id = :id")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}=")
_CURSOR = re.compile(r"\bafter=[A-Za-z0-9_%=-]+")  # encrypted anew each time
_AGE = re.compile(r"\b\d+(\.\d+)? (ms|s|min|h)\b|\bjust now\b")
PARTS = 2
"""Renders that a live page needs: its own, and that of the sidebar's counts, which all pages share.

Besides, each session has a small one for the counts of its user."""
FIRST = 1
"""The first render of a page, or of counts, that is personal: it shows that, and is thrown away."""
LIVE = [rule for rule in pages() if rule.live]


@dataclass(frozen=True)
class Viewer:
    """Somebody with a page open."""

    web: WebContext
    browser: Browser

    async def ctx(self, rule: PageRoute, address: str, **headers: str) -> PageContext:
        """A look at a page. Raises: Forbidden."""
        parts = urlsplit(address)
        given = {"host": "leadflood.test", "cookie": f"{SESSION}={self.browser.client.cookies[SESSION]}", **headers}
        asked = zip(rule.path.split("/"), parts.path.split("/"), strict=True)
        scope = {
            "type": "http",
            "method": "GET",
            "scheme": "https",
            "server": ("leadflood.test", 443),
            "path": parts.path,
            "query_string": parts.query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "path_params": {name[1:-1]: value for name, value in asked if name.startswith("{")},
        }
        attach(scope, RequestContext("GET", parts.path, "https", "", "request", TraceContext.continued([])))
        ctx = PageContext(Request(scope), self.web, None, "")
        await pipeline.identify(ctx)
        pipeline.authorise(ctx, rule)
        return ctx

    async def live(self, rule: PageRoute, address: str, **headers: str) -> str:
        """Content of the stream."""
        blocks = await pipeline.live_blocks(await self.ctx(rule, address, **headers), rule, not_before=0.0)
        return "".join(blocks.values())

    async def own(self, address: str) -> str:
        """The same blocks, made for this viewer alone."""
        return (await self.browser.get(address, hx_request="true", x_live="poll")).response.text


@dataclass(frozen=True)
class Room:
    """A workspace with some of everything, and people who look at it. `renders` are fresh for each test."""

    web: WebContext
    people: Mapping[str, Viewer]
    ids: Mapping[str, UUID]

    @property
    def renders(self) -> RenderCache:
        return self.web.renders

    def address(self, rule: PageRoute) -> str:
        """Path of a page."""
        kind = rule.path.strip("/").split("/")[0]
        kind = {"changes": "changesets"}.get(kind, kind)
        return rule.path.replace("{id}", str(self.ids.get(kind, ""))).replace("{name}", "email_insight")


@pytest.fixture
async def room(house: House) -> Room:
    tenant = await new_tenant(house.parts.database, house.parts.registry)
    house.workspace_id = tenant.workspace_id
    web = replace(house.web, renders=RenderCache(house.web.changes))
    far_id, _ = await house.member(Role.OWNER)
    async with house.parts.database.system() as tx:
        await tx.execute(_MOVE, {"id": far_id})
    people = {
        "owner": await house.signed_in(Role.OWNER),
        "second owner": await house.signed_in(Role.OWNER),
        "owner in Tokyo": await house.enter(far_id, Role.OWNER),
        "member": await house.signed_in(Role.MEMBER),
        "viewer": await house.signed_in(Role.VIEWER),
    }
    return Room(web, {name: Viewer(web, browser) for name, browser in people.items()}, tenant.ids)


async def test_each_viewer_of_a_live_page_gets_what_would_be_made_for_them_alone(room: Room) -> None:
    web = room.web

    async def all_get_their_own(rule: PageRoute) -> bool:
        address = room.address(rule)
        fresh = replace(web, renders=RenderCache(web.changes))
        for name, person in room.people.items():
            try:
                shared = await Viewer(fresh, person.browser).live(rule, address)
            except Forbidden:
                continue
            before, after = await person.own(address), await person.own(address)
            if _plain(before) != _plain(after):
                return False  # a moment ago became a minute ago: again
            assert _plain(shared) == _plain(before), (rule.path, name)
        return True

    for rule in LIVE:
        await eventually(partial(all_get_their_own, rule))


async def test_people_with_the_same_rights_share_a_render_and_each_gets_a_token_of_their_own(room: Room) -> None:
    rule = next(rule for rule in LIVE if rule.path == "/leads")

    seen = {name: await person.live(rule, "/leads") for name, person in room.people.items()}

    assert room.renders.made == 4 * PARTS + FIRST + 5  # two owners of one time zone share
    assert seen["owner"] != seen["second owner"]
    assert _plain(seen["owner"]) == _plain(seen["second owner"])
    assert "JST" in seen["owner in Tokyo"]
    assert "JST" not in seen["owner"]
    assert 'name="csrf"' not in seen["viewer"]
    for name in ("owner", "second owner", "owner in Tokyo", "member"):
        token = re.search(r'name="csrf" value="([^"]+)"', seen[name])
        assert token
        for other, person in room.people.items():
            anchor = (await person.ctx(rule, "/leads")).anchor
            if other == name:
                check_csrf(room.web.secret_box, anchor, token[1])
            else:
                with pytest.raises(CsrfFailed):
                    check_csrf(room.web.secret_box, anchor, token[1])


async def test_what_one_viewers_browser_sends_changes_nothing_for_the_others(room: Room) -> None:
    rule = next(rule for rule in LIVE if rule.path == "/leads")
    first, second = room.people["owner"], room.people["second owner"]
    await first.live(rule, "/leads", **{"hx-request": "true", "hx-target": "leads-list", "x-live": "poll"})

    assert _plain(await second.live(rule, "/leads")) == _plain(await second.own("/leads"))
    assert room.renders.made == PARTS + FIRST + 2
    await second.live(rule, "/leads", host="elsewhere.test")
    assert room.renders.made == 2 * PARTS + FIRST + 3


async def test_a_page_that_asks_who_looks_is_made_for_each_session(room: Room) -> None:
    rule = next(rule for rule in LIVE if rule.path == "/settings/members")

    for _ in range(2):
        for name in ("owner", "second owner"):
            html = await room.people[name].live(rule, rule.path)
            assert html.count("Leave workspace") == 1

    # The sidebar's is shared, but for the counts of each user.
    assert room.renders.made == FIRST + 2 + 1 + FIRST + 2


async def test_a_filter_that_says_me_is_made_for_each_session_and_other_filters_are_still_shared(room: Room) -> None:
    rule = next(rule for rule in LIVE if rule.path == "/leads")
    mine = '/leads?filter={"all":[{"field":"owner","operator":"is","value":"me"}]}'

    for address, renders in ((mine, FIRST + 2 + 1 + FIRST + 2), ("/leads", FIRST + 3 + 1 + FIRST + 2)):
        for name in ("owner", "second owner"):
            await room.people[name].live(rule, address)
        assert room.renders.made == renders


async def test_fifty_viewers_of_a_change_cost_one_render(room: Room, database: Database) -> None:
    rule = next(rule for rule in LIVE if rule.path == "/leads")
    person = room.people["owner"]
    workspace_id = (await person.ctx(rule, "/leads")).actor.workspace_id

    async def change() -> None:
        version = room.web.changes.version(workspace_id)
        room.web.changes._wake(frozenset({workspace_id}))
        assert room.web.changes.version(workspace_id) > version

    async with room.web.changes.subscribe(workspace_id) as bell:
        await soon(bell.wait(60))  # the connection is there
        costs: list[int] = []
        # Changes of the set-up may be notified late: wait until two rounds in a row had none.
        while costs[-2:] != [PARTS + 1, PARTS + 1] and len(costs) < 10:
            await change()
            before = room.renders.made
            await asyncio.gather(*(person.live(rule, "/leads") for _ in range(50)))
            costs.append(room.renders.made - before)

    assert costs[-2:] == [PARTS + 1, PARTS + 1], costs


async def test_a_render_that_began_before_a_change_is_not_sent_after_it(room: Room) -> None:
    rule = next(rule for rule in LIVE if rule.path == "/leads")
    person = room.people["owner"]
    ctx = await person.ctx(rule, "/leads")
    began, go = asyncio.Event(), asyncio.Event()
    made: list[str] = []

    def making(name: str, *, waits: bool) -> Callable[[object], Awaitable[dict[str, str]]]:
        async def make(_: object) -> dict[str, str]:
            made.append(name)
            began.set()
            if waits:
                await go.wait()
            return {"list": name}

        return make

    async with room.web.changes.subscribe(ctx.actor.workspace_id):
        old = asyncio.ensure_future(room.renders.blocks(ctx, making("old", waits=True), not_before=0.0))
        await soon(began.wait())
        room.web.changes._wake(frozenset({ctx.actor.workspace_id}))
        new = [
            asyncio.ensure_future(room.renders.blocks(ctx, making("new", waits=False), not_before=0.0))
            for _ in range(3)
        ]
        go.set()

        assert (await soon(old))["list"] == "old"
        assert [blocks["list"] for blocks in await soon(asyncio.gather(*new))] == ["new"] * 3
    assert made == ["old", "new"]


def _plain(html: str) -> str:
    return _AGE.sub("age", _TOKEN.sub("token", _CURSOR.sub("cursor", html)))
