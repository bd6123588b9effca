"""A file of leads: chosen, mapped, previewed, imported, looked at, and taken back."""

import re
from pathlib import Path

from playwright.async_api import Page, expect

from tests.support.accessibility import assert_accessible
from tests.support.chromium import Windows
from tests.support.deployment import Deployment
from tests.support.desk import csv_of
from tests.support.journeys import add_lead
from tests.support.keyboard import Keys

ROWS = [
    ("E-Mail", "Vorname", "Firma", "Opt-out", "Tarif"),
    ("ada@acme.com", "Ada", "Acme", "", "pro"),
    ("grace@navy.example", "Grace", "Navy", "yes", ""),
    ("nobody", "", "", "", ""),
]


async def test_a_file_is_imported_and_undone_in_the_browser(
    deployment: Deployment, windows: Windows, tmp_path: Path
) -> None:
    deployment.start_api()
    deployment.start_worker()
    add_lead(deployment.client(), "ada@acme.com")
    (tmp_path / "fair.csv").write_bytes(csv_of(ROWS))
    page = await windows.open(deployment.installation.url)
    keys = Keys(page)
    await page.goto("/sign-in")
    await keys.sign_in(deployment.owner)
    await page.goto("/imports")
    await keys.press("n")
    await keys.arrive("/imports/new")

    await preview(page, keys, tmp_path / "fair.csv")
    await keys.push("Import 2 leads")
    state = page.locator("#import-status")
    await expect(state).to_have_text("Imported")
    await keys.follow("View 2 leads")
    await keys.arrive("/leads?filter=")
    await expect(page.locator("#leads-list [data-row]")).to_have_count(2)
    await page.go_back()

    await keys.push("Undo import")
    await keys.reach(page.get_by_role("dialog").get_by_role("button", name="Undo import"))
    await keys.press("Enter")
    await expect(state).to_have_text("Undone")
    await page.goto("/leads")
    await expect(page.locator("#leads-list [data-row]")).to_have_count(1)
    assert deployment.rows("SELECT email, company FROM leads WHERE deleted_at IS NULL") == [
        {"email": "ada@acme.com", "company": None}
    ]


async def preview(page: Page, keys: Keys, file: Path) -> None:
    """A file is chosen, one of its columns left out, and what it would do looked at."""
    await page.get_by_label("CSV or XLSX file").set_input_files(file)
    await expect(page.get_by_role("heading", level=1)).to_have_text("fair.csv")
    await assert_accessible(page)
    await keys.write("Lead field for “Tarif”", "Don’t")
    await keys.push("Preview")

    await expect(page.locator("#import-status")).to_have_text("Preview ready")
    await expect(page.get_by_text("1 lead will be created, 1 will be updated.")).to_be_visible()
    await keys.follow(re.compile("^Updated"))
    await expect(page.locator("#import-state [data-row]")).to_have_count(1)
    await expect(page.locator("#import-state [data-row]")).to_contain_text("Company Acme")
