"""Requirements for every page."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from leadflood.bootstrap import page_modules
from leadflood.kernel.actor import Role
from leadflood.kernel.rate_limit import RateLimiter
from leadflood.web.cookies import SESSION, VISITOR
from leadflood.web.pipeline import Public
from tests.integration.web.conftest import House
from tests.support.identity import PASSWORD, make_operator
from tests.support.web import ORIGIN, Browser, browser_of, site

RULES = [rule for pages in page_modules() for rule in pages.rules]
ID = "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"


def _path(path: str) -> str:
    return path.replace("{id}", ID).replace("{token}", "x")


@pytest.mark.parametrize("path", sorted({rule.path for rule in RULES if rule.method == "GET"}))
async def test_a_stranger_sees_nothing_but_public_pages(stranger: Browser, path: str) -> None:
    rule = next(rule for rule in RULES if rule.path == path and rule.method == "GET")

    response = await stranger.client.get(_path(path))

    if isinstance(rule.access, Public):
        assert response.headers.get("location", "").startswith("/sign-in") is False
    else:
        assert response.status_code == 303
        assert response.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("path", sorted({rule.path for rule in RULES if rule.method == "POST"}))
async def test_no_form_is_taken_without_the_token_of_our_page(house: House, path: str) -> None:
    user_id, _ = await house.member(Role.OWNER)
    await make_operator(house.parts.database, user_id)  # permission is checked first
    operator = await house.enter(user_id, Role.OWNER)

    answer = await operator.client.post(_path(path), headers={"Origin": ORIGIN}, data={"csrf": "made-up"})

    assert answer.status_code == 403
    assert "Your session expired." in answer.text


@pytest.mark.parametrize("path", sorted({rule.path for rule in RULES if rule.method == "POST"}))
async def test_no_form_of_another_site_is_taken(owner: Browser, path: str) -> None:
    await owner.get("/leads")

    answer = await owner.client.post(_path(path), headers={"Origin": "https://evil.test"}, data={"csrf": owner.token})

    assert answer.status_code == 403
    assert "another site" in answer.text


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
async def test_no_form_is_read_before_session_permission_and_origin(
    house: House, stranger: Browser, owner: Browser, media_type: str
) -> None:
    viewer = await house.signed_in(Role.VIEWER)

    async def status(browser: Browser, origin: str) -> int:
        reading = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            reading.set()
            yield b"x"
            await asyncio.Event().wait()

        headers = {"Origin": origin, "Content-Type": media_type}
        answer = await browser.client.post("/imports", content=endless(), headers=headers)
        assert not reading.is_set()
        return answer.status_code

    assert [await status(browser, ORIGIN) for browser in (stranger, viewer)] == [303, 403]
    assert [await status(browser, "https://evil.test") for browser in (stranger, owner)] == [403, 403]


async def test_a_wrong_method_is_refused_with_the_right_ones(owner: Browser) -> None:
    wrong = await owner.client.put("/imports")
    asked = await owner.client.options("/imports")

    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert (asked.status_code, asked.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")


async def test_the_form_of_a_stranger_is_small(stranger: Browser) -> None:
    await stranger.get("/sign-in")

    assert (await stranger.post("/sign-in", {"email": "x" * 70_000})).status == 413


async def test_of_a_large_form_without_a_valid_token_hardly_anything_is_read(
    house: House, owner: Browser, stranger: Browser
) -> None:
    await owner.get("/leads")
    good = urlencode({"csrf": owner.token})
    bad = urlencode({"csrf": owner.token[:-8] + "AAAAAAA="})
    filler = b"&company=" + b"x" * 10_000_000
    came = 0

    async def send(browser: Browser, start: str, headers: dict[str, str]) -> int:
        async def pieces() -> AsyncIterator[bytes]:
            nonlocal came
            body = start.encode() + filler
            for came in range(0, len(body), 10_000):
                yield body[came : came + 10_000]

        form = {"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
        path = "/leads" if browser is owner else "/sign-in"
        answer = await browser.client.post(path, content=pieces(), headers={**form, **headers})
        return answer.status_code

    for browser, start, headers, status, most in (
        (stranger, good, {}, 403, 0),
        (owner, good, {"Origin": "https://evil.test"}, 403, 0),
        (owner, good, {"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403, 0),
        (owner, good, {"Content-Length": "10000000"}, 413, 0),
        (owner, good, {"X-CSRF-Token": owner.token[:-8] + "AAAAAAA="}, 403, 0),
        (owner, "company=x", {}, 403, 80_000),
        (owner, bad, {}, 403, 80_000),
        (owner, "=", {}, 403, 80_000),
        (owner, good, {}, 413, 1_100_000),
        (owner, "", {"X-CSRF-Token": owner.token}, 413, 1_100_000),
    ):
        came = 0
        assert (await send(browser, start, headers), came <= most) == (status, True), (start, headers, came)


async def test_pages_are_limited_per_session_and_per_address_of_strangers(house: House, owner: Browser) -> None:
    pages = RateLimiter(2, name="pages", subject="session")
    strangers = RateLimiter(2, name="anonymous", subject="address")
    app = site(house.parts, replace(house.web, page_limiter=pages, strangers=strangers))
    async with browser_of(app) as stranger, browser_of(app) as signed_in:
        signed_in.client.cookies = owner.client.cookies
        for browser, policy, paths in (
            (stranger, "anonymous", ["/sign-in", "/no-such-page", "/sign-in"]),
            (signed_in, "pages", ["/leads", "/jobs", "/leads"]),
        ):
            answers = [await browser.client.get(path) for path in paths]

            assert [answer.status_code for answer in answers][-1] == 429
            assert 429 not in [answer.status_code for answer in answers][:-1]
            assert int(answers[-1].headers["Retry-After"]) > 0
            assert answers[-1].headers["RateLimit-Policy"] == f'"{policy}";q=2;w=60'
        asset = await stranger.client.get(house.web.assets.url("favicon.svg"))
        assert asset.status_code != 429


async def test_signing_in_leads_to_where_one_wanted_to_go(house: House, stranger: Browser) -> None:
    _, email = await house.member(Role.MEMBER)

    await stranger.get("/leads?status=failed")
    seen = await stranger.post("/sign-in", {"email": email, "password": PASSWORD, "next": "/leads?status=failed"})

    assert (seen.status, seen.path, seen.response.url.query) == (200, "/leads", b"status=failed")


async def test_a_sign_in_page_remembers_where_one_came_from(stranger: Browser) -> None:
    seen = await stranger.get("/leads?status=failed")

    assert seen.attribute("input[name=next]", "value") == "/leads?status=failed"


@pytest.mark.parametrize("elsewhere", ["https://evil.test", "//evil.test", "/\\evil.test"])
async def test_a_link_to_the_sign_in_page_cannot_lead_to_another_site(
    house: House, stranger: Browser, elsewhere: str
) -> None:
    _, email = await house.member(Role.MEMBER)

    await stranger.get("/sign-in")
    seen = await stranger.post("/sign-in", {"email": email, "password": PASSWORD, "next": elsewhere}, follow=False)

    assert seen.response.headers["location"] == "/"


async def test_a_wrong_password_is_told_on_the_page_and_starts_no_session(house: House, stranger: Browser) -> None:
    _, email = await house.member(Role.MEMBER)

    await stranger.get("/sign-in")
    seen = await stranger.post("/sign-in", {"email": email, "password": "wrong password"})

    assert seen.status == 401
    assert seen.attribute("input[name=email]", "value") == email
    assert SESSION not in stranger.client.cookies


async def test_the_session_changes_with_each_sign_in_and_the_old_one_ends(house: House, stranger: Browser) -> None:
    _, email = await house.member(Role.MEMBER)
    await stranger.sign_in(email, PASSWORD)
    first = stranger.client.cookies[SESSION]

    other = await house.stranger()
    other.enter(first)
    await stranger.client.get("/leads")
    stranger.token = (await stranger.get("/leads")).attribute("meta[name=csrf-token]", "content") or ""
    await stranger.post("/sign-in", {"email": email, "password": PASSWORD})

    assert stranger.client.cookies[SESSION] != first
    assert (await other.get("/leads")).path == "/sign-in"


async def test_signing_out_ends_the_session_on_the_server(owner: Browser, house: House) -> None:
    copy = await house.stranger()
    copy.enter(owner.client.cookies[SESSION])

    await owner.get("/leads")
    seen = await owner.post("/sign-out")

    assert seen.path == "/sign-in"
    assert (await copy.get("/leads")).path == "/sign-in"


async def test_the_token_of_a_browser_is_no_bearer_token(owner: Browser) -> None:
    token = owner.client.cookies[SESSION]

    answer = await owner.client.get("/v1/leads", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401


async def test_pages_forbid_everything_foreign_and_are_never_kept(owner: Browser, stranger: Browser) -> None:
    for response in (await owner.client.get("/leads"), await stranger.client.get("/sign-in")):
        policy = response.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"


async def test_cookies_are_bound_to_this_host(stranger: Browser) -> None:
    response = await stranger.client.get("/sign-in")

    [cookie] = response.headers.get_list("set-cookie")
    assert cookie.startswith(f"{VISITOR}=")
    assert "; Path=/; Secure; HttpOnly; SameSite=Lax" in cookie


async def test_an_unknown_page_says_so_and_an_unknown_operation_says_so_to_programs(owner: Browser) -> None:
    page, operation = await owner.get("/nowhere"), await owner.client.get("/v1/nowhere")

    assert (page.status, operation.status_code) == (404, 404)
    assert "Page not found" in page.text
    assert operation.json()["code"] == "route_not_found"


async def test_whoever_may_only_look_gets_403_when_trying_more(viewer: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com")
    page = await viewer.get(f"/leads/{lead_id}")

    assert page.html.css("form[action$=enrichments]") == []
    for path in (f"/leads/{lead_id}", f"/leads/{lead_id}/deletion", f"/leads/{lead_id}/enrichments", "/leads"):
        seen = await viewer.post(path, {"company": "Acme", "version": "1", "email": "b@acme.com"})
        assert seen.status == 403, path
        assert "Ask an admin for edit access to leads." in seen.text


async def test_a_form_that_is_no_form_is_refused(owner: Browser) -> None:
    await owner.get("/leads")
    headers = {"Origin": ORIGIN, "X-CSRF-Token": owner.token}

    as_json = await owner.client.post("/leads", headers=headers, json={"email": "a@acme.com"})
    too_large = await owner.client.post("/leads", headers=headers, data={"email": "a" * 2_000_000})

    assert (as_json.status_code, too_large.status_code) == (415, 413)


async def test_pages_are_compressed_where_the_browser_takes_it(owner: Browser) -> None:
    plain = await owner.client.get("/leads", headers={"Accept-Encoding": "identity"})
    async with owner.client.stream("GET", "/leads", headers={"Accept-Encoding": "gzip"}) as packed:
        raw = b"".join([chunk async for chunk in packed.aiter_raw()])

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw).startswith(b"<!DOCTYPE html>")


async def test_a_part_is_the_block_of_the_same_page(owner: Browser, house: House) -> None:
    await house.lead("ada@acme.com")

    part = await owner.part("/leads", "leads-list")

    assert part.response.text.lstrip().startswith('<div id="leads-list"')
    assert "ada@acme.com" in part.text


async def test_a_refusal_of_a_part_is_a_toast_that_leaves_the_page_alone(viewer: Browser) -> None:
    await viewer.get("/leads")

    seen = await viewer.post("/leads", {"email": "a@acme.com"}, hx_request="true", hx_target="x")

    assert seen.status == 403
    assert seen.response.headers["hx-retarget"] == "#toasts"
    assert seen.html.css_first(".toast") is not None


async def test_a_toast_is_shown_once(owner: Browser) -> None:
    await owner.get("/leads/new")

    first = await owner.post("/leads", {"email": "ada@acme.com"})
    again = await owner.get(first.path)

    assert first.all(".toast__text") == ["Lead created. Enriching now…"]
    assert again.all(".toast__text") == []


async def test_hostile_text_is_shown_as_text(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", company="<script>alert(1)</script>", jobTitle='"><img src=x onerror=y>')

    for path in ("/leads", f"/leads/{lead_id}", "/"):
        seen = await owner.get(path)
        assert seen.html.css("img, script:not([src])") == []


async def test_a_page_over_its_deadline_says_so(house: House, owner: Browser) -> None:
    hurried = house.web.settings.model_copy(update={"request_timeout_seconds": 1e-6})
    async with browser_of(site(house.parts, replace(house.web, settings=hurried))) as browser:
        browser.client.cookies = owner.client.cookies
        page = await browser.client.get("/leads")
        part = await browser.client.get("/leads", headers={"HX-Request": "true", "HX-Target": "lead-list"})

    assert (page.status_code, page.headers["Retry-After"]) == (503, "2")
    assert "This took too long" in page.text
    assert (part.status_code, part.headers["HX-Retarget"]) == (503, "#toasts")


async def test_the_sidebar_shows_where_a_page_belongs(owner: Browser) -> None:
    for place, paths in {
        "/": ["/"],
        "/leads": ["/leads", "/leads/new", f"/leads/{ID}"],
        "/imports": ["/imports", "/imports/new"],
        "/exports": ["/exports", "/leads/export"],
        "/duplicates": ["/duplicates"],
        "/settings": [
            "/settings",
            "/settings/audit",
            "/leads/deleted",
            "/changes",
            f"/changes/{ID}",
            "/jobs",
            "/outbox",
        ],
    }.items():
        for path in paths:
            marked = (await owner.get(path)).html.css(".sidebar__nav [aria-current=page]")
            hrefs = [(item.attributes["href"] or "").partition("?")[0] for item in marked]
            assert hrefs == [place], path
