"""Contents of the tables of a database, and their preparation for loading."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg

from leadflood.kernel.backup.archive import TableContent
from leadflood.kernel.errors import Conflict, Unavailable

# The server writes the statements, with the names of its own tables. The text form of rows depends on these
# settings.
_SETTINGS = {
    "application_name": "leadflood backup",
    "search_path": "leadflood, public",
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
_CONTENTS = """
SELECT c.relname AS name, format(
    $$SELECT count(*) AS rows,
             coalesce(sum(('x' || substr(md5(t::text), 1, 16))::bit(64)::bigint::numeric), 0)::text AS digest
      FROM leadflood.%I AS t$$, c.relname) AS statement
FROM pg_class c
WHERE c.relnamespace = to_regnamespace('leadflood') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relname <> 'alembic_version'
ORDER BY c.relname
"""
_SIZE = """
SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint FROM pg_class c
WHERE c.relnamespace = to_regnamespace('leadflood') AND c.relkind IN ('r', 'p')
"""
_UNFENCE = """
SELECT format('ALTER TABLE leadflood.%I NO FORCE ROW LEVEL SECURITY, DISABLE TRIGGER USER', c.relname) AS statement
FROM pg_class c
WHERE c.relnamespace = 'leadflood'::regnamespace AND c.relkind IN ('r', 'p') AND c.relforcerowsecurity
ORDER BY c.relname
"""
_FENCE = """
SELECT format('ALTER TABLE leadflood.%I FORCE ROW LEVEL SECURITY, ENABLE TRIGGER USER', c.relname) AS statement
FROM pg_class c
WHERE c.relnamespace = 'leadflood'::regnamespace AND c.relkind IN ('r', 'p') AND c.relrowsecurity
ORDER BY c.relname
"""
_EMPTY = """
SELECT format('TRUNCATE %s', string_agg(format('leadflood.%I', c.relname), ', ')) FROM pg_class c
WHERE c.relnamespace = 'leadflood'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relname <> 'alembic_version'
"""
_USED = "SELECT EXISTS (SELECT FROM leadflood.users) OR (SELECT count(*) > 1 FROM leadflood.workspaces)"
_SESSIONS = """
SELECT DISTINCT application_name FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'leadflood %' ORDER BY 1
"""
_CLOSE_HOLD = """
INSERT INTO leadflood.effects_hold (id, database_oid, instance_id, closed_at, restored_at, reason)
VALUES (1, 0, 'restored', now(), now(), $1)
ON CONFLICT (id) DO UPDATE SET closed_at = now(), restored_at = now(), reason = excluded.reason
"""


# Positions are transaction numbers, which differ between servers. Earlier cursors have expired.
_RESTART_FEED = """
UPDATE leadflood.outbox_events SET position = 0 WHERE position IS NOT NULL;
UPDATE leadflood.event_retention SET purged_until = now();
"""


class DatabaseInUse(Conflict):
    """The database has data or connected processes; a restore needs neither."""

    code = "database_in_use"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A separate connection. Raises: Unavailable."""
    try:
        connection = await asyncpg.connect(url, timeout=10, server_settings=_SETTINGS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable(f"The database cannot be reached: {error}") from error
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def snapshot_of(url: str) -> AsyncIterator[tuple[asyncpg.Connection, str]]:
    """A connection with one snapshot of all workspaces, and the name of the snapshot for other connections."""
    async with connected(url) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SET LOCAL ROLE leadflood_system")
        yield connection, await connection.fetchval("SELECT pg_export_snapshot()")


async def contents(connection: asyncpg.Connection) -> dict[str, TableContent]:
    """Number of rows and checksum of each table, as visible to this role."""
    found: dict[str, TableContent] = {}
    for table in await connection.fetch(_CONTENTS):
        (row,) = await connection.fetch(table["statement"])
        found[table["name"]] = TableContent(rows=row["rows"], digest=row["digest"])
    return found


async def size_of(connection: asyncpg.Connection) -> int:
    """Size of the tables in the database in bytes, without indexes."""
    return int(await connection.fetchval(_SIZE))


async def revision_of(connection: asyncpg.Connection) -> str | None:
    """The revision of the schema; None without one."""
    if not await connection.fetchval("SELECT to_regclass('leadflood.alembic_version') IS NOT NULL"):
        return None
    return str(await connection.fetchval("SELECT version_num FROM leadflood.alembic_version"))


async def require_unused(connection: asyncpg.Connection, *, replace: bool) -> None:
    """Raises: DatabaseInUse: processes of LEAD-FLOOD are connected, or there is data and `replace` is not set."""
    if sessions := [row["application_name"] for row in await connection.fetch(_SESSIONS)]:
        raise DatabaseInUse(f"The database is in use by {', '.join(sessions)}. Stop all processes, then restore.")
    if replace or await revision_of(connection) is None:
        return
    async with connection.transaction(readonly=True):
        await connection.execute("SET LOCAL ROLE leadflood_system")
        used = await connection.fetchval(_USED)
    if used:
        raise DatabaseInUse("The database has data. Restore into an empty one, or replace its data with --replace.")


async def drop_schemas(connection: asyncpg.Connection) -> None:
    """Delete everything of LEAD-FLOOD in the database."""
    await connection.execute("DROP SCHEMA IF EXISTS leadflood, leadflood_queue CASCADE")


async def unfence_and_empty(connection: asyncpg.Connection) -> None:
    """Let the owner load rows: PostgreSQL takes no COPY under row-level security, and what triggers write is there.

    Until `fence` has run, no process of LEAD-FLOOD starts on this database.
    """
    async with connection.transaction():
        await _run_all(connection, _UNFENCE)
        await connection.execute(await connection.fetchval(_EMPTY))


async def fence(connection: asyncpg.Connection, *, reason: str) -> None:
    """Set the hold on effects, restart the event feed, and force row-level security again, in one transaction."""
    async with connection.transaction():
        await connection.execute(_CLOSE_HOLD, reason)
        await connection.execute(_RESTART_FEED)
        await _run_all(connection, _FENCE)


def differing(expected: Mapping[str, TableContent], found: Mapping[str, TableContent]) -> list[str]:
    """The tables whose content differs, sorted."""
    return sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))


async def _run_all(connection: asyncpg.Connection, statements: str) -> None:
    for row in await connection.fetch(statements):
        await connection.execute(row["statement"])
