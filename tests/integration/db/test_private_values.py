"""Customer data stays out of logs and job records, whatever error it causes."""

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import asyncpg
import pytest
import structlog

from leadflood.api.context import ApiContext
from leadflood.cli import _print_fault
from leadflood.domains.jobs.registry import JobContext
from leadflood.kernel.actor import SCOPES
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.error_redaction import describe
from leadflood.kernel.errors import AppError
from leadflood.kernel.ids import new_id
from leadflood.kernel.observability import configure_logging
from tests.support.api import client_of, new_caller, parts
from tests.support.jobs import Jobs
from tests.support.postgres import Cluster

__all__ = ["parts"]

CANARY = "canary-7f3a@acme.com"
USER = "INSERT INTO users (id, email, email_norm, name, password_hash) VALUES (:id, :canary, :canary, :name, '-')"
RENAME = "UPDATE users SET name = :canary WHERE id = :id"
FAULTS = {
    "unique": USER,
    "check": "INSERT INTO users (id, email, email_norm, name, password_hash, appearance)"
    " VALUES (:id, :other, :other, :canary, '-', :canary)",
    "not null": "INSERT INTO users (id, email, email_norm, name, password_hash)"
    " VALUES (:id, :other, NULL, :canary, '-')",
    "too long": "SELECT CAST(:canary AS text)::varchar(3), 1 / (length(CAST(:canary AS varchar)) - 20)",
    "no number": "SELECT CAST(CAST(:canary AS text) AS integer)",
    "no id": "SELECT CAST(CAST(:canary AS text) AS uuid)",
    "no date": "SELECT CAST(CAST(:canary AS text) AS timestamptz)",
    "no JSON": "SELECT CAST(CAST(:canary AS text) AS jsonb)",
    "wrong type": "SELECT CAST(:canary AS integer)",
    "NUL": "SELECT CAST(:nul AS text)",
    "lone surrogate": "SELECT CAST(:surrogate AS text)",
    "foreign key": "INSERT INTO memberships (workspace_id, user_id, role) VALUES (:id, :id, 'owner')",
    "timeout": "SELECT pg_sleep(5), CAST(:canary AS text), set_config('statement_timeout', '1', true)",
}


async def provoke(tx: Transaction, name: str) -> None:
    """Make the database refuse a statement that carries the canary."""
    values = {
        "canary": CANARY,
        "other": new_id().hex,
        "name": CANARY,
        "id": new_id(),
        "nul": f"{CANARY}\0",
        "surrogate": f"{CANARY}\ud800",
    }
    if name == "timeout":
        await tx.execute(sql("SELECT set_config('statement_timeout', '1', true)"))
    await tx.execute(sql(FAULTS[name]), values)


@pytest.fixture(params=["json", "console"])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Log output of this process in one of the formats."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    # In place: loggers keep the list that they have used first, and other tests capture by changing it.
    processors = structlog.get_config()["processors"]
    before = list(processors)
    configure_logging("info", request.param)
    processors[:] = structlog.get_config()["processors"]
    structlog.configure(processors=processors)
    yield stream
    monkeypatch.undo()
    configure_logging("info", "json")
    processors[:] = before
    structlog.configure(processors=processors)


@pytest.fixture
async def known(database: Database) -> None:
    """Somebody has the canary's address already."""
    async with database.system() as tx:
        await tx.execute(sql("DELETE FROM users WHERE email_norm = :canary"), {"canary": CANARY})
        await tx.execute(sql(USER), {"canary": CANARY, "id": new_id(), "name": "Ada"})


@pytest.mark.usefixtures("known")
async def test_no_database_error_shows_a_value(database: Database, log: io.StringIO) -> None:
    shown: list[str] = []
    for name in FAULTS:
        try:
            async with database.system() as tx:
                await provoke(tx, name)
        except Exception as error:
            fault: BaseException | None = error
            structlog.get_logger().error("test", exc_info=error)
            logging.getLogger("asyncio").exception("Task exception was never retrieved: %r", error)  # noqa: TRY401
            _print_fault(type(error), error, error.__traceback__)
            while fault is not None:
                shown.append(describe(fault))
                if isinstance(fault, asyncpg.PostgresError | AppError):
                    shown += [str(fault), repr(fault)]
                fault = fault.__cause__ or fault.__context__
        else:
            pytest.fail(f"{name} was accepted")

    assert log.getvalue().count("test_private_values.py") >= 3 * len(FAULTS)
    assert CANARY not in log.getvalue()
    assert CANARY not in "".join(shown)
    assert "users_email_norm_key" in log.getvalue()


async def test_no_deadlock_shows_a_value(database: Database, log: io.StringIO, cluster: Cluster) -> None:
    ids = [new_id(), new_id()]
    async with database.system() as tx:
        for item in ids:
            await tx.execute(sql(USER), {"canary": f"{item}@acme.com", "id": item, "name": "Ada"})
    both_hold = asyncio.Barrier(2)

    async def rename(first: UUID, second: UUID) -> None:
        async with database.system() as tx:
            await tx.execute(sql(RENAME), {"canary": CANARY, "id": first})
            await both_hold.wait()
            await tx.execute(sql(RENAME), {"canary": CANARY, "id": second})

    done = await asyncio.gather(rename(*ids), rename(*reversed(ids)), return_exceptions=True)
    [fault] = [item for item in done if item is not None]
    structlog.get_logger().error("test", exc_info=fault)

    assert "deadlock detected" in log.getvalue()
    for shown in (log.getvalue(), str(fault), describe(fault), cluster.server.log.read_text(errors="replace")):
        assert CANARY not in shown


def requests_with_values() -> list[tuple[str, str, dict[str, Any], int]]:
    """Requests that carry the canary, and the statuses of their answers."""
    lead = {"email": CANARY, "firstName": CANARY, "customFields": {"plan": CANARY}}
    wrong = {**lead, "email": f"{CANARY}@", CANARY: CANARY}
    return [
        ("POST", "/v1/leads", {"json": lead}, 201),
        ("POST", "/v1/leads", {"json": lead}, 409),
        ("POST", "/v1/leads", {"json": wrong}, 400),
        ("POST", "/v1/leads", {"content": json.dumps(lead)[:-1]}, 400),
        ("POST", "/v1/leads", {"json": lead, "headers": {"Idempotency-Key": CANARY}}, 409),
        ("POST", "/v1/leads/batch", {"json": {"leads": [lead, wrong]}}, 200),
        ("POST", "/v1/leads/stream", {"content": f"{json.dumps(lead)}\n{CANARY}\n"}, 200),
        ("GET", "/v1/leads", {"params": {"q": CANARY}}, 200),
        ("GET", "/v1/leads", {"params": {"sort": CANARY, CANARY: CANARY}}, 400),
        ("GET", "/v1/leads", {"params": {"cursor": CANARY}}, 400),
        ("GET", f"/v1/leads/{CANARY}", {}, 400),
        ("GET", f"/{CANARY}", {}, 404),
        (
            "POST",
            "/v1/toys/faults",
            {"headers": {"User-Agent": CANARY, "Referer": f"http://test/leads?q={CANARY}"}},
            500,
        ),
    ]


async def test_no_request_shows_a_value(
    parts: ApiContext, log: io.StringIO, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", "httpx")  # the test's own client, in this process
    lines: list[str] = []

    def keep(_logger: object, _name: str, line: str) -> str:
        lines.append(unquote(line))
        return line

    structlog.get_config()["processors"].append(keep)  # loggers that another test used first write to its stream
    caller = await new_caller(parts.database, list(SCOPES))
    requests = requests_with_values()
    async with client_of(parts, raise_app_exceptions=False) as client:
        for method, path, content, expected in requests:
            kind = {"Content-Type": "application/x-ndjson" if path.endswith("stream") else "application/json"}
            headers = {**caller.headers, **kind, **content.pop("headers", {})}
            answer = await client.request(method, path, headers=headers, **content)
            assert answer.status_code == expected, (method, path, answer.text)

    assert sum("http.request" in line for line in lines) == len(requests)
    assert sum("http.exception" in line for line in lines) == 1
    assert CANARY not in "".join(lines) + log.getvalue()
    assert CANARY not in cluster.server.log.read_text(errors="replace")


@pytest.mark.usefixtures("known")
async def test_no_job_record_shows_a_value(database: Database, jobs: Jobs, log: io.StringIO, cluster: Cluster) -> None:
    for name in FAULTS:

        async def handler(_context: JobContext[Any], name: str = name) -> None:
            async with database.system() as tx:
                await provoke(tx, name)

        job_id = await jobs.one()
        job = await jobs.attempt(jobs.registry(handler), job_id)
        assert job.last_error
        assert CANARY not in job.last_error, name

    assert CANARY not in log.getvalue()
    assert CANARY not in cluster.server.log.read_text(errors="replace")
