"""Requirements for every page: accessible, in light and dark, on a phone and at 200 %, and quick to load.

A new page is tested as soon as a domain declares it; one with parameters needs an example in
`tests/support/addresses.py`.
"""

from collections.abc import AsyncIterator
from itertools import cycle
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.support.accessibility import (
    FRAME,
    SCHEMES,
    assert_accessible,
    assert_accessible_in,
    assert_overlays_accessible,
    assert_usable,
)
from tests.support.addresses import addresses, is_public, paths
from tests.support.chromium import DESKTOP, Windows, judged
from tests.support.served import Served
from tests.support.showcase import Showcase

MAX_BYTES = 150_000
"""Over the wire, of a page with everything that it loads, by somebody who was never here."""
STILL_AWAY = "**/ready"
"""Request of the page for a server that can't be reached: once answered, after three seconds, the page goes on."""


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """The dialogs, menus and frames that were looked at: many pages have the same."""
    return set()


@pytest.fixture(scope="module")
def looks() -> set[str]:
    """The looks of texts whose colors were checked: most pages have the same."""
    return set()


@pytest.fixture(scope="module")
async def opened(chromium: Browser) -> AsyncIterator[Windows]:
    """All pages are looked at in two windows: opening one takes longer than most checks."""
    windows = Windows(chromium)
    yield windows
    await windows.close()


@pytest.fixture(scope="module")
async def stranger(opened: Windows, server: Served) -> Page:
    """The window of somebody who has not signed in."""
    return await opened.open(server.url)


@pytest.fixture(scope="module")
async def owner(opened: Windows, server: Served, showcase: Showcase) -> Page:
    """The window of the workspace's owner."""
    return await opened.open(server.url, session=await showcase.session(showcase.owner))


@pytest.fixture(autouse=True)
async def _judged(opened: Windows, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    async with judged(opened, request):
        yield


@pytest.mark.parametrize("path", paths())
async def test_a_page_loads_quickly_breaks_no_rule_of_accessibility_and_can_be_used_on_a_phone(
    path: str, stranger: Page, owner: Page, showcase: Showcase, seen: set[str], looks: set[str]
) -> None:
    page, frame = (stranger, "public frame") if is_public(path) else (owner, "frame")
    await page.set_viewport_size(DESKTOP)
    if path == "/offline":
        await page.route(STILL_AWAY, lambda route: route.fulfill(status=404))
    first, *others = addresses(path, showcase)
    await assert_light(page, first)
    await assert_accessible(page, without=FRAME if frame in seen else (), looks=looks)
    seen.add(frame)
    await assert_layout_and_overlays(page, seen, looks)
    for address, scheme in zip(others, cycle(reversed(SCHEMES)), strict=False):  # other states of the same page
        await page.set_viewport_size(DESKTOP)
        await page.goto(address)
        await assert_accessible_in(page, scheme, without=FRAME, looks=looks)
        await assert_layout_and_overlays(page, seen, looks)


async def assert_light(page: Page, address: str) -> None:
    """The page with everything that it loads fits into the budget."""
    sizes: dict[str, int] = {}
    protocol = await page.context.new_cdp_session(page)
    await protocol.send("Network.enable")
    await protocol.send("Network.setCacheDisabled", {"cacheDisabled": True})
    urls: dict[str, str] = {}
    protocol.on("Network.requestWillBeSent", lambda event: urls.update({event["requestId"]: event["request"]["url"]}))

    def loaded(event: dict[str, Any]) -> None:
        if (url := urls.get(event["requestId"])) is not None:  # not a request of the page before
            sizes[url] = event["encodedDataLength"]

    protocol.on("Network.loadingFinished", loaded)
    await page.goto(address, wait_until="load")
    await protocol.detach()
    assert any("/static/app." in url for url in sizes)
    assert sum(sizes.values()) <= MAX_BYTES, sizes


async def assert_layout_and_overlays(page: Page, seen: set[str], looks: set[str]) -> None:
    """Accessible dialogs and menus, and a page that can be used on a phone and at 200 %."""
    await assert_overlays_accessible(page, seen, looks)
    await page.emulate_media(color_scheme="light")
    await assert_usable(page)
