"""Imports over HTTP: the body is the file, streamed; its answers lead from upload to undo."""

import io
import re
import tracemalloc
import zipfile
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from leadflood.api.context import ApiContext
from leadflood.domains.imports.events import COMMIT_IMPORT, STAGE_IMPORT
from leadflood.domains.jobs.models import JobKind
from leadflood.kernel.db.sql import sql
from tests.support.api import Caller, client_of, make_parts
from tests.support.jobs import Jobs

STEPS = ("uploaded", "mapped", "previewed", "committed", "finished", "undone", "deleted")
FILE = b"E-mail;Name\nada@acme.com;Ada Lovelace\nnobody;Bob\n"


@pytest.fixture
async def api(parts: ApiContext, caller: Caller) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who may import."""
    async with client_of(parts) as client:
        client.headers.update(caller.headers)
        yield client


async def pieces() -> AsyncIterator[bytes]:
    """The file, as it comes from a pipe: nobody says how long it is."""
    for place in range(0, len(FILE), 7):
        yield FILE[place : place + 7]


async def attempt(parts: ApiContext, caller: Caller, kind: JobKind[Any], shown: dict[str, str]) -> None:
    """Let a worker do what an answer promises."""
    await Jobs(parts.database, caller.workspace_id, kind).attempt(parts.registry, UUID(shown["jobId"]))


async def audited(parts: ApiContext, caller: Caller) -> list[str]:
    """Audit entries of imports, oldest first."""
    query = "SELECT action FROM audit_events WHERE workspace_id = :workspace_id AND subject_type = 'import' ORDER BY id"
    jobs = Jobs(parts.database, caller.workspace_id)
    return [row.action for row in await jobs.rows(query, workspace_id=caller.workspace_id)]


async def test_from_upload_to_undo(api: httpx.AsyncClient, parts: ApiContext, caller: Caller) -> None:
    uploaded = await api.post("/v1/imports", params={"filename": "C:\\Leads ünd.csv"}, content=pieces())
    assert uploaded.status_code == 201, uploaded.text
    made = uploaded.json()
    assert uploaded.headers["Location"] == f"/v1/imports/{made['id']}"
    assert (made["filename"], made["status"], made["format"]["delimiter"]) == ("Leads ünd.csv", "uploaded", ";")
    assert [column["target"] for column in made["columns"]] == ["email", "fullName"]
    assert made["sample"] == [["ada@acme.com", "Ada Lovelace"], ["nobody", "Bob"]]

    path = f"/v1/imports/{made['id']}"
    mapped = await api.put(
        f"{path}/mapping", json={"targets": ["email", "fullName"], "source": "fair", "enrich": False}
    )
    assert mapped.json()["options"]["source"] == "fair"
    asked = await api.post(f"{path}/previews")
    assert (asked.status_code, asked.json()["status"]) == (202, "staging")
    await attempt(parts, caller, STAGE_IMPORT, asked.json())

    previewed = (await api.get(path)).json()
    assert (previewed["status"], previewed["progress"]["rowsTotal"]) == ("previewed", 2)
    assert (previewed["counts"]["create"], previewed["counts"]["reject"]) == (1, 1)
    rows = (await api.get(f"{path}/rows", params={"action": "create"})).json()["items"]
    assert rows[0]["values"] == {"firstName": "Ada", "lastName": "Lovelace", "source": "fair"}
    rejected = await api.get(f"{path}/rejected-rows")
    assert rejected.headers["Content-Type"].startswith("text/csv")
    assert rejected.text.splitlines()[1].startswith("nobody;Bob;Email: Enter a valid email address.")

    asked = await api.post(f"{path}/commits")
    await attempt(parts, caller, COMMIT_IMPORT, asked.json())
    assert (await api.get(path)).json()["status"] == "committed"
    leads = (await api.get("/v1/leads")).json()["items"]
    events = (await api.get(f"/v1/leads/{leads[0]['id']}/events")).json()["items"]
    assert (events[0]["kind"], events[0]["data"]["importId"]) == ("lead.created", made["id"])
    assert events[0]["actor"]["kind"] == "api_key"

    undone = await api.post(f"{path}/undos")
    assert (undone.status_code, undone.json()["status"], undone.json()["reverted"]) == (202, "undone", 1)
    assert (await api.get("/v1/leads")).json()["items"] == []
    assert ((await api.delete(path)).status_code, (await api.get(path)).status_code) == (204, 404)
    assert await audited(parts, caller) == [f"import.{step}" for step in STEPS]


async def test_pages_of_rows_follow_each_other(api: httpx.AsyncClient, parts: ApiContext, caller: Caller) -> None:
    data = b"email\n" + b"".join(b"lead%d@acme.com\n" % number for number in range(5))
    path = f"/v1/imports/{(await api.post('/v1/imports?filename=a.csv', content=data)).json()['id']}"
    await attempt(parts, caller, STAGE_IMPORT, (await api.post(f"{path}/previews")).json())

    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.get(f"{path}/rows", params={"limit": "2", **cursor})).json()
        seen += [row["row"] for row in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}

    assert seen == [2, 3, 4, 5, 6]


async def test_the_way_to_read_a_file_can_be_said(api: httpx.AsyncClient) -> None:
    data = "name;e-mail\nZo\xeb;zoe@acme.com\n".encode("cp1252")
    path = f"/v1/imports/{(await api.post('/v1/imports?filename=a.csv', content=data)).json()['id']}"

    read = await api.put(f"{path}/format", json={"encoding": "windows-1252", "delimiter": ",", "header": False})

    assert read.json()["sample"] == [["name;e-mail"], ["Zoë;zoe@acme.com"]]
    refused = await api.put(f"{path}/format", json={"encoding": "klingon"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/encoding")


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", {}, 400, "unreadable_file"),
        (b"\0" * 10_000, {}, 400, "unreadable_file"),
        (b'{"a": 1}', {"Content-Type": "application/json"}, 415, "unsupported_media_type"),
        (b"x", {"Content-Type": "multipart/form-data; boundary=x"}, 415, "unsupported_media_type"),
        (b"email\n", {"Content-Length": "10737418240"}, 413, "file_too_large"),
    ],
)
async def test_what_is_no_file_of_leads_is_refused_and_leaves_nothing(
    api: httpx.AsyncClient,
    parts: ApiContext,
    caller: Caller,
    content: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = await api.post("/v1/imports?filename=a.csv", content=content, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    async with parts.database.transaction(caller.workspace_id, read_only=True) as tx:
        assert await tx.scalar(sql("SELECT count(*) FROM imports")) == 0
        assert await tx.scalar(sql("SELECT count(*) FROM import_chunks")) == 0


async def test_a_file_larger_than_it_says_is_cut_off_at_the_limit(parts: ApiContext, caller: Caller) -> None:
    small = make_parts(
        parts.settings.model_copy(update={"max_import_bytes": 2000}),
        parts.database,
        parts.queue_backend,
        parts.registry,
        parts.secret_box,
    )

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"email\n" * 100

    async with client_of(small) as client:
        answer = await client.post("/v1/imports?filename=a.csv", content=endless(), headers=caller.headers)

    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


async def test_a_workspace_whose_files_are_too_large_together_hears_which(parts: ApiContext, caller: Caller) -> None:
    small = make_parts(
        parts.settings.model_copy(update={"max_uncommitted_import_bytes": 2000}),
        parts.database,
        parts.queue_backend,
        parts.registry,
        parts.secret_box,
    )
    file = b"email\n" + b"ada@acme.com\n" * 100
    async with client_of(small) as client:
        client.headers.update(caller.headers)
        first = await client.post("/v1/imports?filename=first.csv", content=file)
        refused = await client.post("/v1/imports?filename=second.csv", content=file)
        await client.delete(f"/v1/imports/{first.json()['id']}")
        again = await client.post("/v1/imports?filename=second.csv", content=file)

    assert (first.status_code, refused.status_code, again.status_code) == (201, 409, 201)
    problem = refused.json()
    assert problem["code"] == "import_quota_exceeded"
    assert problem["imports"] == [{"id": first.json()["id"], "filename": "first.csv", "sizeBytes": len(file)}]


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"<workbook/>")
        with packed.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(100):
                sheet.write(b"0" * 1_000_000)
    return file.getvalue()


HOSTILE: dict[str, tuple[Callable[[], bytes], bytes, int, str]] = {
    "a million columns": (lambda: b"email", b"," * 1000, 1000, "at most 1,000 are read"),
    "a cell of 100 MB": (lambda: b'email\n"', b"x" * 1_000_000, 100, "Look for a quotation mark that is not closed"),
    "100 MB of NULs": (lambda: b"", b"\0" * 1_000_000, 100, "isn't a text file"),
    "a zip bomb": (bomb, b"", 0, "unpack to far more than it should"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_file_is_refused_in_words_and_bounded_memory(
    api: httpx.AsyncClient, parts: ApiContext, caller: Caller, name: str
) -> None:
    first, piece, times, told = HOSTILE[name]
    start = first()

    async def body() -> AsyncIterator[bytes]:
        yield start
        for _ in range(times):
            yield piece

    tracemalloc.start()
    answer = await api.post("/v1/imports?filename=leads", content=body())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable_file")
    assert re.search(told, answer.json()["detail"]), answer.text
    assert peak < 48 * 1024 * 1024
    async with parts.database.transaction(caller.workspace_id, read_only=True) as tx:
        assert await tx.scalar(sql("SELECT count(*) FROM imports")) == 0
        assert await tx.scalar(sql("SELECT count(*) FROM import_chunks")) == 0


async def test_pausing_and_cancelling_are_recorded(api: httpx.AsyncClient, parts: ApiContext, caller: Caller) -> None:
    path = f"/v1/imports/{(await api.post('/v1/imports?filename=a.csv', content=FILE)).json()['id']}"
    await attempt(parts, caller, STAGE_IMPORT, (await api.post(f"{path}/previews")).json())

    for step in ("commits", "pauses", "cancellations"):
        assert (await api.post(f"{path}/{step}")).status_code == 202

    assert await audited(parts, caller) == [
        "import.uploaded",
        "import.previewed",
        "import.committed",
        "import.paused",
        "import.cancelled",
    ]


async def test_what_the_state_does_not_allow_is_a_conflict(
    api: httpx.AsyncClient, parts: ApiContext, caller: Caller
) -> None:
    path = f"/v1/imports/{(await api.post('/v1/imports?filename=a.csv', content=FILE)).json()['id']}"

    for step in ("commits", "pauses", "undos"):
        answer = await api.post(f"{path}/{step}")
        assert (answer.status_code, answer.json()["code"]) == (409, "import_not_ready"), step
    assert await audited(parts, caller) == ["import.uploaded"]
    assert (await api.post(f"{path}/cancellations")).status_code == 202
