"""Workbooks go the same way as text, and imports whose time is over are forgotten."""

from leadflood.domains.imports.contracts import ReadAs
from leadflood.domains.imports.service import uploads
from leadflood.domains.imports.store import retention
from tests.support.desk import Desk, counted, csv_of, workbook
from tests.support.jobs import Jobs


async def test_a_sheet_of_a_workbook_becomes_leads(desk: Desk) -> None:
    import_id = await desk.upload(workbook(), "leads.xlsx")
    found = await desk.get(import_id)
    assert found.format is not None
    assert (found.format.kind, found.format.sheet, found.format.sheets) == ("xlsx", "Sheet", ["Sheet", "People"])

    command = ReadAs.model_validate({"sheet": "People"})
    read = await uploads.read_as(desk.database, desk.actor, import_id=import_id, command=command)
    assert [column.target for column in read.columns] == ["email", "custom:seats"]
    await desk.preview(import_id)
    done = await desk.commit(import_id)

    assert counted(done) == {"create": 2}
    assert [row.row for row in await desk.rows(import_id)] == [2, 4]
    assert [lead["custom_fields"] for lead in await desk.leads()] == [{"seats": "12"}, {"seats": "3"}]


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
        while await retention.forget(desk.database, days=30):
            pass
        seen.append(tuple((await jobs.rows(count, id=done.id))[0]))

    assert seen == [(1, 1), (0, 1), (0, 0)]
    assert (await desk.get(done.id)).status == "committed"
    assert len(await desk.leads()) == 1
