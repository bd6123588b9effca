"""Merging two leads, and making two of one again."""

import asyncio
from itertools import permutations
from random import Random
from uuid import UUID

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.duplicates.errors import AlreadyMerged, MergeNotUndoable, SelfMerge, UnknownMergeField
from leadflood.domains.duplicates.models import MergeStatus
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.leads.errors import ChangesetNotUndoable, LeadMerged, LeadNotFound, LeadVersionConflict
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.leads.service import changesets
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.ids import new_id
from tests.integration.duplicates.desk import Desk
from tests.integration.enrichment.bench import Scripted, value
from tests.integration.leads.workbench import Workbench


async def test_the_survivor_keeps_its_values_and_gets_those_that_it_lacks(desk: Desk) -> None:
    survivor = await desk.lead("ada@acme.com", company="Acme", customFields={"plan": "pro"})
    other = await desk.lead(
        "ada@gmail.com", company="Acme Ltd", jobTitle="Head", customFields={"plan": "x", "seats": 3}
    )

    made = await desk.merge(survivor, other)

    lead = await desk.leads.get(survivor)
    assert (lead.email, lead.company, lead.job_title) == ("ada@acme.com", "Acme", "Head")
    assert lead.custom_fields == {"plan": "pro", "seats": 3}
    assert made.fields_from_other == ["jobTitle", "customFields.seats"]
    assert await desk.leads.found("head") == {"ada@acme.com"}
    with pytest.raises(LeadNotFound):
        await desk.leads.get(other)


async def test_each_field_can_be_chosen(desk: Desk) -> None:
    survivor = await desk.lead("ada@acme.com", company="Acme", jobTitle="Head", customFields={"plan": "pro"})
    other = await desk.lead("ada@gmail.com", company="Böhm", firstName="Ada", customFields={"plan": "x"})

    await desk.merge(
        survivor,
        other,
        fields={"company": "other", "firstName": "survivor", "jobTitle": "other", "customFields.plan": "other"},
    )

    lead = await desk.leads.get(survivor)
    assert (lead.company, lead.first_name, lead.job_title, lead.custom_fields) == ("Böhm", None, None, {"plan": "x"})
    assert await desk.leads.found("bohm") == {"ada@acme.com"}


async def test_the_timeline_tells_what_came_from_whom(desk: Desk) -> None:
    survivor = await desk.lead("ada@acme.com")
    other = await desk.lead("ada@gmail.com", company="Acme")

    made = await desk.merge(survivor, other)

    entries = await desk.leads.timeline(survivor)
    told = [(item.kind, item.lead_id) for item in entries]
    assert told[-2:] == [("lead.created", other), ("lead.created", survivor)]
    assert set(told[:-2]) == {("lead.merged", survivor), ("lead.merged_into", other)}
    entry = next(item for item in entries if item.kind == "lead.merged")
    assert entry.data["mergeId"] == str(made.id)
    assert (entry.data["otherId"], entry.data["otherEmail"]) == (str(other), "ada@gmail.com")
    assert entry.data["changes"] == {"company": [None, "Acme"]}

    await desk.unmerge(made.id)

    assert {item.lead_id for item in await desk.leads.timeline(survivor)} == {survivor}
    assert {item.lead_id for item in await desk.leads.timeline(other)} == {other}


async def test_what_referred_to_the_other_refers_to_the_survivor_and_goes_back(desk: Desk) -> None:
    survivor = await desk.lead("ada.lovelace@acme.com", enriched=True)
    other = await desk.lead("ada.lovelace@gmail.com", enriched=True)
    before = await desk.stored()
    chosen = await desk.bench.chosen(survivor)

    made = await desk.merge(survivor, other)

    found = await desk.bench.enrichment(survivor)
    assert (len(found.runs), made.moved["runs"], made.moved["jobs"]) == (2, 1, 1)
    assert made.moved["values"] == len(found.values) - len(chosen)
    assert (await desk.bench.chosen(survivor)).items() >= chosen.items()
    assert await desk.violations() == []

    undone = await desk.unmerge(made.id)

    assert (undone.status, undone.kept_fields) == (MergeStatus.UNDONE, [])
    assert await desk.stored() == before
    assert await desk.violations() == []
    assert (await desk.leads.timeline(survivor))[0].kind == "lead.unmerged"


async def test_undoing_twice_changes_nothing_more(desk: Desk) -> None:
    survivor, other = await desk.lead("ada@acme.com"), await desk.lead("ada@gmail.com", company="Acme")
    made = await desk.merge(survivor, other)
    first = await desk.unmerge(made.id)
    stored = await desk.stored()

    assert await desk.unmerge(made.id) == first
    assert await desk.stored() == stored


async def test_what_was_edited_since_is_kept_and_told(desk: Desk) -> None:
    survivor = await desk.lead("ada@acme.com")
    other = await desk.lead("ada@gmail.com", company="Acme", jobTitle="Head")
    made = await desk.merge(survivor, other)
    await desk.edit(survivor, company="Babbage & Co")

    undone = await desk.unmerge(made.id)

    lead = await desk.leads.get(survivor)
    assert (lead.company, lead.job_title) == ("Babbage & Co", None)
    assert [(kept.lead_id, kept.fields) for kept in undone.kept_fields] == [(survivor, ["company"])]
    assert (await desk.leads.get(other)).company == "Acme"
    assert await desk.leads.found("babbage") == {"ada@acme.com"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_chain_of_merges_comes_apart_in_either_order(desk: Desk, order: tuple[int, int]) -> None:
    """A into B, then B into C."""
    a = await desk.lead("a.lovelace@acme.com", enriched=True, jobTitle="Head", customFields={"n": 1})
    b = await desk.lead("b.lovelace@gmail.com", enriched=True, company="Acme")
    c = await desk.lead("c.lovelace@gmx.de", enriched=True)
    await desk.scan()
    before = await desk.stored()
    merges = [(await desk.merge(b, a)).id, (await desk.merge(c, b)).id]
    assert len((await desk.bench.enrichment(c)).runs) == 3

    await desk.unmerge(merges[order[0]])
    assert await desk.violations() == []
    if order == (0, 1):
        assert len((await desk.bench.enrichment(a)).runs) == 1
        assert len((await desk.bench.enrichment(c)).runs) == 2
        with pytest.raises(LeadNotFound):
            await desk.leads.get(b)
    await desk.unmerge(merges[order[1]])

    assert await desk.stored() == before
    assert await desk.violations() == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_merges_into_one_lead_come_apart_in_any_order(desk: Desk, order: tuple[int, ...]) -> None:
    """Each overwrites what the one before wrote."""
    survivor = await desk.lead("ada@acme.com", company="Own", enriched=True)
    others = [await desk.lead(f"ada@{n}.com", company=f"Of {n}", enriched=True) for n in ("one", "two", "three")]
    before = await desk.stored()
    merges = [(await desk.merge(survivor, other, fields={"company": "other"})).id for other in others]
    assert (await desk.leads.get(survivor)).company == "Of three"

    for number in order:
        await desk.unmerge(merges[number])

    assert await desk.stored() == before


async def test_merging_two_ways_at_once_makes_one_merge(desk: Desk) -> None:
    one, two = await desk.lead("ada@acme.com"), await desk.lead("ada@gmail.com")

    outcomes = await asyncio.gather(desk.merge(one, two), desk.merge(two, one), return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(item) for item in refused] == [AlreadyMerged]
    (made,) = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert isinstance(refused[0], AlreadyMerged)
    assert refused[0].extra == {"mergeId": str(made.id), "survivorId": str(made.survivor_id)}


async def test_undoing_twice_at_once_undoes_once(desk: Desk) -> None:
    one, two = await desk.lead("ada@acme.com", enriched=True), await desk.lead("ada@gmail.com", enriched=True)
    before = await desk.stored()
    made = await desk.merge(one, two)

    await asyncio.gather(desk.unmerge(made.id), desk.unmerge(made.id))

    assert await desk.stored() == before


async def test_a_lead_that_is_deleted_or_unknown_cannot_be_merged(desk: Desk) -> None:
    one, two = await desk.lead("ada@acme.com"), await desk.lead("ada@gmail.com")
    await desk.leads.delete(two)

    for pair in ((one, two), (two, one), (one, new_id())):
        with pytest.raises(LeadNotFound):
            await desk.merge(*pair)
    with pytest.raises(SelfMerge):
        await desk.merge(one, one)


async def test_a_merged_lead_tells_where_it_went(desk: Desk) -> None:
    one, two, three = [await desk.lead(f"ada@{name}.com") for name in ("one", "two", "three")]
    made = await desk.merge(one, two)

    with pytest.raises(AlreadyMerged) as refused:
        await desk.merge(three, two)

    assert refused.value.extra == {"mergeId": str(made.id), "survivorId": str(one)}


async def test_what_was_looked_at_must_still_be_so(desk: Desk) -> None:
    one, two = await desk.lead("ada@acme.com"), await desk.lead("ada@gmail.com")
    await desk.edit(two, company="Acme")

    with pytest.raises(LeadVersionConflict):
        await desk.merge(one, two, survivorVersion=1, otherVersion=1)
    await desk.merge(one, two, survivorVersion=1, otherVersion=2)


async def test_a_custom_field_of_neither_is_refused_by_name(desk: Desk) -> None:
    one, two = await desk.lead("ada@acme.com"), await desk.lead("ada@gmail.com")

    with pytest.raises(UnknownMergeField) as refused:
        await desk.merge(one, two, fields={"customFields.nope": "other"})

    assert [fault.pointer for fault in refused.value.errors] == ["/fields/customFields.nope"]


async def test_too_many_custom_fields_are_refused_and_nothing_changes(desk: Desk) -> None:
    one = await desk.lead("ada@acme.com", customFields={f"a{n}": n for n in range(30)})
    two = await desk.lead("ada@gmail.com", customFields={f"b{n}": n for n in range(30)})
    before = await desk.stored()

    with pytest.raises(InvalidInput):
        await desk.merge(one, two)

    assert await desk.stored() == before
    await desk.merge(one, two, fields={f"customFields.b{n}": "survivor" for n in range(30)})


async def test_a_job_that_enriches_the_other_chooses_nothing_and_the_lead_is_enriched_afresh(desk: Desk) -> None:
    survivor = await desk.lead("ada@acme.com", enriched=True)
    other = await desk.leads.create("ada@gmail.com")
    gate = asyncio.Event()
    adapter = Scripted("slow", [[value(fields.COMPANY_NAME, "Acme")]], gate=gate)
    attempt = asyncio.create_task(desk.bench.attempt(other.job_id, adapter))
    await adapter.entered.wait()
    made = await desk.merge(survivor, other.lead_id)
    gate.set()
    assert (await attempt).status == "completed"
    assert ("Acme", "slow") not in (await desk.bench.chosen(survivor)).values()

    await desk.unmerge(made.id)

    lead = await desk.leads.get(other.lead_id)
    assert lead.status is LeadStatus.PROCESSING
    queued = [job for job in await desk.bench.jobs() if job.status == "queued" and job.subject_id == other.lead_id]
    assert len(queued) == 1
    await desk.bench.attempt(queued[0].id, desk.adapter)
    assert (await desk.leads.get(other.lead_id)).status is LeadStatus.ENRICHED


async def test_a_survivor_in_enrichment_is_enriched_all_the_same(desk: Desk) -> None:
    survivor = await desk.leads.create("ada@acme.com")
    other = await desk.lead("ada@gmail.com", enriched=True)
    await desk.merge(survivor.lead_id, other)

    await desk.bench.attempt(survivor.job_id, desk.adapter)

    assert (await desk.leads.get(survivor.lead_id)).status is LeadStatus.ENRICHED
    assert len((await desk.bench.enrichment(survivor.lead_id)).runs) == 2


async def test_an_address_that_somebody_else_has_by_now_is_named_and_nothing_changes(desk: Desk) -> None:
    survivor, other = await desk.lead("ada@acme.com"), await desk.lead("ada@gmail.com", company="Acme")
    made = await desk.merge(survivor, other)
    taker = await desk.lead("ada@gmail.com")
    stored = await desk.stored()

    with pytest.raises(MergeNotUndoable) as refused:
        await desk.unmerge(made.id)

    assert refused.value.extra == {"existingId": str(taker)}
    assert await desk.stored() == stored
    await desk.leads.delete(taker)
    assert (await desk.unmerge(made.id)).status is MergeStatus.UNDONE


async def test_a_merged_lead_is_not_restored_without_what_went_with_it(desk: Desk) -> None:
    survivor, other = await desk.lead("ada@acme.com"), await desk.lead("ada@gmail.com", enriched=True)
    before = await desk.stored()
    made = await desk.merge(survivor, other)
    merged = await desk.stored()

    with pytest.raises(LeadMerged, match=r"merged into ada@acme.com\. Undo the merge") as refused:
        await desk.leads.restore(other)

    assert refused.value.extra == {"mergeId": str(made.id), "survivorId": str(survivor)}
    assert await desk.stored() == merged
    await desk.unmerge(made.id)
    assert await desk.stored() == before
    await desk.leads.delete(other)
    assert (await desk.leads.restore(other)).email == "ada@gmail.com"


async def test_a_bulk_change_restores_deleted_leads_and_passes_over_merged_ones(desk: Desk) -> None:
    survivor, other, gone = [await desk.lead(f"ada@{name}.com") for name in ("acme", "gmail", "gone")]
    made = await desk.merge(survivor, other)
    await desk.leads.delete(gone)

    done = await Workbench(desk.leads).change(action="restore", leadIds=[str(item) for item in (other, gone)])

    assert (done.total, done.restored) == (2, 1)
    assert await desk.leads.found("gmail") == set()
    await desk.unmerge(made.id)
    assert await desk.leads.found("ada") == {"ada@acme.com", "ada@gmail.com", "ada@gone.com"}


async def test_a_lead_whose_survivor_is_gone_for_good_can_be_restored(desk: Desk) -> None:
    survivor, other = await desk.lead("ada@acme.com"), await desk.lead("ada@gmail.com")
    await desk.merge(survivor, other)
    await desk.leads.delete(survivor)
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(sql("DELETE FROM leads WHERE id = :id"), {"id": survivor})

    assert (await desk.leads.restore(other)).email == "ada@gmail.com"


async def test_the_changeset_of_a_merge_is_undone_by_the_merge_alone(desk: Desk) -> None:
    survivor, other = await desk.lead("ada@acme.com"), await desk.lead("ada@gmail.com")
    made = await desk.merge(survivor, other)

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        with pytest.raises(ChangesetNotUndoable, match="merge"):
            await changesets.undo_changeset(tx, desk.actor, LEAD_PARTICIPANTS, changeset_id=made.changeset_id, trace={})


async def test_pairs_of_the_other_are_the_survivor_s_and_go_back(desk: Desk) -> None:
    one, two, three = [await desk.lead(f"ada{tag}@acme.com", enriched=True) for tag in ("", "+2", "+3")]
    await desk.scan()
    pairs = {frozenset(lead.id for lead in pair.leads): pair.id for pair in await desk.pairs()}
    assert set(pairs) == {frozenset(pair) for pair in ((one, two), (one, three), (two, three))}
    await desk.dismiss(pairs[frozenset((one, two))])
    before = await desk.stored()

    made = await desk.merge(three, two)

    assert await desk.emails() == {frozenset(("ada@acme.com", "ada+3@acme.com"))}
    await desk.unmerge(made.id)
    assert await desk.stored() == before


async def test_what_was_found_about_the_other_fills_what_the_survivor_lacks(desk: Desk) -> None:
    survivor = await desk.leads.create("ada@acme.com")
    await desk.bench.attempt(survivor.job_id, Scripted("one", [[value(fields.COMPANY_NAME, "Acme")]]))
    other = await desk.leads.create("ada@gmail.com")
    await desk.bench.attempt(
        other.job_id, Scripted("two", [[value(fields.COMPANY_NAME, "A", 0.9), value(fields.FIRST_NAME, "Ada", 0.9)]])
    )

    await desk.merge(survivor.lead_id, other.lead_id)

    assert await desk.bench.chosen(survivor.lead_id) == {"company_name": ("Acme", "one"), "first_name": ("Ada", "two")}


MERGES = [(one, two) for one, two in permutations(range(4), 2)]


@pytest.mark.parametrize("seed", range(12))
async def test_any_merges_undone_in_any_order_leave_all_as_it_was(desk: Desk, seed: int) -> None:
    ids: list[UUID] = []
    for number in range(4):
        fields: dict[str, object] = {"company": f"Company {number}"} if number % 2 else {"jobTitle": f"Title {number}"}
        fields["customFields"] = {f"k{number}": number, "shared": number}
        ids.append(await desk.lead(f"ada.lovelace+{number}@acme.com", enriched=True, **fields))
    await desk.scan()
    before = await desk.stored()
    made: list[UUID] = []
    for step in range(4):
        one, two = MERGES[(seed * 7 + step * 5) % len(MERGES)]
        fields = {"company": "other", "customFields.shared": "other"} if (seed + step) % 2 else {}
        try:
            made.append((await desk.merge(ids[one], ids[two], fields=fields)).id)
        except (AlreadyMerged, UnknownMergeField):
            continue
    assert made

    Random(seed).shuffle(made)  # noqa: S311  any order
    for merge_id in made:
        await desk.unmerge(merge_id)

    assert await desk.stored() == before
    assert await desk.violations() == []
