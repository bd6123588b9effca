"""`just shots`: pictures of every page, wide and narrow, in light and in dark, into `shots/`: to look at."""

import re
from pathlib import Path

import pytest
from playwright.async_api import ViewportSize

from tests.support.accessibility import SCHEMES
from tests.support.addresses import addresses, is_public, paths
from tests.support.chromium import Windows
from tests.support.served import Served
from tests.support.showcase import Showcase

SHOTS = Path(__file__).resolve().parents[2] / "shots"
SIZES = (ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844))


@pytest.mark.parametrize("path", paths())
async def test_pictures_of(path: str, windows: Windows, server: Served, showcase: Showcase) -> None:
    session = None if is_public(path) else await showcase.session(showcase.owner)
    page = await windows.open(server.url, session=session)
    name = re.sub(r"\W+", "-", path).strip("-") or "home"
    for number, address in enumerate(addresses(path, showcase), 1):
        await page.goto(address)
        for size in SIZES:
            await page.set_viewport_size(size)
            for scheme in SCHEMES:
                await page.emulate_media(color_scheme=scheme)
                await page.screenshot(path=SHOTS / f"{name}-{number}-{size['width']}-{scheme}.png", full_page=True)
