"""An export that is imported again changes nothing; in another workspace it makes the same leads."""

import io
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from openpyxl import load_workbook

from leadflood.domains.exports.adapters import xlsx_format
from leadflood.domains.exports.models import ExportFormat, HeaderStyle
from leadflood.domains.exports.permissions import LEADS_EXPORT
from leadflood.domains.fields import service as fields
from leadflood.domains.fields.contracts import CreateField
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.leads.service.found_values import set_found_values
from leadflood.domains.lists import service as lists
from leadflood.domains.lists.contracts import CreateList, OneList
from leadflood.domains.lists.permissions import LISTS_READ
from leadflood.domains.tags import service as tags
from leadflood.domains.tags.contracts import TagNames
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import RelatedField
from tests.conftest import new_workspace
from tests.integration.exports.desk import Desk
from tests.integration.exports.test_formats import HOSTILE, table
from tests.integration.imports.test_related import related
from tests.support.desk import Desk as ImportDesk
from tests.support.desk import counted
from tests.support.tenants import new_member

LABELS, NAMES = HeaderStyle.LABELS, HeaderStyle.NAMES
FIELDS: list[dict[str, Any]] = [
    {"label": "Notes", "type": "text"},
    {"label": "Budget", "type": "number"},
    {"label": "Founded", "type": "date"},
    {"label": "VIP", "type": "boolean"},
    {"label": "Plan", "type": "choice", "options": [{"label": "Pro; yearly", "value": "pro"}, "Free"]},
    {"label": "Offices", "type": "multi_choice", "options": ["Berlin, Mitte", "Paris", "x;=1+1;"]},
    {"label": "Profile", "type": "url"},
    {"label": "Introduced by", "type": "person"},
    # Labels that an import could take for something else.
    {"label": "Phone", "key": "second_phone", "type": "text"},
    {"label": "Assistant", "key": "assistant", "type": "text"},
    {"label": "Tags", "key": "old_tags", "type": "text"},
    {"label": "Lead ID", "key": "foreign_id", "type": "text"},
    {"label": "Linked company", "key": "old_company", "type": "text"},
    {"label": "=1+1", "key": "formula", "type": "text"},
    {"label": "Twice", "key": "twice_a", "type": "text"},
    {"label": "twice!", "key": "twice_b", "type": "text"},
    {"label": "Budget (custom.plan)", "key": "tricky", "type": "text"},
]
VALUES = {
    "notes": "Call:\n- first; =2+2\n\t@third",
    "budget": -1200.5,
    "founded": "1999-12-31",
    "vip": True,
    "plan": "pro",
    "offices": ["Berlin, Mitte", "x;=1+1;"],
    "profile": "https://acme.com/ada",
    "second_phone": "+491701234567",
    "assistant": "+491701234568",
    "old_tags": "vip",
    "old_company": "Acme",
    "foreign_id": "0197a3b0-7e4c-7cc3-98c8-2f1d5a7b9e10",
    "formula": "'=1",
    "twice_a": "a",
    "twice_b": "b",
    "tricky": "c",
    "undefined_Key": "d",
}
ADA = "ada@acme.com"
FOUND = {
    "first_name": "Bob 🦊",
    "last_name": "Found",
    "company": "=1+1; Acme",
    "job_title": "-VP, Sales",
    "phone": "+442079460958",
    "country": "GB",
    "website": "https://acme.com",
}
"""Found values of a lead with a last name of its own."""


def by_email(data: bytes) -> dict[str, dict[str, Any]]:
    """The rows of a CSV or NDJSON file."""
    rows = [json.loads(line) for line in data.splitlines()] if data.startswith(b"{") else table(data)
    return {row["email"]: row for row in rows}


async def define(desk: Desk) -> None:
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        for given in FIELDS:
            await fields.create_field(tx, desk.actor, command=CreateField.model_validate(given))


async def fill(desk: Desk) -> UUID:
    """Leads with a value in every field, tags, lists, and hostile text."""
    await define(desk)
    user = await new_member(desk.database, desk.actor.workspace_id, Role.MEMBER)
    ada = await desk.lead(
        ADA,
        firstName="Ada",
        lastName="Lovelace",
        company="Acme; =1+1",
        jobTitle="-VP, Sales",
        phone="+12015556773 ext. 312",
        website="https://www.linkedin.com/in/ada",
        country="GB",
        source="trade-show",
        ownerId=str(user),
        customFields={**VALUES, "introduced_by": str(user)},
    )
    bob = await desk.lead("bob@acme.com", lastName="Own")
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await set_found_values(tx, desk.actor, found={bob: FOUND})
    for number, text in enumerate(HOSTILE):
        await desk.lead(f"lead{number}@acme.com", company=text.replace("\n", " "), customFields={"notes": text})
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        names = TagNames(names=["VIP", "=1+1", 'Met "in; Berlin"'])
        await tags.add_tags(tx, desk.actor, lead_id=ada, command=names)
        for name in ("Berlin, 2026", "Guests"):
            made = await lists.create_list(tx, desk.actor, command=CreateList(name=name))
            await lists.add_lead(tx, desk.actor, lead_id=ada, command=OneList.model_validate({"listId": str(made.id)}))
    return user


@pytest.mark.parametrize("kind", [ExportFormat.CSV, ExportFormat.NDJSON])
async def test_files_have_found_values_only_with_the_column_that_names_them(desk: Desk, kind: ExportFormat) -> None:
    await fill(desk)
    names = ["email", "lastName", "company", "phone"]

    marked = by_email(await desk.stream(*names, "foundFields", kind=kind))
    plain = by_email(await desk.stream(*names, kind=kind))
    whole = by_email(await desk.stream(kind=kind))

    for bob in (marked["bob@acme.com"], whole["bob@acme.com"]):
        assert (bob["lastName"], bob["phone"], "Acme" in bob["company"]) == ("Own", "+442079460958", True)
        assert [name in bob["foundFields"] for name in ("company", "phone", "lastName")] == [True, True, False]
    assert not marked[ADA]["foundFields"]
    assert (plain["bob@acme.com"]["company"] or None, plain["bob@acme.com"]["phone"] or None) == (None, None)


async def test_importing_chosen_columns_writes_no_found_value(desk: Desk) -> None:
    await fill(desk)
    here = ImportDesk(desk.database, desk.registry, desk.actor)
    before = await here.leads()
    for headers in HeaderStyle:
        exported = await desk.stream("email", "firstName", "company", "foundFields", headers=headers)
        await here.run(exported, existing="overwrite")

    assert await here.leads() == before


@pytest.mark.parametrize("headers", HeaderStyle)
@pytest.mark.parametrize("kind", [ExportFormat.CSV, ExportFormat.XLSX])
async def test_importing_an_export_changes_nothing(desk: Desk, kind: ExportFormat, headers: HeaderStyle) -> None:
    await fill(desk)
    here = ImportDesk(desk.database, desk.registry, desk.actor)
    before, related_before = await here.leads(), await related(here)
    exported = await desk.stream("*", "enriched.*", kind=kind, headers=headers)

    again = await here.run(exported, existing="overwrite", enrich=False)

    assert (counted(again), again.errors) == ({"unchanged": len(HOSTILE) + 2}, {})
    assert await here.leads() == before
    assert await related(here) == related_before


async def test_an_export_makes_the_same_leads_elsewhere_with_tags_and_lists(desk: Desk) -> None:
    await fill(desk)
    here = ImportDesk(desk.database, desk.registry, desk.actor)
    elsewhere = ImportDesk(desk.database, desk.registry, (await _other(desk)).actor)

    done = await elsewhere.run(await desk.stream("*", headers=LABELS), enrich=False)

    assert counted(done) == {"create": len(HOSTILE) + 2}
    assert await related(elsewhere) == await related(here)


@pytest.mark.parametrize("headers", HeaderStyle)
async def test_each_column_of_an_export_goes_to_its_own_field(desk: Desk, headers: HeaderStyle) -> None:
    await fill(desk)
    here = ImportDesk(desk.database, desk.registry, desk.actor)

    found = await here.get(await here.upload(await desk.stream("*", "enriched.*", headers=headers)))

    custom = {column.target for column in found.columns if column.target.startswith("custom:")}
    assert custom == {f"custom:{given.get('key') or given['label'].lower().replace(' ', '_')}" for given in FIELDS} | {
        "custom:undefined_Key"
    }
    own = [column.target for column in found.columns if not column.target.startswith("custom:")]
    plain = ["email", "firstName", "lastName", "company", "jobTitle", "phone", "website", "country", "source", "stage"]
    assert sorted(name for name in own if name != "ignore") == sorted([*plain, "owner", "tags", "lists", "foundFields"])


@pytest.mark.parametrize("headers", HeaderStyle)
async def test_a_column_that_a_domain_adds_to_exports_is_not_imported(
    desk: Desk, headers: HeaderStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def load(_tx: Transaction, _actor: Actor, ids: Sequence[UUID]) -> dict[UUID, str]:
        return dict.fromkeys(ids, "high")

    related = RelatedField(
        name="fitScore", label="Fit score", load=load, schema=str, permission=LEADS_READ, names=lambda value: [value]
    )
    monkeypatch.setitem(LEAD_EXTENSIONS.fields, related.name, related)
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        command = CreateField.model_validate({"label": "Fit score", "key": "own_score", "type": "text"})
        await fields.create_field(tx, desk.actor, command=command)
    await desk.lead(ADA, customFields={"own_score": "low"})
    exported = await desk.stream("*", headers=headers)
    here = ImportDesk(desk.database, desk.registry, desk.actor)

    found = await here.get(await here.upload(exported))
    again = await here.run(exported, existing="overwrite", enrich=False)

    scores = {column.header: column.target for column in found.columns if "core" in column.header}
    qualified = "Fit score (custom.own_score)" if headers is LABELS else "custom.own_score"
    assert scores == {
        "Fit score" if headers is LABELS else "fitScore": "ignore",
        qualified: "custom:own_score",
    }
    assert counted(again) == {"unchanged": 1}


async def test_headers_are_labels_unless_names_are_wanted(desk: Desk) -> None:
    await fill(desk)

    for_people = table(await desk.stream("email", "owner", "custom.plan", "custom.second_phone", headers=LABELS))
    for_programs = table(await desk.stream("email", "ownerId", "custom.plan", headers=NAMES))

    assert list(for_people[0]) == ["Email", "Owner", "Plan", "Phone (custom.second_phone)"]
    assert list(for_programs[0]) == ["email", "ownerId", "custom.plan"]
    assert (for_people[-1]["Plan"], for_programs[-1]["custom.plan"]) == ("Pro; yearly", "pro")


async def test_phones_are_plain_owners_have_addresses_and_tags_and_lists_are_columns(desk: Desk) -> None:
    user = await fill(desk)
    await desk.lead("grace@acme.com", phone="+491701234567")
    (row,) = await desk.jobs.rows("SELECT email_norm FROM users WHERE id = :id", id=user)

    grace, *_, ada = table(await desk.stream("phone", "owner", "custom.introduced_by", "tags", "lists", headers=LABELS))

    assert grace["Phone"] == "+491701234567"
    assert ada["Phone"] == "+12015556773 ext. 312"
    assert (ada["Owner"], ada["Introduced by"]) == (row.email_norm, row.email_norm)
    assert ada["Tags"] == '\'=1+1; "Met ""in; Berlin"""; VIP'
    assert ada["Lists"] == '"Berlin, 2026"; Guests'


async def test_a_workbook_has_numbers_dates_and_texts_that_never_run(desk: Desk) -> None:
    await fill(desk)

    book = load_workbook(io.BytesIO(await desk.stream(kind=ExportFormat.XLSX, headers=LABELS)))

    (sheet,) = book.worksheets
    header, *found = sheet.iter_rows()
    by_email = {
        str(row[1].value): {str(head.value): cell for head, cell in zip(header, row, strict=True)} for row in found
    }
    ada = by_email[ADA]
    assert (ada["Budget"].value, ada["VIP"].value) == (-1200.5, True)
    assert ada["Founded"].value == datetime(1999, 12, 31)  # noqa: DTZ001  spreadsheets have no time zones
    assert isinstance(ada["Created (UTC)"].value, datetime)
    assert ada["Company"].value == "Acme; =1+1"
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert sheet.freeze_panes == "A2"


async def test_a_workbook_with_more_leads_than_a_sheet_has_rows_has_several_sheets(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_format, "MAX_ROWS", 3)
    for number in range(5):
        await desk.lead(f"lead{number}@acme.com")

    book = load_workbook(io.BytesIO(await desk.stream("email", kind=ExportFormat.XLSX)))

    assert {sheet.title: [row[0].value for row in sheet.iter_rows()] for sheet in book.worksheets} == {
        "Leads": ["email", "lead4@acme.com", "lead3@acme.com"],
        "Leads 2": ["email", "lead2@acme.com", "lead1@acme.com"],
        "Leads 3": ["email", "lead0@acme.com"],
    }


async def test_selected_leads_are_exported_and_no_others(desk: Desk) -> None:
    other = await _other(desk)
    theirs = await other.lead("theirs@acme.com")
    ids = [await desk.lead(f"lead{number}@acme.com", customFields={f"n{number}": "x"}) for number in range(4)]
    chosen = [ids[2], ids[0], ids[2], theirs]

    sent = table(await desk.stream("email", "custom.*", lead_ids=chosen))
    export_id, job_id = await desk.ask(leadIds=[str(id_) for id_ in chosen], columns=["email"])
    await desk.attempt(job_id)

    assert [row["email"] for row in sent] == ["lead2@acme.com", "lead0@acme.com"]
    assert list(sent[0]) == ["email", "custom.n0", "custom.n2"]
    view = await desk.get(export_id)
    assert (view.status, view.processed, view.lead_count) == ("ready", 2, 3)
    assert [row["email"] for row in table(await desk.file(export_id))] == ["lead2@acme.com", "lead0@acme.com"]
    (event,) = await desk.jobs.rows(
        "SELECT data FROM audit_events WHERE workspace_id = :id AND action = 'leads.exported'",
        id=desk.actor.workspace_id,
    )
    assert event.data["leadIds"] == [str(id_) for id_ in chosen]


async def _other(desk: Desk) -> Desk:
    return Desk(desk.database, desk.registry, type(desk.actor).cli(await new_workspace(desk.database)))


async def test_a_star_has_only_what_the_actor_may_read(desk: Desk) -> None:
    await fill(desk)
    actor = desk.actor
    poor = type(actor)(actor.kind, actor.workspace_id, frozenset({LEADS_EXPORT, LEADS_READ, LISTS_READ}))
    poorer = Desk(desk.database, desk.registry, poor)

    rows = table(await poorer.stream(filters=LeadFilter(q="lovelace")))

    assert "tags" not in rows[0]
    assert rows[0]["lists"] == '"Berlin, 2026"; Guests'
    assert rows[0]["custom.notes"]
