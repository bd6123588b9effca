"""The board of leads by pointer, by keyboard, and in narrow windows."""

from uuid import UUID

import pytest
from playwright.async_api import Locator, Page, ViewportSize, expect

from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import LeadView, UpdateLead
from leadflood.domains.leads.contracts.filters import LeadFilter
from tests.support.accessibility import SCHEMES, assert_accessible
from tests.support.chromium import Windows
from tests.support.keyboard import Keys
from tests.support.served import Served
from tests.support.showcase import Showcase

BOARD = "/leads?layout=board&source=board&sort=email"
NARROW = (ViewportSize(width=320, height=640), ViewportSize(width=390, height=844))


@pytest.fixture
async def leads(showcase: Showcase) -> list[LeadView]:
    """Four leads of one source, all new. They are the same ones in each test of a run."""
    found = await listed(showcase)
    if not found:
        await showcase.plant([f"card{n}@cards.example" for n in range(4)], source="board")
    for lead in await listed(showcase):
        await set_stage(showcase, lead.id, "new")
    return await listed(showcase)


async def listed(showcase: Showcase) -> list[LeadView]:
    async with showcase.parts.database.transaction(showcase.workspace_id, read_only=True) as tx:
        page = await queries.list_leads(tx, showcase.actor, filters=LeadFilter(sources=("board",)), limit=50)
    return sorted(page.items, key=lambda lead: lead.email)


async def set_stage(showcase: Showcase, lead_id: UUID, stage: str) -> None:
    async with showcase.parts.database.transaction(showcase.workspace_id) as tx:
        command = UpdateLead(stage=stage)
        await service.update_lead(tx, showcase.actor, lead_id=lead_id, command=command, expected_version=None)


async def open_board(windows: Windows, server: Served, showcase: Showcase) -> tuple[Page, Keys]:
    page = await windows.open(server.url, session=await showcase.session(showcase.owner))
    await page.goto(BOARD)
    await expect(page.locator("[data-board]")).to_be_visible()
    return page, Keys(page)


def column(page: Page, stage: str) -> Locator:
    return page.locator(f'[data-stage="{stage}"]')


def card(page: Page, lead: LeadView) -> Locator:
    return page.locator(f"#lead-{lead.id}")


async def test_a_card_is_dragged_to_another_column_and_back_by_undo(
    windows: Windows, server: Served, showcase: Showcase, leads: list[LeadView]
) -> None:
    page, _ = await open_board(windows, server, showcase)

    await card(page, leads[0]).drag_to(column(page, "qualified"))

    await expect(column(page, "qualified").locator(f"#lead-{leads[0].id}")).to_be_visible()
    await expect(column(page, "qualified").locator(".tabs__count")).to_contain_text("1")
    await expect(page.locator(".toast")).to_contain_text("moved to Qualified.")
    assert (await listed(showcase))[0].stage == "qualified"
    await page.locator(".toast").get_by_role("button", name="Undo").click()
    await expect(column(page, "new").locator(f"#lead-{leads[0].id}")).to_be_visible()
    assert (await listed(showcase))[0].stage == "new"


async def test_cards_are_reached_and_moved_with_the_keyboard_alone(
    windows: Windows, server: Served, showcase: Showcase, leads: list[LeadView]
) -> None:
    page, keys = await open_board(windows, server, showcase)
    first, second = leads[:2]

    await keys.press("j")
    await expect(card(page, first).locator("[data-open]")).to_be_focused()
    await keys.press("Shift+ArrowRight")
    await expect(column(page, "working").locator(f"#lead-{first.id}")).to_be_visible()
    await expect(card(page, first).locator("[data-open]")).to_be_focused()
    await keys.press("ArrowLeft")
    await expect(card(page, second).locator("[data-open]")).to_be_focused()
    await keys.press("s")
    await expect(page.get_by_role("dialog").get_by_role("button", name="New")).to_be_focused()
    await keys.press("ArrowDown", "ArrowDown", "Enter")
    await expect(column(page, "qualified").locator(f"#lead-{second.id}")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(card(page, second).locator("[data-open]")).to_be_focused()
    await keys.press("ArrowRight", "ArrowLeft")

    await expect(card(page, first).locator("[data-open]")).to_be_focused()
    assert [lead.stage for lead in await listed(showcase)] == ["working", "qualified", "new", "new"]


async def test_a_card_that_someone_else_moved_asks_which_stage_stays(
    windows: Windows, server: Served, showcase: Showcase, leads: list[LeadView]
) -> None:
    page, keys = await open_board(windows, server, showcase)
    await page.evaluate(
        "document.querySelector('main').removeAttribute('data-live'); dispatchEvent(new Event('pagehide'))"
    )
    await set_stage(showcase, leads[0].id, "customer")

    await keys.press("j", "Shift+ArrowRight")

    dialog = page.get_by_role("dialog", name="This lead was updated")
    await expect(dialog).to_contain_text("Customer")
    await assert_accessible(page)
    await dialog.get_by_role("button", name="Overwrite").click()
    await expect(column(page, "working").locator(f"#lead-{leads[0].id}")).to_be_visible()
    assert (await listed(showcase))[0].stage == "working"


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_boards_fit_into_narrow_windows_and_have_no_barriers(
    windows: Windows, server: Served, showcase: Showcase, leads: list[LeadView], scheme: str
) -> None:
    page, keys = await open_board(windows, server, showcase)
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    await assert_accessible(page)
    for size in NARROW:
        await page.set_viewport_size(size)
        await assert_accessible(page)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width == size["width"]
        await page.locator("[data-stage=disqualified]").scroll_into_view_if_needed()
        await expect(page.locator("[data-stage=disqualified]")).to_be_in_viewport()
    await keys.press("j", "s")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await assert_accessible(page)
    await page.get_by_role("dialog").get_by_role("button", name="Working").click()
    await expect(column(page, "working").locator(f"#lead-{leads[0].id}")).to_be_visible()
