"""Imports on pages: a file is mapped, previewed, imported and undone; and who may do what."""

import csv
import io
from uuid import UUID

from leadflood.domains.imports.contracts import ImportDetail
from leadflood.domains.imports.models.format import MAX_COLUMNS
from leadflood.domains.imports.models.states import RowAction
from leadflood.domains.imports.service import lifecycle
from leadflood.kernel.actor import Role
from leadflood.kernel.db.sql import sql
from tests.integration.web.conftest import House, NewHouse
from tests.integration.web.people import audited
from tests.support.desk import Desk, csv_of, workbook
from tests.support.web import Browser, Seen

FILE = csv_of(
    [
        ("E-Mail", "Vorname", "Firma", "Opt-out", "Plan <b>"),
        ("ada@acme.com", "Ada", "Acme", "yes", "pro"),
        ("grace@navy.example", "Grace <script>alert(1)</script>", "Navy", "", "=1+1"),
        ("nobody", "No", "", "", ""),
    ]
)
STATE = "#import-status"

_FORGET_CHANGES = sql("UPDATE lead_changesets SET forgotten_at = now() WHERE workspace_id = :workspace_id")
_FORGET_ROWS = sql("DELETE FROM import_rows WHERE workspace_id = :workspace_id")
ACTIONS = ("commits", "pauses", "cancellations", "undos", "deletions", "previews", "format")


async def worked(desk: Desk, import_id: UUID) -> ImportDetail:
    """Let a worker do the step that was asked for."""
    job_id = (await desk.get(import_id)).job_id
    assert job_id
    await desk.attempt(job_id)
    return await desk.get(import_id)


async def previewed(desk: Desk, data: bytes = FILE, **options: str) -> UUID:
    """A file with its preview."""
    import_id = await desk.upload(data)
    await desk.map(import_id, [column.target for column in (await desk.get(import_id)).columns], **options)
    await desk.preview(import_id)
    return import_id


def form_of(seen: Seen) -> dict[str, str]:
    """Data of the mapping form as shown."""
    fields: dict[str, str] = {}
    for node in seen.html.css("form.import__mapping select"):
        chosen = node.css_first("option[selected]") or node.css_first("option")
        assert chosen
        fields[node.attributes["name"] or ""] = chosen.attributes["value"] or ""
    for node in seen.html.css("form.import__mapping input"):
        if node.attributes.get("type") not in ("radio", "checkbox") or "checked" in node.attributes:
            fields[node.attributes["name"] or ""] = node.attributes["value"] or ""
    return fields


async def test_a_file_is_mapped_and_its_preview_tells_what_each_row_would_do(
    house: House, owner: Browser, desk: Desk
) -> None:
    await house.lead("ada@acme.com", firstName="Augusta")
    import_id = await desk.upload(FILE, "Messe.csv")
    mapping = await owner.get(f"/imports/{import_id}")
    fields = form_of(mapping)
    assert (fields["targets.0"], fields["targets.1"], fields["targets.2"]) == ("email", "firstName", "company")
    assert (fields["targets.3"], fields["targets.4"], fields["keys.4"]) == ("ignore", "custom", "plan_b")
    assert "Consent column: not imported." in mapping.text

    asked = await owner.post(f"/imports/{import_id}/previews", {**fields, "existing": "overwrite", "keys.4": "plan"})
    assert (asked.path, asked.all(STATE)) == (f"/imports/{import_id}", ["Checking"])
    await worked(desk, import_id)

    preview = await owner.get(f"/imports/{import_id}")
    assert "1 lead will be created, 1 will be updated." in preview.text
    assert "Augusta Ada" in preview.text
    assert "Grace <script>alert(1)</script>" in preview.text
    assert not preview.html.css("main script")
    assert "nobody Rejected Email “nobody”: Enter a valid email address." in preview.text
    filters = await owner.get(preview.attribute('a.stat[href$="action=update"]', "href") or "")
    assert len(filters.all("#import-state [data-row]")) == 1
    assert filters.attribute("a.stat[aria-current]", "href") == f"/imports/{import_id}"


async def test_what_was_imported_is_found_and_taken_back_except_what_was_edited_since(
    house: House, owner: Browser, desk: Desk
) -> None:
    known = await house.lead("ada@acme.com", firstName="Augusta")
    import_id = await previewed(desk, existing="overwrite")
    await owner.get(f"/imports/{import_id}")
    assert (await owner.post(f"/imports/{import_id}/commits")).all(STATE) == ["Importing"]
    await worked(desk, import_id)
    done = await owner.get(f"/imports/{import_id}")
    assert "1 created, 1 updated." in done.text
    assert done.all('#import-state a[href^="/leads?filter="]') == ["View 2 leads"]
    found = await owner.get(done.attribute('#import-state a[href^="/leads?filter="]', "href") or "")
    assert sorted(found.all("main [data-row] [data-open]")) == ["Ada", "Grace <script>alert(1)</script>"]
    assert [item.subject_id for item in await audited(house, "import.committed")] == [import_id]

    await owner.post(f"/leads/{known}", {"version": "2", "company": "Acme Ltd"})
    assert "1 new lead is deleted" in (await owner.get(f"/imports/{import_id}")).text
    undone = await owner.post(f"/imports/{import_id}/undos")
    assert undone.all(STATE) in (["Undone"], ["Undoing"])
    assert "ada@acme.com Edited since: Company" in (await owner.get(f"/imports/{import_id}")).text
    assert [lead["company"] for lead in await desk.leads()] == ["Acme Ltd"]
    assert [lead["first_name"] for lead in await desk.leads()] == ["Augusta"]
    assert [item.subject_id for item in await audited(house, "import.undone")] == [import_id]
    told = await owner.get("/settings/audit")
    assert "imported leads.csv (2 leads)" in told.text
    assert "undid the import of leads.csv" in told.text


async def test_faults_of_the_mapping_are_told_at_their_columns_and_what_was_chosen_stays(
    owner: Browser, desk: Desk
) -> None:
    import_id = await desk.upload(FILE)
    fields = form_of(await owner.get(f"/imports/{import_id}"))

    wrong = await owner.post(
        f"/imports/{import_id}/previews",
        {**fields, "targets.0": "ignore", "targets.1": "company", "targets.4": "custom", "source": "fair"},
    )
    assert wrong.status == 400
    assert "Map one column to email" in " ".join(wrong.all("#f-targets > .field__error"))
    assert wrong.all("#column-2 .field__error") == ["Map each target to one column only."]
    assert wrong.attribute("#column-0 option[selected]", "value") == "ignore"
    assert (wrong.all("#column-0 .badge"), wrong.all("#column-2 .badge")) == ([], ["High"])
    assert wrong.attribute("#f-source", "value") == "fair"
    assert (await desk.get(import_id)).columns[0].target == "email"
    assert wrong.path == f"/imports/{import_id}/previews"
    assert (await owner.get(wrong.path)).path == f"/imports/{import_id}"

    permission = {**fields, "targets.3": "custom", "keys.3": "optOut", "targets.4": "custom", "keys.4": "1 + 1"}
    refused = await owner.post(f"/imports/{import_id}/previews", permission)
    assert "Imports never change opt-out or consent data." in " ".join(refused.all("#column-3 .field__error"))
    assert refused.all("#column-4 .field__error") != []
    assert (await desk.get(import_id)).status == "uploaded"


async def test_every_choice_of_the_form_reaches_the_import(house: House, owner: Browser, desk: Desk) -> None:
    member, _ = await house.member(Role.MEMBER)
    import_id = await desk.upload(FILE)
    fields = form_of(await owner.get(f"/imports/{import_id}"))
    fields.pop("enrich")
    chosen = {
        "mode": "update_only",
        "existing": "keep",
        "fields.company": "overwrite",
        "duplicates": "last",
        "invalid": "drop",
        "source": "fair",
        "ownerId": str(member),
        "country": "DE",
    }
    await owner.post(f"/imports/{import_id}/previews", {**fields, **chosen})

    options = (await desk.get(import_id)).options
    assert options.model_dump(mode="json", by_alias=True) == {
        **{name: value for name, value in chosen.items() if name != "fields.company"},
        "fields": {"company": "overwrite"},
        "enrich": False,
        "tags": [],
        "lists": [],
    }
    await worked(desk, import_id)
    again = form_of(await owner.get(f"/imports/{import_id}?step=mapping"))
    assert {name: again[name] for name in chosen} == chosen
    assert "enrich" not in again


async def test_a_file_is_read_in_another_way_and_its_columns_guessed_anew(owner: Browser, desk: Desk) -> None:
    import_id = await desk.upload("mail;Ort\nada@acme.com;Köln\n".encode("windows-1250"))
    await owner.get(f"/imports/{import_id}")
    again = await owner.post(f"/imports/{import_id}/format", {"encoding": "mac-roman", "delimiter": "\t"})

    found = await desk.get(import_id)
    assert found.format is not None
    assert (found.format.encoding, found.format.delimiter, found.format.header) == ("mac-roman", "\t", False)
    assert again.all(".import__columns tbody th") == ["Column 1"]
    assert "Format updated." in again.text


async def test_of_a_workbook_another_sheet_is_chosen(owner: Browser, desk: Desk) -> None:
    import_id = await desk.upload(workbook(), "leads.xlsx")
    seen = await owner.get(f"/imports/{import_id}")
    assert seen.all("#format-f-sheet option") == ["Sheet", "People"]

    again = await owner.post(f"/imports/{import_id}/format", {"sheet": "People", "header": "on"})
    assert again.all(".import__columns tbody th") == ["Email", "Seats"]
    refused = await owner.post(f"/imports/{import_id}/format", {"sheet": "Secret", "header": "on"})
    assert "Sheets in this file: Sheet, People." in refused.text


async def test_once_its_time_is_over_an_import_offers_no_undo_and_says_what_is_not_kept(
    house: House, owner: Browser, desk: Desk
) -> None:
    import_id = await previewed(desk)
    await desk.commit(import_id)
    async with desk.database.system() as tx:
        for statement in (_FORGET_CHANGES, _FORGET_ROWS):
            await tx.execute(statement, {"workspace_id": house.workspace_id})
    seen = await owner.get(f"/imports/{import_id}")

    assert "The undo period has ended." in seen.text
    assert "Row history has been deleted" in seen.text
    assert not seen.html.css('form[action$="undos"]')


async def test_a_file_with_as_many_columns_as_there_may_be_can_be_mapped(owner: Browser, desk: Desk) -> None:
    names = ["email", *(f"column {number}" for number in range(MAX_COLUMNS - 1))]
    import_id = await desk.upload(csv_of([names, ["ada@acme.com", *["x"] * (MAX_COLUMNS - 1)]]))
    seen = await owner.get(f"/imports/{import_id}")

    asked = await owner.post(f"/imports/{import_id}/previews", form_of(seen))

    assert asked.all(STATE) == ["Checking"]
    assert (await worked(desk, import_id)).counts[RowAction.CREATE] == 1


async def test_what_is_filled_in_is_not_live_and_where_the_import_stands_is(owner: Browser, desk: Desk) -> None:
    import_id = await desk.upload(FILE)
    before = await owner.get(f"/imports/{import_id}", hx_request="true", x_live="poll")
    await desk.map(import_id, [column.target for column in (await desk.get(import_id)).columns])
    await desk.preview(import_id)
    after = await owner.get(f"/imports/{import_id}", hx_request="true", x_live="poll")

    assert before.html.css_first("#import-state")
    assert not before.html.css("select")
    assert after.html.css_first("#import-state .import__step")
    assert after.all(STATE) == ["Preview ready"]


async def test_a_preview_that_changes_nothing_says_so_and_offers_no_import(
    house: House, owner: Browser, desk: Desk
) -> None:
    import_id = await previewed(desk, csv_of([("email", "name"), ("", "Nobody")]))
    seen = await owner.get(f"/imports/{import_id}")

    assert "Nothing to import." in seen.text
    assert not seen.html.css('form[action$="commits"]')


async def test_many_rows_are_shown_page_by_page(viewer: Browser, desk: Desk) -> None:
    import_id = await previewed(desk, csv_of([("email",), *((f"p{number}@acme.com",) for number in range(60))]))
    first = await viewer.get(f"/imports/{import_id}?action=create")
    second = await viewer.get(first.attribute('#rows a[href*="after="]', "href") or "")

    shown = [page.all("#rows .import__row") for page in (first, second)]
    assert [len(item) for item in shown] == [50, 10]
    assert len({*shown[0], *shown[1]}) == 60
    assert second.all("a.stat[aria-current] .stat__label") == ["New"]


async def test_rejected_rows_are_given_back_as_a_file(viewer: Browser, desk: Desk) -> None:
    import_id = await previewed(desk)
    page = await viewer.get(f"/imports/{import_id}")
    file = await viewer.get(page.attribute("#import-state a[download]", "href") or "")

    rows = list(csv.DictReader(io.StringIO(file.response.content.decode("utf-8-sig"), newline="")))
    assert [(row["E-Mail"], row["Vorname"]) for row in rows] == [("nobody", "No")]
    assert rows[0]["leadflood_error"].startswith("Email: ")
    assert file.response.headers["Content-Disposition"] == 'attachment; filename="leads-rejected.csv"'


async def test_a_commit_is_paused_gone_on_with_and_stopped(house: House, owner: Browser, desk: Desk) -> None:
    import_id = await previewed(desk)
    await owner.get(f"/imports/{import_id}")
    await owner.post(f"/imports/{import_id}/commits")

    paused = await owner.post(f"/imports/{import_id}/pauses")
    assert paused.all(STATE) == ["Paused"]
    assert "Resume" in paused.text
    assert (await owner.post(f"/imports/{import_id}/commits")).all(STATE) == ["Importing"]
    stopped = await owner.post(f"/imports/{import_id}/cancellations")
    assert stopped.all(STATE) == ["Canceled"]
    assert "Canceled after 0 leads." in stopped.text
    assert stopped.html.css_first('form[action$="undos"]')
    for action in ("import.paused", "import.cancelled"):
        assert [item.subject_id for item in await audited(house, action)] == [import_id]


async def test_reading_is_stopped_and_begun_again_with_another_mapping(owner: Browser, desk: Desk) -> None:
    import_id = await desk.upload(FILE)
    fields = form_of(await owner.get(f"/imports/{import_id}"))
    await owner.post(f"/imports/{import_id}/previews", fields)

    stopped = await owner.post(f"/imports/{import_id}/cancellations")
    assert "Canceled. No leads were changed." in stopped.text
    mapping = await owner.get(stopped.attribute('#import-state a[href$="step=mapping"]', "href") or "")
    assert form_of(mapping)["targets.0"] == "email"


async def test_what_failed_says_why_and_is_tried_again(owner: Browser, desk: Desk) -> None:
    import_id = await desk.upload(b"email\n" + b"a@b.example\n" * 200 + b'"' + b"x" * 1_100_000)
    await desk.map(import_id, ["email"])
    assert (await desk.preview(import_id)).status == "failed"
    seen = await owner.get(f"/imports/{import_id}")

    assert seen.all(STATE) == ["Failed"]
    assert "1,048,576 characters" in seen.text
    assert seen.html.css_first('#import-state a[href$="step=mapping"]')


async def test_an_import_is_deleted_and_its_leads_stay(house: House, owner: Browser, desk: Desk) -> None:
    import_id = await previewed(desk)
    await desk.commit(import_id)
    await owner.get(f"/imports/{import_id}")
    deleted = await owner.post(f"/imports/{import_id}/deletions")

    assert (deleted.path, "Import record deleted." in deleted.text) == ("/imports", True)
    assert (await owner.get(f"/imports/{import_id}")).status == 404
    assert len(await desk.leads()) == 2
    assert [item.subject_id for item in await audited(house, "import.deleted")] == [import_id]
    told = await owner.get("/settings/audit")
    assert "deleted the import record of leads.csv" in told.text
    assert not told.html.css(f'a[href="/imports/{import_id}"]')


async def test_a_step_that_is_over_by_now_is_told_on_the_page_as_it_is(owner: Browser, desk: Desk) -> None:
    import_id = await previewed(desk)
    await owner.get(f"/imports/{import_id}")
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await lifecycle.commit_import(tx, desk.actor, import_id=import_id, trace={})

    for action in ("previews", "format", "deletions"):
        late = await owner.post(f"/imports/{import_id}/{action}", {"targets.0": "email"})
        assert late.path == f"/imports/{import_id}"
        assert late.all("#toasts .toast") != [], action
    assert (await desk.get(import_id)).status == "committing"


async def test_the_list_tells_how_far_each_is(house: House, owner: Browser, desk: Desk) -> None:
    assert "No imports yet" in (await owner.get("/imports")).text
    await desk.upload(FILE, "first <i>.csv")
    second = await previewed(desk)
    seen = await owner.get("/imports")

    assert seen.all("#imports-list .row-link") == ["leads.csv", "first <i>.csv"]
    assert "2 new · 1 rejected" in seen.text
    assert "Ready to map" in seen.text
    assert (await owner.get(seen.attribute("#imports-list [data-open]", "href") or "")).path == f"/imports/{second}"


async def test_the_list_of_leads_the_palette_and_the_first_page_lead_to_imports(
    owner: Browser, viewer: Browser, house: House
) -> None:
    leads = await owner.get("/leads")
    assert leads.attribute(".page__actions a[href^='/imports']", "href") == "/imports/new"
    assert leads.attribute(".empty a", "href") == "/imports/new"
    assert (await viewer.get("/leads")).attribute(".page__actions a[href^='/imports']", "href") == "/imports"
    found = await owner.part("/palette?q=csv", "palette-list")
    assert found.html.css_first('a[href="/imports/new"]')


async def test_who_may_only_look_sees_every_step_and_no_button(house: House, viewer: Browser, desk: Desk) -> None:
    uploaded, preview = await desk.upload(FILE), await previewed(desk)
    await viewer.get("/leads")

    for import_id in (uploaded, preview):
        seen = await viewer.get(f"/imports/{import_id}")
        assert seen.status == 200
        assert "ada@acme.com" in seen.text
        assert not seen.html.css("main button, main select, main form input")
        for action in ACTIONS:
            assert (await viewer.post(f"/imports/{import_id}/{action}")).status == 403
    assert (await viewer.get("/imports/new")).status == 403
    assert not (await viewer.get("/imports")).html.css("[data-new]")


async def test_an_import_of_another_workspace_is_not_there(house: House, desk: Desk, new_house: NewHouse) -> None:
    import_id = await previewed(desk)
    elsewhere = await (await new_house()).signed_in(Role.OWNER)

    assert (await elsewhere.get("/imports")).all("#imports-list [data-row]") == []
    for path in (f"/imports/{import_id}", f"/imports/{import_id}/rejected-rows"):
        assert (await elsewhere.get(path)).status == 404
    for action in ACTIONS:
        assert (await elsewhere.post(f"/imports/{import_id}/{action}")).status == 404, action
    assert (await desk.get(import_id)).status == "previewed"
