"""With scoping in code switched off, row-level security alone keeps workspaces apart."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Table, delete, func, insert, select, update

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.errors import constraint_of
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from tests.conftest import DATABASE
from tests.integration.db.tenants import APPEND_ONLY, TENANT_TABLES, Tenant, copied, tenant_column
from tests.support.postgres import Cluster

EVERY_TABLE = pytest.mark.parametrize("table", TENANT_TABLES.values(), ids=TENANT_TABLES)

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


def code_of(error: asyncpg.PostgresError) -> str:
    return str(error.sqlstate)


@asynccontextmanager
async def rolled_back(tx: Transaction) -> AsyncIterator[None]:
    """Keep nothing of what is done inside."""
    await tx.execute(sql("SAVEPOINT before"))
    yield
    await tx.execute(sql("ROLLBACK TO before"))


async def one_row(tx: Transaction, table: Table) -> dict[str, Any]:
    row = await tx.first(select(table))
    assert row is not None, f"no row in {table.name}"
    return dict(row)


async def counted(database: Database, table: Table, tenant: Tenant) -> int:
    """How many rows the tenant really has."""
    async with database.system(read_only=True) as tx:
        return int(await tx.scalar(select(func.count()).where(tenant_column(table) == tenant.id)))


@EVERY_TABLE
async def test_a_select_without_any_predicate_shows_one_workspace_only(
    database: Database, tenants: tuple[Tenant, Tenant], table: Table
) -> None:
    ours, theirs = tenants
    assert await counted(database, table, theirs) > 0

    async with database.transaction(ours.id) as tx:
        owners = [row[0] for row in await tx.all(select(tenant_column(table)))]

    assert set(owners) == {ours.id}


@EVERY_TABLE
async def test_without_a_workspace_nothing_is_shown(
    database: Database, tenants: tuple[Tenant, Tenant], table: Table
) -> None:
    async with database.statement() as connection:
        assert await connection.scalar(select(func.count()).select_from(table)) == 0


@EVERY_TABLE
async def test_an_update_or_delete_without_any_predicate_touches_one_workspace_only(
    database: Database, tenants: tuple[Tenant, Tenant], table: Table
) -> None:
    ours, theirs = tenants
    owner = tenant_column(table)
    before = await counted(database, table, theirs)
    for statement in (update(table).values({owner.name: owner}), delete(table)):
        if table.name in APPEND_ONLY:
            with pytest.raises(asyncpg.PostgresError) as refused:
                async with database.transaction(ours.id) as tx:
                    await tx.execute(statement)
            assert code_of(refused.value) == asyncpg.InsufficientPrivilegeError.sqlstate
            continue
        async with database.transaction(ours.id) as tx, rolled_back(tx):
            touched = {row[0] for row in await tx.all(statement.returning(owner))}
            assert touched == {ours.id}
    assert await counted(database, table, theirs) == before


@EVERY_TABLE
async def test_a_row_of_another_workspace_cannot_be_written(
    database: Database, tenants: tuple[Tenant, Tenant], table: Table
) -> None:
    ours, theirs = tenants
    owner = tenant_column(table)
    async with database.transaction(ours.id) as tx:
        row = await one_row(tx, table)
    foreign = {**copied(row, table), owner.name: theirs.id}

    for statement in (insert(table).values(foreign), update(table).values({owner.name: theirs.id})):
        with pytest.raises(asyncpg.PostgresError) as refused:
            async with database.transaction(ours.id) as tx:
                await tx.execute(statement)
        assert code_of(refused.value) == asyncpg.InsufficientPrivilegeError.sqlstate


async def test_a_row_cannot_refer_to_a_row_of_another_workspace(
    cluster: Cluster, database: Database, tenants: tuple[Tenant, Tenant]
) -> None:
    ours, theirs = tenants
    connection = await asyncpg.connect(cluster.url(DATABASE), server_settings={"search_path": "leadflood"})
    keys = await connection.fetch(FOREIGN_KEYS)
    await connection.close()
    assert len(keys) > 5
    for key in keys:
        table = TENANT_TABLES[key["table_name"]]
        async with database.transaction(theirs.id) as tx:
            parent = await one_row(tx, TENANT_TABLES[key["refers_to"]])
        pairs = zip(key["columns"], key["targets"], strict=True)
        stolen = {column: parent[target] for column, target in pairs if column != "workspace_id"}
        async with database.transaction(ours.id) as tx:
            row = {**copied(await one_row(tx, table), table), **stolen}
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            async with database.transaction(ours.id) as tx:
                await tx.execute(insert(table).values(row))
        assert constraint_of(refused.value) == key["name"]


async def test_an_address_of_another_workspace_is_not_betrayed_by_a_unique_index(
    database: Database, tenants: tuple[Tenant, Tenant]
) -> None:
    ours, theirs = tenants
    leads = TENANT_TABLES["leads"]
    async with database.transaction(theirs.id) as tx:
        row = await one_row(tx, leads)
    same = {**row, "workspace_id": ours.id, "owner_id": None}
    async with database.transaction(ours.id) as tx, rolled_back(tx):
        await tx.execute(delete(leads))
        assert await tx.changed(insert(leads).values(same)) == 1


async def test_a_credential_is_looked_up_by_its_exact_hash_only(
    database: Database, tenants: tuple[Tenant, Tenant]
) -> None:
    ours, _ = tenants
    tokens = TENANT_TABLES["session_tokens"]
    seek = sql("SELECT count(*) FROM authenticate_token(:sought)")
    async with database.transaction(ours.id) as tx:
        known = await tx.scalar(select(tokens.c.token_hash).where(tokens.c.kind == "access"))
        refresh = await tx.scalar(select(tokens.c.token_hash).where(tokens.c.kind == "refresh"))

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
