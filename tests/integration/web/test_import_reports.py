"""Reports of an import on its pages: notices, values left out, and rejected rows."""

from uuid import UUID

from tests.integration.web.conftest import House
from tests.support.desk import Desk, csv_of
from tests.support.web import Browser


async def previewed(desk: Desk, data: bytes) -> UUID:
    """A file with its preview."""
    import_id = await desk.upload(data)
    await desk.preview(import_id)
    return import_id


async def test_values_left_out_are_shown_with_their_rows(viewer: Browser, desk: Desk) -> None:
    rows = [
        ("email", "phone", "company"),
        ("ada@acme.com", "12", "Acme"),
        ("bob@acme.com", "n/a", "Acme"),
        ("eve@acme.com", "", ""),
    ]
    import_id = await previewed(desk, csv_of(rows))
    page = await viewer.get(f"/imports/{import_id}")
    assert "Phone Invalid 1" in page.text
    assert "Phone Placeholder, such as n/a 1" in page.text

    narrowed = await viewer.get(page.attribute('a[href*="values=left_out"]', "href") or "")

    assert narrowed.all("#rows .import__row") == ["ada@acme.com", "bob@acme.com"]
    assert "Phone “12”: This number" in narrowed.text or "Phone “12”: Include" in narrowed.text


async def test_a_rejected_row_is_named_by_its_address_or_name(viewer: Browser, desk: Desk) -> None:
    rows = [("anrede", "name", "email"), ("Frau", "Ada Lovelace", "ada@"), ("Herr", "Bob Roe", ""), ("Frau", "", "")]
    page = await viewer.get(f"/imports/{await previewed(desk, csv_of(rows))}?action=reject")

    assert page.all("#rows .import__row") == ["ada@", "Bob Roe", "No email"]


async def test_the_header_row_can_be_set(owner: Browser, desk: Desk) -> None:
    data = csv_of([("Leads of the fair",), ("Mail", "Who"), ("ada@acme.com", "Ada")])
    import_id = await desk.upload(data)
    page = await owner.get(f"/imports/{import_id}")
    assert "header in row 2" in page.text
    assert "The names of the columns are in row 2. Rows above it aren't imported." in page.text
    assert page.attribute("input[name=headerRow]", "value") == "2"

    form = {"encoding": "utf-8", "delimiter": ",", "header": "on", "headerRow": "1"}
    changed = await owner.post(f"/imports/{import_id}/format", form)
    assert "header in row 1" in changed.text
    wrong = await owner.post(f"/imports/{import_id}/format", {**form, "headerRow": "50"})
    assert "Choose another header row" in wrong.text


async def test_the_timeline_of_a_lead_names_its_import(owner: Browser, house: House, desk: Desk) -> None:
    known = await house.lead("ada@acme.com")
    done = await desk.run(csv_of([("email", "company"), ("ada@acme.com", "Acme"), ("bob@acme.com", "")]), source="fair")
    created = next(row.lead_id for row in await desk.rows(done.id) if row.email == "bob@acme.com")

    assert "Imported from leads.csv" in (await owner.get(f"/leads/{created}")).text
    assert "Updated Company from leads.csv" in (await owner.get(f"/leads/{known}")).text


async def test_the_same_person_in_two_rows_is_told_by_the_preview_and_the_result(owner: Browser, desk: Desk) -> None:
    rows = [
        ("email", "first name", "last name"),
        *((f"{local}@gmail.com", "Ada", "King") for local in ("a.king", "aking")),
    ]
    import_id = await previewed(desk, csv_of(rows))
    before = await owner.get(f"/imports/{import_id}")
    await desk.commit(import_id)
    after = await owner.get(f"/imports/{import_id}")

    for seen in (before, after):
        assert "rows 2 and 3 (a.king@gmail.com, aking@gmail.com)" in seen.all(".import__notices li")[0]
        assert seen.attribute(".import__notices a", "href") == "/duplicates"
