"""The list of leads with the keyboard alone: cells, columns, selection, preview, and the way back."""

import re
from uuid import UUID

import pytest
from playwright.async_api import Locator, Page, expect

from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import LeadView, UpdateLead
from leadflood.domains.leads.contracts.filters import LeadFilter
from tests.support.accessibility import assert_accessible
from tests.support.chromium import Windows
from tests.support.keyboard import Keys
from tests.support.served import Served
from tests.support.showcase import Showcase

LIST = "/leads?source=cells&sort=email"


@pytest.fixture
async def leads(showcase: Showcase) -> list[LeadView]:
    """Five leads of one source, by email. They are the same ones in each test of a run."""
    found = await listed(showcase)
    if not found:
        await showcase.plant([f"cell{n}@cells.example" for n in range(5)], source="cells")
    return found or await listed(showcase)


async def listed(showcase: Showcase) -> list[LeadView]:
    async with showcase.parts.database.transaction(showcase.workspace_id, read_only=True) as tx:
        page = await queries.list_leads(tx, showcase.actor, filters=LeadFilter(sources=("cells",)), limit=50)
    return sorted(page.items, key=lambda lead: lead.email)


async def change(showcase: Showcase, lead_id: UUID, **given: str) -> None:
    """Somebody else edits a lead."""
    async with showcase.parts.database.transaction(showcase.workspace_id) as tx:
        command = UpdateLead.model_validate(given)
        await service.update_lead(tx, showcase.actor, lead_id=lead_id, command=command, expected_version=None)


async def open_list(windows: Windows, server: Served, showcase: Showcase, address: str = LIST) -> tuple[Page, Keys]:
    page = await windows.open(server.url, session=await showcase.session(showcase.owner))
    await page.goto(address)
    await expect(page.locator("[data-grid]")).to_be_visible()
    return page, Keys(page)


def row(page: Page, lead: LeadView) -> Locator:
    return page.locator(f"#lead-{lead.id}")


async def test_cells_are_edited_one_after_the_other(
    windows: Windows, server: Served, showcase: Showcase, leads: list[LeadView]
) -> None:
    page, keys = await open_list(windows, server, showcase)
    first, second = leads[:2]

    await keys.press("j", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "Enter")
    await page.keyboard.type("Initech")
    await keys.press("Tab")
    await expect(page.get_by_role("textbox", name="Job title")).to_be_focused()
    await page.keyboard.type("Chief")
    await keys.press("Enter")
    await expect(row(page, first).locator("td[data-field=jobTitle]")).to_be_focused()
    await keys.press("ArrowDown", "F2")
    await page.keyboard.type("never saved")
    await keys.press("Escape")
    await expect(row(page, second).locator("td[data-field=jobTitle]")).to_have_text("")
    await keys.press("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "F2")
    await page.keyboard.type("Ada")
    await keys.press("Tab")
    await page.keyboard.type("Byron")
    await keys.press("Enter")
    await expect(row(page, second).locator(".row-link")).to_have_text("Ada Byron")

    await expect(page.locator("td[aria-busy]")).to_have_count(0)
    saved = await listed(showcase)
    assert (saved[0].company, saved[0].job_title) == ("Initech", "Chief")
    assert (saved[1].first_name, saved[1].last_name, saved[1].job_title) == ("Ada", "Byron", None)


async def test_a_refused_value_stays_in_its_cell_with_the_reason(
    windows: Windows, server: Served, showcase: Showcase, leads: list[LeadView]
) -> None:
    page, keys = await open_list(windows, server, showcase)
    cell = row(page, leads[2]).locator("td[data-field=email]")

    await cell.click()
    await page.keyboard.press("Control+a")
    await page.keyboard.type("no address")
    await keys.press("Enter")
    await expect(cell.get_by_role("alert")).to_contain_text("valid email")
    await expect(cell.locator("input")).to_be_focused()
    await expect(cell.locator("input")).to_have_value("no address")
    await assert_accessible(page)
    await keys.press("Escape")

    await expect(cell).to_have_text(leads[2].email)
    await expect(cell).to_be_focused()


async def test_what_others_change_meanwhile_is_kept_or_asked_about(
    windows: Windows, server: Served, showcase: Showcase, leads: list[LeadView]
) -> None:
    page, keys = await open_list(windows, server, showcase)
    lead = leads[3]
    company, title = (row(page, lead).locator(f"td[data-field={name}]") for name in ("company", "jobTitle"))

    await company.click()
    await change(showcase, lead.id, jobTitle="Theirs")
    await page.keyboard.type("Mine")
    await keys.press("Enter")
    await expect(title).to_have_text("Theirs")
    await expect(company).to_have_text("Mine")

    await title.click()
    await change(showcase, lead.id, jobTitle="Theirs again")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("My title")
    await keys.press("Enter")
    dialog = page.get_by_role("dialog", name="This lead was updated")
    await expect(dialog.get_by_role("row", name="Job title")).to_contain_text("My titleTheirs again")
    await assert_accessible(page)
    await keys.push("Overwrite")

    await expect(dialog).to_be_hidden()
    await expect(title).to_have_text("My title")
    await expect(page.locator("td[aria-busy]")).to_have_count(0)
    saved = (await listed(showcase))[3]
    assert (saved.company, saved.job_title) == ("Mine", "My title")


async def test_columns_are_sized_and_moved_by_keyboard_and_by_pointer(
    windows: Windows, server: Served, showcase: Showcase, leads: list[LeadView]
) -> None:
    page, keys = await open_list(windows, server, showcase, f"{LIST}&column=name&column=email&column=company")
    assert leads
    before = await page.locator("th[data-column=email]").evaluate("(node) => node.offsetWidth")

    await page.locator("#head-email").focus()
    await keys.press("Shift+ArrowRight")
    await expect(page).to_have_url(re.compile(f"width=email.{before + 16}"))
    await expect(page.locator("#leads-list.htmx-settling, #leads-list.htmx-swapping")).to_have_count(0)
    await expect(page.locator("#head-email")).to_be_focused()
    await keys.press("Alt+Shift+ArrowLeft")
    await expect(page.locator("th[data-column]")).to_have_text(["Email", "Name", "Company"])
    await expect(page.locator("#head-email")).to_be_focused()

    edge = await page.locator("th[data-column=company] [data-resize]").bounding_box()
    assert edge is not None
    await page.mouse.move(edge["x"] + 8, edge["y"] + 8)
    await page.mouse.down()
    await page.mouse.move(edge["x"] + 108, edge["y"] + 8, steps=3)
    async with page.expect_response(re.compile(r"width=company\.2\d\d")):
        await page.mouse.up()
    await expect(page.locator("#leads-list.htmx-settling, #leads-list.htmx-swapping")).to_have_count(0)
    source, goal = [await page.locator(f"th[data-column={name}]").bounding_box() for name in ("company", "email")]
    assert source is not None
    assert goal is not None
    await page.mouse.move(source["x"] + 20, source["y"] + 8)
    await page.mouse.down()
    await page.mouse.move(goal["x"] + 10, goal["y"] + 8, steps=3)
    await page.mouse.up()
    await expect(page.locator("th[data-column]")).to_have_text(["Company", "Email", "Name"])


async def test_columns_are_chosen_in_a_dialog(
    windows: Windows, server: Served, showcase: Showcase, leads: list[LeadView]
) -> None:
    page, keys = await open_list(windows, server, showcase, f"{LIST}&column=name&column=email")
    assert leads

    await page.get_by_role("link", name="Columns").click()
    dialog = page.get_by_role("dialog", name="Columns")
    await expect(dialog).to_be_visible()
    await assert_accessible(page)
    await keys.reach(dialog.get_by_role("checkbox", name="Country"))
    await keys.press("Space")
    await keys.push("Move Country up")
    await keys.push("Move Email up")
    await expect(dialog.get_by_role("status")).to_have_text(re.compile("^Email: position 1 of"))
    await dialog.get_by_role("button", name="Apply").last.press("Enter")

    await expect(page.locator("th[data-column]")).to_have_text(["Email", "Name", "Country"])


async def test_the_selection_is_within_reach_of_the_keyboard(
    windows: Windows, server: Served, showcase: Showcase, leads: list[LeadView]
) -> None:
    page, keys = await open_list(windows, server, showcase)
    assert leads
    count = page.locator("[data-select-count]")

    await keys.press("j", "x", "j", "j", "Shift+X")
    await expect(count).to_have_text("3 selected")
    await keys.press("b")
    await expect(page.locator("#bulk").get_by_role("button", name="Assign owner")).to_be_focused()
    await keys.press("Escape")
    await expect(page.locator(".cell-select :checked")).to_have_count(0)

    await page.locator(".row-link").nth(1).focus()
    await keys.press("o")
    await expect(page.get_by_role("dialog", name="Assign owner").get_by_label("Owner")).to_be_focused()
    await keys.press("Escape")
    await expect(count).to_have_text("1 selected")
    await keys.press("d")
    await expect(page.get_by_role("dialog", name="Delete 1 lead?")).to_be_visible()


async def test_a_preview_follows_the_keyboard_and_back_restores_the_place(
    windows: Windows, server: Served, showcase: Showcase, leads: list[LeadView]
) -> None:
    page, keys = await open_list(windows, server, showcase)
    panel = page.locator("[data-peek-panel]")

    await keys.press("j", "p")
    await expect(panel.get_by_role("heading", name=leads[0].email)).to_be_visible()
    await assert_accessible(page)
    await keys.press("j", "j")
    await expect(panel.get_by_role("heading", level=2).first).to_have_text(leads[2].email)
    await keys.press("Escape")
    await expect(panel).to_have_count(0)

    await keys.press("Enter")
    await keys.arrive(f"/leads/{leads[2].id}")
    await keys.press("j")
    await keys.arrive(f"/leads/{leads[3].id}")
    await keys.press("k")
    await keys.arrive(f"/leads/{leads[2].id}")
    await page.get_by_role("link", name="Leads", exact=True).last.press("Enter")
    await keys.arrive("/leads?")
    await expect(row(page, leads[2]).locator(".row-link")).to_be_focused()
