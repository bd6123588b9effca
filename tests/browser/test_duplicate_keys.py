"""The queue of duplicates by keyboard: rows of the list, and pair after pair on the pages of a review."""

import re
from dataclasses import replace

import pytest
from playwright.async_api import Page, expect

from leadflood.kernel.actor import Actor
from tests.support.certain_pairs import new_certain_pairs
from tests.support.chromium import Windows
from tests.support.identity import Identity
from tests.support.served import Served
from tests.support.showcase import Showcase

PAIRS = 3
REVIEW = re.compile(r"/duplicates/[0-9a-f-]{36}$")


@pytest.fixture
async def queue(windows: Windows, server: Served, showcase: Showcase) -> Page:
    """The list of a workspace with three pairs."""
    parts, owner = showcase.parts, showcase.owner
    identity = Identity(parts.database, parts.settings, parts.secret_box)
    workspace_id = await identity.new_workspace(owner, "Twins")
    await new_certain_pairs(parts.database, Actor.cli(workspace_id), PAIRS)
    page = await windows.open(server.url, session=await replace(showcase, workspace_id=workspace_id).session(owner))
    await page.goto("/duplicates")
    return page


async def test_pairs_are_merged_dismissed_and_brought_back_by_single_keys(queue: Page) -> None:
    page, rows = queue, queue.locator("tr[data-row]")
    await expect(rows).to_have_count(PAIRS)
    await page.keyboard.press("j")
    await expect(rows.nth(0).locator("a:focus")).to_have_count(1)
    await page.keyboard.press("j")
    await expect(rows.nth(1).locator("a:focus")).to_have_count(1)
    second = await rows.nth(1).get_attribute("id")

    await page.keyboard.press("m")
    await expect(rows).to_have_count(PAIRS - 1)
    await expect(page.locator(f"#{second}")).to_have_count(0)
    await page.keyboard.press("j")
    await page.keyboard.press("d")
    await expect(rows).to_have_count(PAIRS - 2)
    await page.keyboard.press("u")
    await page.wait_for_url(REVIEW)  # the pair that is back

    await page.goto("/duplicates")
    await expect(rows).to_have_count(PAIRS - 1)
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url(REVIEW)
    first = page.url
    await page.keyboard.press("j")
    await page.wait_for_url(lambda url: url != first and REVIEW.search(url) is not None)
    await page.keyboard.press("k")
    await page.wait_for_url(first)
    await page.keyboard.press("d")
    await page.wait_for_url(lambda url: url != first and REVIEW.search(url) is not None)
    await page.keyboard.press("m")
    await page.wait_for_url(re.compile(r"/duplicates$"))
    await expect(page.get_by_text("No duplicates to review")).to_be_visible()
