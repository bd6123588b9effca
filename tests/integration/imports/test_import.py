"""A file becomes leads: what is shown before is what is written, and once more changes nothing."""

from leadflood.domains.imports import store
from leadflood.domains.imports.models.states import RowAction
from leadflood.kernel.db.sql import sql
from tests.support.desk import Desk, counted, csv_of

HEADER = ["E-mail", "First name", "Last name", "Company", "Phone", "Country", "Plan"]
ADA = ["ada@acme.com", "Ada", "Lovelace", "Acme", "020 7946 0958", "GB", "pro"]
BOB = ["bob@acme.com", "Bob", "", "Acme", "", "", ""]


async def test_a_file_is_mapped_by_its_header_and_becomes_leads(desk: Desk) -> None:
    import_id = await desk.upload(csv_of([HEADER, ADA, BOB]))
    uploaded = await desk.get(import_id)

    assert [column.target for column in uploaded.columns] == [
        "email",
        "firstName",
        "lastName",
        "company",
        "phone",
        "country",
        "custom:plan",
    ]
    previewed = await desk.preview(import_id)
    assert previewed.status == "previewed"
    assert previewed.counts[RowAction.CREATE] == 2
    assert await desk.leads() == []

    committed = await desk.commit(import_id)
    assert committed.status == "committed"
    ada, bob = await desk.leads()
    assert (ada["email"], ada["phone"], ada["custom_fields"], ada["source"]) == (
        "ada@acme.com",
        "+442079460958",
        {"plan": "pro"},
        "import",
    )
    assert (bob["first_name"], bob["last_name"], bob["status"]) == ("Bob", None, "new")


async def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    await desk.run(csv_of([HEADER, ADA, BOB]))
    before = await desk.checksum()

    again = await desk.run(csv_of([HEADER, ADA, BOB]))

    assert counted(again) == {"unchanged": 2}
    assert await desk.checksum() == before


async def test_undo_brings_back_what_was(desk: Desk) -> None:
    await desk.lead(email="ada@acme.com", company="Acme")
    before = await desk.checksum()
    done = await desk.run(csv_of([HEADER, ADA, BOB]), existing="overwrite")
    assert (done.counts[RowAction.CREATE], done.counts[RowAction.UPDATE]) == (1, 1)
    assert await desk.checksum() != before

    undone = await desk.undo(done.id)

    assert (undone.status, undone.reverted, undone.kept_fields) == ("undone", 2, 0)
    assert (undone.progress.rows_done, undone.progress.rows_total) == (2, 2)
    assert await desk.checksum() == before


async def test_overwriting_changes_what_differs_field_by_field(desk: Desk) -> None:
    await desk.lead(
        email="ada@acme.com", firstName="Augusta", company="Acme", customFields={"plan": "free", "seats": 3}
    )

    done = await desk.run(csv_of([HEADER, ADA]), existing="overwrite", fields={"company": "keep"})

    (row,) = await desk.rows(done.id)
    assert row.action == "update"
    assert row.changes == {
        "firstName": ["Augusta", "Ada"],
        "lastName": [None, "Lovelace"],
        "phone": [None, "+442079460958"],
        "country": [None, "GB"],
        "customFields.plan": ["free", "pro"],
    }
    (ada,) = await desk.leads()
    assert (ada["first_name"], ada["custom_fields"]) == ("Ada", {"plan": "pro", "seats": 3})
    assert ada["search_text"] == "ada lovelace\nada@acme.com\nacme\n+442079460958\npro"


async def test_a_rate_counts_the_time_of_the_transaction_that_tells_it(desk: Desk) -> None:
    import_id = await desk.upload(csv_of([HEADER, ADA, BOB]))
    await desk.preview(import_id)

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(sql("SELECT pg_sleep(0.2)"))
        await store.set_size(tx, desk.actor.workspace_id, import_id, 100)

    assert 0 < ((await desk.get(import_id)).progress.rows_per_second or 0) <= 10


async def test_an_address_of_another_column_makes_the_lead_and_others_stay_custom_fields(desk: Desk) -> None:
    data = csv_of([["Email", "Private Email"], ["ada@acme.com", "home@ada.example"], ["n/a", "bob@acme.com"]])

    done = await desk.run(data, enrich=False)

    leads = {lead["email"]: lead["custom_fields"] for lead in await desk.leads()}
    assert leads == {"ada@acme.com": {"private_email": "home@ada.example"}, "bob@acme.com": {}}
    assert done.errors == {"/email other_column": 1}
    assert [column.target for column in done.columns] == ["email", "otherEmail:private_email"]


async def test_a_mapping_remembered_before_stays_as_it_was(desk: Desk) -> None:
    data = csv_of([["Email", "Email 2"], ["ada@acme.com", "home@ada.example"]])
    first = await desk.upload(data)
    await desk.map(first, ["email", "custom:email_2"])

    again = await desk.get(await desk.upload(data))

    assert [column.target for column in again.columns] == ["email", "custom:email_2"]
    assert "other_emails" not in {notice.code for notice in again.notices}
