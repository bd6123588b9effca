"""Modes, policies, duplicates, faults: each row does what it is told, and all of them add up."""

import csv
import io

import pytest

from leadflood.domains.imports import queries
from leadflood.domains.imports.errors import FileTooLarge, ImportNotFound, ImportNotReady
from leadflood.domains.imports.models.states import RowAction
from leadflood.domains.imports.service import uploads
from leadflood.domains.imports.service.rejected import rejected_file
from leadflood.domains.tags import queries as tags
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.ids import new_id
from tests.support.desk import Desk, counted, csv_of, pieces
from tests.support.sandbox import shared_sandbox

TARGETS = ["email", "company", "phone", "custom:plan"]
HEADER = ["email", "company", "phone", "plan"]


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("create_and_update", {"create": 1, "update": 1}),
        ("create_only", {"create": 1, "skip": 1}),
        ("update_only", {"update": 1, "skip": 1}),
    ],
)
async def test_a_mode_says_which_leads_may_be_touched(desk: Desk, mode: str, wanted: dict[str, int]) -> None:
    await desk.lead(email="ada@acme.com")

    done = await desk.run(
        csv_of([HEADER, ["ada@acme.com", "Acme", "", ""], ["bob@acme.com", "", "", ""]]), TARGETS, mode=mode
    )

    assert counted(done) == wanted
    assert len(await desk.leads()) == (1 if mode == "update_only" else 2)
    reasons = {row.reason for row in await desk.rows(done.id, RowAction.SKIP)}
    assert reasons == {"create_only": {"lead_exists"}, "update_only": {"no_such_lead"}}.get(mode, set())


@pytest.mark.parametrize(
    ("policy", "company", "plan", "phone", "kept"),
    [
        ("fill_empty", "Acme", "free", "+442079460958", 1),
        ("overwrite", "Other", "pro", "+442079460958", 0),
        ("keep", "Acme", "free", None, 1),
    ],
)
async def test_a_policy_says_what_a_value_does_to_a_field(
    desk: Desk, policy: str, company: str, plan: str, phone: str | None, kept: int
) -> None:
    await desk.lead(email="ada@acme.com", company="Acme", customFields={"plan": "free"})
    row = ["Ada@ACME.com", "Other", "+44 20 7946 0958", "pro"]

    done = await desk.run(csv_of([HEADER, row]), TARGETS, existing=policy)

    (lead,) = await desk.leads()
    assert (lead["company"], lead["custom_fields"], lead["phone"]) == (company, {"plan": plan}, phone)
    assert lead["email"] == "ada@acme.com"
    assert done.fields["company"].skipped == kept


async def test_an_empty_cell_changes_nothing(desk: Desk) -> None:
    await desk.lead(email="ada@acme.com", company="Acme", customFields={"plan": "free"})

    done = await desk.run(csv_of([HEADER, ["ada@acme.com", "", " ", ""]]), TARGETS, existing="overwrite")

    assert counted(done) == {"unchanged": 1}


@pytest.mark.parametrize(("duplicates", "company"), [("first", "One"), ("last", "Three")])
async def test_of_several_rows_with_an_address_one_counts(desk: Desk, duplicates: str, company: str) -> None:
    rows = [["ada@acme.com", name, "", ""] for name in ("One", "Two", "Three")]
    rows.insert(1, ["bob@acme.com", "", "", ""])

    done = await desk.run(csv_of([HEADER, *rows]), TARGETS, duplicates=duplicates)

    assert counted(done) == {"create": 2, "skip": 2}
    assert [lead["company"] for lead in await desk.leads()] == [company, None]
    rows_left_out = await desk.rows(done.id, RowAction.SKIP)
    assert {(row.reason, row.duplicate_of) for row in rows_left_out} == {
        ("duplicate_in_file", 2 if duplicates == "first" else 5)
    }


@pytest.mark.parametrize("duplicates", ["first", "last"])
async def test_duplicates_are_found_over_batches_too(
    desk: Desk, duplicates: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadflood.domains.imports.service.sandboxed_parser.BATCH", 2)
    rows = [[f"lead{number % 3}@acme.com", f"Company {number}", "", ""] for number in range(9)]

    done = await desk.run(csv_of([HEADER, *rows]), TARGETS, duplicates=duplicates)

    assert counted(done) == {"create": 3, "skip": 6}
    first = 0 if duplicates == "first" else 6
    assert [lead["company"] for lead in await desk.leads()] == [f"Company {first + item}" for item in range(3)]


FULL = ["email", "firstName", "company", "phone", "source", "custom:plan", "custom:seats", "tags"]
FULL_HEADER = ["email", "first", "company", "phone", "source", "plan", "seats", "tags"]
SAME_PERSON = [
    ["ada@acme.com", "", "Acme", "", "", "free", "", "one"],
    ["bob@acme.com", "Bob", "", "", "", "", "", ""],
    ["ADA@acme.com", "Ada", "Other", "", "webinar", "pro", "5", "two"],
    ["Ada <ada@acme.com>", "Eve", "", "+44 20 7946 0958", "fair", "", "6", ""],
]
"""Three rows of one person: each says something that those before it leave empty, and some things that differ."""


@pytest.mark.parametrize("batch", [1, 2, 100])
@pytest.mark.parametrize("exists", [False, True])
async def test_rows_of_one_person_are_combined_and_what_is_not_used_is_reported(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, batch: int, *, exists: bool
) -> None:
    monkeypatch.setattr("leadflood.domains.imports.service.sandboxed_parser.BATCH", batch)
    if exists:
        await desk.lead(email="ada@acme.com", company="Acme", source="api")

    done = await desk.run(csv_of([FULL_HEADER, *SAME_PERSON]), FULL, source="list")

    assert counted(done) == ({"create": 1, "update": 1, "skip": 2} if exists else {"create": 2, "skip": 2})
    ada = next(lead for lead in await desk.leads() if lead["email"].lower() == "ada@acme.com")
    assert (ada["first_name"], ada["company"], ada["phone"]) == ("Ada", "Acme", "+442079460958")
    assert ada["source"] == ("api" if exists else "webinar")
    assert ada["custom_fields"] == {"plan": "free", "seats": "5"}
    rows = await desk.rows(done.id, RowAction.SKIP)
    assert [(row.row, row.reason, row.duplicate_of) for row in rows] == [
        (4, "combined_in_file", 2),
        (5, "combined_in_file", 2),
    ]
    not_used = [{(fault.field, fault.code, fault.value) for fault in row.errors} for row in rows]
    assert not_used == [
        {("/company", "differs_in_file", "Other"), ("/customFields/plan", "differs_in_file", "pro")},
        {
            ("/firstName", "differs_in_file", "Eve"),
            ("/source", "differs_in_file", "fair"),
            ("/customFields/seats", "differs_in_file", "6"),
        },
    ]
    assert done.errors["/customFields/seats differs_in_file"] == 1
    assert done.fields.get("company") is None
    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        named = await tags.tags_of_leads(tx, desk.actor, [ada["id"]])
    assert [tag.name for tag in named[ada["id"]]] == ["one", "two"]


async def test_a_combined_row_counts_what_it_changes_and_keeps_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadflood.domains.imports.service.sandboxed_parser.BATCH", 1)
    await desk.lead(email="ada@acme.com", company="Acme")
    rows = [["Other", "", ""], ["", "+44 20 7946 0958", ""], ["", "", "pro"]]

    done = await desk.run(csv_of([HEADER, *(["ada@acme.com", *row] for row in rows)]), TARGETS)

    assert counted(done) == {"update": 1, "skip": 2}
    assert {name: (field.changed, field.skipped) for name, field in done.fields.items()} == {
        "company": (0, 1),
        "phone": (1, 0),
        "customFields": (1, 0),
    }


@pytest.mark.parametrize("invalid", ["drop", "reject"])
async def test_custom_fields_that_are_too_many_do_not_cost_the_other_values(desk: Desk, invalid: str) -> None:
    await desk.lead(email="ada@acme.com", customFields={f"field{number}": "x" for number in range(50)})
    row = ["ada@acme.com", "Acme", "", "pro"]

    done = await desk.run(csv_of([HEADER, row]), TARGETS, invalid=invalid)

    assert counted(done) == ({"update": 1} if invalid == "drop" else {"reject": 1})
    assert done.errors == {"/customFields too_long": 1}
    assert [lead["company"] for lead in await desk.leads()] == ["Acme" if invalid == "drop" else None]
    file = await rejected_file(desk.database, desk.actor, import_id=done.id)
    table = list(csv.reader(io.StringIO(b"".join([piece async for piece in file.pieces]).decode("utf-8-sig"))))
    assert [cells[:4] for cells in table[1:]] == ([] if invalid == "drop" else [row])


async def test_reported_rows_come_back_in_the_file_of_rejected_rows(desk: Desk) -> None:
    rows = [["ada@acme.com", "Acme", "", ""], ["ada@acme.com", "Other", "", "pro"]]

    done = await desk.run(csv_of([HEADER, *rows]), TARGETS, duplicates="report")

    assert counted(done) == {"create": 1, "reject": 1}
    assert done.errors == {"/email duplicate_in_file": 1}
    file = await rejected_file(desk.database, desk.actor, import_id=done.id)
    table = list(csv.reader(io.StringIO(b"".join([piece async for piece in file.pieces]).decode("utf-8-sig"))))
    assert table[1] == ["ada@acme.com", "Other", "", "pro", "Email: Row 2 has the same email."]


async def test_rejected_rows_come_back_as_a_file_that_imports_once_corrected(desk: Desk) -> None:
    rows = [
        ["ada@acme.com", "=cmd|' /C calc'!A0", "12", "pro"],
        ["nobody", "Acme", "", ""],
        ["bob@acme.com", "B", "", ""],
    ]
    done = await desk.run(csv_of([HEADER, *rows]), TARGETS, invalid="reject")
    assert counted(done) == {"create": 1, "reject": 2}
    assert done.errors == {"/phone invalid_format": 1, "/email invalid_format": 1}

    file = await rejected_file(desk.database, desk.actor, import_id=done.id)
    data = b"".join([piece async for piece in file.pieces])
    assert file.filename == "leads-rejected.csv"

    table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert table[0] == [*HEADER, "leadflood_error"]
    assert table[1][:2] == ["ada@acme.com", "'=cmd|' /C calc'!A0"]
    assert table[1][-1].startswith("Phone: ")
    corrected = data.replace(b",12,", b",,").replace(b"nobody", b"eve@acme.com")
    again = await desk.run(corrected)
    assert counted(again) == {"create": 2}
    assert (await desk.leads())[0]["company"] == "=cmd|' /C calc'!A0"


async def test_the_mapping_is_kept_for_the_next_file_with_the_same_columns(desk: Desk) -> None:
    await desk.run(
        csv_of([HEADER, ["ada@acme.com", "", "", ""]]), ["email", "ignore", "phone", "custom:tier"], mode="create_only"
    )

    found = await desk.get(await desk.upload(csv_of([["EMAIL", *HEADER[1:]], ["b@acme.com", "", "", "x"]])))

    assert [column.target for column in found.columns] == ["email", "ignore", "phone", "custom:tier"]
    assert found.options.mode == "create_only"


async def test_a_mapping_needs_the_address_and_each_target_once(desk: Desk) -> None:
    import_id = await desk.upload(csv_of([HEADER, ["ada@acme.com", "", "", ""]]))

    with pytest.raises(InvalidInput) as refused:
        await desk.map(import_id, ["company", "company", "phone"])

    assert {error.code for error in refused.value.errors} == {"invalid_format", "required", "duplicate"}


async def test_a_file_that_is_declared_too_large_is_refused_before_it_is_sent(desk: Desk) -> None:
    with pytest.raises(FileTooLarge):
        await uploads.upload(
            desk.database,
            shared_sandbox(),
            desk.actor,
            filename="x",
            stream=pieces(b""),
            declared=10 * 1024**3,
            limit=2 * 1024**3,
            quota=10 * 1024**3,
        )


async def test_what_ends_an_upload_leaves_nothing_behind(desk: Desk) -> None:
    with pytest.raises(FileTooLarge):
        await desk.upload(b"email\n" + b"x" * 3_000_000, limit=2_000_000)

    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        assert (await queries.list_imports(tx, desk.actor, limit=10)).items == []


async def test_another_workspace_sees_nothing_of_it(desk: Desk) -> None:
    with pytest.raises(ImportNotFound):
        await desk.get(new_id())


async def test_nothing_is_committed_that_was_not_previewed(desk: Desk) -> None:
    import_id = await desk.upload(csv_of([HEADER, ["ada@acme.com", "", "", ""]]))

    with pytest.raises(ImportNotReady):
        await desk.commit(import_id)
