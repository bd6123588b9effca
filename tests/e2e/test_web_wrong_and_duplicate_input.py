"""A new lead with mistakes in it: each is told at its field, nothing that was typed is lost, a duplicate leads on."""

import asyncio
import itertools

from playwright.async_api import Page, Route, expect

from tests.support.chromium import Windows
from tests.support.deployment import Deployment
from tests.support.keyboard import Keys, has_focus

EMAIL = "ada.lovelace@acme.com"


async def test_mistakes_are_told_where_they_are_and_a_duplicate_leads_to_what_is_there(
    deployment: Deployment, windows: Windows
) -> None:
    deployment.start_api()
    page = await windows.open(deployment.installation.url)
    keys = Keys(page)
    await page.goto("/leads/new")
    await keys.write("Email", deployment.owner.email)
    await keys.write("Password", "not my password")
    await keys.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Incorrect email or password")
    await expect(page.get_by_label("Email")).to_have_value(deployment.owner.email)
    await keys.sign_in(deployment.owner)

    await keys.arrive("/leads/new")
    await typing_on_while_a_check_is_slow(page, keys)
    await page.goto("/leads/new")
    await mistakes(page, keys)
    await duplicate(page, keys)
    assert deployment.count("SELECT count(*) FROM leads") == 1


async def typing_on_while_a_check_is_slow(page: Page, keys: Keys) -> None:
    """The answer about the first field arrives when others are filled in: they stay as they are."""
    typed, checks = asyncio.Event(), itertools.count()

    async def answer(route: Route) -> None:
        if next(checks) > 0:
            await route.fulfill(body="")  # later answers would hide what the first one changes
            return
        await typed.wait()
        await route.continue_()

    await page.route("**/leads/checks", answer)
    await keys.write("Email", "ada.lovelace@")
    await keys.write("First name", "Ada")
    await keys.write("Country", "France")
    await keys.press("Tab")
    typed.set()
    await expect(page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("First name")).to_have_value("Ada")
    await expect(page.get_by_label("Country")).to_have_value("FR")
    await page.unroute("**/leads/checks")


async def mistakes(page: Page, keys: Keys) -> None:
    """Wrong at first, told when the field is left; put right, sent, and there."""
    email = page.get_by_label("Email")
    await keys.write("Email", "ada.lovelace@")
    await keys.press("Tab")
    await expect(email).to_have_attribute("aria-invalid", "true")
    assert await has_focus(page.get_by_label("First name"))  # what was told has not taken the focus away
    await keys.write("First name", "Ada")
    await keys.write("Phone", "12")
    await keys.press("Enter")
    await page.wait_for_url("**/leads")
    await expect(page.get_by_label("Phone")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("First name")).to_have_value("Ada")

    await keys.write("Email", EMAIL)
    await keys.write("Phone", "+44 20 7946 0958")
    await keys.push("Create lead")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ada")


async def duplicate(page: Page, keys: Keys) -> None:
    """The same address in other letters: nothing is stored, and the lead that is there is one key away."""
    there = page.url
    await keys.chord("g", "n")
    await keys.arrive("/leads/new")
    await keys.write("Email", EMAIL.upper())
    await keys.push("Create lead")
    await expect(page.get_by_text("A lead with this email already exists")).to_be_visible()
    await keys.follow("View lead")
    await expect(page).to_have_url(there)
