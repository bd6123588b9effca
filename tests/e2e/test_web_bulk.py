"""Many leads at once: narrowed by search and filter, ticked, deleted, and brought back."""

import re

from playwright.async_api import Page, expect

from tests.support.chromium import Windows
from tests.support.deployment import Deployment
from tests.support.journeys import add_lead
from tests.support.keyboard import Keys

LEADS = "ada@acme.com", "grace@acme.com", "alan@acme.com", "ada@elsewhere.com"


async def test_leads_are_narrowed_ticked_deleted_and_brought_back(deployment: Deployment, windows: Windows) -> None:
    deployment.start_api()
    client = deployment.client()
    for email in LEADS:
        add_lead(client, email)
    page = await windows.open(deployment.installation.url)
    keys = Keys(page)
    await page.goto("/sign-in")
    await keys.sign_in(deployment.owner)
    await keys.chord("g", "l")
    await keys.arrive("/leads")
    rows = page.locator("#leads-list [data-row]")
    await expect(rows).to_have_count(len(LEADS))

    await narrow(page, keys)
    await delete_two(page, keys)
    await keys.push("Undo")
    await expect(rows).to_have_count(3)
    await expect(page.locator("#toasts")).to_contain_text("Undone: 2 leads restored")
    assert deployment.count("SELECT count(*) FROM leads WHERE deleted_at IS NULL") == len(LEADS)


async def narrow(page: Page, keys: Keys) -> None:
    """Search as you type, then a filter; the address keeps both."""
    rows = page.locator("#leads-list [data-row]")
    await keys.press("/")
    await page.keyboard.type("acme")
    await expect(rows).to_have_count(3)
    await expect(page).to_have_url(re.compile(r"\bq=acme\b"))
    await expect(page.get_by_role("searchbox", name="Search leads")).to_be_focused()
    await keys.open(page.get_by_role("button", name="Enrichment"))
    await keys.follow("New")
    await keys.arrive("status=new")
    await expect(page).to_have_url(re.compile(r"\bq=acme\b"))
    await expect(rows).to_have_count(3)


async def delete_two(page: Page, keys: Keys) -> None:
    """Two rows are ticked and deleted."""
    await keys.press("j", "x", "j", "x")
    await expect(page.get_by_text("2 selected")).to_be_visible()
    await keys.push("Delete")
    await expect(page.get_by_role("dialog", name="Delete 2 leads?")).to_be_visible()
    await keys.push("Delete 2 leads")
    await expect(page.locator("#toasts")).to_contain_text("2 leads deleted")
    await expect(page.locator("#leads-list [data-row]")).to_have_count(1)
