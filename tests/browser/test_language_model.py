"""The language model is set up with the keyboard alone, and a refused address says what to do."""

from playwright.async_api import expect

from tests.support.accessibility import assert_accessible, assert_usable
from tests.support.chromium import Windows
from tests.support.served import Served
from tests.support.showcase import Showcase

PATH = "/settings/sources/language_model"


async def test_a_model_is_set_up_from_the_checklist_by_keyboard(
    windows: Windows, server: Served, showcase: Showcase
) -> None:
    page = await windows.open(server.url, session=await showcase.session(showcase.owner))
    await page.goto(PATH)
    await page.get_by_role("link", name="Set up model").press("Enter")
    await page.keyboard.press("Tab")
    address = page.get_by_label("Address")
    await expect(address).to_be_focused()
    await page.keyboard.type("http://localhost:11434/v1")
    await page.keyboard.press("Tab")
    await page.keyboard.type("acme-small")
    await page.keyboard.press("Enter")
    await expect(page.locator("#model .error-summary")).to_be_focused()
    await expect(page.locator("#model .field__error")).to_contain_text("LEADFLOOD_INTERNAL_HOSTS=model=HOST:PORT")
    await assert_accessible(page)

    await address.fill("https://api.acme-ai.test/v1")
    await address.press("Enter")
    await expect(page.get_by_text("Model saved.")).to_be_visible()
    await expect(page.get_by_role("link", name="Set key")).to_be_visible()
    await assert_usable(page)
