"""Workbooks go the same way as text, and imports whose time is over are forgotten."""

import io
from collections.abc import Callable
from uuid import UUID

import pytest
from openpyxl import Workbook

from leadflood.domains.imports.contracts import ImportDetail, ReadFormat
from leadflood.domains.imports.errors import ImportNotReady
from leadflood.domains.imports.service import uploads
from leadflood.domains.imports.store import retention
from tests.support.desk import Desk, counted, csv_of, workbook
from tests.support.jobs import Jobs
from tests.support.sandbox import shared_sandbox


async def test_a_sheet_of_a_workbook_becomes_leads(desk: Desk) -> None:
    import_id = await desk.upload(workbook(), "leads.xlsx")
    found = await desk.get(import_id)
    assert found.format is not None
    assert (found.format.kind, found.format.sheet, found.format.sheets) == ("xlsx", "People", ["Sheet", "People"])
    assert [column.target for column in found.columns] == ["email", "custom:seats"]
    other = await read_as(desk, import_id, "Sheet")
    assert [column.header for column in other.columns] == ["Notes"]
    await read_as(desk, import_id, "People")
    await desk.preview(import_id)
    done = await desk.commit(import_id)

    assert counted(done) == {"create": 2}
    assert [row.row for row in await desk.rows(import_id)] == [2, 4]
    assert [lead["custom_fields"] for lead in await desk.leads()] == [{"seats": "12"}, {"seats": "3"}]


async def read_as(desk: Desk, import_id: UUID, sheet: str) -> ImportDetail:
    """Read another sheet of the file."""
    command = ReadFormat.model_validate({"sheet": sheet})
    return await uploads.read_as(desk.database, shared_sandbox(), desk.actor, import_id=import_id, command=command)


def with_a_broken_end(rows: int) -> bytes:
    """A workbook that ends in a row which nobody has: too many for a look at its beginning to see."""
    book = Workbook(write_only=True)
    page = book.create_sheet()
    page.append(["email"])
    for number in range(rows):
        page.append([f"lead{number}@acme.com"])
    page.append(["x"] * 1001)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def fine_but_for(end: bytes) -> bytes:
    """A file of 3,000 addresses, far longer than what is read of it at once, that ends in this."""
    return b"email,notes\n" + b"".join(b"lead%d@acme.com,%b\n" % (n, b"n" * 500) for n in range(3_000)) + end


FAULTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a cell of 500 kB": (lambda: fine_but_for(b'"' + b"x" * 500_000 + b'"\n'), "Row 3002 has a cell of more than"),
    "a quote that never ends": (lambda: fine_but_for(b'"' + b"x\n" * 100_000), "Look for a quotation mark"),
    "a thousand and one columns": (lambda: fine_but_for(b"," * 1000 + b"\n"), "Row 3002 has 1,001 columns"),
    "a line of 2 MB": (lambda: fine_but_for(b"x" * 2_000_000 + b"\n"), "A line has more than"),
    "bytes that are no UTF-16": (
        lambda: b"\xff\xfe" + ("email" * 50 + "\n").encode("utf-16-le") * 2_000 + b"\x00\xd8",
        "entirely utf-16",
    ),
    "a row of a workbook": (lambda: with_a_broken_end(500), "Row 502 has 1,001 columns"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_far_down_in_a_file_ends_its_preview_in_words(desk: Desk, name: str) -> None:
    build, told = FAULTS[name]
    import_id = await desk.upload(build())
    await desk.map(import_id, ["email", "ignore"][: len((await desk.get(import_id)).columns)])

    failed = await desk.preview(import_id)

    assert failed.status == "failed"
    assert told in (failed.error or "")
    with pytest.raises(ImportNotReady):
        await desk.ask_commit(import_id)
    assert await desk.leads() == []


async def test_files_and_rows_are_forgotten_when_their_time_is_over(desk: Desk) -> None:
    jobs = Jobs(desk.database, desk.actor.workspace_id)
    done = await desk.run(csv_of([["email"], ["ada@acme.com"]]))
    count = (
        "SELECT (SELECT count(*) FROM import_chunks WHERE import_id = :id) AS chunks,"
        " (SELECT count(*) FROM import_rows WHERE import_id = :id) AS rows"
    )
    age = "UPDATE imports SET updated_at = now() - make_interval(days => :days) WHERE id = :id"

    seen = []
    for days in (0, 2, 31):
        await jobs.change(age, id=done.id, days=days)
        while await retention.purge_expired(desk.database, days=30):
            pass
        seen.append(tuple((await jobs.rows(count, id=done.id))[0]))

    assert seen == [(1, 1), (0, 1), (0, 0)]
    assert (await desk.get(done.id)).status == "committed"
    assert len(await desk.leads()) == 1
