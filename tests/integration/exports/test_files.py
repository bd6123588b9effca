"""Files that a worker writes: whole whatever happens, for a time, and for nobody else."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from arro3.io import read_parquet

from leadflood.bootstrap import SCHEDULES
from leadflood.domains.exports import queries
from leadflood.domains.exports.errors import ExportNotFound, ExportNotReady, TooManyExports
from leadflood.domains.exports.events import PURGE_EXPORTS
from leadflood.domains.exports.service import batches, files
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id
from leadflood.worker.executor import Executor
from tests.conftest import new_workspace
from tests.integration.exports.desk import Desk
from tests.integration.exports.test_formats import table
from tests.support.jobs import Jobs

LEADS = 23


class Killed(BaseException):
    """The process is gone at this point, as after kill -9: nothing of ours runs any more."""


@pytest.fixture
async def leads(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Leads for several batches, newest first."""
    monkeypatch.setattr(batches, "BATCH", 5)
    emails = [f"lead{number}@acme.com" for number in range(LEADS)]
    for email in emails:
        await desk.lead(email, customFields={"n": email})
    return emails[::-1]


async def die_at(desk: Desk, job_id: UUID, attempt: int, point: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Run an attempt until its `point`-th statement, and kill it there. Returns whether it came so far."""
    job = await desk.jobs.started(job_id, attempt)
    seen = 0
    execute: Callable[..., Any] = Transaction.all

    async def counting(self: Transaction, *arguments: Any) -> Any:  # noqa: ANN401  as it is
        nonlocal seen
        seen += "pg_notify" not in str(arguments[0])  # a hint to live pages, which a task of its own sends
        if seen == point:
            raise Killed
        return await execute(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "all", counting)
        try:
            await Executor(desk.database, desk.registry, new_id()).run(job)
        except Killed:
            died = True
        else:
            died = False
    if died:
        await desk.jobs.change(
            "UPDATE job_executions SET status = 'queued', lease_expires_at = NULL WHERE id = :id", id=job_id
        )
    return died


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
async def test_a_file_has_the_very_bytes_that_are_sent_at_once(desk: Desk, leads: list[str], kind: str) -> None:
    export_id, job_id = await desk.ask(format=kind)

    job = await desk.attempt(job_id)

    view = await desk.get(export_id)
    data = await desk.file(export_id)
    assert (job.status, view.status, view.processed, view.total) == ("completed", "ready", LEADS, LEADS)
    assert data == await desk.stream(kind=view.format)
    assert view.size_bytes == len(data)
    assert view.filename == f"leads-{view.created_at:%Y-%m-%d}.{kind}"
    assert (view.expires_at - view.created_at).days == 7


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("points", [(1, 8, 13, 20, 25), (3, 10, 17, 22, 31), (5, 7, 11, 19, 40), (9, 9, 9, 9, 9)])
async def test_killed_again_and_again_the_file_is_whole_and_has_no_lead_twice(
    desk: Desk, leads: list[str], kind: str, points: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id, job_id = await desk.ask(format=kind, filter={"q": "lead"})

    killed = 0
    for attempt, point in enumerate(points, start=1):
        if not await die_at(desk, job_id, attempt, point, monkeypatch):
            break
        killed += 1
    else:
        await desk.attempt(job_id, len(points) + 1)

    view = await desk.get(export_id)
    data = await desk.file(export_id)
    assert killed >= 2
    assert (view.status, view.processed, view.size_bytes) == ("ready", LEADS, len(data))
    if kind == "csv":
        assert [row["email"] for row in table(data)] == leads
    else:
        assert read_parquet(data).read_all().column("email").to_pylist() == leads


async def test_a_csv_goes_on_where_it_was_and_is_not_read_again(
    desk: Desk, leads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id, job_id = await desk.ask()
    point = 0
    while (await desk.stored_parts(export_id)) < 3:
        point += 5
        assert await die_at(desk, job_id, point // 5, point, monkeypatch)
    before = (await desk.get(export_id)).processed
    read: list[int] = []
    next_records = queries.next_records

    async def seen(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  as it is
        records = await next_records(*arguments, **named)
        read.append(len(records))
        return records

    monkeypatch.setattr(queries, "next_records", seen)
    await desk.attempt(job_id, point // 5 + 1)

    assert before > 0
    assert sum(read) == LEADS - before
    assert (await desk.get(export_id)).status == "ready"


async def test_an_attempt_that_was_taken_over_writes_nothing_more(desk: Desk, leads: list[str]) -> None:
    export_id, job_id = await desk.ask()
    late = await desk.jobs.started(job_id)
    await desk.jobs.change(
        "UPDATE job_executions SET status = 'queued', lease_expires_at = NULL WHERE id = :id", id=job_id
    )
    await desk.attempt(job_id, 2)
    whole = await desk.file(export_id)

    await Executor(desk.database, desk.registry, new_id()).run(late)

    assert await desk.file(export_id) == whole


async def test_a_file_that_is_not_whole_is_not_given_out(desk: Desk, leads: list[str]) -> None:
    export_id, job_id = await desk.ask()

    with pytest.raises(ExportNotReady, match="Wait"):
        await desk.file(export_id)
    await desk.jobs.cancel(desk.registry, job_id)
    view = await desk.get(export_id)
    assert (view.status, view.error) == ("failed", "Cancelled by cli.")
    with pytest.raises(ExportNotReady, match="new one"):
        await desk.file(export_id)

    again = await desk.jobs.retry(desk.registry, job_id)
    await desk.attempt(job_id, again.attempts + 1)
    assert (await desk.get(export_id)).status == "ready"


async def test_too_many_columns_are_told_and_not_tried_again(
    desk: Desk, leads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_COLUMNS", 17)
    export_id, job_id = await desk.ask()

    job = await desk.attempt(job_id)

    view = await desk.get(export_id)
    assert (job.status, view.status) == ("failed", "failed")
    assert view.error
    assert "ndjson" in view.error


async def test_a_deleted_file_is_gone_at_once_and_its_bytes_within_the_hour(desk: Desk, leads: list[str]) -> None:
    kept, kept_job = await desk.ask()
    gone, gone_job = await desk.ask()
    for job_id in (kept_job, gone_job):
        await desk.attempt(job_id)

    await desk.delete(gone)

    for refused in (desk.get(gone), desk.file(gone), desk.delete(gone)):
        with pytest.raises(ExportNotFound):
            await refused
    assert await desk.stored_parts(gone) > 0
    await forget(desk)
    assert await desk.stored_parts(gone) == 0
    assert await desk.jobs.rows("SELECT id FROM exports WHERE id = :id", id=gone) == []
    assert table(await desk.file(kept))


async def test_a_file_is_removed_after_its_time(desk: Desk, leads: list[str]) -> None:
    export_id, job_id = await desk.ask()
    await desk.attempt(job_id)
    await desk.jobs.change("UPDATE exports SET expires_at = now() - interval '1 s' WHERE id = :id", id=export_id)

    with pytest.raises(ExportNotFound):
        await desk.file(export_id)
    await forget(desk)
    assert await desk.stored_parts(export_id) == 0
    assert [schedule.seconds for schedule in SCHEDULES if schedule.kind == PURGE_EXPORTS] == [3600.0]


async def test_deleting_an_export_stops_the_worker_that_writes_it(
    desk: Desk, leads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id, job_id = await desk.ask()
    next_records = queries.next_records
    read: list[int] = []

    async def deleted_meanwhile(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  as it is
        records = await next_records(*arguments, **named)
        if not read:
            await desk.delete(export_id)
        read.append(len(records))
        return records

    monkeypatch.setattr(queries, "next_records", deleted_meanwhile)
    job = await desk.attempt(job_id)

    assert (job.status, read) == ("completed", [5])
    with pytest.raises(ExportNotFound):
        await desk.get(export_id)


async def test_no_transaction_stays_open_while_a_file_is_written(
    desk: Desk, leads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large export blocks no one: each batch takes a connection of the pool and returns it."""
    _, job_id = await desk.ask()
    job = await desk.jobs.started(job_id)
    open_now: list[int] = []
    transaction = Database.transaction

    @asynccontextmanager
    async def counted(self: Database, workspace_id: UUID, *, read_only: bool = False) -> AsyncIterator[Transaction]:
        assert not open_now
        open_now.append(1)
        try:
            async with transaction(self, workspace_id, read_only=read_only) as tx:
                yield tx
        finally:
            open_now.pop()

    monkeypatch.setattr(Database, "transaction", counted)
    await Executor(desk.database, desk.registry, new_id()).run(job)

    assert (await desk.jobs.view(job_id)).status == "completed"


async def test_a_workspace_keeps_so_many_files_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_EXPORTS", 2)
    first, _ = await desk.ask()
    await desk.ask()

    with pytest.raises(TooManyExports, match="Delete exports you no longer need"):
        await desk.ask()
    await desk.delete(first)
    await desk.ask()


async def test_the_files_of_another_workspace_do_not_exist(desk: Desk, database: Database, leads: list[str]) -> None:
    export_id, job_id = await desk.ask()
    await desk.attempt(job_id)
    other = Desk(database, desk.registry, type(desk.actor).cli(await new_workspace(database)))

    for refused in (other.get(export_id), other.file(export_id), other.delete(export_id)):
        with pytest.raises(ExportNotFound):
            await refused
    assert (await desk.get(export_id)).status == "ready"


async def test_whoever_asks_downloads_and_deletes_is_in_the_audit_log(desk: Desk, leads: list[str]) -> None:
    export_id, job_id = await desk.ask(filter={"q": "lead1"})
    await desk.attempt(job_id)
    await desk.file(export_id)
    await desk.delete(export_id)

    rows = await desk.jobs.rows(
        "SELECT action, data FROM audit_events WHERE subject_id = :id ORDER BY id", id=export_id
    )

    assert [row.action for row in rows] == ["export.requested", "export.downloaded", "export.deleted"]
    search = {"all": [{"field": "search", "operator": "matches", "value": "lead1"}]}
    assert rows[0].data == {"format": "csv", "columns": ["*"], "filter": search}
    assert rows[1].data == {"format": "csv", "count": 11}


async def forget(desk: Desk) -> None:
    """Run the purge as its schedule does."""
    sweep = Jobs(desk.database, SYSTEM_WORKSPACE_ID, PURGE_EXPORTS)
    assert (await sweep.attempt(desk.registry, await sweep.one())).status == "completed"
