"""Pages of websites that are kept for sources that read them again: as long as the answer is good, and no longer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from leadflood.domains.enrichment.engine.postgres import PostgresLookups
from leadflood.domains.enrichment.models import SubjectKind
from leadflood.domains.enrichment.models.lookups import LookupClaim, LookupKey, LookupOutcome, LookupState
from leadflood.domains.enrichment.models.read_pages import ReadPage
from leadflood.domains.enrichment.store import read_pages
from leadflood.domains.enrichment.store.lookups import LookupAsker
from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import keyed_hash, new_fingerprint_key
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.conftest import Workspace
from tests.support.asked_sources import fact
from tests.support.new_companies import new_company

COUNT = sql("SELECT count(*) FROM lookup_pages WHERE workspace_id = :workspace_id")
EXPIRE = sql("UPDATE lookup_pages SET expires_at = now() - interval '1 second' WHERE workspace_id = :workspace_id")
DELETE = sql("DELETE FROM lookups WHERE workspace_id = :workspace_id")
PAGES = (
    ReadPage("https://acme.com/", "Acme macht Werkzeuge.\nSeit 1987 \U0001f680", utc_now()),
    ReadPage("https://acme.com/about", "A text with \x00 and \ud800", utc_now()),
)


@pytest.fixture
async def asker(database: Database, workspace: Workspace) -> LookupAsker:
    return LookupAsker(workspace.id, SubjectKind.COMPANY, await new_company(database, workspace.id), new_id())


async def count(database: Database, asker: LookupAsker) -> int:
    async with database.transaction(asker.workspace_id, read_only=True) as tx:
        found: int = await tx.scalar(COUNT, {"workspace_id": asker.workspace_id})
    return found


async def change(database: Database, asker: LookupAsker, statement: object) -> None:
    async with database.transaction(asker.workspace_id) as tx:
        await tx.execute(statement, {"workspace_id": asker.workspace_id})  # type: ignore[arg-type]


async def read(worker: PostgresLookups, key: LookupKey) -> LookupOutcome:
    """Ask, and store an answer with pages, if none is stored."""
    now = utc_now()
    claim = await worker.claim(key, now=now, until=now + timedelta(seconds=60))
    if isinstance(claim, LookupClaim):
        found = LookupOutcome(LookupState.FOUND, now, now + timedelta(days=30), (fact("Acme"),))
        assert await worker.answer(key, claim, replace(found, pages=PAGES))
        return found
    assert isinstance(claim, LookupOutcome)
    return claim


async def test_pages_come_back_with_the_answer_to_runs_that_need_them(database: Database, asker: LookupAsker) -> None:
    key = LookupKey("website", keyed_hash(new_fingerprint_key(), b"acme.com"))
    keeping = PostgresLookups(database, asker, keeps_pages=True)
    await read(keeping, key)

    assert (await read(keeping, key)).pages == PAGES
    assert (await read(PostgresLookups(database, asker), key)).pages == ()


async def test_nothing_is_kept_for_a_workspace_without_a_source_that_reads_it(
    database: Database, asker: LookupAsker
) -> None:
    key = LookupKey("website", keyed_hash(new_fingerprint_key(), b"acme.com"))
    await read(PostgresLookups(database, asker), key)

    assert await count(database, asker) == 0
    assert (await read(PostgresLookups(database, asker, keeps_pages=True), key)).pages == ()


async def test_pages_end_with_their_answer(database: Database, asker: LookupAsker) -> None:
    for name in (b"acme.com", b"acme.de"):
        key = LookupKey("website", keyed_hash(new_fingerprint_key(), name))
        await read(PostgresLookups(database, asker, keeps_pages=True), key)
    async with database.system() as tx:
        await read_pages.purge(tx, 100)
    assert await count(database, asker) == 2, "they are still good"

    await change(database, asker, EXPIRE)
    async with database.system() as tx:
        assert await read_pages.purge(tx, 1) == 1
    assert await count(database, asker) == 1
    await change(database, asker, DELETE)
    assert await count(database, asker) == 0
