"""`just shots-readme`: the three small pictures of the README, into `docs/images`."""

import base64
from pathlib import Path

import pytest
from playwright.async_api import ViewportSize

from tests.support.accessibility import Scheme
from tests.support.addresses import addresses
from tests.support.chromium import Windows
from tests.support.served import Served
from tests.support.showcase import Showcase

IMAGES = Path(__file__).resolve().parents[2] / "docs/images"
SIZE = ViewportSize(width=1200, height=750)
MAX_BYTES = 60_000
QUALITIES = range(90, 20, -5)

PICTURES: dict[str, tuple[str, Scheme]] = {
    "home": ("/", "light"),
    "leads": ("/leads", "light"),
    "lead": ("/leads/{id}", "dark"),
}


@pytest.mark.parametrize("name", PICTURES)
async def test_a_small_picture_of(name: str, windows: Windows, server: Served, showcase: Showcase) -> None:
    path, scheme = PICTURES[name]
    page = await windows.open(server.url, session=await showcase.session(showcase.owner), viewport=SIZE)
    await page.emulate_media(color_scheme=scheme)
    await page.goto(addresses(path, showcase)[0])
    protocol = await page.context.new_cdp_session(page)
    sizes: list[int] = []
    for quality in QUALITIES:
        taken = await protocol.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
        picture = base64.b64decode(taken["data"])
        sizes.append(len(picture))
        if sizes[-1] <= MAX_BYTES:
            (IMAGES / f"{name}.webp").write_bytes(picture)
            break
    assert sizes[-1] <= MAX_BYTES, f"too large in every quality: {sizes}"
