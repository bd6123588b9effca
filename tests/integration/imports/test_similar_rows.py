"""Rows of one file that are the same person under different emails are told, and imported."""

import pytest

from leadflood.domains.imports.service import similar_rows
from tests.support.desk import Desk, counted, csv_of

HEADER = ["email", "first name", "last name", "phone"]
ADA = ["ada.lovelace@gmail.com", "Ada", "Lovelace", "+44 7911 123456"]
AGAIN = ["adalovelace+fair@gmail.com", "Ada", "Lovelace", ""]
GRACE = ["grace@navy.mil", "Grace", "Hopper", ""]


async def test_the_preview_and_the_result_name_the_rows_and_none_is_rejected(desk: Desk) -> None:
    import_id = await desk.upload(csv_of([HEADER, ADA, GRACE, ADA, AGAIN]))
    columns = (await desk.get(import_id)).columns
    await desk.map(import_id, [column.target for column in columns])

    await desk.preview(import_id)
    again = await desk.preview(import_id)
    done = await desk.commit(import_id)

    (notice,) = again.notices
    assert notice.code == "same_person_in_file"
    assert "rows 2 and 5 (ada.lovelace@gmail.com, adalovelace+fair@gmail.com)" in notice.message
    assert done.notices == again.notices
    assert counted(done) == {"create": 3, "skip": 1}


async def test_a_file_without_such_rows_has_no_notice_any_more(desk: Desk) -> None:
    import_id = await desk.upload(csv_of([HEADER, ADA, AGAIN]))
    targets = [column.target for column in (await desk.get(import_id)).columns]
    await desk.map(import_id, targets)
    first = await desk.preview(import_id)
    await desk.map(import_id, ["email", "ignore", "ignore", "ignore"], mode="update_only")

    assert [len(found.notices) for found in (first, await desk.preview(import_id))] == [1, 0]


async def test_only_the_first_rows_of_a_long_file_are_compared(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar_rows, "MAX_COMPARED", 2)

    done = await desk.run(csv_of([HEADER, ADA, GRACE, AGAIN]), enrich=False)

    (notice,) = done.notices
    assert notice.message.startswith("Only the first 2 rows were compared")
