"""Two workspaces on one server: neither sees anything of the other, not even while both look."""

import json

import httpx
from playwright.async_api import Page, expect

from tests.support.chromium import Windows
from tests.support.deployment import Credentials, Deployment
from tests.support.journeys import add_lead
from tests.support.keyboard import Keys

BOB = Credentials("bob@elsewhere.example", "eleven green kettles")


async def test_two_workspaces_never_see_each_other(deployment: Deployment, windows: Windows) -> None:
    deployment.start_api()
    lead = add_lead(deployment.client(), "ada@acme.com")
    make_workspace(deployment)
    theirs = await signed_in(windows, deployment, BOB)
    await theirs.goto("/leads")
    await expect(theirs.get_by_text("No leads yet")).to_be_visible()
    await expect(theirs.locator("html")).to_have_attribute("data-stream", "on")

    for path in (f"/leads/{lead.lead_id}", f"/jobs/{lead.job_id}", f"/leads?peek={lead.lead_id}"):
        answer = await theirs.context.request.get(path)
        assert answer.status == httpx.codes.NOT_FOUND, path
        assert "ada@acme.com" not in await answer.text()
    assert "ada@acme.com" not in await (await theirs.context.request.get("/leads?q=ada")).text()

    ours = await signed_in(windows, deployment, deployment.owner)
    await ours.goto("/leads")
    await expect(ours.locator("[data-row]")).to_have_count(1)
    add_lead(deployment.client(), "grace@acme.com")
    await expect(ours.locator("[data-row]")).to_have_count(2)
    await expect(theirs.get_by_text("No leads yet")).to_be_visible()


async def test_somebody_in_two_workspaces_sees_one_at_a_time(deployment: Deployment, windows: Windows) -> None:
    deployment.start_api()
    add_lead(deployment.client(), "ada@acme.com")
    make_workspace(deployment)
    assert (
        deployment.installation.run(
            *("user", "add-to-workspace", BOB.email, "--workspace", str(deployment.workspace_id), "--role", "viewer")
        ).returncode
        == 0
    )
    page = await signed_in(windows, deployment, BOB)
    keys = Keys(page)
    for name, rows in (("My workspace", 1), ("Elsewhere", 0)):
        if await page.locator(".sidebar__name").first.inner_text() != name:
            await keys.open(page.locator("[popovertarget=workspaces]"))
            await keys.push(name)
        await expect(page.locator(".sidebar__name").first).to_have_text(name)
        await page.goto("/leads")
        await expect(page.locator("[data-row]")).to_have_count(rows)


def make_workspace(deployment: Deployment) -> None:
    """Bob and a workspace of his own, as the operator makes them."""
    user = deployment.installation.run(
        "user", "create", BOB.email, "--name", "Bob", "--password-stdin", text=BOB.password
    )
    assert user.returncode == 0, user.stderr
    made = deployment.installation.run("workspace", "create", "Elsewhere", "--owner", BOB.email, "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["id"] != str(deployment.workspace_id)


async def signed_in(windows: Windows, deployment: Deployment, who: Credentials) -> Page:
    """A window of somebody."""
    page = await windows.open(deployment.installation.url)
    await page.goto("/sign-in")
    await Keys(page).sign_in(who)
    return page
