"""The filter tables match the leads, whoever writes those."""

from uuid import UUID

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.duplicates.contracts import MergeLeads
from leadflood.domains.duplicates.service import merging
from leadflood.domains.fields import service
from leadflood.domains.fields.contracts import CreateField, UpdateField
from leadflood.domains.fields.events import CONVERT_VALUES
from leadflood.domains.leads.contracts import UpdateLead
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.service import bulk, changesets, delete_lead, update_lead
from leadflood.kernel.db.sql import sql
from tests.support.desk import Desk, csv_of
from tests.support.jobs import Jobs

_TEXTS = sql("""
SELECT l.email, v.key, v.value FROM lead_field_texts v
LEFT JOIN leads l ON l.workspace_id = v.workspace_id AND l.id = v.lead_id ORDER BY 1, 2, 3
""")
_NUMBERS = sql("""
SELECT l.email, v.key, v.value FROM lead_field_numbers v
LEFT JOIN leads l ON l.workspace_id = v.workspace_id AND l.id = v.lead_id ORDER BY 1, 2, 3
""")
_EXPECTED_TEXTS = sql("""
SELECT l.email, v.key, v.value FROM leads l CROSS JOIN LATERAL custom_texts(l.custom_fields) v ORDER BY 1, 2, 3
""")
_EXPECTED_NUMBERS = sql("""
SELECT l.email, v.key, v.value FROM leads l CROSS JOIN LATERAL custom_numbers(l.custom_fields) v ORDER BY 1, 2, 3
""")
_REMOVE = sql("DELETE FROM leads WHERE workspace_id = :workspace_id AND id = :id")


async def projected(desk: Desk) -> list[tuple[object, ...]]:
    """All projected values, which must be those that the leads have."""
    async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
        found = [tuple(row) for statement in (_TEXTS, _NUMBERS) for row in await tx.all(statement)]
        expected = [tuple(row) for statement in (_EXPECTED_TEXTS, _EXPECTED_NUMBERS) for row in await tx.all(statement)]
    assert found == expected
    return found


async def define(desk: Desk, **given: object) -> UUID:
    command = CreateField.model_validate(given)
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        return (await service.create_field(tx, desk.actor, command=command)).id


async def convert(desk: Desk) -> None:
    """Run the jobs that convert values."""
    jobs = Jobs(desk.database, desk.actor.workspace_id)
    query = "SELECT id FROM job_executions WHERE kind = :kind AND status = 'queued' AND workspace_id = :workspace_id"
    for row in await jobs.rows(query, kind=CONVERT_VALUES.name, workspace_id=desk.actor.workspace_id):
        await desk.attempt(row.id)


async def test_every_way_to_write_leads_keeps_the_projection_in_step(desk: Desk) -> None:
    custom = {"plan": "pro", "seats": 12, "vip": True, "tags": ["a", "b"], "note": "x" * 300, "empty": ""}
    ada = await desk.lead(email="ada@acme.com", customFields=custom)
    found = await projected(desk)
    assert ("ada@acme.com", "note", "x" * 201) in found
    assert ("ada@acme.com", "seats", 12.0) in found
    assert [key for _, key, _ in found if key in ("tags", "vip", "empty")] == ["tags", "tags", "vip"]

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        change = UpdateLead.model_validate({"customFields": {"plan": "team", "seats": None, "tags": ["b", "c"]}})
        await update_lead(tx, desk.actor, lead_id=ada, command=change, expected_version=None)
    assert ("ada@acme.com", "tags", "c") in await projected(desk)


async def test_bulk_changes_imports_merges_and_their_undo_keep_it_in_step(desk: Desk) -> None:
    ada = await desk.lead(email="ada@acme.com", customFields={"plan": "team"})
    bob = await desk.lead(email="bob@acme.com", customFields={"plan": "free"})
    wanted = {"action": "set", "changes": {"customFields": {"plan": "gold"}}, "leadIds": [str(ada), str(bob)]}
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        made = await bulk.change_leads(tx, desk.actor, command=BulkChange.model_validate(wanted), trace={})
    assert ("bob@acme.com", "plan", "gold") in await projected(desk)
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await changesets.undo_changeset(tx, desk.actor, LEAD_PARTICIPANTS, changeset_id=made.id, trace={})
    assert ("bob@acme.com", "plan", "free") in await projected(desk)

    rows = [["email", "plan", "seats"], ["bob@acme.com", "basic", "4"], ["eve@acme.com", "pro", "5"]]
    done = await desk.run(csv_of(rows), ["email", "custom:plan", "custom:seats"], existing="overwrite")
    assert ("bob@acme.com", "plan", "basic") in await projected(desk)
    await desk.undo(done.id)
    assert ("bob@acme.com", "plan", "free") in await projected(desk)

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        command = MergeLeads.model_validate(
            {"survivorId": str(bob), "otherId": str(ada), "fields": {"customFields.plan": "other"}}
        )
        merge = await merging.merge(tx, desk.actor, LEAD_PARTICIPANTS, command=command)
    assert ("bob@acme.com", "plan", "team") in await projected(desk)
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await merging.undo_merge(tx, desk.actor, LEAD_PARTICIPANTS, merge_id=merge.id, trace={})
    assert ("bob@acme.com", "plan", "free") in await projected(desk)

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await delete_lead(tx, desk.actor, lead_id=bob)
    assert ("bob@acme.com", "plan", "free") in await projected(desk)
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(_REMOVE, {"workspace_id": desk.actor.workspace_id, "id": bob})
    assert [item for item in await projected(desk) if item[0] in ("bob@acme.com", None)] == []


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("number", ["12", 3, "many"], [12, 3, "many"]),
        ("text", ["12", 3, True], ["12", "3", "true"]),
        ("boolean", ["yes", "no", "perhaps"], [True, False, "perhaps"]),
        ("date", ["01.03.2026", "2026-03-01", "soon"], ["2026-03-01", "2026-03-01", "soon"]),
    ],
)
async def test_a_new_type_converts_the_values_that_fit_and_keeps_the_others(
    desk: Desk, kind: str, given: list[object], stored: list[object]
) -> None:
    for index, value in enumerate(given):
        await desk.lead(email=f"{index}@acme.com", customFields={"field": value, "other": 1})

    await define(desk, label="Field", type=kind)
    await convert(desk)

    found = [lead["custom_fields"]["field"] for lead in await desk.leads()]
    assert (found, [type(item) for item in found]) == (stored, [type(item) for item in stored])
    await projected(desk)


async def test_a_field_of_another_type_converts_and_a_choice_takes_labels(desk: Desk) -> None:
    await desk.lead(email="ada@acme.com", customFields={"plan": "PRO"})
    field_id = await define(desk, label="Plan")
    command = UpdateField.model_validate(
        {"type": "choice", "options": [{"value": "p", "label": "Pro"}, {"value": "f", "label": "Free"}]}
    )

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await service.update_field(tx, desk.actor, field_id=field_id, command=command, expected_version=1)
    await convert(desk)

    assert (await desk.leads())[0]["custom_fields"] == {"plan": "p"}
    assert await projected(desk) == [("ada@acme.com", "plan", "p")]
