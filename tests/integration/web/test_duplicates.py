"""Pairs that may be one person: looked for, reviewed, merged, told apart, and all of it taken back."""

from typing import Any

import pytest

from leadflood.domains.duplicates import jobs as duplicates_jobs
from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import DuplicateView
from leadflood.domains.duplicates.errors import SelfMerge
from leadflood.domains.duplicates.events import MERGE_CERTAIN, SCAN_DUPLICATES, UNDO_MERGE_RUN, MergeRunPayload
from leadflood.domains.duplicates.service import merging as merging_service
from leadflood.domains.duplicates.service import scanning
from leadflood.domains.jobs.models import JobKind
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts import LeadView, UpdateLead
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.service import update_lead
from leadflood.kernel.actor import Role
from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House, NewHouse
from tests.integration.web.people import audited
from tests.support.jobs import Jobs
from tests.support.web import Browser

PATH = "/duplicates"


async def scan(house: House) -> None:
    """Look for duplicates, as a worker does."""
    async with house.parts.database.transaction(house.workspace_id) as tx:
        asked = await scanning.request_scan(tx, house.actor, trace={})
    assert asked.job_id
    registry = JobRegistry(duplicates_jobs.definitions(house.parts.database, house.parts.participants))
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
    assert seen.html.css("main button:not(.receipt__value), main input[type=radio]") == []
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


PEOPLE = (
    ("Grace", "Hopper", "+493012345670"),
    ("Katherine", "Johnson", "+12015556773"),
    ("Ada", "Lovelace", "+447911123456"),
)


async def new_certain_pairs(house: House, count: int) -> list[DuplicateView]:
    """Pairs of score 100."""
    for first, last, phone in PEOPLE[:count]:
        person = {"firstName": first, "lastName": last, "phone": phone}
        domain = f"{last.lower()}.com"
        await house.lead(f"{first.lower()}@{domain}", **person)
        await house.lead(f"{first.lower()}+news@{domain}", jobTitle="Admiral", **person)
    await scan(house)
    await Jobs(house.parts.database, house.workspace_id).change(
        "UPDATE duplicate_candidates SET score = 100 WHERE workspace_id = :id", id=house.workspace_id
    )
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        return list((await queries.list_duplicates(tx, house.actor, limit=50)).items)


async def work(house: House, kind: JobKind[MergeRunPayload]) -> None:
    """Let a worker run the job of a merge of many pairs, or of its undo."""
    jobs = Jobs(house.parts.database, house.workspace_id)
    queued = "SELECT id FROM job_executions WHERE workspace_id = :id AND kind = :kind AND status = 'queued'"
    (row,) = await jobs.rows(queued, id=house.workspace_id, kind=kind.name)
    await jobs.attempt(house.parts.registry, row.id)


async def test_all_certain_pairs_are_merged_after_a_confirmation_and_undone_together(
    house: House, owner: Browser, viewer: Browser
) -> None:
    await new_certain_pairs(house, 3)
    asked = await owner.get(PATH)
    assert "3 pairs to review, 3 of them certain" in asked.text
    assert asked.attribute("#merge-certain input[name=expected]", "value") == "3"
    assert (await viewer.get(PATH)).html.css("#merge-certain") == []
    assert (await viewer.post(f"{PATH}/runs", {"expected": "3"})).status == 403

    begun = await owner.post(f"{PATH}/runs", {"expected": "3"})
    again = await owner.post(f"{PATH}/runs", {"expected": "3"})
    assert "0 of 3" in begun.text
    assert "being merged" in again.text
    await work(house, MERGE_CERTAIN)

    leads_now = await active(house)
    assert sorted(leads_now) == ["ada@lovelace.com", "grace@hopper.com", "katherine@johnson.com"]
    assert {lead.job_title for lead in leads_now.values()} == {"Admiral"}
    history = await owner.get(f"{PATH}?show=history")
    assert [row.split()[:4] for row in history.all("#duplicates-list tbody tr")] == [
        ["Merged", "certain", "pairs", "3"]
    ]
    assert {event.actor.kind for event in await audited(house, "leads.merged")} == {"user"}

    await owner.post(f"{PATH}/undos")
    await work(house, UNDO_MERGE_RUN)

    assert len(await active(house)) == 6
    assert "3 pairs to review" in (await owner.get(PATH)).text
    assert "Undone" in (await owner.get(f"{PATH}?show=history")).text


async def test_more_certain_pairs_than_were_confirmed_merge_nothing(house: House, owner: Browser) -> None:
    await new_certain_pairs(house, 2)
    await owner.get(PATH)

    refused = await owner.post(f"{PATH}/runs", {"expected": "1"})

    assert "More pairs are certain now" in refused.text
    assert len(await active(house)) == 4


async def test_a_merge_of_many_goes_on_after_a_kill_and_skips_what_cannot_be_merged(
    house: House, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = await new_certain_pairs(house, 3)
    await owner.get(PATH)
    await owner.post(f"{PATH}/runs", {"expected": "3"})
    jobs = Jobs(house.parts.database, house.workspace_id)
    queued = "SELECT id FROM job_executions WHERE workspace_id = :id AND kind = :kind"
    (row,) = await jobs.rows(queued, id=house.workspace_id, kind=MERGE_CERTAIN.name)
    merge, calls = merging_service.merge, []

    async def interrupted(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  as it is
        calls.append(named["command"].survivor_id)
        if len(calls) == 2:
            raise ConnectionError
        if named["command"].survivor_id == pairs[-1].leads[0].id:
            raise SelfMerge
        return await merge(*arguments, **named)

    monkeypatch.setattr(merging_service, "merge", interrupted)
    await jobs.attempt(house.parts.registry, row.id)
    await jobs.attempt(house.parts.registry, row.id, 2)

    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        run = await queries.find_merge_run(tx, house.actor)
    assert run is not None
    assert (run.status, run.merged, run.skipped) == ("merged", 2, 1)
    assert len(calls) == 4


async def test_the_queue_goes_on_with_the_next_pair_and_u_undoes_the_last_decision(
    house: House, owner: Browser
) -> None:
    first, second, third = await new_certain_pairs(house, 3)
    seen = await owner.get(f"{PATH}/{second.id}")
    assert seen.attribute("[data-previous]", "href") == f"{PATH}/{first.id}"
    assert seen.attribute("[data-next]", "href") == f"{PATH}/{third.id}"
    assert "3 to review" in seen.text

    merged = await owner.post(f"{PATH}/{second.id}/merges", merging(second))
    assert merged.path == f"{PATH}/{third.id}"
    dismissed = await owner.post(f"{PATH}/{third.id}/dismissals")
    assert dismissed.path == PATH
    assert "1 pair to review" in dismissed.text

    reopened = await owner.post(f"{PATH}/undos")
    assert reopened.path == f"{PATH}/{third.id}"
    await owner.post(f"{PATH}/undos")
    assert len(await active(house)) == 6
    nothing = await owner.post(f"{PATH}/undos")
    assert "no decision of yours" in nothing.text


async def test_nobody_undoes_the_decisions_of_others_by_key(house: House, owner: Browser) -> None:
    pair, *_ = await new_certain_pairs(house, 2)
    await owner.get(PATH)
    await owner.post(f"{PATH}/{pair.id}/dismissals", {"next": "list"})
    other = await house.signed_in(Role.MEMBER)
    await other.get(PATH)

    assert "no decision of yours" in (await other.post(f"{PATH}/undos")).text
    shown = await other.get(f"{PATH}?show=history")
    assert len(shown.all("#duplicates-list tbody tr")) == 1


async def test_the_run_of_another_workspace_is_not_there(house: House, owner: Browser, new_house: NewHouse) -> None:
    await new_certain_pairs(house, 1)
    await owner.get(PATH)
    await owner.post(f"{PATH}/runs", {"expected": "1"})
    await work(house, MERGE_CERTAIN)
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        run = await queries.find_merge_run(tx, house.actor)
    assert run is not None
    elsewhere = await (await new_house()).signed_in(Role.OWNER)
    await elsewhere.get(PATH)

    assert (await elsewhere.post(f"{PATH}/runs/{run.id}/undos")).status == 404
    assert len(await active(house)) == 1
