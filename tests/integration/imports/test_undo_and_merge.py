"""Merging with a lead that an import created is an edit of it, whichever of the two survives."""

from uuid import UUID

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.duplicates.contracts import MergeLeads, MergeView
from leadflood.domains.duplicates.service import merging
from leadflood.domains.leads.queries.changesets import list_kept
from tests.support.desk import Desk, csv_of

COLUMNS = ["email", "firstName", "company"]


async def imported(desk: Desk, *emails: str) -> UUID:
    """An import that created leads with these addresses."""
    made = await desk.run(csv_of([COLUMNS, *([email, "Ada", "Acme"] for email in emails)]), COLUMNS)
    assert made.status == "committed"
    return made.id


async def lead_of(desk: Desk, email: str) -> UUID:
    found: UUID = next(lead["id"] for lead in await desk.leads() if lead["email"] == email)
    return found


async def merge(desk: Desk, survivor_id: UUID, other_id: UUID) -> MergeView:
    command = MergeLeads.model_validate({"survivorId": str(survivor_id), "otherId": str(other_id)})
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        return await merging.merge(tx, desk.actor, LEAD_PARTICIPANTS, command=command)


async def unmerge(desk: Desk, made: MergeView) -> MergeView:
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        return await merging.undo_merge(tx, desk.actor, LEAD_PARTICIPANTS, merge_id=made.id, trace={})


async def undo(desk: Desk, import_id: UUID) -> tuple[int | None, dict[UUID, str]]:
    """Undo an import. Returns how many leads it put back, and why it kept others."""
    undone = await desk.undo(import_id)
    assert undone.changeset_id
    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        kept = await list_kept(tx, desk.actor, changeset_id=undone.changeset_id, limit=10)
    return undone.reverted, {item.lead_id: item.reason.value for item in kept.items}


async def active(desk: Desk) -> dict[str, str | None]:
    return {str(lead["email"]): lead["job_title"] for lead in await desk.leads()}


async def test_the_undo_keeps_an_imported_survivor_and_loses_neither_the_other_nor_its_values(desk: Desk) -> None:
    import_id = await imported(desk, "ada@acme.com", "eve@acme.com")
    survivor = await lead_of(desk, "ada@acme.com")
    made = await merge(desk, survivor, await desk.lead(email="own@acme.com", jobTitle="Head"))

    assert await undo(desk, import_id) == (1, {survivor: "merged"})

    assert await active(desk) == {"ada@acme.com": "Head"}
    await unmerge(desk, made)
    assert await active(desk) == {"ada@acme.com": None, "own@acme.com": "Head"}


async def test_the_undo_leaves_a_survivor_that_an_imported_lead_was_merged_into_and_waits_for_the_unmerge(
    desk: Desk,
) -> None:
    import_id = await imported(desk, "ada@acme.com", "eve@acme.com")
    other = await lead_of(desk, "ada@acme.com")
    survivor = await desk.lead(email="own@acme.com", jobTitle="Head")
    made = await merge(desk, survivor, other)

    assert await undo(desk, import_id) == (1, {other: "merged_into"})

    assert [(lead["email"], lead["first_name"]) for lead in await desk.leads()] == [("own@acme.com", "Ada")]
    undone = await unmerge(desk, made)
    assert undone.other_deleted
    assert [(lead["email"], lead["first_name"]) for lead in await desk.leads()] == [("own@acme.com", None)]


async def test_the_undo_keeps_an_imported_survivor_that_gained_nothing_from_the_merge(desk: Desk) -> None:
    import_id = await imported(desk, "ada@acme.com", "eve@acme.com")
    survivor = await lead_of(desk, "ada@acme.com")
    await merge(desk, survivor, await desk.lead(email="own@acme.com"))

    assert await undo(desk, import_id) == (1, {survivor: "merged"})

    assert set(await active(desk)) == {"ada@acme.com"}


async def test_after_an_unmerge_the_undo_removes_what_the_import_created_in_either_direction(desk: Desk) -> None:
    import_id = await imported(desk, "ada@acme.com", "eve@acme.com")
    own = await desk.lead(email="own@acme.com", jobTitle="Head")
    await unmerge(desk, await merge(desk, await lead_of(desk, "ada@acme.com"), own))
    await unmerge(desk, await merge(desk, own, await lead_of(desk, "eve@acme.com")))

    assert await undo(desk, import_id) == (2, {})

    assert await active(desk) == {"own@acme.com": "Head"}


async def test_two_leads_of_the_same_import_that_were_merged_are_kept_as_one(desk: Desk) -> None:
    import_id = await imported(desk, "ada@acme.com", "eve@acme.com")
    survivor, other = await lead_of(desk, "ada@acme.com"), await lead_of(desk, "eve@acme.com")
    await merge(desk, survivor, other)

    assert await undo(desk, import_id) == (0, {survivor: "merged", other: "merged_into"})

    assert set(await active(desk)) == {"ada@acme.com"}
