"""`/v1/custom-fields`, and leads whose custom fields have types."""

from typing import Any

import httpx
import pytest

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from tests.support.api import Caller

PATH = "/v1/custom-fields"
_AUDITED = sql("SELECT action, data ->> 'key' AS key FROM audit_events WHERE action LIKE 'field.%' ORDER BY id")


async def define(client: httpx.AsyncClient, caller: Caller, label: str, kind: str, *options: str) -> dict[str, Any]:
    given: dict[str, Any] = {"label": label, "type": kind}
    if options:
        given["options"] = list(options)
    answer = await client.post(PATH, json=given, headers=caller.headers)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def create(client: httpx.AsyncClient, caller: Caller, email: str, **custom: object) -> httpx.Response:
    return await client.post("/v1/leads", json={"email": email, "customFields": custom}, headers=caller.headers)


async def keys(client: httpx.AsyncClient, caller: Caller) -> list[str]:
    return [item["key"] for item in (await client.get(PATH, headers=caller.headers)).json()["items"]]


async def test_a_field_is_created_changed_moved_archived_and_deleted(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    revenue = await define(toys, caller, "Annual revenue", "number")
    plan = await define(toys, caller, "Plan", "choice", "Free", "Pro")
    await define(toys, caller, "Renewal", "date")
    assert (revenue["key"], plan["options"][1]) == ("annual_revenue", {"value": "Pro", "label": "Pro"})

    path = f"{PATH}/{plan['id']}"
    renamed = {"label": "Tier", "options": [{"value": "Pro", "label": "Professional"}, "Free"], "position": 0}
    without = await toys.patch(path, json=renamed, headers=caller.headers)
    changed = await toys.patch(path, json=renamed, headers={**caller.headers, "If-Match": '"1"'})
    late = await toys.patch(path, json={"label": "Late"}, headers={**caller.headers, "If-Match": '"1"'})
    assert (without.status_code, changed.status_code, late.status_code) == (428, 200, 412)
    assert (changed.json()["label"], changed.json()["version"], changed.headers["ETag"]) == ("Tier", 2, '"2"')
    assert await keys(toys, caller) == ["plan", "annual_revenue", "renewal"]

    await toys.patch(path, json={"archived": True}, headers={**caller.headers, "If-Match": '"2"'})
    assert await keys(toys, caller) == ["annual_revenue", "renewal", "plan"]
    gone = await toys.delete(path, headers={**caller.headers, "If-Match": '"3"'})
    assert (gone.status_code, (await toys.get(path, headers=caller.headers)).status_code) == (204, 404)
    async with database.transaction(caller.workspace_id, read_only=True) as tx:
        audited = [tuple(row) for row in await tx.all(_AUDITED)]
    assert audited == [
        ("field.created", "annual_revenue"),
        ("field.created", "plan"),
        ("field.created", "renewal"),
        ("field.updated", "plan"),
        ("field.updated", "plan"),
        ("field.deleted", "plan"),
    ]


@pytest.mark.parametrize(
    ("given", "status", "pointer"),
    [
        ({"label": "Plan", "type": "choice"}, 400, ""),
        ({"label": "Plan", "type": "text", "options": ["Pro"]}, 400, ""),
        ({"label": "Plan", "type": "choice", "options": ["Pro", "pro"]}, 400, ""),
        ({"label": "!?"}, 400, ""),
        ({"label": "Plan", "key": "1plan"}, 400, "/key"),
        ({"label": "Plan", "type": "money"}, 400, "/type"),
        ({"label": "Known"}, 409, "/key"),
    ],
)
async def test_a_definition_that_makes_no_sense_is_refused_by_name(
    toys: httpx.AsyncClient, caller: Caller, given: dict[str, Any], status: int, pointer: str
) -> None:
    await define(toys, caller, "Known", "text")

    answer = await toys.post(PATH, json=given, headers=caller.headers)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer), answer.text
    assert await keys(toys, caller) == ["known"]


async def test_values_become_of_their_fields_type_however_they_are_written(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    await define(toys, caller, "Seats", "number")
    await define(toys, caller, "Renewal", "date")
    await define(toys, caller, "Tags", "multi_choice", "Big", "Old")
    await define(toys, caller, "Contact", "person")
    given = {"seats": "12", "renewal": "01.03.2026", "tags": "old; Big", "contact": str(caller.user_id), "other": 7}

    lead = f"/v1/leads/{(await create(toys, caller, 'ada@acme.com', **given)).json()['leadId']}"
    stored = (await toys.get(lead, headers=caller.headers)).json()
    changed = await toys.patch(
        lead,
        json={"customFields": {"seats": "1,5", "tags": []}},
        headers={**caller.headers, "If-Match": f'"{stored["version"]}"'},
    )

    assert stored["customFields"] == {
        "seats": 12,
        "renewal": "2026-03-01",
        "tags": ["Old", "Big"],
        "contact": str(caller.user_id),
        "other": 7,
    }
    assert changed.status_code == 400
    again = await toys.patch(
        lead,
        json={"customFields": {"seats": "1,5", "tags": None}},
        headers={**caller.headers, "If-Match": f'"{stored["version"]}"'},
    )
    assert again.json()["customFields"]["seats"] == 1.5
    assert "tags" not in again.json()["customFields"]


async def test_values_that_do_not_fit_are_named_and_disturb_no_other_lead(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    await define(toys, caller, "Seats", "number")
    await define(toys, caller, "Plan", "choice", "Free", "Pro")

    refused = await create(toys, caller, "ada@acme.com", seats="many", plan="Gold")
    batch = await toys.post(
        "/v1/leads/batch",
        json={
            "leads": [
                {"email": "ada@acme.com", "customFields": {"seats": "3"}},
                {"email": "bob@acme.com", "customFields": {"plan": "Gold"}},
                {"email": "eve@acme.com"},
            ]
        },
        headers=caller.headers,
    )

    assert refused.status_code == 400
    assert [(item["pointer"], item["code"]) for item in refused.json()["errors"]] == [
        ("/customFields/seats", "wrong_type"),
        ("/customFields/plan", "not_allowed"),
    ]
    assert "Free, Pro" in refused.json()["errors"][1]["message"]
    assert [item["status"] for item in batch.json()["results"]] == ["created", "invalid", "created"]
    assert batch.json()["results"][1]["errors"][0]["pointer"] == "/customFields/plan"


async def test_a_bulk_change_is_parsed_by_the_field_too(toys: httpx.AsyncClient, caller: Caller) -> None:
    await define(toys, caller, "Seats", "number")
    lead_id = (await create(toys, caller, "ada@acme.com")).json()["leadId"]

    async def change(value: object) -> httpx.Response:
        command = {"action": "set", "changes": {"customFields": {"seats": value}}, "leadIds": [lead_id]}
        return await toys.post("/v1/changesets", json=command, headers=caller.headers)

    refused, done = await change("many"), await change("12")

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/changes/customFields/seats")
    assert done.status_code in (200, 201), done.text
    stored = (await toys.get(f"/v1/leads/{lead_id}", headers=caller.headers)).json()
    assert stored["customFields"] == {"seats": 12}
