"""Exports on pages: the list goes out as it is filtered, at once or as a file; and who may do what."""

import csv
import io
from collections.abc import Sequence
from uuid import UUID

import httpx
import pytest

from leadflood.domains.exports import queries
from leadflood.domains.exports.contracts import ExportView
from leadflood.kernel.actor import Role
from leadflood.web.pages import exports
from tests.integration.web.conftest import House, NewHouse
from tests.integration.web.people import audited
from tests.support.jobs import Jobs
from tests.support.web import Browser

LINK = 'a[href^="/leads/export"]'


def rows(response: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


async def files_of(house: House) -> Sequence[ExportView]:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        return (await queries.list_exports(tx, house.actor, limit=100)).items


async def written(house: House) -> UUID:
    """Let a worker write the file that was asked for last."""
    view = (await files_of(house))[0]
    jobs = Jobs(house.parts.database, house.workspace_id)
    (row,) = await jobs.rows("SELECT job_id FROM exports WHERE id = :id", id=view.id)
    await jobs.attempt(house.parts.registry, row.job_id)
    return view.id


@pytest.fixture
async def leads(house: House) -> None:
    await house.lead("ada@acme.com", firstName="=1+1", lastName="<script>", source="form", company="שלום 👩‍🚀")
    await house.lead("grace@acme.com", firstName="Grace", source="api", customFields={"plan": "pro"})


async def test_the_button_of_the_list_takes_search_filters_and_columns_along(
    leads: None, house: House, owner: Browser
) -> None:
    shown = await owner.get("/leads?q=acme&source=form&column=email&column=name")
    form = await owner.get(shown.attribute(LINK, "href") or "")
    matching = form.attribute("main form input[name=matching]", "value") or ""

    done = await owner.post("/leads/export", {"matching": matching, "format": "csv", "columns": "shown"})

    assert "1 lead matches your search and filters" in form.text
    assert done.response.headers["Content-Type"].startswith("text/csv")
    assert done.response.headers["Content-Disposition"].startswith('attachment; filename="leads-')
    assert done.response.content.startswith(b"\xef\xbb\xbf")
    assert rows(done.response) == [
        {"Email": "ada@acme.com", "First name": "'=1+1", "Last name": "<script>", "Found fields": ""}
    ]
    (event,) = await audited(house, "leads.exported")
    assert event.data["count"] == 1
    assert event.data["filter"] == {
        "all": [
            {"field": "search", "operator": "matches", "value": "acme"},
            {"field": "source", "operator": "isAnyOf", "value": ["form"]},
        ]
    }


@pytest.mark.parametrize(("kind", "begins"), [("ndjson", b'{"id":'), ("parquet", b"PAR1"), ("xlsx", b"PK")])
async def test_all_columns_in_any_format(leads: None, owner: Browser, kind: str, begins: bytes) -> None:
    await owner.get("/leads/export")
    done = await owner.post("/leads/export", {"format": kind, "columns": "all"})

    assert done.response.content.startswith(begins)


async def test_all_means_custom_fields_too_and_what_enrichment_found_on_request(leads: None, owner: Browser) -> None:
    await owner.get("/leads/export")
    plain = rows((await owner.post("/leads/export", {"columns": "all"})).response)
    more = rows((await owner.post("/leads/export", {"columns": "all", "enriched": "on"})).response)

    assert [row["Plan"] for row in plain] == ["pro", ""]
    assert "Company domain (found)" not in plain[0]
    assert "Company domain (found)" in more[0]


async def test_ticked_leads_are_exported_with_names_as_headers_on_request(
    leads: None, house: House, owner: Browser
) -> None:
    ada = await house.lead("third@acme.com", firstName="Third")
    await owner.get("/leads")
    chosen = {"ids": str(ada), "matching": "q=acme", "action": ""}

    form = await owner.post("/leads/export/selections", chosen)
    sent = {"ids": form.attribute("main form input[name=ids]", "value") or "", "format": "csv", "names": "on"}
    done = await owner.post("/leads/export", sent | {"columns": "all", "matching": "q=acme"})
    later = await owner.post("/leads/export", sent | {"columns": "all", "later": "on"})
    everything = await owner.post("/leads/export/selections", chosen | {"all": "on"})

    assert "1 selected lead." in form.text
    assert [row["email"] for row in rows(done.response)] == ["third@acme.com"]
    assert "1 selected lead" in later.text
    assert "3 leads match your search and filters" in everything.text
    assert everything.html.css("input[name=ids]") == []


async def test_a_file_is_asked_for_followed_downloaded_and_deleted(leads: None, house: House, owner: Browser) -> None:
    assert "No exports" in (await owner.get("/exports")).text
    await owner.get("/leads/export")
    asked = await owner.post("/leads/export", {"format": "csv", "columns": "all", "later": "on", "matching": "q=ada"})

    assert asked.path == "/exports"
    assert "Preparing your export." in asked.text
    assert "Preparing" in asked.text
    export_id = await written(house)
    ready = await owner.get("/exports")
    assert "Ready" in ready.text
    assert "filtered: Search matches ada" in ready.text
    link = ready.attribute("#exports-list .row-link", "href") or ""
    file = await owner.get(link)
    assert [row["Email"] for row in rows(file.response)] == ["ada@acme.com"]
    assert file.response.headers["Content-Disposition"].startswith('attachment; filename="leads-')

    deleted = await owner.post(f"/exports/{export_id}/deletions")
    assert "Export deleted." in deleted.text
    assert await files_of(house) == []
    assert (await owner.get(link)).status == 404


async def test_a_file_without_filters_and_one_that_failed_are_shown_too(
    leads: None, house: House, owner: Browser
) -> None:
    await owner.get("/leads/export")
    await owner.post("/leads/export", {"later": "on"})
    view = (await files_of(house))[0]
    jobs = Jobs(house.parts.database, house.workspace_id)
    (row,) = await jobs.rows("SELECT job_id FROM exports WHERE id = :id", id=view.id)
    await jobs.cancel(house.parts.registry, row.job_id)

    shown = await owner.get("/exports")

    assert "Failed Cancelled by cli." in shown.text
    assert shown.html.css_first("#exports-list .row-link") is None


async def test_many_leads_become_a_file_by_themselves(
    leads: None, house: House, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "DIRECT_LIMIT", 1)
    told = await owner.get("/leads/export")
    asked = await owner.post("/leads/export", {"format": "csv", "columns": "all"})

    assert "More than 1 leads" in told.text
    assert asked.path == "/exports"
    assert len(await files_of(house)) == 1


async def test_a_viewer_can_neither_export_nor_download_what_others_exported(
    leads: None, house: House, owner: Browser, viewer: Browser
) -> None:
    await owner.get("/leads/export")
    await owner.post("/leads/export", {"later": "on"})
    export_id = await written(house)

    refused = await viewer.get("/leads/export")
    await viewer.get("/leads")

    assert "Ask an admin for permission to export leads." in refused.text
    for path in ("/exports", f"/exports/{export_id}/file"):
        assert (await viewer.get(path)).status == 403, path
    for path in ("/leads/export", f"/exports/{export_id}/deletions"):
        assert (await viewer.post(path, {"columns": "all"})).status == 403, path
    assert (await viewer.get("/leads")).html.css("a[href^='/leads/export'], a[href='/exports']") == []
    assert (await owner.get("/leads")).html.css("a[href^='/leads/export']") != []
    assert len(await files_of(house)) == 1


async def test_a_wrong_choice_is_told_and_what_was_chosen_stays(leads: None, owner: Browser) -> None:
    await owner.get("/leads/export")
    refused = await owner.post(
        "/leads/export", {"format": "docx", "columns": "shown", "enriched": "on", "matching": "source=form"}
    )

    assert refused.status == 400
    assert "Must be one of" in refused.text
    assert refused.attribute("input[name=columns][checked]", "value") == "shown"
    assert refused.html.css_first("input[name=enriched][checked]")
    assert refused.attribute("input[name=matching]", "value") == "source=form"


async def test_a_file_of_another_workspace_is_not_there(
    leads: None, house: House, owner: Browser, new_house: NewHouse
) -> None:
    await owner.get("/leads/export")
    await owner.post("/leads/export", {"later": "on"})
    export_id = await written(house)
    elsewhere = await (await new_house()).signed_in(Role.OWNER)
    await elsewhere.get("/exports")

    assert (await elsewhere.get(f"/exports/{export_id}/file")).status == 404
    assert (await elsewhere.post(f"/exports/{export_id}/deletions")).status == 404
    assert len(await files_of(house)) == 1


async def test_a_form_of_somebody_else_is_refused(leads: None, house: House, owner: Browser) -> None:
    await owner.get("/leads/export")

    for path in ("/leads/export", "/exports/x/deletions"):
        owner.token = "made up"
        assert (await owner.post(path, {"later": "on"})).status == 403
    assert await files_of(house) == []


async def test_hostile_text_is_shown_as_text(leads: None, owner: Browser) -> None:
    await owner.get("/leads/export")
    asked = await owner.post("/leads/export", {"later": "on", "matching": "q=<script>alert(1)</script>"})

    assert "filtered: Search matches <script>alert(1)</script>" in asked.text
    assert not asked.html.css("main script")
