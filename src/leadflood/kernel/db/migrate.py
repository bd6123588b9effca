"""Bring a database to the schema of this program: roles, schema, revisions. Several may run it at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from leadflood.kernel.db.roles import APP_ROLE, SYSTEM_ROLE, ensure_roles
from leadflood.kernel.errors import AppError, Unavailable
from leadflood.kernel.queue.pgqueuer_carrier import UPGRADE_SQL, install_sql

MINIMUM_POSTGRESQL = 15
_LOCK = 0x1EADF100D
_SETTINGS = {"search_path": "leadflood, public", "lock_timeout": "3s", "application_name": "leadflood migrate"}


class UnsupportedDatabase(AppError):
    """The server is too old for this program."""

    code = "unsupported_database"
    title = "Unsupported database"


class OutdatedSchema(AppError):
    """The schema is not the one this program was written for."""

    code = "outdated_schema"
    title = "Schema not up to date"


def head() -> str:
    """The newest revision that this program knows: they are numbered in order, and so are their files."""
    names = (file.name for file in files("leadflood.migrations.versions").iterdir())
    return max(name[1:5] for name in names if name.startswith("r"))


async def migrate(url: str) -> tuple[str | None, str]:
    """Upgrade the database at `url`, whose login owns (or will own) the schema. Returns the revision before and after.

    Raises: Unavailable, UnsupportedDatabase, leadflood.kernel.db.roles.UnsafeDatabaseRole.
    """
    async with _locked(url) as connection:
        found = connection.get_server_version().major
        if found < MINIMUM_POSTGRESQL:
            message = f"PostgreSQL {MINIMUM_POSTGRESQL} or newer is needed; this server is {found}."
            raise UnsupportedDatabase(message)
        await ensure_roles(connection)
        await connection.execute("CREATE SCHEMA IF NOT EXISTS leadflood")

        async def connect() -> asyncpg.Connection:
            return await asyncpg.connect(url, server_settings=_SETTINGS)

        engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
        try:
            async with engine.connect() as sa_connection:
                before = await sa_connection.run_sync(_upgrade)
                await sa_connection.commit()
        finally:
            await engine.dispose()
        return before, head()


async def install_queue(url: str) -> bool:
    """Install the queue in the database at `url`, or bring it up to date. Returns whether it was not there before.

    Raises: Unavailable, leadflood.kernel.db.roles.UnsafeDatabaseRole.
    """
    async with _locked(url) as connection:
        await ensure_roles(connection)
        if await connection.fetchval("SELECT to_regclass('leadflood_queue.pgqueuer') IS NOT NULL"):
            await connection.execute(UPGRADE_SQL)
            return False
        async with connection.transaction():
            await connection.execute(install_sql(APP_ROLE, SYSTEM_ROLE))
        return True


@asynccontextmanager
async def _locked(url: str) -> AsyncIterator[asyncpg.Connection]:
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, asyncpg.PostgresError) as error:
        message = f"The database cannot be reached for migration: {error}"
        raise Unavailable(message) from error
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        yield connection
    finally:
        await connection.close()


def _upgrade(connection: Connection) -> str | None:
    from alembic.config import Config  # noqa: PLC0415  only migrating needs Alembic, and it takes time to load
    from alembic.migration import MigrationContext  # noqa: PLC0415  as above
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415  as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415  as above

    scripts = ScriptDirectory(str(files("leadflood.migrations")))
    before = MigrationContext.configure(connection, opts={"version_table_schema": "leadflood"}).get_current_revision()
    connection.commit()  # else each revision would run inside the transaction of that look-up
    environment = EnvironmentContext(
        Config(),
        scripts,
        fn=lambda revision, _context: scripts._upgrade_revs("head", revision),  # noqa: SLF001  as Alembic's own command
    )
    with environment:
        environment.configure(connection=connection, version_table_schema="leadflood", transaction_per_migration=True)
        with environment.begin_transaction():
            environment.run_migrations()
    return before
