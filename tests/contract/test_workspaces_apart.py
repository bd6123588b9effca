"""Every id of another workspace in every place that takes an id, in every operation: as if it did not exist.

Generated from the OpenAPI document. An operation, or a place for an id, that is not known here fails the build.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest

from leadflood.api.context import ApiContext
from leadflood.domains.exports.service import files
from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.kernel.ids import new_id
from tests.support.domain_tenants import domain_tenants
from tests.support.examples import NIGHTLY
from tests.support.identity import PASSWORD
from tests.support.openapi import IdPlace, NotCovered, Operation, operations
from tests.support.tenants import Tenant, bearer, holdings, new_tenant

BODY_REFUSALS: Mapping[tuple[str, str], tuple[int, str | None]] = {
    ("createLead", "ownerId"): (400, "unknown_owner"),
    ("updateLead", "ownerId"): (400, "unknown_owner"),
    ("mapImport", "ownerId"): (400, "unknown_owner"),
    ("login", "workspaceId"): (401, "invalid_credentials"),
    ("createChangeset", "leadIds"): (201, None),
    ("createExport", "leadIds"): (201, None),
    ("createChangeset", "changes.ownerId"): (400, "unknown_owner"),
    ("createChangeset", "matching.ownerId"): (201, None),
    ("createChangeset", "deleted.changesetId"): (201, None),
    ("mergeLeads", "survivorId"): (404, "lead_not_found"),
    ("mergeLeads", "otherId"): (404, "lead_not_found"),
    ("createView", "filter.ownerId"): (201, None),
    ("createExport", "filter.ownerId"): (201, None),
    ("updateView", "filter.ownerId"): (200, None),
    ("setDefaultView", "viewId"): (404, "view_not_found"),
    ("retryJobs", "ids"): (202, None),
    ("replayOutboxEvents", "ids"): (202, None),
    **{place: refusal for tenant in domain_tenants() for place, refusal in tenant.body_refusals.items()},
}
"""(operation, field): how an id is refused that nothing of the caller's workspace has; for several, in the answer."""

PLACES = [(operation, place) for operation in operations() for place in operation.id_places()]
OTHERS = 10 if NIGHTLY else 1
"""IDs of further kinds that a place is tried with; over all places each kind has its turn many times."""


def body_with(place: IdPlace, asked: UUID) -> dict[str, Any]:
    *outer, name = place.name.split(".")
    body: dict[str, Any] = {name: [str(asked)] if name in {"ids", "leadIds"} else str(asked)}
    for item in reversed(outer):
        body = {item: body}
    return body


def question(operation: Operation, place: IdPlace, asked: UUID, ours: Tenant) -> dict[str, Any]:
    """A request that is in order, but for the id."""
    own = ours.ids.get(operation.collection)
    if place.where == "path":
        return operation.request(asked)
    if place.where == "query":
        return {**operation.request(own), "params": {place.name: str(asked)}}
    if (operation.name, place.name) not in BODY_REFUSALS:
        message = f"{operation}: say in BODY_REFUSALS how a foreign {place.name} is refused."
        raise NotCovered(message)
    body = body_with(place, asked)
    if (operation.name, place.name) == ("createChangeset", "matching.ownerId"):
        return {**operation.request(own), "json": {"action": "delete", "expectedCount": 0, **body}}
    if place.name == "deleted.changesetId":
        return {**operation.request(own), "json": {"action": "restore", "expectedCount": 0, **body}}
    if operation.name == "login":
        body |= {"email": ours.owner_email, "password": PASSWORD}
    alone = operation.name in {"login", "startEnrichment", "setDefaultView"} or (operation.name, place.name) == (
        "createExport",
        "leadIds",
    )
    if operation.method in ("POST", "PUT") and not alone:
        return {**operation.request(own), "json": {**operation.request(own)["json"], **body}}
    return {**operation.request(own), "json": body}


@pytest.fixture(autouse=True)
def room_for_exports(monkeypatch: pytest.MonkeyPatch) -> None:
    """More exports than there are IDs to try."""
    monkeypatch.setattr(files, "MAX_EXPORTS", 10_000)


def wanted(operation: Operation, place: IdPlace, *, key: bool) -> tuple[int, str | None]:
    if key and operation.permission is ACCOUNT:
        return 403, "forbidden"
    match place.where:
        case "path":
            return 404, None
        case "query":
            return 200, None
        case "body":
            return BODY_REFUSALS[operation.name, place.name]


NEW_EACH_TIME = re.compile(
    rb'"(id|position|version|\w+At)":("[^"]*"|\d+)'  # of what a request made, or changed
)


def shown(answer: httpx.Response, asked: UUID) -> tuple[int, bytes, list[tuple[str, str]]]:
    """The response as the caller sees it, without the ID itself, the rate limit count and new values."""
    headers = [(name, value) for name, value in answer.headers.items() if name not in {"ratelimit", "location", "etag"}]
    content = answer.content.replace(str(asked).encode(), b"<id>")
    if answer.status_code in {200, 201}:
        content = NEW_EACH_TIME.sub(rb'"\1":0', content)
    return answer.status_code, content, [header for header in headers if header[0] != "content-length"]


async def ask(
    api: httpx.AsyncClient, operation: Operation, place: IdPlace, asked: UUID, ours: Tenant, credential: str
) -> httpx.Response:
    request = question(operation, place, asked, ours)
    if operation.name in {"updateLead", "updateTask", "updateView"} and place.where == "body":
        read = await api.get(request["url"], headers=bearer(credential))
        request["headers"] = {**request["headers"], "If-Match": read.headers["ETag"]}
    headers = {**request.pop("headers"), **bearer(credential), "X-Request-Id": "same"}
    return await api.request(**request, headers=headers)


@pytest.mark.parametrize("kind", ["session", "key"])
async def test_a_foreign_id_is_answered_like_an_unknown_one(
    api: httpx.AsyncClient, kind: str, theirs: Tenant, ours: Tenant, subtests: pytest.Subtests
) -> None:
    before = await holdings(theirs.database, theirs.workspace_id)
    for number, (operation, place) in enumerate(PLACES):
        names = names_to_try(theirs, operation, number)
        with subtests.test(f"{operation} {place.name}", names=names):
            foreign = {name: theirs.ids[name] for name in names}
            await assert_answered_like_unknown(api, operation, place, kind, foreign, ours)
    after = await holdings(theirs.database, theirs.workspace_id)
    assert after | {"tickets": before["tickets"]} == before  # among the tickets are those of our own jobs


def names_to_try(theirs: Tenant, operation: Operation, number: int) -> Sequence[str]:
    """The kinds of ID that a place may take: what the operation is about, a lead, a member, and others in turn."""
    names = list(theirs.ids)
    others = [names[(number * OTHERS + step) % len(names)] for step in range(OTHERS)]
    return [name for name in dict.fromkeys([operation.collection, "leads", "members", *others]) if name in names]


async def assert_answered_like_unknown(
    api: httpx.AsyncClient,
    operation: Operation,
    place: IdPlace,
    kind: str,
    foreign: Mapping[str, UUID],
    ours: Tenant,
) -> None:
    credential = ours.session if kind == "session" else ours.key
    status, code = wanted(operation, place, key=kind == "key")
    nobody = new_id()
    unknown = await ask(api, operation, place, nobody, ours, credential)

    assert unknown.status_code == status, unknown.text
    assert code is None or unknown.json()["code"] == code
    if operation.name == "exportLeads":
        assert unknown.text.count("\r\n") == 1
    elif place.where == "query":
        assert unknown.json() == {"items": [], "nextCursor": None}
    for name, asked in foreign.items():
        answer = await ask(api, operation, place, asked, ours, credential)
        assert shown(answer, asked) == shown(unknown, nobody), name


async def test_the_other_workspace_has_something_in_every_table(theirs: Tenant) -> None:
    found = await holdings(theirs.database, theirs.workspace_id)

    assert [name for name, rows in found.items() if not rows] == []
    assert len(found) > 12


IN_PATH = [operation for operation, place in PLACES if place.where == "path"]


def round_of(operation: Operation) -> int:
    """A request that writes is the only one of its collection in its round; those that read are round 0."""
    alike = [item for item in IN_PATH if item.writes and item.collection == operation.collection]
    return alike.index(operation) + 1 if operation.writes else 0


@pytest.fixture(scope="module")
def rounds() -> dict[int, Tenant]:
    """A workspace for each round: making one takes longer than all of its requests."""
    return {}


@pytest.mark.parametrize("operation", IN_PATH, ids=str)
async def test_the_same_request_finds_what_is_its_own(
    api: httpx.AsyncClient, api_parts: ApiContext, operation: Operation, rounds: dict[int, Tenant]
) -> None:
    number = round_of(operation)
    own = rounds.get(number) or await new_tenant(api_parts.database, api_parts.registry)
    rounds[number] = own
    request = operation.request(own.ids[operation.collection])

    answer = await api.request(**request | {"headers": {**request["headers"], **bearer(own.session)}})

    if operation.name == "updateNote":  # found, and another one's
        assert answer.json()["code"] == "not_the_author"
        return
    assert answer.status_code not in {401, 403, 404}, answer.text
    assert answer.status_code < 500


def test_every_list_comes_in_pages_but_that_of_what_each_release_has() -> None:
    lists = [operation for operation in operations() if operation.name.startswith("list")]

    assert {operation.name for operation in lists if not operation.takes_cursor} == {
        "listFillPolicies",
        "listFilterFields",
        "listIcpBacktests",
        "listIcpVersions",
        "listIcps",
        "listMetrics",
        "listRules",
        "listSources",
        "listPrices",
        "listStages",
    }


@pytest.mark.parametrize("operation", [operation for operation in operations() if operation.takes_cursor], ids=str)
async def test_a_cursor_of_another_workspace_is_refused_and_tells_nothing(
    api: httpx.AsyncClient, operation: Operation, theirs: Tenant, ours: Tenant
) -> None:
    if "{id}" in operation.path:
        own, foreign = ours.ids[operation.collection], theirs.ids[operation.collection]
    else:
        own, foreign = new_id(), new_id()
    first = await api.get(operation.request(foreign)["url"], params={"limit": 1}, headers=bearer(theirs.session))
    cursor = first.json()["nextCursor"]
    if cursor is None:
        assert len(first.json()["items"]) == 1
        return

    answer = await api.get(
        operation.request(own)["url"], params={"limit": 200, "cursor": cursor}, headers=bearer(ours.session)
    )

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_cursor")
    last = first.json()["items"][-1]
    told = [str(value) for value in last.values() if isinstance(value, str) and len(value) > 3]
    assert not [value for value in told if value.encode() in urlsafe_b64decode(cursor + "==")]


def test_every_place_for_an_id_is_found() -> None:
    places = {(operation.name, place.where, place.name) for operation, place in PLACES}

    assert {("getLead", "path", "id"), ("listLeads", "query", "ownerId"), ("createLead", "body", "ownerId")} <= places
    assert {operation.name for operation in operations() if "{id}" in operation.path} == {
        operation.name for operation in IN_PATH
    }


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        ({"name": "slug", "in": "path", "schema": {"type": "string"}}, "no UUID"),
        ({"name": "ownerId", "in": "query", "schema": {"type": "string"}}, "named like an id"),
    ],
)
def test_a_place_that_cannot_be_exercised_fails_the_build(parameter: dict[str, Any], told: str) -> None:
    operation = Operation("GET", "/v1/leads/{slug}", {"parameters": [parameter]}, {})

    with pytest.raises(NotCovered, match=told):
        list(operation.id_places())
