"""The windows that all tests of pages look through notice what a person would see as broken."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser
from starlette.responses import HTMLResponse

from leadflood.web.answers import Answer
from leadflood.web.pipeline import Pages, Public
from leadflood.web.session import VISITOR, set_cookie
from leadflood.web.visit import Visit
from tests.support.chromium import Windows
from tests.support.served import Parts, Served, served
from tests.support.web import web_parts

toys = Pages()
anybody = Public("it is a toy")

SOUND = "<!doctype html><html lang=en><title>Toy</title><link rel=icon href=data:,><h1>Sound</h1>"
BROKEN = {
    "inline-script": ("<script>document.title = 'run'</script>", "Against the policy: script-src-elem inline"),
    "inline-style": ("<p style='color: red'>red</p>", "Against the policy: style-src-attr inline"),
    "other-host": ("<a href='http://localhost.test:1/'>away</a>", "request to another host: http://localhost.test:1/"),
    "fault": ("<img alt='' src='/toys/500'>", "500: GET http://"),
}
REFUSED = "<img alt='' src='/toys/404'>"


@toys.get("/toys/{name}", anybody)
async def show_toy(visit: Visit) -> Answer:
    name = visit.request.path_params["name"]
    if name in {"404", "500"}:
        return HTMLResponse("broken", int(name))
    return HTMLResponse(SOUND + BROKEN.get(name, (REFUSED, ""))[0])


@toys.get("/toys", anybody)
async def show_cookie(visit: Visit) -> Answer:
    visit.cookies.append(set_cookie(VISITOR, "kept"))
    return HTMLResponse(SOUND + f"<p>{visit.request.cookies.get(VISITOR)}</p>")


@pytest.fixture(scope="module")
def toy_server(own_parts: Parts, application_url: str) -> Iterator[Served]:
    with served(own_parts, lambda parts: web_parts(parts, application_url), pages=[toys]) as started:
        yield started


@pytest.fixture
async def unjudged(chromium: Browser) -> Windows:
    return Windows(chromium)


@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_broken_is_noticed(name: str, unjudged: Windows, toy_server: Served) -> None:
    page = await unjudged.open(toy_server.url)
    await page.goto(f"/toys/{name}")
    if name == "other-host":
        await page.get_by_role("link").click(no_wait_after=True)
    await page.wait_for_load_state()
    await unjudged.close()
    expected = BROKEN[name][1]
    assert any(expected in fault for fault in unjudged.faults)
    before = len(unjudged.faults)
    unjudged.excuse(expected)
    assert len(unjudged.faults) < before


async def test_a_sound_page_has_no_faults_nor_has_one_where_something_was_refused(
    windows: Windows, toy_server: Served
) -> None:
    page = await windows.open(toy_server.url)
    await page.goto("/toys/sound")
    assert await page.title() == "Toy"


async def test_an_error_in_a_script_is_noticed(unjudged: Windows, toy_server: Served) -> None:
    page = await unjudged.open(toy_server.url)
    await page.goto("/toys/sound")
    async with page.expect_event("pageerror"):
        await page.evaluate("setTimeout(() => { throw new Error('broke') })")
    await unjudged.close()
    assert any("broke" in fault for fault in unjudged.faults)


async def test_cookies_for_secure_hosts_are_kept_on_loopback(windows: Windows, toy_server: Served) -> None:
    page = await windows.open(toy_server.url)
    await page.goto("/toys")
    await page.goto("/toys")
    assert await page.locator("p").inner_text() == "kept"


async def test_evidence_of_a_failure_is_kept(unjudged: Windows, toy_server: Served, tmp_path: Path) -> None:
    page = await unjudged.open(toy_server.url)
    await page.goto("/toys/sound")
    await page.evaluate("console.log('a word')")
    await unjudged.keep_evidence(tmp_path / "kept")
    await unjudged.close()
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["1-console.txt", "1.html", "1.png"]
    assert "a word" in (tmp_path / "kept/1-console.txt").read_text()
