"""Whoever falls silent while importing is taken over, and what happened meanwhile is seen; nothing is done twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.imports.models.states import RowAction
from leadflood.domains.imports.service import lifecycle
from leadflood.domains.jobs import execution
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import UpdateLead
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.worker.executor import Executor
from tests.support.desk import Desk, counted, csv_of
from tests.support.jobs import Jobs
from tests.support.waiting import eventually, soon

_TAKE_ROW = sql("""
INSERT INTO import_rows (workspace_id, import_id, row_no, action) VALUES (:workspace_id, :import_id, 5, 'skip')
""")
_LEAVE_ROW = sql("DELETE FROM import_rows WHERE workspace_id = :workspace_id AND import_id = :import_id")
_WAITING = "SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
_TWO_WAIT = "SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted OFFSET 1"
_RENEWED = "SELECT lease_expires_at > now() AS renewed FROM job_executions WHERE id = :id"
_TAKEN_OVER = "UPDATE job_executions SET attempts = attempts + 1 WHERE id = :id"
HEADER = ["email", "company"]


class Killed(BaseException):
    """The process is gone at this point, as after kill -9: nothing of ours runs any more."""


def many(count: int) -> list[list[str]]:
    """Rows, some of them twice, some of them without an address."""
    return [
        ["nobody" if number % 10 == 9 else f"lead{number // 2}@acme.com", f"Company {number}"]
        for number in range(count)
    ]


async def die_at(desk: Desk, job_id: UUID, attempt: int, point: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Run an attempt until its `point`-th statement, and kill it there. Returns whether it came so far."""
    jobs = Jobs(desk.database, desk.actor.workspace_id)
    job = await jobs.started(job_id, attempt)
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
        await jobs.change(
            "UPDATE job_executions SET status = 'queued', lease_expires_at = NULL WHERE id = :id", id=job_id
        )
    return died


@pytest.mark.parametrize("points", [(1, 9, 14, 20, 25), (3, 12, 17, 22, 31), (5, 7, 11, 19, 40)])
async def test_killed_again_and_again_every_row_is_done_once(
    desk: Desk, points: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadflood.domains.imports.service.sandboxed_parser.BATCH", 7)
    monkeypatch.setattr("leadflood.domains.imports.service.commit.BATCH", 5)
    for number in range(0, 15, 3):
        await desk.lead(email=f"lead{number}@acme.com")
    before = await desk.checksum()
    rows = many(60)
    import_id = await desk.upload(csv_of([HEADER, *rows]))

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        job_id = (await lifecycle.preview_import(tx, desk.actor, import_id=import_id, trace={})).job_id
    assert job_id
    await survive(desk, job_id, points, monkeypatch)
    previewed = await desk.get(import_id)
    assert (previewed.status, sum(previewed.counts.values())) == ("previewed", 60)
    job_id = await desk.ask_commit(import_id)
    await survive(desk, job_id, points, monkeypatch)

    done = await desk.get(import_id)
    assert done.status == "committed"
    assert counted(done) == {"create": 25, "update": 5, "skip": 24, "reject": 6}
    assert len(await desk.leads()) == 30
    assert (await desk.undo(import_id)).reverted == 30
    assert await desk.checksum() == before


async def survive(desk: Desk, job_id: UUID, points: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill attempt after attempt, then let one live."""
    attempt = 1
    for point in points:
        if not await die_at(desk, job_id, attempt, point, monkeypatch):
            return
        attempt += 1
    await desk.attempt(job_id, attempt)


@dataclass(frozen=True)
class Comparing:
    """A preview that is in the midst of its rows."""

    desk: Desk
    import_id: UUID
    job: RunningJob
    jobs: Jobs

    @classmethod
    @asynccontextmanager
    async def held(cls, desk: Desk) -> AsyncIterator["Comparing"]:
        """Held there for as long as this lasts; then it runs to its end."""
        import_id = await desk.upload(csv_of([HEADER, *many(20)]))
        async with desk.database.transaction(desk.actor.workspace_id) as tx:
            job_id = (await lifecycle.preview_import(tx, desk.actor, import_id=import_id, trace={})).job_id
        assert job_id
        jobs = Jobs(desk.database, desk.actor.workspace_id)
        job = await jobs.started(job_id)
        keys = {"workspace_id": desk.actor.workspace_id, "import_id": import_id}
        async with desk.database.transaction(desk.actor.workspace_id) as in_the_way:
            await in_the_way.execute(_TAKE_ROW, keys)
            running = asyncio.create_task(Executor(desk.database, desk.registry, new_id()).run(job))
            await eventually(lambda: jobs.rows(_WAITING))
            yield cls(desk, import_id, job, jobs)
            await in_the_way.execute(_LEAVE_ROW, keys)
        await soon(running)


async def test_the_lease_is_renewed_while_rows_are_compared(desk: Desk) -> None:
    async with Comparing.held(desk) as comparing:
        await comparing.jobs.expire_lease(comparing.job.id)

        assert not await execution.renew(desk.database, [comparing.job], 60)

        (lease,) = await comparing.jobs.rows(_RENEWED, id=comparing.job.id)
        assert lease.renewed

    found = await desk.get(comparing.import_id)
    assert (found.status, sum(found.counts.values())) == ("previewed", 20)


async def test_a_preview_that_is_taken_over_meanwhile_keeps_no_row(desk: Desk) -> None:
    async with Comparing.held(desk) as comparing:
        await comparing.jobs.change(_TAKEN_OVER, id=comparing.job.id)

    assert await desk.rows(comparing.import_id) == []
    assert counted(await desk.get(comparing.import_id)) == {}


async def test_an_operator_who_cancels_the_job_meanwhile_is_not_the_one_who_gives_way(desk: Desk) -> None:
    async with Comparing.held(desk) as comparing:
        cancelling = asyncio.create_task(comparing.jobs.cancel(desk.registry, comparing.job.id))
        assert await eventually(lambda: comparing.jobs.rows(_TWO_WAIT))

    assert (await soon(cancelling)).status == "failed"
    assert (await desk.get(comparing.import_id)).status == "failed"
    assert await desk.rows(comparing.import_id) == []


async def test_what_was_edited_since_the_preview_is_told_and_not_overwritten(desk: Desk) -> None:
    ada = await desk.lead(email="ada@acme.com", company="Acme")
    bob = await desk.lead(email="bob@acme.com")
    eve = await desk.lead(email="eve@acme.com", company="E")
    zoe = await desk.lead(email="zoe@acme.com")
    rows = [[f"{name}@acme.com", "New"] for name in ("ada", "bob", "eve", "zoe", "new", "max")]
    import_id = await desk.upload(csv_of([HEADER, *rows]))
    await desk.map(import_id, ["email", "company"], existing="overwrite")
    assert counted(await desk.preview(import_id)) == {"update": 4, "create": 2}
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        for lead_id, fields in (
            (ada, {"company": "Edited"}),
            (bob, {"company": "New"}),
            (eve, {"jobTitle": "Head"}),
        ):
            command = UpdateLead.model_validate(fields)
            await leads.update_lead(tx, desk.actor, lead_id=lead_id, command=command, expected_version=None)
        await leads.delete_lead(tx, desk.actor, lead_id=zoe)
    await desk.lead(email="new@acme.com", company="First")

    done = await desk.commit(import_id)

    assert counted(done) == {"create": 1, "update": 1, "unchanged": 1, "conflict": 3}
    conflicts = {row.email: row.reason for row in await desk.rows(import_id, RowAction.CONFLICT)}
    assert conflicts == {
        "ada@acme.com": "changed_since_preview",
        "zoe@acme.com": "deleted_since_preview",
        "new@acme.com": "created_since_preview",
    }
    companies = {lead["email"]: lead["company"] for lead in await desk.leads()}
    assert companies == {
        "ada@acme.com": "Edited",
        "bob@acme.com": "New",
        "eve@acme.com": "New",
        "max@acme.com": "New",
        "new@acme.com": "First",
    }


async def test_a_commit_that_is_paused_goes_on_and_one_that_is_cancelled_can_be_undone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadflood.domains.imports.service.commit.BATCH", 2)
    import_id = await desk.upload(csv_of([HEADER, *[[f"lead{number}@acme.com", ""] for number in range(6)]]))
    await desk.preview(import_id)
    job_id = await desk.ask_commit(import_id)
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await lifecycle.pause_import(tx, desk.actor, import_id=import_id)
    await desk.attempt(job_id)
    assert ((await desk.get(import_id)).status, len(await desk.leads())) == ("paused", 0)

    job_id = await desk.ask_commit(import_id)
    await die_at(desk, job_id, 1, 30, monkeypatch)
    written = len(await desk.leads())
    assert 0 < written < 6
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await lifecycle.cancel_import(tx, desk.actor, import_id=import_id)
    await desk.attempt(job_id, 2)
    cancelled = await desk.get(import_id)
    assert (cancelled.status, len(await desk.leads())) == ("cancelled", written)

    assert (await desk.undo(import_id)).status == "undone"
    assert await desk.leads() == []


async def test_what_was_edited_since_the_import_is_kept_by_the_undo(desk: Desk) -> None:
    ada = await desk.lead(email="ada@acme.com", company="Acme", jobTitle="Head")
    done = await desk.run(
        csv_of([["email", "company", "job title"], ["ada@acme.com", "New", "Boss"]]), existing="overwrite"
    )
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        command = UpdateLead.model_validate({"company": "Edited"})
        await leads.update_lead(tx, desk.actor, lead_id=ada, command=command, expected_version=None)

    undone = await desk.undo(done.id)

    (lead,) = await desk.leads()
    assert (lead["company"], lead["job_title"]) == ("Edited", "Head")
    assert undone.kept_fields == 1
