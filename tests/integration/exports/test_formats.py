"""Exports contain the stored values in each format, and can be imported unchanged."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arro3.io import read_parquet
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.exports.adapters.csv_format import _cell
from leadflood.domains.exports.errors import ExportTooLarge, TooManyColumns
from leadflood.domains.exports.models import ExportFormat, Selection
from leadflood.domains.exports.service import batches
from leadflood.domains.leads import queries as lead_queries
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.db.database import Database
from leadflood.kernel.formulas import restore
from leadflood.kernel.ids import new_id
from tests.conftest import new_workspace
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.integration.exports.desk import Desk
from tests.support.desk import Desk as ImportDesk
from tests.support.desk import counted

HOSTILE = (
    "=cmd|' /C calc'!A0",
    "'=1+1",
    "''already",
    "'",
    "+49 30 1234",
    "-2+3",
    "@SUM(A1)",
    "＝HYPERLINK(1)",  # a fullwidth sign, which spreadsheets take for the plain one
    'say "hi", they; said',
    "line one\nline two",
    "👩‍🚀 Ada",
    "שלום עולם",
    "محمد, علي",
    "tab here",
    "O'Brien",
)


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


async def new_hostile_leads(desk: Desk) -> None:
    for number, text in enumerate(HOSTILE):
        line = text.replace("\n", " ")
        await desk.lead(
            f"lead{number}@acme.com",
            firstName=line,
            company=line,
            customFields={"Note_1": text, "seats": -number, "ratio": 0.5, "vip": number % 2 == 0},
        )


async def test_no_cell_of_a_csv_runs_as_a_formula_and_each_is_restored_to_what_is_stored(desk: Desk) -> None:
    await new_hostile_leads(desk)

    rows = {row["email"]: row for row in table(await desk.stream())}

    assert len(rows) == len(HOSTILE)
    for number, text in enumerate(HOSTILE):
        row = rows[f"lead{number}@acme.com"]
        for cell in (row["firstName"], row["custom.Note_1"]):
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
        assert restore(row["firstName"]) == text.replace("\n", " ")
        assert restore(row["custom.Note_1"]) == text
        assert (row["custom.seats"], row["custom.ratio"], row["custom.vip"]) == (
            str(-number),
            "0.5",
            "true" if number % 2 == 0 else "false",
        )


async def test_a_csv_is_as_rfc_4180_wants_it_with_a_mark_for_spreadsheets_on_request(desk: Desk) -> None:
    await desk.lead("ada@acme.com", company='Acme "&" Sons, Ltd')

    plain = await desk.stream("email", "company")

    assert plain == b'email,company\r\nada@acme.com,"Acme ""&"" Sons, Ltd"\r\n'
    assert await desk.stream("email", "company", bom=True) == b"\xef\xbb\xbf" + plain


async def test_an_export_that_is_imported_again_changes_nothing_and_elsewhere_makes_the_same_leads(
    desk: Desk, database: Database
) -> None:
    await new_hostile_leads(desk)
    await desk.lead("grace@acme.com", phone="+493012345678", country="DE", website="acme.com", jobTitle="=Head")
    exported = await desk.stream("*", "enriched.*", bom=True)
    elsewhere = ImportDesk(database, desk.registry, type(desk.actor).cli(await new_workspace(database)))
    here = ImportDesk(database, desk.registry, desk.actor)

    again = await here.run(exported, existing="overwrite", enrich=False)
    copied = await elsewhere.run(exported, enrich=False)

    # Numbers and booleans of custom fields come back as text, which is all that CSV knows.
    assert (counted(again), again.errors) == ({"unchanged": len(HOSTILE) + 1}, {})
    assert (counted(copied), copied.errors) == ({"create": len(HOSTILE) + 1}, {})
    was, now = await here.leads(), await elsewhere.leads()
    for name in ("email", "first_name", "company", "job_title", "phone", "website", "country", "source"):
        assert [lead[name] for lead in now] == [lead[name] for lead in was]
    assert [lead["custom_fields"].get("Note_1") for lead in now] == [
        lead["custom_fields"].get("Note_1") for lead in was
    ]


async def test_each_line_of_ndjson_is_a_lead_as_the_api_shows_it(desk: Desk) -> None:
    await new_hostile_leads(desk)

    lines = [json.loads(line) for line in (await desk.stream(kind=ExportFormat.NDJSON)).splitlines()]

    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        page = await lead_queries.list_leads(tx, desk.actor, filters=LeadFilter(), limit=200)
    assert lines == [{**json.loads(lead.model_dump_json()), "foundFields": []} for lead in page.items]


async def test_ndjson_has_the_chosen_columns_only(desk: Desk) -> None:
    await desk.lead("ada@acme.com", customFields={"plan": "pro", "seats": 12})

    (line,) = (await desk.stream("email", "custom.seats", "enriched.is_free_mail", kind=ExportFormat.NDJSON)).split()

    assert json.loads(line) == {
        "email": "ada@acme.com",
        "customFields": {"seats": 12},
        "enriched": {"is_free_mail": None},
    }


async def test_parquet_has_types_and_all_texts_as_they_are(desk: Desk) -> None:
    await new_hostile_leads(desk)

    data = await desk.stream(kind=ExportFormat.PARQUET)

    read = read_parquet(data).read_all()
    columns: dict[str, list[Any]] = {name: list(read.column(name).to_pylist()) for name in read.column_names}
    by_email = dict(zip(columns["email"], columns["custom.Note_1"], strict=True))
    assert by_email == {f"lead{number}@acme.com": text for number, text in enumerate(HOSTILE)}
    assert set(columns["version"]) == {1}
    assert all(abs(datetime.now(UTC) - at) < timedelta(hours=1) for at in columns["createdAt"])
    assert set(columns["enrichedAt"]) == {None}
    assert set(columns["custom.ratio"]) == {"0.5"}


@pytest.mark.parametrize("kind", ExportFormat)
async def test_no_lead_is_no_fault(desk: Desk, kind: ExportFormat) -> None:
    data = await desk.stream("email", "custom.*", kind=kind)

    if kind is ExportFormat.PARQUET:
        assert read_parquet(data).read_all().num_rows == 0
    elif kind is ExportFormat.XLSX:
        assert [[cell.value for cell in row] for row in load_workbook(io.BytesIO(data)).worksheets[0]] == [["email"]]
    else:
        assert data == {"csv": b"email\r\n", "ndjson": b""}[kind.value]


async def test_what_enrichment_chose_goes_along_on_request(desk: Desk) -> None:
    bench = Bench(desk.database, desk.actor)
    made = await bench.create("ada@acme.com")
    losing = Scripted("losing", [[value(fields.COMPANY_DOMAIN, "acme.net", 0.2)]])
    winning = Scripted("winning", [[value(fields.COMPANY_DOMAIN, "acme.com", 0.9), value(fields.IS_FREE_MAIL, False)]])
    await bench.attempt(made.job_id, losing, winning)
    await desk.lead("grace@acme.com")

    rows = table(await desk.stream("email", "enriched.company_domain", "enriched.is_free_mail"))

    assert [tuple(row.values()) for row in rows] == [("grace@acme.com", "", ""), ("ada@acme.com", "acme.com", "false")]


async def test_a_walk_of_many_batches_meets_each_lead_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 3)
    monkeypatch.setattr(batches, "SCAN_BATCH", 4)
    wanted = [f"lead{number}@acme.com" for number in range(10)]
    for email in wanted:
        await desk.lead(email, customFields={email.partition("@")[0]: "x"})

    rows = table(await desk.stream())

    assert [row["email"] for row in rows] == wanted[::-1]
    assert [name for name in rows[0] if name.startswith("custom.")] == [f"custom.lead{number}" for number in range(10)]


async def test_a_lead_that_comes_in_meanwhile_is_not_met(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 1)
    for number in range(3):
        await desk.lead(f"lead{number}@acme.com")
    seen: list[str] = []

    walk = batches.batches(desk.database, desk.actor, selection=Selection(LeadFilter()), columns=["email"])
    async for records in walk:
        seen += [record.lead.email for record in records]
        await desk.lead(f"{new_id().hex}@acme.com")

    assert seen == ["lead2@acme.com", "lead1@acme.com", "lead0@acme.com"]


FILTERS = {
    "text": LeadFilter(q="lovel"),
    "beginning": LeadFilter(q="lo"),
    "status": LeadFilter(statuses=(LeadStatus.NEW,), q="ada"),
    "source": LeadFilter(sources=("form",)),
    "country": LeadFilter(countries=("GB", "FR")),
    "phone": LeadFilter(has_phone=True),
    "no phone": LeadFilter(has_phone=False),
    "unowned": LeadFilter(unowned=True, sources=("form",)),
    "owner": LeadFilter(owner_id=new_id()),
    "came in": LeadFilter(created_until=datetime(2020, 1, 1, tzinfo=UTC)),
    "changed": LeadFilter(updated_from=datetime(2020, 1, 1, tzinfo=UTC), countries=("GB",)),
}


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
async def test_the_leads_of_a_file_are_those_of_the_list(desk: Desk, filters: LeadFilter) -> None:
    await desk.lead("ada@acme.com", firstName="Ada", lastName="Lovelace", source="form", country="GB")
    await desk.lead("grace@acme.com", firstName="Grace", phone="+493012345678", country="DE")
    await desk.lead("jean@acme.fr", firstName="Jean", company="Lovel", country="FR")

    rows = table(await desk.stream("email", filters=filters))

    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        page = await lead_queries.list_leads(tx, desk.actor, filters=filters, limit=200)
    assert [row["email"] for row in rows] == [lead.email for lead in page.items]


async def test_leads_of_other_workspaces_and_deleted_ones_stay_at_home(desk: Desk, database: Database) -> None:
    other = Desk(database, desk.registry, type(desk.actor).cli(await new_workspace(database)))
    await other.lead("theirs@acme.com", firstName="Ada", customFields={"theirs": "x"})
    await desk.lead("ours@acme.com", firstName="Ada")

    for filters in (LeadFilter(), LeadFilter(q="ada")):
        (row,) = table(await desk.stream(filters=filters))
        assert row["email"] == "ours@acme.com"
        assert "custom.theirs" not in row


async def test_more_than_are_sent_at_once_are_refused_before_anything_is_sent(desk: Desk) -> None:
    for number in range(3):
        await desk.lead(f"lead{number}@acme.com")

    assert len(table(await desk.stream("email", max_count=3))) == 3
    with pytest.raises(ExportTooLarge, match="POST /v1/exports"):
        await desk.stream("email", max_count=2)
    assert len(table(await desk.stream("email", max_count=2, filters=LeadFilter(q="lead1")))) == 1


async def test_a_table_with_too_many_columns_is_refused_but_not_ndjson(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_COLUMNS", 18)
    await desk.lead("ada@acme.com", customFields={"a": "1", "b": "2"})

    with pytest.raises(TooManyColumns) as refused:
        await desk.stream()
    assert "ndjson" in refused.value.errors[0].message
    assert await desk.stream(kind=ExportFormat.NDJSON)


async def test_each_export_is_in_the_audit_log_with_what_was_asked_for(desk: Desk) -> None:
    await desk.lead("ada@acme.com")
    await desk.stream("email", filters=LeadFilter(q="ada", statuses=(LeadStatus.NEW,)))

    (row,) = await desk.jobs.rows(
        "SELECT data FROM audit_events WHERE workspace_id = :id AND action = 'leads.exported'",
        id=desk.actor.workspace_id,
    )

    assert row.data == {
        "format": "csv",
        "count": 1,
        "columns": ["email"],
        "filter": {
            "all": [
                {"field": "search", "operator": "matches", "value": "ada"},
                {"field": "status", "operator": "isAnyOf", "value": ["new"]},
            ]
        },
    }


@given(text=st.text())
def test_whatever_is_written_is_restored(text: str) -> None:
    assert restore(_cell(text)) == text
