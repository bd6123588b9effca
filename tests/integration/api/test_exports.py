"""Exports over HTTP: leads at once, and files."""

import json
from uuid import UUID

import httpx
import pytest

from leadflood.api.routes import exports
from leadflood.bootstrap import build_registry
from leadflood.domains.exports.permissions import LEADS_EXPORT
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.tags.permissions import TAGS_READ
from leadflood.kernel.actor import PERMISSIONS, Role
from leadflood.kernel.config import Settings
from leadflood.kernel.db.database import Database
from tests.support.api import Caller, new_caller
from tests.support.jobs import Jobs
from tests.support.sandbox import shared_sandbox

_LEAD = "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"


@pytest.fixture
async def leads(toys: httpx.AsyncClient, caller: Caller) -> list[str]:
    emails = ["ada@acme.com", "grace@acme.com"]
    for email in emails:
        body = {"email": email, "firstName": "=cmd|' /C calc'!A0", "customFields": {"plan": "pro"}}
        answer = await toys.post("/v1/leads", json=body, headers=caller.headers)
        assert answer.status_code == 201, answer.text
    return emails[::-1]


async def test_leads_are_sent_as_a_file_that_a_browser_saves(
    toys: httpx.AsyncClient, caller: Caller, leads: list[str]
) -> None:
    params = {"columns": "email,firstName,custom.plan", "bom": "true", "q": "ada"}

    answer = await toys.get("/v1/leads/exports", params=params, headers=caller.headers)

    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="leads-20')
    assert answer.content.decode() == ("\ufeffEmail,First name,Plan\r\nada@acme.com,'=cmd|' /C calc'!A0,pro\r\n")


@pytest.mark.parametrize(
    ("kind", "media_type"), [("ndjson", "application/x-ndjson"), ("parquet", "application/vnd.apache.parquet")]
)
async def test_the_format_is_a_choice(
    toys: httpx.AsyncClient, caller: Caller, leads: list[str], kind: str, media_type: str
) -> None:
    answer = await toys.get("/v1/leads/exports", params={"format": kind}, headers=caller.headers)

    assert answer.headers["Content-Type"] == media_type
    if kind == "ndjson":
        listed = (await toys.get("/v1/leads", headers=caller.headers)).json()["items"]
        for item in listed:
            item["foundFields"] = list(item.pop("effectiveValues"))
        assert [json.loads(line) for line in answer.text.splitlines()] == listed
    else:
        assert (answer.content[:4], answer.content[-4:]) == (b"PAR1", b"PAR1")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("columns", "email,passwordHash", "unknown_column"),
        ("columns", "", "unknown_column"),
        ("columns", "custom.a b", "invalid_format"),
        ("columns", "enriched.nothing", "unknown_column"),
        ("columns", ",".join(["email"] * 201), "too_long"),
        ("format", "docx", "not_allowed"),
        ("headers", "titles", "not_allowed"),
        ("leads", "x", "invalid_format"),
        ("leads", ",".join([_LEAD] * 101), "too_long"),
        ("sort", "email", "unknown_parameter"),
        ("status", "gone", "not_allowed"),
    ],
)
async def test_what_cannot_be_exported_is_told_by_name(
    toys: httpx.AsyncClient, caller: Caller, name: str, value: str, code: str
) -> None:
    answer = await toys.get("/v1/leads/exports", params={name: value}, headers=caller.headers)

    assert answer.status_code == 400
    assert [(item["pointer"].split("/")[0], item["code"]) for item in answer.json()["errors"]] == [(f"?{name}", code)]


async def test_selected_leads_are_sent_and_headers_are_names_on_request(
    toys: httpx.AsyncClient, caller: Caller, leads: list[str], database: Database
) -> None:
    (ada, _) = reversed((await toys.get("/v1/leads", headers=caller.headers)).json()["items"])
    stranger = await new_caller(database, [LEADS_READ, LEADS_EXPORT, TAGS_READ])
    params = {"columns": "email,owner,tags", "headers": "names", "leads": f"{ada['id']},{_LEAD}"}

    sent = await toys.get("/v1/leads/exports", params=params, headers=caller.headers)
    theirs = await toys.get("/v1/leads/exports", params=params, headers=stranger.headers)
    both = await toys.get("/v1/leads/exports", params=params | {"status": "new"}, headers=caller.headers)
    body = {"leadIds": [ada["id"]], "filter": {"q": "ada"}}
    file_of_both = await toys.post("/v1/exports", json=body, headers=caller.headers)
    many = await toys.post("/v1/exports", json={"leadIds": [_LEAD] * 1001}, headers=caller.headers)

    assert sent.text == "email,owner,tags\r\nada@acme.com,,\r\n"
    assert theirs.text == "email,owner,tags\r\n"
    assert [(answer.status_code, answer.json()["code"]) for answer in (both, file_of_both, many)] == [
        (400, "invalid_input")
    ] * 3


async def test_too_many_for_one_request_are_refused_with_the_way_to_go(
    toys: httpx.AsyncClient, caller: Caller, leads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "DIRECT_LIMIT", 1)

    answer = await toys.get("/v1/leads/exports", headers=caller.headers)

    assert (answer.status_code, answer.json()["code"]) == (409, "export_too_large")
    assert "POST /v1/exports" in answer.json()["detail"]


async def test_a_file_is_asked_for_written_downloaded_and_deleted(
    toys: httpx.AsyncClient, caller: Caller, leads: list[str], database: Database, settings: Settings
) -> None:
    asked = await toys.post("/v1/exports", json={"columns": ["email"]}, headers=caller.headers)
    assert asked.status_code == 201, asked.text
    path = asked.headers["Location"]
    early = await toys.get(f"{path}/file", headers=caller.headers)
    assert (early.status_code, early.json()["code"]) == (409, "export_not_ready")

    jobs = Jobs(database, caller.workspace_id)
    (row,) = await jobs.rows("SELECT job_id FROM exports WHERE id = :id", id=UUID(asked.json()["id"]))
    await jobs.attempt(build_registry(settings, database, shared_sandbox()), row.job_id)

    found = (await toys.get(path, headers=caller.headers)).json()
    assert (found["status"], found["processed"], found["total"]) == ("ready", 2, 2)
    assert (await toys.get("/v1/exports", headers=caller.headers)).json()["items"] == [found]
    answer = await toys.get(f"{path}/file", headers=caller.headers)
    assert answer.text == "Email\r\n" + "".join(f"{email}\r\n" for email in leads)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{found["filename"]}"'
    assert answer.headers["Content-Length"] == str(found["sizeBytes"])

    assert (await toys.delete(path, headers=caller.headers)).status_code == 204
    assert (await toys.get(f"{path}/file", headers=caller.headers)).json()["code"] == "export_not_found"
    assert (await toys.get("/v1/exports", headers=caller.headers)).json()["items"] == []


async def test_exports_need_a_permission_of_their_own(
    toys: httpx.AsyncClient, caller: Caller, leads: list[str], database: Database
) -> None:
    writer = await new_caller(database, [LEADS_READ, LEADS_WRITE], workspace_id=caller.workspace_id)
    exporter = await new_caller(database, [LEADS_EXPORT], workspace_id=caller.workspace_id)

    for answer in (
        await toys.get("/v1/leads/exports", headers=writer.headers),
        await toys.post("/v1/exports", json={}, headers=writer.headers),
    ):
        assert (answer.status_code, answer.json()["requiredPermission"]) == (403, "leads:export")
    assert (await toys.get("/v1/leads/exports", headers=exporter.headers)).status_code == 200
    assert (await toys.post("/v1/exports", json={}, headers=exporter.headers)).status_code == 201
    assert LEADS_EXPORT not in PERMISSIONS[Role.VIEWER]
    assert LEADS_EXPORT in PERMISSIONS[Role.MEMBER]
