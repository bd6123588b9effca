"""No write takes a field that is not its own: not a column of a table, not a field of an answer, not a rank."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic.alias_generators import to_camel

from leadflood.kernel.actor import Permission, Role
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.schema import MAX_FIELD_ERRORS
from tests.support.identity import PASSWORD, make_operator
from tests.support.openapi import Operation, document, operations
from tests.support.tenants import Tenant, bearer, new_member, new_session, unread

RANKS = {
    "isAdmin",
    "is_admin",
    "admin",
    "permissions",
    "scope",
    "tenantId",
    "userId",
    "user",
    "workspace",
    "_id",
    "$set",
}
_COLUMNS = sql("SELECT DISTINCT column_name FROM information_schema.columns WHERE table_schema = 'leadflood'")

WITH_BODY = [operation for operation in operations() if operation.body_schema is not None]


def fields(schema: dict[str, Any]) -> Iterator[str]:
    yield from schema.get("properties", {})


async def tempting(database: Database) -> set[str]:
    """Every column, in both spellings, every field of every schema, and what other systems call such things."""
    async with database.system(read_only=True) as tx:
        columns = {row[0] for row in await tx.all(_COLUMNS)}
    answered = {name for schema in document()["components"]["schemas"].values() for name in fields(schema)}
    return columns | {to_camel(name) for name in columns} | answered | RANKS


def batches(names: list[str]) -> Iterator[list[str]]:
    """One by one those that would matter most, then all others together, in as many as are named at once."""
    grave = {"id", "isAdmin", "ownerId", "permissions", "role", "status", "userId", "version", "workspaceId"}
    yield from ([name] for name in names if name in grave)
    others = [name for name in names if name not in grave]
    for start in range(0, len(others), MAX_FIELD_ERRORS):
        yield others[start : start + MAX_FIELD_ERRORS]


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_every_foreign_field_is_refused_and_nothing_changes(
    api: httpx.AsyncClient, operation: Operation, ours: Tenant
) -> None:
    assert operation.body_schema is not None
    known = set(operation.body_schema["properties"])
    foreign = await tempting(ours.database) - known
    assert {"workspaceId", "id", "role", "status", "version", "createdAt"} - known <= foreign
    request = operation.request(ours.ids.get(operation.collection))
    session = ours.session
    if operation.permission is Permission.INSTANCE:
        await make_operator(ours.database, operator := await new_member(ours.database, ours.workspace_id, Role.OWNER))
        _, session = await new_session(ours.database, ours.workspace_id, operator)
    before = await unread(ours.database, ours.workspace_id)

    for names in batches(sorted(foreign)):
        body = {**request["json"], **dict.fromkeys(names, request["json"].get("role", 1))}
        if "newPassword" in body:
            body["newPassword"] = PASSWORD  # that of the example is refused, as everybody can read it
        answer = await api.request(**request | {"json": body, "headers": {**request["headers"], **bearer(session)}})
        assert answer.status_code == 400, answer.text
        assert {(error["pointer"], error["code"]) for error in answer.json()["errors"]} == {
            (f"/{name}", "unknown_field") for name in names
        }

    assert await unread(ours.database, ours.workspace_id) == before
