"""Deleting all leads of a list: the bar says how many, the dialog wants their number typed, with the keyboard alone."""

import pytest
from playwright.async_api import Locator, expect

from leadflood.kernel.db.sql import sql
from tests.support.accessibility import assert_accessible
from tests.support.chromium import Windows
from tests.support.served import Served
from tests.support.showcase import Showcase

MANY = 51
CHANGE = sql("UPDATE leads SET company = 'Changed meanwhile' WHERE email_norm = 'bulk50@confirm.example'")
RENEW = """() => {
  const box = document.querySelector("[data-select-everything]")
  const fresh = box.cloneNode()
  fresh.checked = false
  box.replaceWith(fresh)
  document.dispatchEvent(new CustomEvent("live:shown"))
}"""
"""A live update that makes the box anew instead of changing it."""


@pytest.fixture
async def listed(showcase: Showcase) -> str:
    """The address of a list of more leads than are deleted without typing their number."""
    await showcase.plant([f"bulk{n}@confirm.example" for n in range(MANY)], source="confirm")
    return "/leads?source=confirm"


async def change_a_lead(showcase: Showcase) -> None:
    """Somebody else edits a lead of the list."""
    async with showcase.parts.database.transaction(showcase.workspace_id) as tx:
        await tx.execute(
            sql("UPDATE leads SET company = 'Changed meanwhile' WHERE email_norm = 'bulk50@confirm.example'")
        )


def focused(dialog: Locator) -> Locator:
    return dialog.locator(":focus")


async def test_all_leads_of_a_list_are_deleted_once_their_number_is_typed(
    windows: Windows, server: Served, showcase: Showcase, listed: str
) -> None:
    page = await windows.open(server.url, session=await showcase.session(showcase.owner))
    await page.goto(listed)
    await page.locator("tbody .cell-select input").first.check()
    count = page.locator("[data-select-count]")
    await expect(count).to_have_text("1 selected")
    await page.locator("[data-select-everything]").check()
    await expect(count).to_have_text(f"All {MANY} selected")
    await page.locator("tbody .cell-select input").nth(1).uncheck()
    await expect(count).to_have_text("49 selected")
    await page.locator("[data-select-everything]").check()
    await change_a_lead(showcase)
    await expect(page.locator("tbody")).to_contain_text("Changed meanwhile")
    await page.evaluate(RENEW)
    await expect(count).to_have_text(f"All {MANY} selected")  # a live update takes no tick away

    await page.get_by_role("button", name="Delete", exact=True).press("Enter")
    dialog = page.get_by_role("dialog", name=f"Delete {MANY} leads?")
    await expect(focused(dialog)).to_have_attribute("name", "typed")
    await assert_accessible(page)
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await page.get_by_role("button", name="Delete", exact=True).press("Enter")
    await expect(focused(dialog)).to_have_attribute("name", "typed")
    await page.keyboard.type(str(MANY))
    await page.keyboard.press("Enter")

    await expect(page.locator("#toasts")).to_contain_text(f"{MANY} leads deleted")
    await expect(page.get_by_text("No leads found")).to_be_visible()
    await page.evaluate("document.documentElement.style.setProperty('--toast-life', '1ms')")
    await expect(page.locator(".toast")).to_have_count(0)
