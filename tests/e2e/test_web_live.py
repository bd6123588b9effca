"""Pages that change by themselves: over their stream, or by asking again where no stream comes through."""

from playwright.async_api import Page, Route, expect

from tests.support.chromium import Windows
from tests.support.deployment import Deployment
from tests.support.journeys import add_lead
from tests.support.keyboard import Keys, has_focus


async def opened(deployment: Deployment, windows: Windows, email: str) -> Page:
    """A window with the page of a new lead; no worker runs yet."""
    lead = add_lead(deployment.client(), email)
    page = await windows.open(deployment.installation.url)
    await page.goto("/sign-in")
    await Keys(page).sign_in(deployment.owner)
    await page.goto(f"/leads/{lead.lead_id}")
    await page.evaluate("window.same = true")
    return page


async def test_a_lead_is_watched_live_without_a_reload_and_the_focus_stays(
    deployment: Deployment, windows: Windows
) -> None:
    deployment.start_api()
    page = await opened(deployment, windows, "ada@acme.com")
    await expect(page.locator("html")).to_have_attribute("data-stream", "on")
    keys = Keys(page)
    edit = page.locator("#field-company [data-edit]")
    await keys.reach(edit)

    deployment.start_worker()
    await expect(page.locator("#lead-status")).to_contain_text("Enriched")
    await expect(page.locator("#lead-timeline")).to_contain_text("Enriched")
    assert await has_focus(edit)
    assert await page.evaluate("window.same")


async def test_what_is_being_typed_survives_a_live_update(deployment: Deployment, windows: Windows) -> None:
    deployment.start_api()
    page = await opened(deployment, windows, "ada@acme.com")
    await expect(page.locator("html")).to_have_attribute("data-stream", "on")
    keys = Keys(page)
    await keys.reach(page.locator("#field-company [data-edit]"))
    await keys.press("Enter")
    field = page.get_by_role("textbox", name="Company", exact=True)
    await expect(field).to_be_focused()
    await page.keyboard.type("Analytical")

    deployment.start_worker()
    await expect(page.locator("#lead-status")).to_contain_text("Enriched")
    await page.keyboard.type(" Engines")
    await expect(field).to_have_value("Analytical Engines")


async def test_a_page_whose_stream_is_blocked_asks_again_instead(deployment: Deployment, windows: Windows) -> None:
    deployment.start_api()
    lead = add_lead(deployment.client(), "ada@acme.com")
    page = await windows.open(deployment.installation.url)
    windows.excuse("net::ERR_FAILED")

    async def block(route: Route) -> None:
        streamed = "text/event-stream" in (route.request.headers.get("accept") or "")
        await (route.abort() if streamed else route.fallback())

    await page.route("**/*", block)
    await page.goto(f"/leads/{lead.lead_id}")
    await Keys(page).sign_in(deployment.owner)
    await expect(page.locator("html")).to_have_attribute("data-stream", "polling")
    deployment.start_worker()
    await expect(page.locator("#lead-status")).to_contain_text("Enriched")
