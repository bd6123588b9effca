"""Every statement of the program fits the schema: the server prepares it, names and types included."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from asyncpg.prepared_stmt import PreparedStatement

import leadflood
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.errors import LockConflict
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import Sql, sql
from tests.conftest import DATABASE, TEMPLATE
from tests.integration.db.conftest import opened
from tests.support.postgres import Cluster

NAME = "statements"
WHOLE = re.compile(r"\s*(--[^\n]*\n\s*)*(SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|VALUES)\b")
TEMPORARY = re.compile(r"\s*(--[^\n]*\n\s*)*CREATE TEMP")


def statements() -> Iterator[tuple[str, Sql]]:
    """Each statement that a module of the program defines, by its name. Parts for `assemble` are left out."""
    for found in pkgutil.walk_packages(leadflood.__path__, "leadflood."):
        if ".migrations." in found.name or found.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(found.name)).items():
            several = value if isinstance(value, tuple | list) else [value]
            yield from ((f"{found.name}.{name}", item) for item in several if isinstance(item, Sql))


PART = re.compile(r"\{[a-z_]\w*\}(?!')")
ADD_TO_EVERY_TABLE = """
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'leadflood'::regnamespace AND relkind IN ('r', 'p')
    LOOP EXECUTE format('ALTER TABLE leadflood.%I ADD COLUMN added_by_a_migration integer', name); END LOOP;
END $$"""


async def prepared(connection: asyncpg.Connection) -> "tuple[dict[str, PreparedStatement[Any]], list[str]]":
    """Each whole statement as the server has it, and what it says of those that it refuses."""
    done, faults = {}, []
    known = list(statements())
    for _, statement in known:
        if TEMPORARY.match(statement.source):
            await connection.execute(statement.text.replace("ON COMMIT DROP", ""))
    for number, (name, statement) in enumerate(known):
        if not WHOLE.match(statement.source) or PART.search(statement.source):
            continue
        try:
            done[f"{name} ({number})"] = await connection.prepare(statement.text)
        except asyncpg.PostgresError as error:
            faults.append(f"{name}: {error}")
    return done, faults


async def test_every_statement_fits_the_schema(cluster: Cluster) -> None:
    settings = {"search_path": "leadflood, public"}
    connection = await asyncpg.connect(cluster.url(DATABASE, APP_ROLE), server_settings=settings)
    done, faults = await prepared(connection)
    await connection.close()

    assert faults == []
    assert len(done) > 250


async def test_no_statement_returns_what_a_later_migration_adds(cluster: Cluster) -> None:
    settings = {"search_path": "leadflood, public"}
    connection = await asyncpg.connect(cluster.url(DATABASE), server_settings=settings)
    changed = connection.transaction()
    await changed.start()
    await connection.execute(ADD_TO_EVERY_TABLE)
    done, _ = await prepared(connection)
    with_all = [
        name
        for name, item in done.items()
        if "added_by_a_migration" in {column.name for column in item.get_attributes()}
    ]
    await changed.rollback()
    await connection.close()

    assert with_all == []


async def test_a_statement_whose_result_changes_shape_fails_once_and_may_be_repeated(cluster: Cluster) -> None:
    cluster.create_database(NAME, template=TEMPLATE)
    everything = sql("SELECT * FROM workspaces")
    async with opened(cluster.url(NAME, APP_ROLE), pool_size=1) as database:
        async with database.system() as tx:
            before = await tx.all(everything)
        cluster.run("ALTER TABLE leadflood.workspaces ADD COLUMN added_later text", NAME)

        with pytest.raises(LockConflict):
            async with database.system() as tx:
                await tx.all(everything)
        async with database.system() as tx:
            assert len(await tx.all(everything)) == len(before)
    cluster.drop_database(NAME)


@pytest.mark.parametrize("text", ["SELECT 1", "SELECT name FROM leads"])
async def test_text_is_no_statement(database: Database, text: str) -> None:
    async with database.statement() as tx:
        with pytest.raises(TypeError):
            await tx.all(text)  # type: ignore[arg-type]
        assert await tx.scalar(sql("SELECT 1")) == 1
