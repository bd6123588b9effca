"""Signing in: what is told when it fails too often."""

from dataclasses import replace

from leadflood.domains.identity.service import administration
from leadflood.kernel.actor import Role
from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House
from tests.integration.web.people import new_visitor
from tests.support.identity import CLI, PASSWORD, new_client
from tests.support.web import browser_of, site


async def test_a_throttled_sign_in_says_when_to_come_back_and_keeps_the_way(house: House) -> None:
    visitor = await new_visitor(house, Role.VIEWER)
    few = replace(house.web, settings=house.web.settings.model_copy(update={"max_login_attempts": 1}))
    fields = {"email": visitor.email, "password": "not the right one", "next": "/leads?q=x"}
    async with browser_of(site(house.parts, few), client=(new_client().ip, 1)) as browser:
        await browser.get("/sign-in")
        first = await browser.post("/sign-in", fields)
        second = await browser.post("/sign-in", fields)

    assert (first.status, second.status) == (401, 429)
    assert "Try again in 15 minutes, at" in second.text
    assert "UTC" in second.text
    assert second.attribute("input[name=email]", "value") == visitor.email
    assert second.attribute("input[name=next]", "value") == "/leads?q=x"
    assert "not the right one" not in second.response.text


async def test_known_and_unknown_addresses_are_told_the_same(house: House) -> None:
    visitor = await new_visitor(house, Role.VIEWER)
    browser = await house.stranger()

    known = await browser.sign_in(visitor.email, "not the right one")
    unknown = await browser.sign_in(f"u{new_id().hex}@acme.test", "not the right one")

    assert known.status == unknown.status == 401
    assert known.all(".error-summary p") == unknown.all(".error-summary p") != []


async def test_a_browser_that_signed_in_before_gets_in_however_often_others_fail(house: House) -> None:
    visitor = await new_visitor(house, Role.VIEWER)
    few = replace(house.web, settings=house.web.settings.model_copy(update={"max_login_attempts": 1}))
    web = site(house.parts, few)
    async with (
        browser_of(web, client=(new_client().ip, 1)) as known,
        browser_of(web, client=(new_client().ip, 1)) as linked,
        browser_of(web, client=(new_client().ip, 1)) as stranger,
    ):
        assert (await known.sign_in(visitor.email, PASSWORD)).path == "/"
        await known.post("/sign-out")
        await stranger.sign_in(visitor.email, "not the right one")

        assert (await stranger.sign_in(visitor.email, PASSWORD)).status == 429
        assert (await known.sign_in(visitor.email, PASSWORD)).path == "/"
        code = await administration.unlock_user(house.parts.database, CLI, house.parts.secret_box, email=visitor.email)
        await stranger.sign_in(visitor.email, "not the right one")
        assert "invalid or has expired" in (await linked.get("/sign-in/device/x")).text
        assert (await linked.sign_in(visitor.email, PASSWORD)).status == 429
        assert "sign in with this browser" in (await linked.get(f"/sign-in/device/{code}")).text
        assert (await linked.sign_in(visitor.email, PASSWORD)).path == "/"
