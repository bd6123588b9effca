"""A file of a million rows, by browser and by command line: diffed, written and taken back each time."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from leadflood.kernel.clock import monotonic
from tests.bench.machine import peak_mib
from tests.support import crowd
from tests.support.chromium import Windows
from tests.support.deployment import Deployment
from tests.support.keyboard import Keys
from tests.support.messy_file import require_reported, write_messy

KNOWN = 100_000
"""Rows of the file before it. A tenth of the million say something of its leads."""
ROWS = 1_000_000
PATIENCE_MS = 1_800_000
"""After which a phase counts as never ending: to fail instead of hanging, not to measure."""

STATE = """
SELECT count(*), sum(hashtextextended((to_jsonb(l) - '{version,updated_at}'::text[])::text, 0)::numeric)
FROM leads l WHERE deleted_at IS NULL
"""
WRITTEN = """
SELECT count(*), count(DISTINCT row_no), count(*) FILTER (WHERE action IN ('create', 'update')) FROM import_rows
WHERE import_id = :'id'
"""


@contextmanager
def timed(what: str) -> Iterator[None]:
    started = monotonic()
    yield
    print(f"{what}: {monotonic() - started:.0f} s")  # noqa: T201  the figures of the run


def cli(deployment: Deployment, *argv: str) -> dict[str, Any]:
    """Output of an import by the command line."""
    ended = deployment.installation.run("import", *argv, "--json")
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])  # after the preview's
    return found


def require_whole(deployment: Deployment, import_id: str, counts: dict[str, int], *, known: int) -> None:
    """Each row of the file did one thing, and it is told."""
    assert sum(counts.values()) == ROWS
    changed = counts["create"] + counts["update"]
    assert deployment.sql(WRITTEN, id=import_id) == f"{ROWS}|{ROWS}|{changed}"
    assert deployment.count("SELECT count(*) FROM leads WHERE deleted_at IS NULL") == known + counts["create"]


async def through_the_browser(page: Page, file: Path) -> str:
    """The id of an import that is committed."""
    state = page.locator("#import-status")
    await page.goto("/imports/new")
    with timed("browser: upload"):
        await page.get_by_label("CSV or XLSX file").set_input_files(file)
        await expect(page.get_by_role("heading", level=1)).to_have_text(file.name, timeout=PATIENCE_MS)
    await page.get_by_label("Enrich new leads").uncheck()
    await page.get_by_label("Overwrite").check()
    with timed("browser: preview"):
        await page.get_by_role("button", name="Preview").click()
        await expect(state).to_have_text("Preview ready", timeout=PATIENCE_MS)
    with timed("browser: import"):
        await page.get_by_role("button", name="Import ").click()
        await expect(state).to_have_text("Imported", timeout=PATIENCE_MS)
    return page.url.rpartition("/")[2]


async def taken_back(page: Page) -> None:
    await page.get_by_role("button", name="Undo import").click()
    await page.get_by_role("dialog").get_by_role("button", name="Undo import").click()
    await expect(page.locator("#import-status")).to_have_text("Undone", timeout=PATIENCE_MS)


@pytest.mark.long
async def test_a_million_rows_are_imported_and_undone_by_browser_and_command_line(
    deployment: Deployment, windows: Windows, tmp_path: Path
) -> None:
    first, file = tmp_path / "known.csv", tmp_path / "million.csv"
    crowd.write_csv(deployment.cluster, first, rows=KNOWN, existing=100, leads=KNOWN)
    crowd.write_csv(deployment.cluster, file, rows=ROWS, existing=10, leads=KNOWN)
    deployment.start_api()
    deployment.start_worker()
    fewer = ["--map", "Company=ignore", "--map", "Country=ignore"]  # so that the million changes them
    known = cli(deployment, "run", str(first), "--yes", "--no-enrich", *fewer)["counts"]["create"]
    before = deployment.sql(STATE)

    page = await windows.open(deployment.installation.url)
    await page.goto("/sign-in")
    await Keys(page).sign_in(deployment.owner)
    import_id = await through_the_browser(page, file)
    with deployment.client() as client:
        require_whole(deployment, import_id, client.get(f"/v1/imports/{import_id}").json()["counts"], known=known)
    with timed("browser: undo"):
        await taken_back(page)
    assert deployment.sql(STATE) == before

    with timed("command line: upload, preview, import"):
        done = cli(deployment, "run", str(file), "--yes", "--no-enrich", "--policy", "overwrite")
    require_whole(deployment, done["id"], done["counts"], known=known)
    with timed("command line: undo"):
        cli(deployment, "undo", done["id"])
    assert deployment.sql(STATE) == before
    await asyncio.to_thread(deployment.assert_sound)


@pytest.mark.long
def test_of_a_million_messy_rows_only_those_without_an_address_are_rejected(
    deployment: Deployment, tmp_path: Path
) -> None:
    file = tmp_path / "messy.csv"
    planted = write_messy(file, rows=ROWS)
    deployment.start_api()
    worker = deployment.start_worker()

    with timed("command line: upload, preview, import of messy rows"):
        done = cli(deployment, "run", str(file), "--yes", "--no-enrich")

    print(f"worker: {peak_mib(worker.pid)} MiB at most; {planted}; {done['counts']}; {done['errors']}")  # noqa: T201  as above
    require_reported(done["counts"], done["errors"], planted, rows=ROWS)
    with timed("command line: undo of messy rows"):
        cli(deployment, "undo", done["id"])
    assert deployment.count("SELECT count(*) FROM leads WHERE deleted_at IS NULL") == 0
    deployment.assert_sound()
