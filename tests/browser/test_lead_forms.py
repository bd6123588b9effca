"""A lead's page and the dialog for a new one, with the keyboard: no click is needed, and nothing typed is lost."""

from uuid import UUID

from playwright.async_api import expect

from leadflood.domains.leads import queries
from tests.support.accessibility import assert_accessible
from tests.support.chromium import DESKTOP, Windows
from tests.support.keyboard import Keys
from tests.support.served import Served
from tests.support.showcase import Showcase


async def test_values_are_edited_one_after_the_other(windows: Windows, server: Served, showcase: Showcase) -> None:
    await showcase.plant(["values@forms.example"], source="values")
    page = await windows.open(server.url, session=await showcase.session(showcase.owner))
    await page.goto("/leads?source=values")
    await page.locator(".row-link").first.press("Enter")
    keys = Keys(page)
    await keys.arrive("/leads/")

    await page.locator("#field-company dd").click()
    await expect(page.get_by_role("textbox", name="Company", exact=True)).to_be_focused()
    await page.keyboard.type("Initech")
    await keys.press("Tab")
    await expect(page.get_by_label("Job title")).to_be_focused()
    await expect(page.locator("#field-company")).to_contain_text("Initech")
    await page.keyboard.type("Chief")
    await page.locator("#field-country dd").click()
    await expect(page.get_by_label("Country")).to_be_focused()
    await expect(page.locator("#field-jobTitle")).to_contain_text("Chief")
    await page.get_by_label("Country").select_option("FR")
    await keys.press("Shift+Tab")
    await expect(page.get_by_label("Phone")).to_be_focused()
    await page.keyboard.type("not kept")
    await keys.press("Escape")

    await expect(page.locator("#field-phone [data-edit]")).to_be_focused()
    async with showcase.parts.database.transaction(showcase.workspace_id, read_only=True) as tx:
        lead = await queries.get_lead(tx, showcase.actor, lead_id=_id(page.url))
    assert (lead.company, lead.job_title, lead.phone, lead.country) == ("Initech", "Chief", None, "FR")


async def test_a_new_lead_is_typed_in_from_the_list(windows: Windows, server: Served, showcase: Showcase) -> None:
    await showcase.plant(["taken@forms.example"], source="forms")
    page = await windows.open(server.url, session=await showcase.session(showcase.owner))
    await page.goto("/leads")
    keys = Keys(page)

    await keys.press("n")
    dialog = page.get_by_role("dialog", name="New lead")
    await expect(dialog.get_by_label("Email")).to_be_focused()
    await page.keyboard.type("taken@forms.example")
    await keys.press("Tab")
    await expect(dialog.get_by_text("A lead with this email already exists")).to_be_visible()
    await expect(dialog.get_by_label("First name")).to_be_focused()
    await assert_accessible(page)
    await page.set_viewport_size({"width": 320, "height": 600})
    assert await dialog.evaluate("(node) => [node, ...node.children].every((each) => each.scrollWidth <= innerWidth)")
    await page.set_viewport_size(DESKTOP)
    await dialog.get_by_label("Email").fill("new.person@gmial.com")
    await keys.press("Tab")
    await dialog.get_by_role("button", name="Use new.person@gmail.com").press("Enter")
    await expect(dialog.get_by_label("Email")).to_have_value("new.person@gmail.com")
    await keys.push("Create another")
    await expect(page.locator("#toasts")).to_contain_text("Lead created")
    await expect(dialog.get_by_label("Email")).to_have_value("")
    await expect(dialog.get_by_label("Email")).to_be_focused()
    await page.keyboard.type("second.person@forms.example")
    await keys.press("Enter")

    await expect(page.get_by_role("heading", name="second.person@forms.example", level=1)).to_be_visible()


def _id(url: str) -> UUID:
    return UUID(url.split("/leads/")[1][:36])
