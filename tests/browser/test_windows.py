"""The windows that all tests of pages look through notice what a person would see as broken."""

from collections.abc import Iterator

import pytest
from starlette.responses import HTMLResponse

from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages, Public
from leadflood.web.responses import PageResult
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
async def show_toy(ctx: PageContext) -> PageResult:
    name = ctx.request.path_params["name"]
    if name in {"404", "500"}:
        return HTMLResponse("broken", int(name))
    return HTMLResponse(SOUND + BROKEN.get(name, (REFUSED, ""))[0])


@pytest.fixture(scope="module")
def toy_server(own_parts: Parts, application_url: str) -> Iterator[Served]:
    with served(own_parts, lambda parts: web_parts(parts, application_url), pages=[toys]) as started:
        yield started


async def test_what_is_broken_is_noticed_and_nothing_else(windows: Windows, toy_server: Served) -> None:
    page = await windows.open(toy_server.url)
    await page.goto("/toys/sound")
    assert await page.title() == "Toy"
    assert windows.faults == []
    for name in BROKEN:
        page = await windows.open(toy_server.url)  # what a page before still loads would get in the way
        await page.goto(f"/toys/{name}")
        if name == "other-host":
            async with page.expect_request("http://localhost.test:1/"):
                await page.get_by_role("link").click(no_wait_after=True)
        await page.wait_for_load_state()
    await page.goto("/toys/sound")
    async with page.expect_event("pageerror"):
        await page.evaluate("setTimeout(() => { throw new Error('broke') })")
    await windows.close()
    for expected in ("broke", *(expected for _, expected in BROKEN.values())):
        assert any(expected in fault for fault in windows.faults), expected
    windows.excuse("")
