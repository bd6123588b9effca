"""Somebody looks for what went wrong: failures by their cause, one retried and watched, then all of a cause."""

from playwright.async_api import Page, expect

from tests.support.chromium import Windows
from tests.support.deployment import Deployment
from tests.support.journeys import add_lead, wait_for_job
from tests.support.keyboard import Keys

FAILING = {"simulated_failure_rate": "1", "simulated_failure_kind": "terminal", "enrichment_sources": "simulated"}
LEADS = 3


async def test_an_operator_finds_failures_by_cause_retries_them_and_sees_them_done(
    deployment: Deployment, windows: Windows
) -> None:
    deployment.start_api()
    client = deployment.client()
    broken = deployment.start_worker(**FAILING)
    for added in [add_lead(client, f"lead{number}@acme.com") for number in range(LEADS)]:
        wait_for_job(client, added, "failed")
    assert broken.stop() == 0

    page = await windows.open(deployment.installation.url)
    keys = Keys(page)
    await page.goto("/sign-in")
    await keys.sign_in(deployment.owner)
    await keys.chord("g", "j")
    await keys.arrive("/jobs")
    causes = page.locator("#jobs-causes")
    await expect(causes.get_by_role("row")).to_have_count(2)
    await expect(causes.locator("tbody .cell-num")).to_have_text(str(LEADS))

    deployment.start_worker()
    await one(page, keys)
    await all_others(page, keys)


async def one(page: Page, keys: Keys) -> None:
    """From the cause to one of its jobs; retried there, it is seen to its end."""
    await keys.reach(page.locator("#jobs-causes .row-link"))
    await keys.press("Enter")
    await keys.arrive("cause=")
    await expect(page.locator("#jobs-list [data-row]")).to_have_count(LEADS)
    await keys.press("j", "Enter")
    await keys.arrive("/jobs/")
    await expect(page.locator("#job-state")).to_contain_text("Failed")
    await keys.push("Retry")
    await expect(page.locator("#job-state")).to_contain_text("Completed")
    await expect(page.locator("#job-state")).to_contain_text("2 of")


async def all_others(page: Page, keys: Keys) -> None:
    """Retry the remaining jobs of the cause; the page shows when none is left."""
    await keys.chord("g", "j")
    await keys.arrive("/jobs")
    await expect(page.locator("#jobs-causes tbody .cell-num")).to_have_text(str(LEADS - 1))
    await keys.push("Retry all")
    await expect(page.locator("#toasts")).to_contain_text(f"Retrying {LEADS - 1} jobs")
    await expect(page.locator("#jobs-causes tbody tr")).to_have_count(0)
    await keys.reach(page.get_by_role("link", name="Completed", exact=True))
    await keys.press("Enter")
    await keys.arrive("status=completed")
    enrichments = page.locator("#jobs-list [data-row]").filter(has_text="@acme.com")
    await expect(enrichments.get_by_text("Completed", exact=True)).to_have_count(LEADS)
