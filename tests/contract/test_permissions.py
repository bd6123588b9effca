"""Every role and every scope against every operation, generated from `x-required-permission` in the document."""

import json
from collections.abc import Mapping
from itertools import product
from typing import Any
from uuid import UUID

import httpx
import pytest

from leadflood.domains.identity import store
from leadflood.domains.identity.models import ACCESS_PREFIX, API_KEY_PREFIX, REFRESH_PREFIX, EndReason
from leadflood.domains.identity.store import sessions as session_store
from leadflood.domains.notes.permissions import NOTES_DELETE
from leadflood.kernel.actor import PERMISSIONS, SCOPES, Permission, Role
from leadflood.kernel.crypto import new_token
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.support.identity import make_operator
from tests.support.openapi import Operation, operations
from tests.support.tenants import Tenant, bearer, new_key, new_member, new_session, unread

GUARDED = [operation for operation in operations() if not operation.is_public]
NEEDING = [operation for operation in GUARDED if operation.permission is not None]
OPEN_TO_ALL = {"getMe"}
"""Operations that every valid credential may call."""
STRANGERS = 4
"""Wrong credentials that an operation is called with; over all operations each has its turn many times."""
FURTHER = {NOTES_DELETE}
"""Permissions that no operation needs as such, but some verbs for what others own."""
PUBLIC = {"login", "refresh", "health", "ready"}


async def call(
    api: httpx.AsyncClient, operation: Operation, headers: Mapping[str, str], resource_id: UUID | None = None
) -> httpx.Response:
    request = operation.request(resource_id or new_id())
    return await api.request(**request | {"headers": {**request["headers"], **headers}})


def test_every_operation_says_who_may_call_it() -> None:
    assert {operation.name for operation in operations() if operation.is_public} == PUBLIC
    assert {operation.name for operation in GUARDED if operation.permission is None} == OPEN_TO_ALL


def test_reading_needs_a_permission_to_read_and_writing_one_to_write() -> None:
    for operation in NEEDING:
        assert operation.permission is not None
        verb = operation.permission.value.partition(":")[2]
        assert verb in {"", "export", "publish", "configure", "write" if operation.writes else "read"}, operation
        assert verb not in {"publish", "configure"} or operation.writes, operation
        assert verb != "export" or "/exports" in operation.path, operation


@pytest.fixture(scope="module")
async def members(ours: Tenant) -> Mapping[Role, UUID]:
    return {role: await new_member(ours.database, ours.workspace_id, role) for role in Role}


async def test_a_role_allows_what_it_says_and_no_more(
    api: httpx.AsyncClient, ours: Tenant, members: Mapping[Role, UUID], subtests: pytest.Subtests
) -> None:
    for role, operation in product(Role, NEEDING):
        with subtests.test(f"{operation} as {role}"):
            _, token = await new_session(ours.database, ours.workspace_id, members[role])
            answer = await call(api, operation, bearer(token))
            assert_allowed(answer, operation, operation.permission in PERMISSIONS[role])


async def test_a_scope_allows_what_it_says_and_no_more(
    api: httpx.AsyncClient, ours: Tenant, subtests: pytest.Subtests
) -> None:
    for operation in NEEDING:
        with subtests.test(str(operation)):
            assert operation.permission is not None
            others = SCOPES - {operation.permission}
            _, without = await new_key(ours.database, ours.workspace_id, ours.owner_id, others)
            assert_allowed(await call(api, operation, bearer(without)), operation, allowed=False)
            if operation.permission in SCOPES:
                _, alone = await new_key(ours.database, ours.workspace_id, ours.owner_id, [operation.permission])
                assert_allowed(await call(api, operation, bearer(alone)), operation, allowed=True)


@pytest.mark.parametrize("scope", sorted(SCOPES - FURTHER))
async def test_a_key_is_held_to_the_role_of_who_made_it(
    api: httpx.AsyncClient, scope: Permission, ours: Tenant, members: Mapping[Role, UUID]
) -> None:
    _, token = await new_key(ours.database, ours.workspace_id, members[Role.VIEWER], SCOPES)
    operation = next(item for item in NEEDING if item.permission is scope)

    assert_allowed(await call(api, operation, bearer(token)), operation, scope in PERMISSIONS[Role.VIEWER])


def assert_allowed(answer: httpx.Response, operation: Operation, allowed: bool) -> None:
    assert answer.status_code not in {401, 405, 415, 500}, answer.text
    if allowed:
        assert "requiredPermission" not in answer.text
        return
    assert operation.permission is not None
    assert answer.status_code == 403, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["requiredPermission"]) == ("forbidden", operation.permission.value)


async def test_an_instance_operator_may_do_what_no_role_allows(
    api: httpx.AsyncClient, ours: Tenant, members: Mapping[Role, UUID]
) -> None:
    operator = await new_member(ours.database, ours.workspace_id, Role.VIEWER)
    await make_operator(ours.database, operator)
    for user_id, allowed in ((operator, True), (members[Role.OWNER], False)):
        _, token = await new_session(ours.database, ours.workspace_id, user_id)
        for operation in NEEDING:
            if operation.permission is Permission.INSTANCE:
                assert_allowed(await call(api, operation, bearer(token)), operation, allowed)
        me = (await api.get("/v1/auth/me", headers=bearer(token))).json()
        assert (me["isOperator"], "instance" in me["permissions"]) == (allowed, allowed)


async def test_every_scope_is_needed_by_something() -> None:
    assert {operation.permission for operation in NEEDING} == set(Permission) - FURTHER


@pytest.fixture(scope="module")
async def strangers(ours: Tenant) -> Mapping[str, Mapping[str, str]]:
    """Headers that let nobody in."""
    database, workspace_id = ours.database, ours.workspace_id
    refresh = new_token(REFRESH_PREFIX)
    await new_session(database, workspace_id, ours.owner_id, refresh=refresh)
    _, expired = await new_session(database, workspace_id, ours.owner_id, seconds=-1)
    tokens = {
        "made up": new_token(ACCESS_PREFIX),
        "made-up key": new_token(API_KEY_PREFIX),
        "no token": "garbage",
        "empty": "",
        "changed": ours.key[:-1] + ("1" if ours.key[-1] != "1" else "2"),
        "refresh token": refresh,
        "expired": expired,
        "international": "Zoë",
        "long": "lfa_" + "x" * 10_000,
        "ended": await _ended_session(ours),
        **await _dead_keys(ours),
        "of somebody removed": await _removed_member(database, workspace_id),
        "of somebody disabled": await _disabled_member(database, workspace_id),
    }
    headers = {name: bearer(token) for name, token in tokens.items()}
    scheme = {"basic": {"Authorization": "Basic YWRhOmFkYQ=="}, "bare": {"Authorization": ours.session}}
    return {"nothing": {}, **scheme, **headers}


async def _ended_session(ours: Tenant) -> str:
    session_id, ended = await new_session(ours.database, ours.workspace_id, ours.owner_id)
    async with ours.database.transaction(ours.workspace_id) as tx:
        await session_store.end_session(tx, ours.workspace_id, session_id, EndReason.ENDED)
    return ended


async def _dead_keys(ours: Tenant) -> dict[str, str]:
    revoked_id, revoked = await new_key(ours.database, ours.workspace_id, ours.owner_id)
    expired_id, expired = await new_key(ours.database, ours.workspace_id, ours.owner_id)
    async with ours.database.transaction(ours.workspace_id) as tx:
        await store.revoke_api_key(tx, ours.workspace_id, revoked_id)
        await tx.execute(sql("UPDATE api_keys SET expires_at = now() WHERE id = :id"), {"id": expired_id})
    return {"revoked key": revoked, "expired key": expired}


async def _removed_member(database: Database, workspace_id: UUID) -> str:
    user_id = await new_member(database, workspace_id, Role.ADMIN)
    _, token = await new_session(database, workspace_id, user_id)
    async with database.transaction(workspace_id) as tx:
        await store.delete_member(tx, workspace_id, user_id, expected=Role.ADMIN)
    return token


async def _disabled_member(database: Database, workspace_id: UUID) -> str:
    user_id = await new_member(database, workspace_id, Role.ADMIN)
    _, token = await new_session(database, workspace_id, user_id)
    async with database.system() as tx:
        await store.set_disabled(tx, user_id, disabled=True)
    return token


async def test_all_that_are_let_in_by_nothing_get_one_answer(
    api: httpx.AsyncClient, strangers: Mapping[str, Mapping[str, str]], subtests: pytest.Subtests
) -> None:
    names = [name for name in strangers if name != "nothing"]
    for number, operation in enumerate(GUARDED):
        tried = ["nothing", *(names[(number * STRANGERS + step) % len(names)] for step in range(STRANGERS))]
        with subtests.test(str(operation), strangers=tried):
            await assert_one_answer(api, operation, {name: strangers[name] for name in tried})


async def assert_one_answer(
    api: httpx.AsyncClient, operation: Operation, strangers: Mapping[str, Mapping[str, str]]
) -> None:
    resource_id = new_id()
    answers: dict[str, tuple[int, bytes, dict[str, str]]] = {}
    for name, credential in strangers.items():
        headers: dict[str, Any] = {key: value.encode() for key, value in credential.items()}
        answer = await call(api, operation, {**headers, "X-Request-Id": "same"}, resource_id)
        answers[name] = (answer.status_code, answer.content, dict(answer.headers))

    status, body, shown = answers["nothing"]
    assert (status, b'"code": "unauthenticated"' in body) == (401, True)
    assert shown["www-authenticate"].startswith("Bearer ")
    assert [name for name, answer in answers.items() if answer != answers["nothing"]] == []


async def test_whoever_may_only_read_changes_nothing(api: httpx.AsyncClient, ours: Tenant) -> None:
    _, token = await new_key(
        ours.database, ours.workspace_id, ours.owner_id, [scope for scope in SCOPES if scope.value.endswith(":read")]
    )
    before = await unread(ours.database, ours.workspace_id)
    told = set(before.pop("audit_events"))

    answers = {
        operation.name: (await call(api, operation, bearer(token), ours.ids.get(operation.collection))).status_code
        for operation in GUARDED
    }

    after = await unread(ours.database, ours.workspace_id)
    # No lead left, so no export of leads was recorded.
    assert {json.loads(entry)["action"] for entry in set(after.pop("audit_events")) - told} == {"companies.exported"}
    assert after == before
    others = {scope for scope in Permission if scope not in SCOPES or not scope.value.endswith(":read")}
    refused = {operation.name for operation in GUARDED if operation.writes or operation.permission in others}
    assert {name for name, status in answers.items() if status == 403} == refused
    assert {status for name, status in answers.items() if name not in refused} == {200}
