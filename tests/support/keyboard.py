"""Somebody who uses pages with the keyboard alone."""

import asyncio
import re

from playwright.async_api import Locator, Page, expect

from tests.support.deployment import Credentials

MAX_STEPS = 150
"""Tabs after which something counts as out of reach."""

Name = str | re.Pattern[str]


class Keys:
    """A keyboard before a window: no mouse, and nothing that a script could do."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, such as `Enter` or `Control+k`."""
        for key in keys:
            await self.page.keyboard.press(key)

    async def chord(self, first: str, second: str) -> None:
        """Press two keys that belong together, such as `g` `l`, without waiting for the page in between."""
        await self.page.wait_for_load_state()
        await asyncio.gather(self.page.keyboard.press(first), self.page.keyboard.press(second))

    async def arrive(self, address: str) -> None:
        """Wait until the page is there whose address has this in it, with the scripts that listen to keys."""
        await expect(self.page).to_have_url(re.compile(re.escape(address)))
        await self.page.wait_for_load_state()

    async def reach(self, target: Locator) -> None:
        """Go on with Tab until the target has the focus, on a page that is there with its scripts."""
        await self.page.wait_for_load_state()
        await expect(target).to_be_visible()
        for _ in range(MAX_STEPS):
            if await has_focus(target):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(
            f"{target} cannot be reached with {MAX_STEPS} tabs; {await focused(self.page)} has the focus"
        )

    async def write(self, label: str, text: str) -> None:
        """Go to a field whose label begins so, and write into it, over what it has."""
        field = self.page.get_by_label(re.compile(f"^{re.escape(label)}")).and_(
            self.page.locator("input, select, textarea")
        )
        await self.reach(field)
        await self.page.keyboard.press("Control+a")
        await self.page.keyboard.type(text)

    async def push(self, name: Name) -> None:
        """Go to the first button of this name and press it."""
        await self.reach(self.page.get_by_role("button", name=name, exact=isinstance(name, str)).first)
        await self.page.keyboard.press("Enter")

    async def open(self, menu: Locator) -> None:
        """Open the menu of this button; its first item gets the focus."""
        await self.reach(menu)
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator("[data-menu]:popover-open :focus")).to_have_count(1)

    async def follow(self, name: Name) -> None:
        """Go to the first link of this name and open it."""
        await self.reach(self.page.get_by_role("link", name=name, exact=isinstance(name, str)).first)
        await self.page.keyboard.press("Enter")

    async def sign_in(self, who: Credentials) -> None:
        """Fill in the sign-in page, which is open, and send it."""
        await self.write("Email", who.email)
        await self.write("Password", who.password)
        await self.press("Enter")
        await expect(self.page.get_by_label("Main")).to_be_visible()
        await self.page.wait_for_load_state()


async def has_focus(target: Locator) -> bool:
    """Whether the target is what keys go to."""
    found: bool = await target.evaluate("(node) => node === document.activeElement")
    return found


async def focused(page: Page) -> str:
    """HTML of the focused element: for messages."""
    found: str = await page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    return found
