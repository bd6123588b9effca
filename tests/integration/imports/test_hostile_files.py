"""Files that are made to block or break whatever reads them: their sender hears why, and nobody else notices."""

import asyncio
import io
import zipfile
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from leadflood.domains.imports.errors import UnreadableFile
from leadflood.domains.imports.service import parsing, sandboxed_parser, uploads
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from tests.support import sandbox_tasks
from tests.support.desk import Desk, csv_of, pieces, workbook
from tests.support.identity import Identity
from tests.support.jobs import Jobs
from tests.support.waiting import soon, until

FINE = csv_of([["email"], ["ada@acme.com"]])


def padded_rows(count: int) -> bytes:
    """A small workbook of rows with nothing but a last cell, each of which is read as 16,384 empty ones."""
    rows = "".join(f'<row r="{n}"><c r="XFD{n}"/></row>' for n in range(1, count + 1))
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            data = source.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                start, _, rest = data.decode().partition("<sheetData>")
                data = f"{start}<sheetData>{rows}{rest[rest.index('</sheetData>') :]}".encode()
            target.writestr(part.filename, data)
    return made.getvalue()


async def test_a_workbook_that_costs_too_much_is_refused_in_words_and_the_next_file_is_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    costly = padded_rows(50_000)
    assert len(costly) < 500_000
    refusals = {
        "reading it takes too long": replace(sandboxed_parser.DETECT, cpu=1),
        "reading it takes too much memory": replace(sandboxed_parser.DETECT, memory=1_000_000),
    }

    for why, limits in refusals.items():
        with monkeypatch.context() as patch:
            patch.setattr(sandboxed_parser, "DETECT", limits)
            with pytest.raises(UnreadableFile) as refused:
                await soon(desk.upload(costly, "leads.xlsx"))
        assert refused.value.detail == f"This workbook is too complex to read: {why}. Save it as CSV."

    assert (await desk.get(await desk.upload(FINE))).status == "uploaded"
    jobs = Jobs(desk.database, desk.actor.workspace_id)
    assert len(await jobs.rows("SELECT FROM imports WHERE workspace_id = :id", id=desk.actor.workspace_id)) == 1


async def test_people_sign_in_while_every_reader_of_files_is_busy_and_others_wait(
    desk: Desk, settings: Settings, secret_box: SecretBox
) -> None:
    identity = Identity(desk.database, settings, secret_box)
    person = await identity.new_person()
    await identity.new_workspace(person)
    sandbox = sandboxed_parser.new_sandbox(2)
    async with AsyncExitStack() as busy:
        for key in ("a", "b"):
            await busy.enter_async_context(sandbox.process(key))
        uploading = [
            asyncio.ensure_future(
                uploads.upload(
                    desk.database,
                    sandbox,
                    desk.actor,
                    filename="leads.csv",
                    stream=pieces(FINE),
                    declared=None,
                    limit=1_000_000,
                    quota=10**10,
                )
            )
            for _ in range(6)
        ]
        await until(lambda: sandbox.waiting == 6)

        signed_in = await soon(identity.login(person))

        assert sandbox.waiting == 6
        assert not any(item.done() for item in uploading)
    assert signed_in.user.id == person.id
    assert len(set(await soon(asyncio.gather(*uploading)))) == 6
    await sandbox.aclose()


async def test_a_preview_whose_reader_dies_is_tried_again_and_one_that_is_too_costly_fails_in_words(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await desk.upload(csv_of([["email"], *([f"lead{number}@acme.com"] for number in range(200))]))
    await desk.map(import_id, ["email"])
    with monkeypatch.context() as patch:
        patch.setattr(parsing, "read_rows", sandbox_tasks.be_killed)
        died = await desk.preview(import_id)
    assert (died.status, died.error) == ("staging", None)

    assert died.job_id
    with monkeypatch.context() as patch:
        patch.setattr(parsing, "read_rows", sandbox_tasks.eat)
        await desk.attempt(died.job_id, 2)
    failed = await desk.get(import_id)
    message = "This file is too complex to read: reading it takes too much memory. Split it into smaller files."
    assert (failed.status, failed.error) == ("failed", message)

    done = await desk.preview(import_id)
    assert (done.status, sum(done.counts.values())) == ("previewed", 200)
