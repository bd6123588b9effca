"""The price of a source with the keyboard alone, in light and dark, wide and narrow."""

from playwright.async_api import expect

from leadflood.domains.spending.service import purchases
from tests.support.accessibility import assert_accessible, assert_usable
from tests.support.chromium import Windows
from tests.support.served import Served
from tests.support.showcase import Showcase

SOURCE = "zerobounce"
PATH = f"/settings/sources/{SOURCE}"


async def test_a_price_is_set_from_the_checklist_and_a_paused_source_resumed_by_keyboard(
    windows: Windows, server: Served, showcase: Showcase
) -> None:
    page = await windows.open(server.url, session=await showcase.session(showcase.owner))
    await page.goto(PATH)
    await page.get_by_role("link", name="Set price").press("Enter")
    await page.keyboard.press("Tab")
    price = page.get_by_label("Price of one credit")
    await expect(price).to_be_focused()
    await page.keyboard.type("much")
    await page.keyboard.press("Enter")
    await expect(page.locator("#price .error-summary")).to_be_focused()
    await assert_accessible(page)
    await page.get_by_role("link", name="Price of one credit").press("Enter")
    await expect(price).to_be_focused()
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.type("0.01")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("One credit costs €0.01.")).to_be_visible()

    async with showcase.parts.database.transaction(showcase.workspace_id) as tx:
        await purchases.pause(
            tx, showcase.actor, source=SOURCE, reason="It is paused: it charged 3 units for one call."
        )
    await page.goto(PATH)
    await assert_accessible(page)
    await assert_usable(page)
    await page.goto(PATH)
    await page.get_by_role("button", name="Resume").press("Enter")
    await expect(page.get_by_text("Resumed.")).to_be_visible()
    await expect(page.get_by_role("button", name="Resume")).to_have_count(0)
