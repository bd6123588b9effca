"""A browser that runs no scripts: signing in, adding a lead, looking at it and finding it again all work."""

import re

from playwright.async_api import expect

from tests.support.chromium import Windows
from tests.support.deployment import Deployment
from tests.support.keyboard import Keys

NAME = "Grace Hopper"


async def test_a_lead_is_added_seen_and_found_without_scripts(deployment: Deployment, windows: Windows) -> None:
    deployment.start_api()
    deployment.start_worker()
    page = await windows.open(deployment.installation.url, java_script_enabled=False)
    keys = Keys(page)
    await page.goto("/")
    await keys.sign_in(deployment.owner)

    await page.goto("/leads")
    await keys.follow(re.compile("^New lead"))
    await keys.write("Email", "grace@")
    await keys.push("Create lead")
    await expect(page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    await keys.write("Email", "grace.hopper@navy.example")
    await keys.write("First name", "Grace")
    await keys.write("Last name", "Hopper")
    await keys.push("Create lead")
    await expect(page.get_by_role("heading", level=1)).to_have_text(NAME)

    await page.goto("/leads")
    await keys.write("Search leads", "hoppe")
    await keys.press("Enter")
    await expect(page).to_have_url(re.compile("q=hoppe"))
    await keys.follow(NAME)
    await expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
