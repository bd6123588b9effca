"""The feed of events over HTTP, and what leads, enrichment and imports say in it."""

from typing import Any
from uuid import UUID

import httpx

from leadflood.domains.enrichment.events import ENRICH_LEAD
from leadflood.domains.jobs.permissions import EVENTS_READ
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.db.database import Database
from tests.support.api import Caller, caller, gate, new_caller, parts, toys
from tests.support.jobs import Jobs
from tests.support.waiting import eventually

__all__ = ["caller", "gate", "parts", "toys"]


async def page(client: httpx.AsyncClient, caller: Caller, **query: str | int) -> dict[str, Any]:
    answer = await client.get("/v1/events", params=query, headers=caller.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def events(client: httpx.AsyncClient, caller: Caller, count: int) -> list[dict[str, Any]]:
    """The events of the workspace, as soon as there are so many."""

    async def enough() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await page(client, caller, limit=200))["items"]
        return items if len(items) >= count else []

    return await eventually(enough)


async def reader(database: Database) -> Caller:
    return await new_caller(database, [EVENTS_READ, LEADS_READ, LEADS_WRITE])


async def created(client: httpx.AsyncClient, caller: Caller, email: str) -> dict[str, str]:
    answer = await client.post("/v1/leads", json={"email": email}, headers=caller.headers)
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    return made


async def test_what_happens_to_a_lead_is_read_in_order_with_who_caused_it(
    toys: httpx.AsyncClient, database: Database, registry: JobRegistry
) -> None:
    caller = await reader(database)
    lead = await created(toys, caller, "ada@acme.com")
    path = f"/v1/leads/{lead['leadId']}"
    await Jobs(database, caller.workspace_id, ENRICH_LEAD).attempt(registry, UUID(lead["jobId"]))
    etag = (await toys.get(path, headers=caller.headers)).headers["ETag"]
    changed = await toys.patch(path, json={"jobTitle": "Countess"}, headers={**caller.headers, "If-Match": etag})
    await toys.delete(path, headers={**caller.headers, "If-Match": changed.headers["ETag"]})
    await toys.post(f"{path}/restorations", headers=caller.headers)
    again = await toys.post(f"{path}/enrichments", headers=caller.headers)

    told = [item for item in await events(toys, caller, 7) if item["subject"]["kind"] == "lead"]

    assert [item["type"].removesuffix(".v1") for item in told] == [
        "lead.created",
        "lead.enriched",
        "lead.updated",
        "lead.deleted",
        "lead.restored",
        "lead.enrichment_requested",
    ]
    assert {item["subject"]["id"] for item in told} == {lead["leadId"]}
    assert [item["actor"]["kind"] for item in told] == ["api_key", "system", *["api_key"] * 4]
    made, enriched, update = (item["data"] for item in told[:3])
    assert (made["source"], made["jobId"]) == ("api", lead["jobId"])
    assert enriched["jobId"] == lead["jobId"]
    assert update["fields"] == ["jobTitle"]
    assert told[-1]["data"]["jobId"] == again.json()["jobId"]


async def test_a_reader_goes_on_from_its_cursor_and_may_choose_types(
    toys: httpx.AsyncClient, database: Database
) -> None:
    caller = await reader(database)
    ada = await created(toys, caller, "ada@acme.com")
    await events(toys, caller, 1)
    first = await page(toys, caller)
    grace = await created(toys, caller, "grace@acme.com")
    await events(toys, caller, 2)

    rest = await page(toys, caller, after=first["nextCursor"])
    none = await page(toys, caller, type="lead.merged.v1")

    assert [item["subject"]["id"] for item in first["items"]] == [ada["leadId"]]
    assert [item["subject"]["id"] for item in rest["items"]] == [grace["leadId"]]
    assert (none["items"], none["hasMore"]) == ([], False)


async def test_changes_of_many_leads_are_told_of_each(toys: httpx.AsyncClient, database: Database) -> None:
    caller = await reader(database)
    leads = [(await created(toys, caller, f"{name}@acme.com"))["leadId"] for name in ("ada", "grace")]
    change = {"action": "set", "changes": {"company": "Acme", "customFields": {"tier": 1}}, "leadIds": leads}
    changeset = (await toys.post("/v1/changesets", json=change, headers=caller.headers)).json()

    undone = await toys.post(f"/v1/changesets/{changeset['id']}/undos", headers=caller.headers)

    assert undone.json()["status"] == "undone", undone.text
    told = (await events(toys, caller, 7))[2:]
    assert [item["type"] for item in told] == [*["lead.updated.v1"] * 4, "changeset.undone.v1"]
    assert {item["subject"]["id"] for item in told[:2]} == {item["subject"]["id"] for item in told[2:4]} == set(leads)
    assert told[0]["data"] == {"fields": ["company", "customFields"], "changesetId": changeset["id"]}


async def test_without_the_permission_nothing_is_read(toys: httpx.AsyncClient, database: Database) -> None:
    caller = await new_caller(database, [LEADS_READ])

    answer = await toys.get("/v1/events", headers=caller.headers)

    assert (answer.status_code, answer.json()["requiredPermission"]) == (403, "events:read")
