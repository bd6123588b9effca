"""An admin invites somebody; the mail is caught; its link makes a member who may do what the role says, and no more."""

from pathlib import Path

import httpx
from playwright.async_api import Page, expect

from tests.support.accessibility import assert_accessible
from tests.support.chromium import Windows
from tests.support.deployment import QUICK, Credentials, left_over
from tests.support.keyboard import Keys
from tests.support.processes import Installation, Running

NEWCOMER = Credentials("katherine@apollo.example", "nine orbits around it")


async def test_an_invited_viewer_comes_in_by_mail_and_may_look_but_not_write(windows: Windows, home: Path) -> None:
    with Installation(home, **QUICK) as installation:
        up = installation.up()
        installation.wait_ready(up)
        page = await windows.open(installation.url)
        await page.goto("/sign-in")
        await Keys(page).sign_in(printed(up))
        await invite(page, Keys(page))
        link = await caught(page, Keys(page))
        other = await windows.open(installation.url)
        await accept(other, Keys(other), link)
        await look(other, Keys(other))
        await expect(page.locator("#mail-text-title")).to_be_visible()
        await page.goto("/settings/members")
        await expect(page.locator("#members-list")).to_contain_text("Katherine Johnson")
        await page.close()
        await other.close()
        assert up.stop() == 0
    assert left_over(home) == []


def printed(up: Running) -> Credentials:
    """Credentials of the first owner, as printed in the terminal."""
    return Credentials(up.wait_for("  Email   ").split()[-1], up.wait_for("  Password   ").split()[-1])


async def invite(page: Page, keys: Keys) -> None:
    """Invite a viewer: the arrow keys move through the radio buttons."""
    await page.goto("/settings/members")
    await keys.follow("Invite")
    await keys.arrive("/invitations/new")
    await keys.write("Email", NEWCOMER.email)
    await keys.press("Tab")
    viewer = page.get_by_role("radio", name="Viewer")
    while not await viewer.is_checked():
        await keys.press("ArrowDown")
    await keys.push("Send invitation")
    await expect(page.get_by_label("Notifications")).to_contain_text("Invitation sent")
    await expect(page.locator("#members-invitations")).to_contain_text(NEWCOMER.email)


async def caught(page: Page, keys: Keys) -> str:
    """The mail comes up in the catcher by itself; its link."""
    await keys.follow("View captured emails")
    await keys.arrive("/mail")
    mail = page.locator("#mail-list [data-open]")
    await expect(mail).to_have_count(1)
    await keys.reach(mail)
    await keys.press("Enter")
    await keys.arrive("/mail/")
    link = await page.locator(".mail__text a[href*='/invitations/']").get_attribute("href")
    assert link is not None
    return link


async def accept(page: Page, keys: Keys, link: str) -> None:
    """Somebody without an account makes one and is in."""
    await page.goto(link)
    await assert_accessible(page)
    await keys.write("Your name", "Katherine Johnson")
    await keys.write("Choose a password", NEWCOMER.password)
    await keys.push("Create account and join")
    await expect(page.get_by_label("Main")).to_be_visible()
    await page.goto(link)
    await expect(page.get_by_role("heading", level=1)).not_to_contain_text("Join")


async def look(page: Page, keys: Keys) -> None:
    """Signed in again with the new password, a viewer sees leads and no way to write; trying is refused."""
    await page.goto("/leads")
    await expect(page.get_by_role("heading", name="Leads", level=1)).to_be_visible()
    await expect(page.get_by_role("link", name="New lead")).to_have_count(0)
    answer = await page.goto("/leads/new")
    assert answer is not None
    assert answer.status == httpx.codes.FORBIDDEN
    await keys.open(page.get_by_role("button", name="Katherine Johnson"))
    await keys.push("Sign out")
    await keys.arrive("/sign-in")
    await keys.sign_in(NEWCOMER)
