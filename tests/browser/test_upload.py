"""A file on its way from a browser: chosen, dropped, given up, lost, and refused; the page stays through all of it."""

from playwright.async_api import FilePayload, Locator, Page, Route, expect

from tests.support.chromium import Windows
from tests.support.desk import Desk
from tests.support.served import Served
from tests.support.showcase import Showcase

FILE = FilePayload(name="fair 🌍.csv", mimeType="text/csv", buffer=b"email\nada@acme.com\n")
_DROP = """
(names) => {
  const files = new DataTransfer()
  for (const name of names) files.items.add(new File(["email\\nada@acme.com\\n"], name, { type: "text/csv" }))
  for (const kind of ["dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }))
}
"""


async def page_of(windows: Windows, server: Served, showcase: Showcase, **options: bool) -> Page:
    page = await windows.open(server.url, session=await showcase.session(showcase.owner), **options)
    await page.goto("/imports/new")
    return page


def picker(page: Page) -> Locator:
    return page.get_by_label("CSV or XLSX file")


async def upload(page: Page) -> None:
    await picker(page).set_input_files(FILE)
    await expect(page.get_by_role("heading", level=1)).to_have_text("fair 🌍.csv")


async def test_a_dropped_file_goes_at_once_and_leads_to_its_columns(
    windows: Windows, server: Served, showcase: Showcase
) -> None:
    page = await page_of(windows, server, showcase)
    await page.evaluate(_DROP, ["one.csv", "two.csv"])
    await expect(page.get_by_role("alert")).to_have_text("Upload one file at a time.")
    await page.evaluate(_DROP, ["dropped.csv"])
    await expect(page.get_by_role("heading", level=1)).to_have_text("dropped.csv")


async def test_a_file_that_is_empty_or_too_large_is_not_sent(
    windows: Windows, server: Served, showcase: Showcase
) -> None:
    page = await page_of(windows, server, showcase)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))

    await picker(page).set_input_files({**FILE, "buffer": b""})
    await expect(page.get_by_role("alert")).to_contain_text("This file is empty.")
    await page.locator("[data-upload]").evaluate("(form) => { form.dataset.upload = 10 }")
    await picker(page).set_input_files(FILE)
    await expect(page.get_by_role("alert")).to_contain_text("File is too large")
    await expect(picker(page)).to_have_attribute("aria-invalid", "true")
    assert "POST" not in asked


async def test_a_file_on_its_way_is_given_up_and_sent_again(
    windows: Windows, server: Served, showcase: Showcase
) -> None:
    windows.excuse("htmx:")
    page = await page_of(windows, server, showcase)

    async def hold(_route: Route) -> None:
        """Nobody answers."""

    await page.route("**/imports", hold)
    await picker(page).set_input_files(FILE)
    await expect(page.get_by_role("progressbar", name="fair 🌍.csv")).to_be_visible()
    cancel = page.get_by_role("button", name="Cancel")
    await expect(cancel).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(picker(page)).to_be_focused()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.unroute("**/imports")

    await upload(page)


async def test_a_lost_connection_is_told_and_the_page_stays(
    windows: Windows, server: Served, showcase: Showcase
) -> None:
    for said in ("net::ERR_FAILED", "htmx:sendError", "htmx:afterRequest"):
        windows.excuse(said)
    page = await page_of(windows, server, showcase)
    await page.route("**/imports", lambda route: route.abort())
    await picker(page).set_input_files(FILE)

    await expect(page.get_by_role("alert")).to_contain_text("Upload failed: connection lost.")
    await expect(picker(page)).to_be_focused()
    await page.unroute("**/imports")
    await upload(page)


async def test_a_file_that_is_no_table_is_refused_beside_the_picker_and_another_can_be_chosen(
    windows: Windows, server: Served, showcase: Showcase
) -> None:
    page = await page_of(windows, server, showcase)
    await picker(page).set_input_files({**FILE, "buffer": bytes(5000)})
    await expect(page.get_by_role("alert")).to_contain_text("isn't a text file")
    await expect(picker(page)).to_have_attribute("aria-invalid", "true")
    await upload(page)


async def test_columns_give_way_when_somebody_else_goes_on(
    windows: Windows, server: Served, showcase: Showcase
) -> None:
    desk = Desk(showcase.parts.database, showcase.parts.registry, showcase.actor)
    import_id = await desk.upload(FILE["buffer"])
    page = await windows.open(server.url, session=await showcase.session(showcase.owner))
    await page.goto(f"/imports/{import_id}")
    await expect(page.get_by_role("button", name="Preview")).to_be_visible()
    await desk.map(import_id, ["email"])
    await desk.preview(import_id)

    await expect(page.get_by_role("link", name="Change mapping")).to_be_visible()
    await expect(page.get_by_role("button", name="Preview")).to_be_hidden()


async def test_without_scripts_a_button_sends_the_file(windows: Windows, server: Served, showcase: Showcase) -> None:
    page = await page_of(windows, server, showcase, java_script_enabled=False)
    await picker(page).set_input_files(FILE)
    await page.get_by_role("button", name="Upload").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("fair 🌍.csv")
    await page.get_by_role("button", name="Preview").click()
    await expect(page.locator("#import-status")).to_have_text("Checking")
