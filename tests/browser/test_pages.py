"""What holds for every page: anybody can use it, in light and in dark, on a phone and at 200 %, and it loads quickly.

A new page is tested as soon as it is in `PAGES`; one with parameters needs an example in `tests/support/addresses.py`.
"""

import pytest
from playwright.async_api import Page

from tests.support.accessibility import assert_accessible, assert_overlays_accessible, assert_usable
from tests.support.addresses import addresses, is_public, paths
from tests.support.chromium import Windows
from tests.support.served import Served
from tests.support.showcase import Showcase

MOST_BYTES = 150_000
"""Over the wire, of a page with everything that it loads, by somebody who was never here."""


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """The dialogs and menus that were looked at: many pages have the same."""
    return set()


async def visit(windows: Windows, server: Served, showcase: Showcase, path: str) -> Page:
    session = None if is_public(path) else await showcase.session(showcase.owner)
    return await windows.open(server.url, session=session)


@pytest.mark.parametrize("path", paths())
async def test_a_page_breaks_no_rule_of_accessibility_in_light_and_in_dark(
    path: str, windows: Windows, server: Served, showcase: Showcase
) -> None:
    page = await visit(windows, server, showcase, path)
    for address in addresses(path, showcase):
        await page.goto(address)
        await assert_accessible(page)


@pytest.mark.parametrize("path", paths())
async def test_what_opens_over_a_page_breaks_no_rule_of_accessibility(
    path: str, windows: Windows, server: Served, showcase: Showcase, seen: set[str]
) -> None:
    page = await visit(windows, server, showcase, path)
    for address in addresses(path, showcase):
        await page.goto(address)
        await assert_overlays_accessible(page, seen)


@pytest.mark.parametrize("path", paths())
async def test_a_page_can_be_used_on_a_phone_and_at_200_percent(
    path: str, windows: Windows, server: Served, showcase: Showcase
) -> None:
    page = await visit(windows, server, showcase, path)
    for address in addresses(path, showcase):
        await page.goto(address)
        await assert_usable(page)


@pytest.mark.parametrize("path", paths())
async def test_a_page_with_everything_it_loads_fits_into_the_budget(
    path: str, windows: Windows, server: Served, showcase: Showcase
) -> None:
    page = await visit(windows, server, showcase, path)
    sizes: dict[str, int] = {}
    protocol = await page.context.new_cdp_session(page)
    await protocol.send("Network.enable")
    urls: dict[str, str] = {}
    protocol.on("Network.requestWillBeSent", lambda event: urls.update({event["requestId"]: event["request"]["url"]}))
    protocol.on(
        "Network.loadingFinished", lambda event: sizes.update({urls[event["requestId"]]: event["encodedDataLength"]})
    )
    await page.goto(addresses(path, showcase)[0], wait_until="load")
    assert any("/static/app." in url for url in sizes)
    assert sum(sizes.values()) <= MOST_BYTES, sizes
