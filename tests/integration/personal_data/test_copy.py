"""A person gets a copy of all that is stored, and the audit log records it without personal data."""

import json

from tests.integration.personal_data.world import CANARIES, EMAIL, FIELDS, World
from tests.support.tenants import holdings


async def test_the_copy_has_every_value_and_what_others_have_is_not_in_it(world: World) -> None:
    lead_id = await world.everywhere()

    copy = await world.copy(lead_id)

    assert set(copy.places) >= {
        "leads",
        "timeline",
        "changes",
        "enrichmentRuns",
        "enrichmentValues",
        "importRows",
        "jobs",
        "merges",
        "duplicates",
        "auditLog",
    }
    copied = json.dumps(copy.model_dump(mode="json"))
    for text in (EMAIL, FIELDS["firstName"], FIELDS["jobTitle"], "Quokkafound", "Nothing is known of"):
        assert text in copied, text
    assert "carl@acme.com" not in copied
    assert copy.rows == sum(len(rows) for rows in copy.places.values())


async def test_the_copy_of_a_deleted_lead_is_that_of_the_person(world: World) -> None:
    lead_id = await world.person()
    await world.desk.leads.delete(lead_id)

    assert (await world.copy(lead_id)).lead_ids == (await world.copy(EMAIL)).lead_ids == [lead_id]


async def test_the_audit_log_has_ids_and_counts_of_copies_and_erasures(world: World) -> None:
    lead_id = await world.person()
    copy = await world.copy(lead_id)
    erased = await world.erase(lead_id)

    events = [json.loads(row) for row in (await holdings(world.database, world.actor.workspace_id))["audit_events"]]

    recorded = [(event["action"], event["data"]) for event in events if event["action"].startswith("person.")]
    ids = [str(lead_id)]
    rows = sum(place.rows for place in erased.places)
    assert sorted(recorded, key=lambda item: item[0]) == [
        ("person.erased", {"count": 1, "leadIds": ids, "rows": rows}),
        ("person.exported", {"count": 1, "leadIds": ids, "rows": copy.rows}),
    ]
    assert not any(canary in json.dumps(events).lower() for canary in CANARIES)
