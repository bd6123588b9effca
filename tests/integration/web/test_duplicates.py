"""Pairs that may be one person: looked for, reviewed, merged, told apart, and all of it taken back."""

import pytest

from leadflood.domains.duplicates import jobs as duplicates_jobs
from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import DuplicateView
from leadflood.domains.duplicates.events import SCAN_DUPLICATES
from leadflood.domains.duplicates.service import scanning
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts import LeadView, UpdateLead
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.service import update_lead
from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House, NewHouse
from tests.support.jobs import Jobs
from tests.support.web import Browser

PATH = "/duplicates"


async def scan(house: House) -> None:
    """Look for duplicates, as a worker does."""
    async with house.parts.database.transaction(house.workspace_id) as tx:
        asked = await scanning.request_scan(tx, house.actor, trace={})
    assert asked.job_id
    registry = JobRegistry(duplicates_jobs.definitions(house.parts.database))
    await Jobs(house.parts.database, house.workspace_id, SCAN_DUPLICATES).attempt(registry, asked.job_id)


async def new_pair(house: House, **fields: object) -> DuplicateView:
    """Two leads that are found to be one person, the second with these fields."""
    await house.lead("ada@acme.com", company="Acme")
    await house.lead("ada+2@acme.com", **fields)
    await scan(house)
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        (pair,) = (await queries.list_duplicates(tx, house.actor, limit=10)).items
    return pair


async def active(house: House) -> dict[str, LeadView]:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        page = await leads.list_leads(tx, house.actor, filters=LeadFilter(), limit=200)
    return {lead.email: lead for lead in page.items}


def merging(pair: DuplicateView, **fields: str) -> dict[str, str]:
    """Form data of a review."""
    survivor, other = pair.leads
    return {
        "survivorId": str(survivor.id),
        "otherId": str(other.id),
        "survivorVersion": str(survivor.version),
        "otherVersion": str(other.version),
        **fields,
    }


async def test_an_empty_list_offers_to_look_and_says_so_while_it_does(owner: Browser, viewer: Browser) -> None:
    assert (await viewer.get(PATH)).html.css(f"form[action='{PATH}/scans']") == []
    asked = await owner.get(PATH)
    assert "Find duplicate leads" in asked.text
    assert asked.html.css(f".empty form[action='{PATH}/scans']")

    seen = await owner.post(f"{PATH}/scans")

    assert "Scanning… 0 leads compared" in seen.text
    assert any(item.startswith("Scanning…") for item in seen.all(".toast__text"))


async def test_pairs_are_listed_with_score_and_reason(house: House, viewer: Browser) -> None:
    pair = await new_pair(house)

    seen = await viewer.get(PATH)

    (row,) = seen.all("#duplicates-list tbody tr")
    assert "ada@acme.com" in row
    assert "ada+2@acme.com" in row
    assert str(pair.score) in row
    assert "Same inbox" in row
    assert seen.attribute("#duplicates-list a[data-open]", "href") == f"{PATH}/{pair.id}"


async def test_a_review_shows_both_sides_and_what_will_be(house: House, owner: Browser) -> None:
    pair = await new_pair(house, company="Acme Ltd", jobTitle="Head", customFields={"plan": "pro"})

    seen = await owner.get(f"{PATH}/{pair.id}")

    chosen = {node.attributes["name"]: node.attributes["value"] for node in seen.html.css("input[type=radio][checked]")}
    assert chosen == {"fields.company": "survivor", "fields.jobTitle": "other", "fields.customFields.plan": "other"}
    assert "timeline and enrichment data move here" in seen.text
    turned = await owner.get(f"{PATH}/{pair.id}?survivor={pair.leads[1].id}")
    assert turned.attribute("input[name=survivorId]", "value") == str(pair.leads[1].id)
    assert turned.attribute("input[name='fields.company'][checked]", "value") == "survivor"


async def test_merging_keeps_what_was_chosen_and_its_toast_takes_it_back(house: House, owner: Browser) -> None:
    pair = await new_pair(house, company="Acme Ltd", jobTitle="Head", customFields={"plan": "pro"})
    before = await active(house)
    await owner.get(f"{PATH}/{pair.id}")

    fields = {"fields.company": "other", "fields.jobTitle": "survivor", "fields.customFields.plan": "other"}
    seen = await owner.post(f"{PATH}/{pair.id}/merges", merging(pair, **fields))

    (lead,) = (await active(house)).values()
    assert (lead.email, lead.company, lead.job_title) == ("ada@acme.com", "Acme Ltd", None)
    assert lead.custom_fields == {"plan": "pro"}
    assert "Leads merged." in seen.all(".toast__text")
    undo = seen.attribute(".toast form", "action") or ""
    merged = await owner.get(f"{PATH}?show=merged")
    assert merged.attribute("#duplicates-list form", "action") == undo
    story = await owner.get(f"/leads/{lead.id}")
    assert "Merged with ada+2@acme.com" in story.text

    undone = await owner.post(undo)

    assert "ada+2@acme.com unmerged." in undone.all(".toast__text")
    after = await active(house)
    assert {email: (item.company, item.job_title, item.custom_fields) for email, item in after.items()} == {
        email: (item.company, item.job_title, item.custom_fields) for email, item in before.items()
    }
    assert len(undone.all("#duplicates-list tbody tr")) == 1


async def test_a_merged_lead_is_brought_back_by_its_merge_alone(house: House, owner: Browser) -> None:
    pair = await new_pair(house)
    await owner.get(PATH)
    await owner.post(f"{PATH}/{pair.id}/merges", merging(pair))

    page = await owner.post(f"/leads/{pair.leads[1].id}/restorations")
    part = await owner.post_part(f"/leads/{pair.leads[1].id}/restorations", "toasts", {})

    for seen in (page, part):
        assert seen.status == 409
        assert "Undo the merge" in seen.text
    assert list(await active(house)) == ["ada@acme.com"]


async def test_an_undo_tells_what_was_edited_since(house: House, owner: Browser) -> None:
    pair = await new_pair(house, jobTitle="Head")
    await owner.get(f"{PATH}/{pair.id}")
    seen = await owner.post(f"{PATH}/{pair.id}/merges", merging(pair))
    async with house.parts.database.transaction(house.workspace_id) as tx:
        edit = UpdateLead.model_validate({"jobTitle": "Chief"})
        await update_lead(tx, house.actor, lead_id=pair.leads[0].id, command=edit, expected_version=None)

    undone = await owner.post(seen.attribute(".toast form", "action") or "")

    assert any("Kept fields edited since: Job title." in item for item in undone.all(".toast__text"))


async def test_a_lead_that_was_changed_meanwhile_is_looked_at_again(house: House, owner: Browser) -> None:
    pair = await new_pair(house, company="Acme Ltd")
    await owner.get(f"{PATH}/{pair.id}")
    async with house.parts.database.transaction(house.workspace_id) as tx:
        edit = UpdateLead.model_validate({"jobTitle": "Chief"})
        await update_lead(tx, house.actor, lead_id=pair.leads[1].id, command=edit, expected_version=None)

    refused = await owner.post(f"{PATH}/{pair.id}/merges", merging(pair, **{"fields.company": "other"}))

    assert refused.status == 412
    assert "was updated since you read it" in refused.text
    assert refused.attribute("input[name='fields.company'][checked]", "value") == "other"
    assert refused.attribute("input[name=otherVersion]", "value") == "2"
    assert len(await active(house)) == 2


async def test_a_pair_can_be_told_apart_and_that_taken_back(house: House, owner: Browser) -> None:
    pair = await new_pair(house)
    await owner.get(f"{PATH}/{pair.id}")

    seen = await owner.post(f"{PATH}/{pair.id}/dismissals")

    assert "No duplicates to review" in seen.text
    assert len((await owner.get(f"{PATH}?show=dismissed")).all("#duplicates-list tbody tr")) == 1
    again = await owner.post(seen.attribute(".toast form", "action") or "")
    assert again.path == f"{PATH}/{pair.id}"
    assert len((await owner.get(PATH)).all("#duplicates-list tbody tr")) == 1


async def test_whoever_may_only_look_gets_no_buttons_and_403(house: House, viewer: Browser) -> None:
    pair = await new_pair(house, company="Acme Ltd")

    seen = await viewer.get(f"{PATH}/{pair.id}")

    assert seen.status == 200
    assert "Acme Ltd" in seen.text
    assert seen.html.css("main button, main input[type=radio]") == []
    for action in (f"{pair.id}/merges", f"{pair.id}/dismissals", f"{pair.id}/reopenings", "scans"):
        assert (await viewer.post(f"{PATH}/{action}", merging(pair))).status == 403
    assert (await viewer.post(f"{PATH}/merges/{new_id()}/undos")).status == 403
    assert len(await active(house)) == 2


async def test_pairs_of_another_workspace_do_not_exist(house: House, owner: Browser, new_house: NewHouse) -> None:
    pair = await new_pair(await new_house())
    await owner.get(PATH)

    assert (await owner.get(f"{PATH}/{pair.id}")).status == 404
    for action in ("merges", "dismissals", "reopenings"):
        assert (await owner.post(f"{PATH}/{pair.id}/{action}", merging(pair))).status == 404
    assert (await owner.post(f"{PATH}/merges/{new_id()}/undos")).status == 404


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "\u202e🚀 مرحبا", "' onmouseover='x"])
async def test_hostile_values_are_shown_as_text(house: House, owner: Browser, hostile: str) -> None:
    pair = await new_pair(house, firstName=hostile, company=hostile)

    for path in (PATH, f"{PATH}/{pair.id}"):
        seen = await owner.get(path)
        assert hostile.replace("\u202e", "") in seen.text
        assert seen.html.css("script:not([src]):not([type])") == []
        assert seen.html.css("[onmouseover]") == []
