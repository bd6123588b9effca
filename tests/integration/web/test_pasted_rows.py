"""Rows pasted on the upload page become an import."""

from uuid import UUID

import pytest

from leadflood.kernel.actor import Role
from tests.integration.web.conftest import House
from tests.support.desk import Desk


@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        ("ada@acme.com\r\ngrace@navy.example", ["email"]),
        ("Vorname\tE-Mail\tFirma\r\nZoë\tzoe@acme.com\tMüller & Söhne", ["firstName", "email", "company"]),
    ],
)
async def test_pasted_rows_are_imported_like_a_file(house: House, desk: Desk, rows: str, fields: list[str]) -> None:
    member = await house.signed_in(Role.MEMBER)
    await member.get("/imports/new")

    seen = await member.post("/imports/pasted", {"rows": rows})

    detail = await desk.get(UUID(str(seen.response.url).rpartition("/")[2]))
    assert detail.filename == "Pasted rows.csv"
    assert [column.target for column in detail.columns] == fields


async def test_pasted_nothing_is_refused_with_its_field(house: House) -> None:
    member = await house.signed_in(Role.MEMBER)
    await member.get("/imports/new")

    seen = await member.post("/imports/pasted", {"rows": " \n "})

    assert seen.response.status_code == 400
    assert "Paste at least one row." in seen.all("#paste[open]")[0]
