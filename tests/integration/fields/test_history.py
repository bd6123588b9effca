"""The history of fields: who or what set which value when, and what was known of a lead at a time."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.duplicates.contracts import MergeLeads
from leadflood.domains.duplicates.service import merging
from leadflood.domains.fields import service as fields
from leadflood.domains.fields.contracts import CreateField
from leadflood.domains.fields.events import CONVERT_VALUES
from leadflood.domains.leads.contracts import UpdateLead
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.history import FieldChangeView
from leadflood.domains.leads.queries.history import facts_as_of, field_history
from leadflood.domains.leads.service import bulk, changesets, update_lead
from leadflood.kernel.db.sql import sql
from tests.support.api import Caller
from tests.support.desk import Desk, csv_of
from tests.support.jobs import Jobs

_NOW = sql("SELECT clock_timestamp()")
_FACTS = sql("""
SELECT jsonb_strip_nulls(lead_image(l)) - '{email_norm,search_text,deleted_at}'::text[] FROM leads l
WHERE workspace_id = :workspace_id AND id = :id
""")
_COUNT = sql("SELECT count(*) FROM lead_field_history WHERE workspace_id = :workspace_id")


async def changes(desk: Desk, lead_id: UUID, field: str | None = None) -> list[FieldChangeView]:
    """The history, oldest first."""
    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        page = await field_history(tx, desk.actor, lead_id=lead_id, field=field, limit=200)
    return list(reversed(page.items))


async def moment(desk: Desk, lead_id: UUID) -> tuple[datetime, dict[str, Any]]:
    """The time of the database, and the fields of the lead now, by the names of an image."""
    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        now: datetime = await tx.scalar(_NOW)
        facts: dict[str, Any] = await tx.scalar(_FACTS, {"workspace_id": desk.actor.workspace_id, "id": lead_id})
    return now, facts


async def edit(desk: Desk, lead_id: UUID, **given: object) -> None:
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        command = UpdateLead.model_validate(given)
        await update_lead(tx, desk.actor, lead_id=lead_id, command=command, expected_version=None)


async def set_company(desk: Desk, lead_id: UUID) -> UUID:
    wanted = {
        "action": "set",
        "changes": {"company": "Bulk", "customFields": {"plan": None}},
        "leadIds": [str(lead_id)],
    }
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        made = await bulk.change_leads(tx, desk.actor, command=BulkChange.model_validate(wanted), trace={})
    return made.id


async def undo(desk: Desk, changeset_id: UUID) -> None:
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await changesets.undo_changeset(tx, desk.actor, LEAD_PARTICIPANTS, changeset_id=changeset_id, trace={})


async def convert_seats(desk: Desk) -> None:
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        command = CreateField.model_validate({"label": "Seats", "type": "number"})
        await fields.create_field(tx, desk.actor, command=command)
    query = "SELECT id FROM job_executions WHERE kind = :kind AND status = 'queued' AND workspace_id = :workspace_id"
    jobs = Jobs(desk.database, desk.actor.workspace_id)
    for row in await jobs.rows(query, kind=CONVERT_VALUES.name, workspace_id=desk.actor.workspace_id):
        await desk.attempt(row.id)


async def merge(desk: Desk, lead_id: UUID) -> UUID:
    other = await desk.lead(email="other@acme.com", phone="+442079460958", customFields={"tier": "a"})
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        command = MergeLeads.model_validate({"survivorId": str(lead_id), "otherId": str(other)})
        return (await merging.merge(tx, desk.actor, LEAD_PARTICIPANTS, command=command)).id


async def test_what_was_known_at_any_time_is_found_again_whoever_changed_it(desk: Desk) -> None:
    ada = await desk.lead(email="ada@acme.com", company="Acme", customFields={"plan": "free", "seats": "3"})
    seen = [await moment(desk, ada)]

    async def step(change: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401  what the change returns
        result = await change()
        seen.append(await moment(desk, ada))
        return result

    await step(lambda: edit(desk, ada, email="ada@new.com", firstName="Ada", customFields={"plan": "pro"}))
    await step(lambda: edit(desk, ada, firstName=None, country="GB"))
    changeset_id = await step(lambda: set_company(desk, ada))
    await step(lambda: undo(desk, changeset_id))
    rows = csv_of([["email", "company", "plan"], ["ada@new.com", "Imported", "team"]])
    done = await step(lambda: desk.run(rows, ["email", "company", "custom:plan"], existing="overwrite"))
    await step(lambda: desk.undo(done.id))
    merge_id = await step(lambda: merge(desk, ada))
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await merging.undo_merge(tx, desk.actor, LEAD_PARTICIPANTS, merge_id=merge_id, trace={})
    await step(lambda: convert_seats(desk))

    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        known = [(await facts_as_of(tx, desk.actor, lead_ids=[ada], at=at))[ada] for at, _ in seen]
    names = {"first_name": "firstName", "owner_id": "ownerId"}
    expected = [
        {names.get(name, name).replace("custom_fields.", "customFields."): value for name, value in facts.items()}
        for _, facts in seen
    ]
    assert known == expected
    assert {change.source.value for change in await changes(desk, ada)} == {
        "edit",
        "bulk",
        "undo",
        "import",
        "merge",
        "conversion",
    }


async def test_a_change_says_what_it_was_who_made_it_and_by_which_changeset(desk: Desk) -> None:
    ada = await desk.lead(email="ada@acme.com", customFields={"plan": "free"})
    await edit(desk, ada, customFields={"plan": "pro"}, jobTitle="Chief")
    changeset_id = await set_company(desk, ada)

    first, second, *others = await changes(desk, ada)

    assert [(item.field, item.old_value, item.new_value, item.source) for item in (first, second)] == [
        ("customFields.plan", "free", "pro", "edit"),
        ("jobTitle", None, "Chief", "edit"),
    ]
    assert (first.actor.kind, first.changeset_id) == (desk.actor.kind, None)
    assert {(item.field, item.new_value, item.changeset_id) for item in others} == {
        ("company", "Bulk", changeset_id),
        ("customFields.plan", None, changeset_id),
    }
    assert [change.new_value for change in await changes(desk, ada, "customFields.plan")] == ["pro", None]


async def test_creating_and_enriching_leads_writes_no_history(desk: Desk) -> None:
    await desk.run(csv_of([["email", "plan"], ["ada@acme.com", "pro"]]), ["email", "custom:plan"])
    await desk.lead(email="bob@acme.com", customFields={"plan": "free"})
    jobs = Jobs(desk.database, desk.actor.workspace_id)
    await jobs.change(
        "UPDATE leads SET status = 'enriched', version = version + 2 WHERE workspace_id = :workspace_id",
        workspace_id=desk.actor.workspace_id,
    )

    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        assert await tx.scalar(_COUNT, {"workspace_id": desk.actor.workspace_id}) == 0


@pytest.mark.parametrize("limit", [1, 50])
async def test_the_history_is_read_page_by_page(toys: httpx.AsyncClient, caller: Caller, limit: int) -> None:
    made = await toys.post("/v1/leads", json={"email": "ada@acme.com"}, headers=caller.headers)
    lead = f"/v1/leads/{made.json()['leadId']}"
    for name in ("Acme", "Byron"):
        version = (await toys.get(lead, headers=caller.headers)).headers["ETag"]
        await toys.patch(lead, json={"company": name}, headers={**caller.headers, "If-Match": version})

    found, cursor = [], ""
    while cursor is not None:
        asked = f"{lead}/field-history?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        page = (await toys.get(asked, headers=caller.headers)).json()
        found += [(item["oldValue"], item["newValue"]) for item in page["items"]]
        cursor = page["nextCursor"]

    assert found == [("Acme", "Byron"), (None, "Acme")]
