"""The uncommitted files of a workspace have a limit together, whoever uploads at the same time."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from leadflood.domains.imports.errors import ImportQuotaExceeded
from leadflood.domains.imports.service import lifecycle, uploads
from leadflood.domains.imports.store import retention
from tests.conftest import new_workspace
from tests.support.desk import LIMIT, Desk, csv_of
from tests.support.jobs import Jobs
from tests.support.sandbox import shared_sandbox
from tests.support.waiting import soon

MEGABYTE = 1024 * 1024
FILE = b"email,notes\n" + (b"ada@acme.com," + b"n" * 1010 + b"\n") * 1024
"""A megabyte, in few rows."""
QUOTA = 3 * len(FILE)


async def delete(desk: Desk, import_id: UUID) -> None:
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await lifecycle.delete_import(tx, desk.actor, import_id=import_id)


async def test_uploads_at_the_same_time_cannot_overrun_the_quota(desk: Desk) -> None:
    answers = await soon(
        asyncio.gather(*(desk.upload(FILE, f"{n}.csv", quota=QUOTA) for n in range(8)), return_exceptions=True)
    )

    stored = [answer for answer in answers if isinstance(answer, UUID)]
    refused = [answer for answer in answers if isinstance(answer, ImportQuotaExceeded)]
    assert (len(stored), len(refused)) == (3, 5)
    jobs = Jobs(desk.database, desk.actor.workspace_id)
    rows = await jobs.rows(
        "SELECT count(*) AS files, sum(size_bytes) AS bytes, count(reserved_bytes) AS reserved"
        " FROM imports WHERE workspace_id = :id",
        id=desk.actor.workspace_id,
    )
    assert tuple(rows[0]) == (3, QUOTA, 0)  # those that were refused are gone


async def test_a_refusal_names_what_to_delete_and_deleting_or_committing_makes_room(desk: Desk) -> None:
    small = csv_of([["email"], ["bob@acme.com"]])
    largest = await desk.upload(FILE, "large.csv", quota=QUOTA)
    await desk.upload(small, "small.csv", quota=QUOTA)

    with pytest.raises(ImportQuotaExceeded) as refused:
        await desk.upload(FILE + FILE, "more.csv", quota=QUOTA)
    assert f"large.csv ({len(FILE):,} bytes), small.csv" in refused.value.detail
    assert [item["filename"] for item in refused.value.extra["imports"]] == ["large.csv", "small.csv"]  # type: ignore[attr-defined]

    await delete(desk, largest)
    more = await desk.upload(FILE + FILE, "more.csv", quota=QUOTA)
    await desk.map(more, ["email", "ignore"])
    await desk.preview(more)
    await desk.commit(more)
    await desk.upload(FILE + FILE, "again.csv", quota=QUOTA)

    elsewhere = Desk(desk.database, desk.registry, type(desk.actor).cli(await new_workspace(desk.database)))
    await elsewhere.upload(FILE, quota=QUOTA)


async def test_an_upload_of_unknown_size_ends_where_the_quota_does_and_an_abandoned_one_counts_until_it_is_purged(
    desk: Desk,
) -> None:
    jobs = Jobs(desk.database, desk.actor.workspace_id)

    async def upload(stream: AsyncIterator[bytes], declared: int | None = None) -> UUID:
        return await uploads.upload(
            desk.database,
            shared_sandbox(),
            desk.actor,
            filename="leads.csv",
            stream=stream,
            declared=declared,
            limit=LIMIT,
            quota=QUOTA,
        )

    async def without_end() -> AsyncIterator[bytes]:
        while True:
            yield FILE

    async def once() -> AsyncIterator[bytes]:
        yield FILE

    for declared in (None, 10):
        with pytest.raises(ImportQuotaExceeded):
            await soon(upload(without_end(), declared))
    for declared in (-16_000, 0, 10):
        await delete(desk, await upload(once(), declared))
    abandoned = await upload(once())
    await jobs.change(
        "UPDATE imports SET status = 'uploading', reserved_bytes = :size WHERE id = :id", id=abandoned, size=QUOTA
    )
    with pytest.raises(ImportQuotaExceeded):
        await upload(once())

    await jobs.change("UPDATE imports SET updated_at = now() - interval '2 days' WHERE id = :id", id=abandoned)
    while await retention.purge_expired(desk.database, days=30):
        pass
    await upload(once())
