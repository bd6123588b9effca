"""The first minutes: from the link that `leadflood up` prints to a lead that is enriched before one's eyes."""

from pathlib import Path

from playwright.async_api import Page, expect

from tests.support.accessibility import assert_accessible
from tests.support.chromium import Windows
from tests.support.deployment import QUICK, left_over
from tests.support.keyboard import Keys
from tests.support.processes import Installation


async def test_the_first_owner_comes_by_the_printed_link_and_watches_a_lead_being_enriched(
    windows: Windows, home: Path
) -> None:
    with Installation(home, **{**QUICK, "simulated_latency_seconds": "1"}) as installation:
        up = installation.up()
        link = up.wait_for("/first-run/").split()[-1]
        installation.wait_ready(up)
        page = await windows.open(installation.url)
        keys = Keys(page)
        await page.goto(link)
        await assert_accessible(page)
        await come_in(page, keys)
        await watch(page, keys)
        await page.goto(link)
        await expect(page.get_by_text("This setup link is no longer valid")).to_be_visible()
        await page.close()
        assert up.stop() == 0
    assert left_over(home) == []


async def come_in(page: Page, keys: Keys) -> None:
    """Too short a password is told; then the home page says what to do first."""
    await keys.write("Your name", "Margaret Hamilton")
    await keys.write("Email", "margaret@apollo.example")
    await keys.write("Choose a password", "a short one 1")
    await keys.write("Workspace name", "Apollo")
    await keys.write("Choose a password", "password1234")
    await keys.push("Create workspace")
    await expect(page.get_by_label("Choose a password")).to_have_attribute("aria-invalid", "true")
    await keys.write("Choose a password", "seven purple walruses")
    await keys.push("Create workspace")
    await expect(page.get_by_label("Notifications")).to_contain_text("Welcome to Apollo")


async def watch(page: Page, keys: Keys) -> None:
    """A lead is typed in; its state, what is found and its timeline change without a reload."""
    await keys.chord("g", "n")
    await keys.arrive("/leads/new")
    await keys.write("Email", "ada.lovelace@acme.com")
    await keys.push("Create lead")
    await keys.arrive("/leads/")
    await page.evaluate("window.same = true")
    await expect(page.locator("#lead-job")).to_contain_text("Attempt 1 of")
    await expect(page.locator("#lead-status")).to_contain_text("Enriched")
    await expect(page.locator("#lead-job")).to_contain_text("Completed")
    await expect(page.locator("#lead-found")).to_contain_text("Lovelace")
    await expect(page.locator("#lead-timeline")).to_contain_text("Enriched")
    assert await page.evaluate("window.same")
    await keys.chord("g", "h")
    await expect(
        page.get_by_role("link", name="ada.lovelace@acme.com").or_(page.get_by_text("Ada Lovelace"))
    ).to_be_visible()
