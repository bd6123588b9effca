"""Profiles with the keyboard alone: from the list to a draft, its errors, and the plot of its preview."""

from playwright.async_api import expect

from tests.support.accessibility import assert_accessible, assert_usable
from tests.support.chromium import Windows
from tests.support.keyboard import Keys, has_focus
from tests.support.served import Served
from tests.support.showcase import Showcase


async def test_a_draft_is_edited_and_refused_with_the_keyboard_alone(
    windows: Windows, server: Served, showcase: Showcase
) -> None:
    page = await windows.open(server.url, session=await showcase.session(showcase.owner))
    keys = Keys(page)
    path = f"/icps/{showcase.ids['icp']}"
    await page.goto("/icps")
    await keys.follow("B2B software buyers")
    await keys.arrive(path)
    await keys.press("e")
    await keys.arrive(f"{path}/draft")

    await keys.write("Profile in YAML", "name: Mine\ngroups: []\n")
    await keys.push("Save draft")

    summary = page.locator(".error-summary")
    await expect(summary).to_contain_text("Line 2, groups")
    assert await has_focus(summary)
    assert await page.get_by_label("Profile in YAML").input_value() == "name: Mine\ngroups: []\n"
    await assert_accessible(page)
    await assert_usable(page)
    await keys.press("Tab")
    await expect(page.get_by_label("Profile in YAML")).to_be_focused()


async def test_the_scores_of_a_preview_are_drawn(windows: Windows, server: Served, showcase: Showcase) -> None:
    page = await windows.open(server.url, session=await showcase.session(showcase.owner))

    await page.goto(f"/icps/{showcase.ids['icp']}/preview")

    await expect(page.locator("#plot-scores canvas")).to_be_visible()
    drawn = await page.locator("#plot-scores canvas").evaluate(
        "(it) => new Set(new Uint32Array(it.getContext('2d').getImageData(0, 0, it.width, it.height).data.buffer)).size"
    )
    assert drawn > 1, "the canvas has one color"
    await Keys(page).reach(page.get_by_role("button", name="Publish version 2"))
