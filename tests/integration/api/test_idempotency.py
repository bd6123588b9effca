"""The same request with the same key has one effect and one answer."""

import asyncio

import httpx
import pytest

from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.idempotency import purge_expired_keys
from tests.support.api import Caller, new_caller, toys_made

TOY = {"name": "bear", "size": 3}


def with_key(caller: Caller, key: str) -> dict[str, str]:
    return {**caller.headers, "Idempotency-Key": key}


async def test_a_repeated_request_gets_the_first_answer_byte_for_byte(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    first = await toys.post("/v1/toys", json=TOY, headers=with_key(caller, "k 1"))
    second = await toys.post("/v1/toys", json=TOY, headers=with_key(caller, "k 1"))

    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert (first.headers.get("Idempotency-Replayed"), second.headers["Idempotency-Replayed"]) == (None, "true")
    assert await toys_made(database, caller.workspace_id) == ["bear"]


async def test_fifty_equal_requests_at_once_have_one_effect(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    answers = await asyncio.gather(*(toys.post("/v1/toys", json=TOY, headers=with_key(caller, "k")) for _ in range(50)))

    created = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert len(created) + len(waiting) == 50
    assert created
    assert len({answer.content for answer in created}) == 1
    assert all(answer.json()["code"] == "idempotency_in_progress" for answer in waiting)
    assert all(answer.headers["Retry-After"] == "1" for answer in waiting)
    assert await toys_made(database, caller.workspace_id) == ["bear"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/toys", {"name": "bear", "size": 4}),
        ("POST", "/v1/toys/conflicts", TOY),
        ("PATCH", "/v1/toys/0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10", TOY),
    ],
)
async def test_another_request_with_the_key_is_refused(
    toys: httpx.AsyncClient, caller: Caller, database: Database, method: str, path: str, body: dict[str, object]
) -> None:
    await toys.post("/v1/toys", json=TOY, headers=with_key(caller, "k"))

    headers = {**with_key(caller, "k"), "If-Match": '"1"'}
    answer = await toys.request(method, path, json=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert await toys_made(database, caller.workspace_id) == ["bear"]


async def test_a_key_belongs_to_its_workspace_and_caller(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    colleague = await new_caller(database, [LEADS_WRITE], workspace_id=caller.workspace_id)
    stranger = await new_caller(database, [LEADS_WRITE])
    await toys.post("/v1/toys", json=TOY, headers=with_key(caller, "k"))

    assert (await toys.post("/v1/toys", json=TOY, headers=with_key(colleague, "k"))).status_code == 422
    assert (await toys.post("/v1/toys", json=TOY, headers=with_key(stranger, "k"))).status_code == 201
    assert await toys_made(database, stranger.workspace_id) == ["bear"]


async def test_a_refusal_is_kept_without_its_effect(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    first = await toys.post("/v1/toys/conflicts", headers=with_key(caller, "k"))
    second = await toys.post("/v1/toys/conflicts", headers=with_key(caller, "k"))

    assert (first.status_code, first.json()["existingId"]) == (409, "7")
    assert (second.content, second.headers["Idempotency-Replayed"]) == (first.content, "true")
    assert second.headers["Content-Type"] == "application/problem+json"
    assert await toys_made(database, caller.workspace_id) == []


@pytest.mark.parametrize("path", ["faults", "absences", "late-violations"])
async def test_a_fault_is_not_kept(toys: httpx.AsyncClient, caller: Caller, database: Database, path: str) -> None:
    for _ in range(2):
        answer = await toys.post(f"/v1/toys/{path}", headers=with_key(caller, "k"))
        assert answer.status_code >= 500
        assert "Idempotency-Replayed" not in answer.headers
    assert await toys_made(database, caller.workspace_id) == []


async def test_invalid_input_leaves_the_key_free(toys: httpx.AsyncClient, caller: Caller) -> None:
    refused = await toys.post("/v1/toys", json={"name": ""}, headers=with_key(caller, "k"))
    corrected = await toys.post("/v1/toys", json=TOY, headers=with_key(caller, "k"))

    assert (refused.status_code, corrected.status_code) == (400, 201)


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "schlüssel", "tab\tkey"])
async def test_a_key_that_is_none_is_refused(toys: httpx.AsyncClient, caller: Caller, key: str) -> None:
    headers = [("Authorization", caller.headers["Authorization"]), ("Idempotency-Key", key.encode())]

    answer = await toys.post("/v1/toys", json=TOY, headers=headers)  # type: ignore[arg-type]

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["x", "x" * 255, "~!", "a b", "6b1f0a3e-6f4e-4a86-9d0e-2f7a1c3b5d79"])
async def test_any_printable_key_works(toys: httpx.AsyncClient, caller: Caller, key: str) -> None:
    assert (await toys.post("/v1/toys", json=TOY, headers=with_key(caller, key))).status_code == 201


async def test_a_stored_answer_cannot_be_read_from_the_database(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    wanted = {"name": "secret", "scopes": ["leads:read"]}
    created = await toys.post("/v1/api-keys", json=wanted, headers=with_key(caller, "k"))
    repeated = await toys.post("/v1/api-keys", json=wanted, headers=with_key(caller, "k"))

    async with database.transaction(caller.workspace_id, read_only=True) as tx:
        row = await tx.first(sql("SELECT * FROM idempotency_keys"))
    assert row is not None
    assert repeated.json()["token"] == created.json()["token"]
    assert created.json()["token"].encode() not in bytes(row.answer)


async def test_old_keys_are_forgotten(toys: httpx.AsyncClient, caller: Caller, database: Database) -> None:
    for key in ("old", "new"):
        await toys.post("/v1/toys", json=TOY, headers=with_key(caller, key))
    async with database.transaction(caller.workspace_id) as tx:
        await tx.execute(
            sql(
                "UPDATE idempotency_keys SET created_at = now() - interval '8 days' WHERE created_at = "
                "(SELECT min(created_at) FROM idempotency_keys)"
            )
        )
    async with database.system() as tx:
        assert await purge_expired_keys(tx) == 1

    old = await toys.post("/v1/toys", json=TOY, headers=with_key(caller, "old"))
    new = await toys.post("/v1/toys", json=TOY, headers=with_key(caller, "new"))
    assert ("Idempotency-Replayed" in old.headers, "Idempotency-Replayed" in new.headers) == (False, True)
