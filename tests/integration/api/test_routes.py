"""Jobs, outbox, identity: what their routes do, and that they are audited."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from leadflood.domains.identity.service import administration
from leadflood.domains.jobs.models import JobKind, NewJob, NoPayload
from leadflood.domains.jobs.permissions import JOBS_READ
from leadflood.domains.jobs.service import enqueue
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.support.api import Caller, new_caller
from tests.support.identity import CLI, Identity

PASSWORD = "seven purple walruses"


async def queue_job(database: Database, caller: Caller) -> str:
    kind = JobKind("system.heartbeat", NoPayload)
    async with database.transaction(caller.workspace_id) as tx:
        [job_id] = await enqueue(tx, Actor.cli(caller.workspace_id), jobs=[NewJob(kind, NoPayload())])
    return str(job_id)


async def audited(client: httpx.AsyncClient, caller: Caller, action: str) -> list[str]:
    answer = await client.get("/v1/audit-events", params={"action": action}, headers=caller.headers)
    return [event["subjectId"] for event in answer.json()["items"]]


async def test_a_job_is_listed_cancelled_and_retried(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    job_id = await queue_job(database, caller)

    listed = await toys.get("/v1/jobs", params={"status": "queued"}, headers=caller.headers)
    early = await toys.post(f"/v1/jobs/{job_id}/retries", headers=caller.headers)
    cancelled = await toys.post(f"/v1/jobs/{job_id}/cancellations", headers=caller.headers)
    late = await toys.post(f"/v1/jobs/{job_id}/cancellations", headers=caller.headers)
    retried = await toys.post(f"/v1/jobs/{job_id}/retries", headers=caller.headers)

    assert [job["id"] for job in listed.json()["items"]] == [job_id]
    assert (early.status_code, early.json()["code"]) == (409, "job_not_retryable")
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "failed")
    assert (late.status_code, late.json()["code"]) == (409, "job_not_cancellable")
    assert (retried.status_code, retried.json()["status"]) == (202, "queued")
    assert await audited(toys, caller, "job.cancelled") == [job_id]
    assert await audited(toys, caller, "job.retried") == [job_id]


async def test_a_dead_event_is_replayed_once(toys: httpx.AsyncClient, caller: Caller, database: Database) -> None:
    job_id = await queue_job(database, caller)
    async with database.transaction(caller.workspace_id) as tx:
        await tx.execute(sql("UPDATE outbox_events SET status = 'dead_letter', attempts = 5"))

    listed = await toys.get("/v1/outbox-events", params={"jobId": job_id}, headers=caller.headers)
    event_id = listed.json()["items"][0]["id"]
    read = await toys.get(f"/v1/outbox-events/{event_id}", headers=caller.headers)
    replayed = await toys.post(f"/v1/outbox-events/{event_id}/replays", headers=caller.headers)
    again = await toys.post(f"/v1/outbox-events/{event_id}/replays", headers=caller.headers)

    assert read.json()["status"] == "dead_letter"
    assert (replayed.status_code, replayed.json()["status"]) == (202, "pending")
    assert (again.status_code, again.json()["code"]) == (409, "outbox_event_not_dead_lettered")
    assert await audited(toys, caller, "outbox_event.replayed") == [event_id]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/jobs/{id}"),
        ("POST", "/v1/jobs/{id}/retries"),
        ("POST", "/v1/jobs/{id}/cancellations"),
        ("GET", "/v1/members/{id}"),
        ("DELETE", "/v1/members/{id}"),
    ],
)
async def test_foreign_ids_look_like_unknown_ones(
    toys: httpx.AsyncClient, caller: Caller, database: Database, method: str, path: str
) -> None:
    owner = await new_caller(database, [JOBS_READ])
    foreign = await queue_job(database, owner) if "jobs" in path else str(owner.user_id)
    same_id = {**caller.headers, "X-Request-Id": "same"}

    found = await toys.request(method, path.format(id=foreign), headers=same_id)
    unknown = await toys.request(method, path.format(id=new_id()), headers=same_id)

    assert found.status_code == 404
    assert found.json() | {"instance": ""} == unknown.json() | {"instance": ""}


async def sign_in(toys: httpx.AsyncClient, database: Database) -> tuple[str, dict[str, str]]:
    email = f"{new_id()}@example.com"
    await administration.create_user(database, CLI, email=email, name="Ada", password=PASSWORD)
    await administration.create_workspace(database, CLI, name="Acme", owner_email=email)
    answer = await toys.post("/v1/auth/login", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return email, {"Authorization": f"Bearer {answer.json()['accessToken']}"}


async def test_a_session_from_login_to_logout(toys: httpx.AsyncClient, database: Database) -> None:
    email, headers = await sign_in(toys, database)

    me = await toys.get("/v1/auth/me", headers=headers)
    sessions = await toys.get("/v1/sessions", headers=headers)
    out = await toys.post("/v1/auth/logout", headers=headers)
    after = await toys.get("/v1/auth/me", headers=headers)

    assert (me.json()["user"]["email"], me.json()["role"]) == (email, "owner")
    assert [session["current"] for session in sessions.json()["items"]] == [True]
    assert (out.status_code, out.content, after.status_code) == (204, b"", 401)


async def test_a_refresh_token_works_once(toys: httpx.AsyncClient, database: Database) -> None:
    email, _ = await sign_in(toys, database)
    login = await toys.post("/v1/auth/login", json={"email": email, "password": PASSWORD})
    token = {"refreshToken": login.json()["refreshToken"]}

    first = await toys.post("/v1/auth/refresh", json=token)
    second = await toys.post("/v1/auth/refresh", json=token)
    ended = await toys.get("/v1/auth/me", headers={"Authorization": f"Bearer {first.json()['accessToken']}"})

    assert (first.status_code, second.status_code, ended.status_code) == (200, 401, 401)


async def test_wrong_passwords_and_unknown_accounts_get_equal_answers(
    toys: httpx.AsyncClient, database: Database
) -> None:
    email, _ = await sign_in(toys, database)
    answers = [
        await toys.post("/v1/auth/login", json=body, headers={"X-Request-Id": "same"})
        for body in ({"email": email, "password": "wrong"}, {"email": "no@example.com", "password": "wrong"})
    ]

    assert answers[0].status_code == 401
    assert answers[0].json()["code"] == "invalid_credentials"
    assert (answers[0].content, dict(answers[0].headers)) == (answers[1].content, dict(answers[1].headers))


async def test_a_new_password_ends_the_other_sessions(toys: httpx.AsyncClient, database: Database) -> None:
    email, headers = await sign_in(toys, database)
    other = await toys.post("/v1/auth/login", json={"email": email, "password": PASSWORD})
    change = {"currentPassword": PASSWORD, "newPassword": "another horse battery"}

    wrong = await toys.put("/v1/auth/password", json=change | {"currentPassword": "no"}, headers=headers)
    changed = await toys.put("/v1/auth/password", json=change, headers=headers)

    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/currentPassword")
    assert changed.status_code == 204
    assert (await toys.get("/v1/auth/me", headers=headers)).status_code == 200
    old = {"Authorization": f"Bearer {other.json()['accessToken']}"}
    assert (await toys.get("/v1/auth/me", headers=old)).status_code == 401


async def test_adding_a_member_is_an_invitation_that_does_not_tell_who_has_an_account(
    toys: httpx.AsyncClient, database: Database
) -> None:
    _, headers = await sign_in(toys, database)
    known = (await sign_in(toys, database))[0]

    answers = [
        await toys.post("/v1/members", json={"email": email, "role": "member"}, headers=headers)
        for email in (known, f"{new_id()}@example.com")
    ]
    listed = await toys.get("/v1/members", headers=headers)
    created = await toys.post(
        "/v1/members",
        json={"email": f"{new_id()}@example.com", "role": "member", "name": "G", "initialPassword": PASSWORD},
        headers=headers,
    )

    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({json.dumps(_without_identity(answer.json())) for answer in answers}) == 1
    assert [answer.headers["Location"] for answer in answers] == [
        f"/v1/invitations/{answer.json()['id']}" for answer in answers
    ]
    assert len(listed.json()["items"]) == 1
    assert {error["pointer"] for error in created.json()["errors"]} == {"/name", "/initialPassword"}


async def test_a_member_is_promoted_and_removed(toys: httpx.AsyncClient, database: Database) -> None:
    _, headers = await sign_in(toys, database)
    workspace_id = (await toys.get("/v1/auth/me", headers=headers)).json()["workspace"]["id"]
    added = await Identity(database, Settings(), SecretBox("x" * 32)).new_member(UUID(workspace_id), Role.MEMBER)
    where = f"/v1/members/{added.id}"

    promoted = await toys.patch(where, json={"role": "admin"}, headers=headers)
    removed = await toys.delete(where, headers=headers)

    assert (promoted.json()["role"], removed.status_code) == ("admin", 200)
    assert removed.json() == {"sharedViews": 0, "leads": 0, "changesetId": None}
    assert (await toys.get(where, headers=headers)).status_code == 404


def _without_identity(invitation: dict[str, Any]) -> dict[str, Any]:
    varying = {"id", "email", "createdAt", "lastSentAt", "expiresAt", "delivery"}
    return {name: value for name, value in invitation.items() if name not in varying}


async def test_a_key_works_until_it_is_revoked(toys: httpx.AsyncClient, database: Database) -> None:
    _, headers = await sign_in(toys, database)
    created = await toys.post("/v1/api-keys", json={"name": "Form", "scopes": ["leads:read"]}, headers=headers)
    key = {"Authorization": f"Bearer {created.json()['token']}"}

    me = await toys.get("/v1/auth/me", headers=key)
    read = await toys.get(created.headers["Location"], headers=headers)
    account = await toys.get("/v1/sessions", headers=key)
    revoked = await toys.delete(created.headers["Location"], headers=headers)
    after = await toys.get("/v1/auth/me", headers=key)

    assert (me.status_code, me.json()["permissions"]) == (200, ["leads:read"])
    assert created.json()["token"] not in read.text
    assert account.status_code == 403
    assert (revoked.status_code, after.status_code) == (204, 401)


async def test_the_workspace_is_renamed(toys: httpx.AsyncClient, database: Database) -> None:
    _, headers = await sign_in(toys, database)

    renamed = await toys.patch("/v1/workspace", json={"name": "Acme growth"}, headers=headers)
    read = await toys.get("/v1/workspace", headers=headers)

    assert renamed.json()["name"] == read.json()["name"] == "Acme growth"


async def test_a_lead_carries_the_request_that_made_it(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = {**caller.headers, "X-Request-Id": "mine", "traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}

    created = await toys.post("/v1/leads", json={"email": "ada@acme.com"}, headers=headers)

    assert created.status_code == 201, created.text
    async with database.transaction(caller.workspace_id, read_only=True) as tx:
        trace = await tx.scalar(sql("SELECT trace FROM job_executions"))
    assert trace["request_id"] == "mine"
    assert trace["traceparent"].split("-")[1] == trace_id


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+12:00", "9999-12-31T23:59:59-12:00", "2026-01-01T00:00:00"])
async def test_impossible_times_are_invalid_input(toys: httpx.AsyncClient, caller: Caller, moment: str) -> None:
    answer = await toys.get("/v1/audit-events", params={"since": moment}, headers=caller.headers)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "?since")


async def test_a_merged_lead_is_restored_by_undoing_its_merge(toys: httpx.AsyncClient, caller: Caller) -> None:
    survivor, other = [
        (await toys.post("/v1/leads", json={"email": email}, headers=caller.headers)).json()["leadId"]
        for email in ("ada@acme.com", "ada@gmail.com")
    ]
    pair = {"survivorId": survivor, "otherId": other}
    merge = (await toys.post("/v1/merges", json=pair, headers=caller.headers)).json()

    refused = await toys.post(f"/v1/leads/{other}/restorations", headers=caller.headers)
    undone = await toys.post(f"/v1/merges/{refused.json()['mergeId']}/undos", headers=caller.headers)
    restored = await toys.post(f"/v1/leads/{other}/restorations", headers=caller.headers)

    assert (refused.status_code, refused.json()["code"]) == (409, "lead_merged")
    assert (refused.json()["mergeId"], refused.json()["survivorId"]) == (merge["id"], survivor)
    assert (undone.status_code, undone.json()["status"]) == (200, "undone")
    assert (restored.status_code, restored.json()["email"]) == (200, "ada@gmail.com")
