"""The data of a person over HTTP: a copy of it, and its erasure."""

import httpx
import pytest

from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.kernel.actor import PERMISSIONS, Role
from leadflood.kernel.db.database import Database
from tests.support.api import Caller, new_caller

EMAIL = "ada.lovelace@acme.com"
LEAD = {"email": EMAIL, "firstName": "Ada", "lastName": "Lovelace"}


@pytest.fixture
async def lead(toys: httpx.AsyncClient, caller: Caller) -> str:
    """The path of a lead."""
    created = await toys.post("/v1/leads", json=LEAD, headers={**caller.headers, "Idempotency-Key": "create"})
    return f"/v1/leads/{created.json()['leadId']}"


async def test_a_dry_run_lists_what_the_erasure_then_erases(toys: httpx.AsyncClient, caller: Caller, lead: str) -> None:
    dry = await toys.post(f"{lead}/erasures", json={"dryRun": True}, headers=caller.headers)
    kept = await toys.get(lead, headers=caller.headers)
    done = await toys.post(f"{lead}/erasures", json={}, headers=caller.headers)
    again = await toys.post(f"{lead}/erasures", json={}, headers=caller.headers)

    assert (dry.status_code, dry.json()["dryRun"], dry.json()["erasedAt"]) == (200, True, None)
    assert {"name": "leads", "rows": 1} in dry.json()["places"]
    assert kept.status_code == 200
    assert (done.status_code, done.json()["dryRun"]) == (200, False)
    assert done.json()["leadIds"] == [lead.rpartition("/")[2]]
    assert done.json()["erasedAt"]
    assert (await toys.get(lead, headers=caller.headers)).status_code == 404
    assert (again.status_code, again.json()["code"]) == (404, "lead_not_found")
    events = (await toys.get("/v1/events", headers=caller.headers)).json()["items"]
    assert [(event["type"], event["subject"]["id"]) for event in events[-1:]] == [
        ("lead.erased.v1", lead.rpartition("/")[2])
    ]


async def test_a_person_is_found_by_address_too(toys: httpx.AsyncClient, caller: Caller, lead: str) -> None:
    by_lead = await toys.post(f"{lead}/personal-data-exports", headers=caller.headers)
    by_address = await toys.post("/v1/personal-data-exports", json={"email": EMAIL.upper()}, headers=caller.headers)
    erased = await toys.post("/v1/erasures", json={"email": EMAIL.upper()}, headers=caller.headers)
    nothing = await toys.post("/v1/erasures", json={"email": EMAIL}, headers=caller.headers)

    assert by_lead.status_code == by_address.status_code == 200
    assert by_lead.json()["places"]["leads"] == by_address.json()["places"]["leads"]
    assert by_lead.json()["places"]["leads"][0]["first_name"] == "Ada"
    assert erased.json()["leadIds"] == [lead.rpartition("/")[2]]
    assert (nothing.status_code, nothing.json()["places"]) == (200, [])


async def test_an_answer_that_had_the_person_is_not_given_again_and_its_key_still_has_one_effect(
    toys: httpx.AsyncClient, caller: Caller, lead: str, database: Database
) -> None:
    other = (await toys.post("/v1/leads", json={"email": "bob@acme.com"}, headers=caller.headers)).json()["leadId"]
    keyed = {**caller.headers, "Idempotency-Key": "change", "If-Match": '"1"'}
    changed = await toys.patch(f"/v1/leads/{other}", json={"company": "Acme"}, headers=keyed)
    assert changed.status_code == 200, changed.text

    erased = await toys.post(f"{lead}/erasures", json={}, headers={**caller.headers, "Idempotency-Key": "erase"})

    assert {"name": "answers", "rows": 1} in erased.json()["places"]
    again = await toys.patch(f"/v1/leads/{other}", json={"company": "Acme"}, headers=keyed)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_response_not_stored")
    mismatch = await toys.patch(f"/v1/leads/{other}", json={"company": "Other"}, headers=keyed)
    assert mismatch.json()["code"] == "idempotency_mismatch"
    create = {**caller.headers, "Idempotency-Key": "create"}
    assert (await toys.post("/v1/leads", json=LEAD, headers=create)).headers["Idempotency-Replayed"] == "true"
    repeated = await toys.post(f"{lead}/erasures", json={}, headers={**caller.headers, "Idempotency-Key": "erase"})
    assert repeated.json() == erased.json()


@pytest.mark.parametrize("path", ["erasures", "personal-data-exports"])
async def test_members_may_neither_export_nor_erase(
    toys: httpx.AsyncClient, lead: str, database: Database, path: str
) -> None:
    member = await new_caller(database, sorted(PERMISSIONS[Role.MEMBER] - {ACCOUNT}))

    refused = await toys.post(f"{lead}/{path}", json={}, headers=member.headers)

    assert (refused.status_code, refused.json()["requiredPermission"]) == (403, "personal_data:write")
