"""A session that is ended elsewhere: the page that is open in it leaves for the sign-in page by itself."""

import re

from playwright.async_api import expect

from tests.support.chromium import Windows
from tests.support.deployment import Deployment
from tests.support.keyboard import Keys

WITHIN_MS = 10_000
"""The promise is 5 s; a busy machine may take twice that."""


async def test_a_session_that_is_ended_elsewhere_logs_this_window_out(deployment: Deployment, windows: Windows) -> None:
    deployment.start_api()
    here = await windows.open(deployment.installation.url)
    there = await windows.open(deployment.installation.url)
    for page in (here, there):
        await page.goto("/sign-in")
        await Keys(page).sign_in(deployment.owner)
    await here.goto("/leads")
    await expect(here.locator("html")).to_have_attribute("data-stream", "on")

    keys = Keys(there)
    await there.goto("/settings/sessions")
    await keys.push(re.compile("^Sign out Chrome"))
    await keys.push("Sign out device")
    await expect(here).to_have_url(re.compile(r"/sign-in\?next=%2Fleads$"), timeout=WITHIN_MS)
    await expect(there.locator("#sessions-list tbody tr")).to_have_count(1)

    await Keys(here).sign_in(deployment.owner)
    await expect(here).to_have_url(re.compile("/leads$"))


async def test_who_signs_out_in_one_tab_is_out_in_the_other(deployment: Deployment, windows: Windows) -> None:
    deployment.start_api()
    here = await windows.open(deployment.installation.url)
    await here.goto("/sign-in")
    await Keys(here).sign_in(deployment.owner)
    other = await here.context.new_page()
    await other.goto("/leads")
    await expect(other.locator("html")).to_have_attribute("data-stream", "on")
    await Keys(here).open(here.get_by_role("button", name="Owner"))
    await Keys(here).push("Sign out")
    await expect(here).to_have_url(re.compile("/sign-in"))
    await expect(other).to_have_url(re.compile("/sign-in"), timeout=WITHIN_MS)
