"""Recently deleted, Change history, and what is asked before many leads are deleted."""

from uuid import UUID

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.duplicates.contracts import MergeLeads, MergeView
from leadflood.domains.duplicates.service import merging
from tests.integration.web.conftest import House
from tests.integration.web.test_leads import emails, names
from tests.support.web import Browser

MANY = 60


async def merged(house: House, survivor: UUID, other: UUID) -> MergeView:
    command = MergeLeads.model_validate({"survivorId": str(survivor), "otherId": str(other)})
    async with house.parts.database.transaction(house.workspace_id) as tx:
        return await merging.merge(tx, house.actor, LEAD_PARTICIPANTS, command=command)


async def test_to_delete_more_than_fifty_leads_their_number_is_typed(owner: Browser, house: House) -> None:
    for n in range(MANY):
        await house.lead(f"lead{n}@acme.com", source="fair")
    await house.lead("other@acme.com")
    page = await owner.get("/leads?source=fair")
    form = {name: page.attribute(f"#bulk [name={name}]", "value") or "" for name in ("matching", "expected")}
    wanted = {**form, "all": "on", "action": "delete"}
    assert page.attribute("#bulk [name=all]", "data-select-everything") == "All 60 selected"

    asked = await owner.post("/leads/bulk-changes", wanted)
    unanswered = [
        await owner.post("/leads/bulk-changes", {**wanted, "confirmed": "on", "typed": typed})
        for typed in ("", "59", "delete")
    ]

    assert "Delete 60 leads?" in asked.text
    assert asked.attribute("#f-typed", "required") is not None
    assert [item.status for item in unanswered] == [400, 400, 400]
    assert "Type 60 to confirm" in unanswered[0].text
    assert len(await emails(house)) == MANY + 1

    again = {
        node.attributes["name"] or "": node.attributes["value"] or "" for node in asked.html.css("main form input")
    }
    done = await owner.post("/leads/bulk-changes", {**again, "typed": " 60 "})

    assert "60 leads deleted." in done.text
    assert await emails(house) == {"other@acme.com"}


async def test_deleted_leads_are_found_and_restored_one_by_one_and_all_of_a_change(
    owner: Browser, viewer: Browser, house: House
) -> None:
    ids = [await house.lead(f"{name}@acme.com") for name in ("ada", "bob", "eve", "kim")]
    ticked = {"ids": [str(item) for item in ids[:3]], "action": "delete", "confirmed": "on"}
    await owner.get("/leads")
    await owner.post("/leads/bulk-changes", ticked)
    await owner.post(f"/leads/{ids[3]}/deletion")

    listed = await owner.get("/leads/deleted")
    assert set(listed.all("#deleted-leads .row-link")) == {f"{name}@acme.com" for name in ("ada", "bob", "eve", "kim")}
    assert (await owner.get("/leads/deleted?q=kim")).all("#deleted-leads .row-link") == ["kim@acme.com"]
    assert (await viewer.get("/leads/deleted")).html.css("button[aria-label^=Restore]") == []

    one = await owner.get(f"/leads/{ids[3]}")
    assert one.path == f"/leads/deleted/{ids[3]}"
    assert "Restore until" in one.text
    await owner.post(f"/leads/{ids[3]}/restorations")
    assert (await owner.get(f"/leads/deleted/{ids[3]}")).path == f"/leads/{ids[3]}"

    change = (await owner.get("/changes")).attribute("#changes-list .row-link", "href") or ""
    filters = {"change": change.rpartition("/")[2]}
    wrong = await owner.post("/leads/restorations", {**filters, "all": "on", "expected": "2"})
    assert "Nothing was restored" in wrong.text
    done = await owner.post("/leads/restorations", {**filters, "all": "on", "expected": "3"})
    assert "3 leads restored." in done.text
    assert len(await emails(house)) == 4
    again = await owner.post("/leads/restorations", {"ids": [str(ids[0])]})
    assert "1 lead skipped" in again.text


async def test_a_change_is_shown_with_its_counts_and_undone(owner: Browser, viewer: Browser, house: House) -> None:
    ids = [str(await house.lead(f"{name}@acme.com")) for name in ("ada", "bob")]
    await owner.get("/leads")
    await owner.post("/leads/bulk-changes", {"ids": ids, "action": "set:company", "company": "Acme"})
    await owner.post(f"/leads/{ids[0]}", {"company": "Mills", "version": "2"})

    listed = await owner.get("/changes")
    path = listed.attribute("#changes-list .row-link", "href") or ""
    seen = await viewer.get(path)
    assert "Set company Bulk change Applied 2 updated" in listed.text
    assert ("Undo until" in seen.text, seen.html.css("button[aria-label^=Undo]")) == (True, [])
    undone = await owner.post(f"/changesets/{path.rpartition('/')[2]}/undos", {"next": path})

    assert "Undone. Kept 1 lead edited since." in undone.text
    assert "ada@acme.com Edited since: Company" in undone.text
    assert undone.html.css("button[aria-label^=Undo]") == []


async def test_a_merged_lead_leads_to_its_survivor_and_its_change_is_undone_by_unmerging(
    owner: Browser, house: House
) -> None:
    survivor, other = await house.lead("ada@acme.com"), await house.lead("ada@gmail.com")
    made = await merged(house, survivor, other)

    page = await owner.get(f"/leads/{other}")
    assert page.html.css(f"a[href='/leads/{survivor}']")
    assert page.html.css("button[aria-label^=Restore]") == []
    assert page.html.css(f"form[action='/duplicates/merges/{made.id}/undos']")
    await owner.post(f"/changesets/{made.changeset_id}/undos", {"next": "/changes"})

    assert set(names(await owner.get("/leads"))) == {"ada@acme.com", "ada@gmail.com"}


async def test_a_lead_that_was_never_there_is_not_found(owner: Browser, house: House) -> None:
    missing = await owner.get(f"/leads/deleted/{house.workspace_id}")
    assert missing.status == 404
    assert (await owner.get(f"/leads/{house.workspace_id}")).status == 404
