"""With scoping in code switched off, row-level security alone keeps workspaces apart."""

# ruff: noqa: S608  statements name our own tables

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.errors import constraint_of
from leadflood.kernel.db.sql import Sql, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from tests.conftest import DATABASE
from tests.integration.db.tenants import APPEND_ONLY, Table, Tenant, tenant_tables
from tests.support.postgres import Cluster

Tables = Mapping[str, Table]

FOREIGN_KEYS = """
SELECT f.conrelid::regclass::text AS table_name, f.conname AS name, f.confrelid::regclass::text AS refers_to,
       array_agg(a.attname::text ORDER BY k.n) AS columns, array_agg(b.attname::text ORDER BY k.n) AS targets
FROM pg_constraint f
CROSS JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY AS k (here, there, n)
JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.here
JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.there
WHERE f.connamespace = 'leadflood'::regnamespace AND f.contype = 'f' AND cardinality(f.conkey) > 1
GROUP BY 1, 2, 3 ORDER BY 1, 2
"""


@pytest.fixture(scope="module")
async def tables(database: Database) -> Tables:
    """The tables of tenants, as they are in the database."""
    found = await tenant_tables(database)
    assert len(found) > 25
    return found


@asynccontextmanager
async def rolled_back(tx: Transaction) -> AsyncIterator[None]:
    """Keep nothing of what is done inside."""
    await tx.execute(sql("SAVEPOINT before"))
    yield
    await tx.execute(sql("ROLLBACK TO before"))


async def counted(database: Database, table: Table, tenant: Tenant) -> int:
    """Actual number of the tenant's rows."""
    statement = Sql(f"SELECT count(*) FROM {table.name} WHERE {table.owner} = :id")
    async with database.system(read_only=True) as tx:
        return int(await tx.scalar(statement, {"id": tenant.id}))


async def test_a_select_without_any_predicate_shows_one_workspace_only(
    database: Database, tenants: tuple[Tenant, Tenant], tables: Tables
) -> None:
    ours, theirs = tenants
    for table in tables.values():
        assert await counted(database, table, theirs) > 0, table.name

        async with database.transaction(ours.id) as tx:
            owners = [row[0] for row in await tx.all(Sql(f"SELECT {table.owner} FROM {table.name}"))]

        assert set(owners) == {ours.id}, table.name


async def test_without_a_workspace_nothing_is_shown(
    database: Database, tenants: tuple[Tenant, Tenant], tables: Tables
) -> None:
    for name in tables:
        async with database.statement() as connection:
            assert await connection.scalar(Sql(f"SELECT count(*) FROM {name}")) == 0, name


async def test_an_update_or_delete_without_any_predicate_touches_one_workspace_only(
    database: Database, tenants: tuple[Tenant, Tenant], tables: Tables
) -> None:
    ours, theirs = tenants
    for table in tables.values():
        before = await counted(database, table, theirs)
        for verb in (f"UPDATE {table.name} SET {table.owner} = {table.owner}", f"DELETE FROM {table.name}"):
            statement = Sql(f"{verb} RETURNING {table.owner}")
            if table.name in APPEND_ONLY:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    async with database.transaction(ours.id) as tx:
                        await tx.execute(statement)
                continue
            async with database.transaction(ours.id) as tx, rolled_back(tx):
                touched = {row[0] for row in await tx.all(statement)}
                assert touched == {ours.id}, table.name
        assert await counted(database, table, theirs) == before, table.name


async def test_a_row_of_another_workspace_cannot_be_written(
    database: Database, tenants: tuple[Tenant, Tenant], tables: Tables
) -> None:
    ours, theirs = tenants
    for table in tables.values():
        async with database.transaction(ours.id) as tx:
            foreign = {**table.copied(await table.one(tx)), table.owner: theirs.id}

        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(ours.id) as tx:
                await table.insert(tx, foreign)
        move = Sql(f"UPDATE {table.name} SET {table.owner} = :theirs")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(ours.id) as tx:
                await tx.execute(move, {"theirs": theirs.id})


async def replace(
    database: Database, tenant: Tenant, table: Table, old: Mapping[str, Any] | None, new: Mapping[str, Any]
) -> None:
    """Insert a row, after the deletion of another one."""
    async with database.transaction(tenant.id) as tx:
        if old is not None:
            await table.delete(tx, old)
        await table.insert(tx, new)


EITHER = {
    "lookups": ("lead_id", "company_id"),
    "rejected_values": ("lead_id", "company_id"),
    "source_tests": ("lead_id", "company_id"),
}
"""Columns of which a row has a value in one only."""


async def test_a_row_cannot_refer_to_a_row_of_another_workspace(
    cluster: Cluster, database: Database, tenants: tuple[Tenant, Tenant], tables: Tables
) -> None:
    ours, theirs = tenants
    connection = await asyncpg.connect(cluster.url(DATABASE), server_settings={"search_path": "leadflood"})
    keys = await connection.fetch(FOREIGN_KEYS)
    await connection.close()
    assert len(keys) > 5
    for key in keys:
        table = tables[key["table_name"]]
        async with database.transaction(theirs.id) as tx:
            parent = await tables[key["refers_to"]].one(tx)
        pairs = zip(key["columns"], key["targets"], strict=True)
        stolen = {column: parent[target] for column, target in pairs if column != "workspace_id"}
        referring = {column for each in keys if each["table_name"] == table.name for column in each["columns"]}
        async with database.transaction(ours.id) as tx:
            own = await table.one(tx)
        others = {
            column: None for column in EITHER.get(table.name, ()) if not stolen.keys().isdisjoint(EITHER[table.name])
        }
        row = {**table.copied(own), **{column: own[column] for column in referring}, **others, **stolen}
        same = all(row[column] == own[column] for column in table.key)  # then the row itself must not be in the way
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await replace(database, ours, table, own if same else None, row)
        assert constraint_of(refused.value) == key["name"]


async def test_an_address_of_another_workspace_is_not_betrayed_by_a_unique_index(
    database: Database, tenants: tuple[Tenant, Tenant], tables: Tables
) -> None:
    ours, theirs = tenants
    async with database.transaction(theirs.id) as tx:
        row = await tables["leads"].one(tx)
    same = {**row, "workspace_id": ours.id, "owner_id": None}
    async with database.transaction(ours.id) as tx, rolled_back(tx):
        await tx.execute(sql("DELETE FROM leads"))
        assert await tables["leads"].insert(tx, same) == 1


async def test_a_credential_is_looked_up_by_its_exact_hash_only(
    database: Database, tenants: tuple[Tenant, Tenant]
) -> None:
    ours, _ = tenants
    token = sql("SELECT token_hash FROM session_tokens WHERE kind = :kind")
    seek = sql("SELECT count(*) FROM authenticate_token(:sought)")
    async with database.transaction(ours.id) as tx:
        known = await tx.scalar(token, {"kind": "access"})
        refresh = await tx.scalar(token, {"kind": "refresh"})

    async with database.statement() as connection:
        assert await connection.scalar(seek, {"sought": known}) == 1
        for unknown in (b"", new_id().bytes, known[:-1], known + b"\0", refresh, None):
            assert await connection.scalar(seek, {"sought": unknown}) == 0


async def test_the_search_shows_one_workspace_only_whatever_it_is_asked(
    database: Database, tenants: tuple[Tenant, Tenant]
) -> None:
    ours, _ = tenants
    search = sql("""
        SELECT workspace_id FROM search_leads(:needle, NULL, NULL, NULL, NULL, NULL, NULL, NULL, :sort, false,
                                              NULL, NULL, NULL, 1000)
    """)
    for needle in ("", "a", "acme", "%", "' OR true --", "$1"):
        async with database.transaction(ours.id) as tx:
            found = {row[0] for row in await tx.all(search, {"needle": needle, "sort": "created_at"})}
        assert found <= {ours.id}
        async with database.statement() as connection:
            assert await connection.all(search, {"needle": needle, "sort": "created_at"}) == []
    for sort in ("search_text", "id; DROP TABLE leads", "", None):
        with pytest.raises(asyncpg.PostgresError):
            async with database.transaction(ours.id) as tx:
                await tx.execute(search, {"needle": "acme", "sort": sort})
