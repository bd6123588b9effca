"""A refund with the keyboard alone, in light and dark, wide and narrow."""

from playwright.async_api import expect

from tests.support.accessibility import assert_accessible, assert_usable
from tests.support.chromium import Windows
from tests.support.served import Served
from tests.support.showcase import Showcase


async def test_a_refund_is_corrected_and_recorded_by_keyboard(
    windows: Windows, server: Served, showcase: Showcase
) -> None:
    page = await windows.open(server.url, session=await showcase.session(showcase.owner))
    await page.goto("/spending")
    await page.get_by_role("link", name="Purchases").press("Enter")
    await page.locator(f"#purchase-{showcase.ids['purchase']} a").press("Enter")
    amount = page.get_by_label("Amount")
    await expect(amount).to_have_value("0.025")
    await amount.fill("much")
    await amount.press("Enter")
    await expect(page.locator(".error-summary")).to_be_focused()
    await assert_accessible(page)
    await assert_usable(page)
    await amount.fill("0.01")
    await amount.press("Enter")
    await expect(page.get_by_text("Refund recorded.")).to_be_visible()
    await expect(page.get_by_text("€0.015").first).to_be_visible()
