"""The budget of an enrichment of many with the keyboard alone, in light and dark, wide and narrow."""

from playwright.async_api import expect

from leadflood.domains.enrichment.contracts.source_settings import ChangeSource, SetSourceKey
from leadflood.domains.enrichment.service import source_settings
from tests.integration.spending.till import Till
from tests.support.accessibility import assert_accessible, assert_usable
from tests.support.chromium import Windows
from tests.support.served import Served
from tests.support.showcase import Showcase

SOURCE = "pdl_company"


async def charging(showcase: Showcase) -> None:
    """A source about companies that charges 0.10 for a call."""
    parts = showcase.parts
    await Till(parts.database, showcase.actor).price(100_000, source=SOURCE)
    async with parts.database.transaction(showcase.workspace_id) as tx:
        key = SetSourceKey(key="a-key-of-a-provider")
        await source_settings.set_key(tx, showcase.actor, parts.secret_box, source=SOURCE, command=key)
        await source_settings.change(tx, showcase.actor, source=SOURCE, command=ChangeSource(enabled=True))


async def test_a_budget_is_corrected_and_given_by_keyboard_and_its_use_is_shown(
    windows: Windows, server: Served, showcase: Showcase
) -> None:
    await charging(showcase)
    page = await windows.open(server.url, session=await showcase.session(showcase.owner))
    await page.goto("/enrichments/new")
    await page.get_by_label("Domains").fill("one.example.com two.example.org")
    await page.get_by_role("button", name="Estimate").press("Enter")
    budget = page.get_by_label("Budget")
    await expect(budget).to_have_value("0.20")
    await assert_accessible(page)
    await budget.fill("much")
    await budget.press("Enter")
    await expect(page.locator(".error-summary")).to_be_focused()
    await assert_accessible(page)
    await assert_usable(page)
    await budget.fill("0.15")
    await budget.press("Enter")
    await expect(page.get_by_text("€0.00 of €0.15")).to_be_visible()
    await assert_accessible(page)
    await assert_usable(page)
