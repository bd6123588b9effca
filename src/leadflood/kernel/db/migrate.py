"""Migrate a database to this program's schema: roles, schema, revisions. Safe to run concurrently."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

import asyncpg
import structlog

from leadflood.kernel.db.roles import ensure_roles
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import AppError, Unavailable
from leadflood.kernel.queue.postgres import INSTALL

if TYPE_CHECKING:
    from sqlalchemy import Connection

# The revision of the schema.
REVISION = sql("SELECT version_num FROM alembic_version")

MINIMUM_POSTGRESQL = 15
_LOCK = 0x1EADF100D
TURN_SECONDS = 60.0
"""How long a migration waits for another one to end."""
LOCK_ATTEMPTS = 20
"""Number of attempts of a revision to get its locks, each as long as `lock_timeout`."""
LOCK_PAUSE = 1.0
"""Pause between two attempts in seconds, in which the running release can proceed."""
_LOCK_NOT_AVAILABLE = "55P03"
_SETTINGS = {"search_path": "leadflood, public", "lock_timeout": "3s", "application_name": "leadflood migrate"}

# pg_locks and pg_stat_activity: PostgreSQL manual, 53.12 and 27.2.3.
_BLOCKERS = """
SELECT DISTINCT a.pid, a.application_name AS application, a.usename AS login, a.xact_start,
       CASE WHEN a.xact_start IS NOT NULL
            THEN concat(a.state, ' since ', to_char(a.xact_start AT TIME ZONE 'UTC', 'HH24:MI:SS'), ' UTC') END AS doing
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid JOIN pg_class c ON c.oid = l.relation
WHERE l.granted AND c.relnamespace = 'leadflood'::regnamespace
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND a.pid <> pg_backend_pid()
ORDER BY a.xact_start NULLS LAST LIMIT 3
"""
# A bigint key is split over two columns: PostgreSQL manual, 53.12.
_TURN_HOLDER = """
SELECT pid FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND (classid::bigint << 32) | objid::bigint = $1
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_log = structlog.get_logger()


class UnsupportedDatabase(AppError):
    """The server is too old for this program."""

    code = "unsupported_database"
    title = "Unsupported database"


class OutdatedSchema(AppError):
    """The schema does not match this program."""

    code = "outdated_schema"
    title = "Schema not up to date"


@dataclass(frozen=True, slots=True)
class MigrationResult:
    """Result of `prepare_database`: the schema's revision before (None if there was none) and after, and the queue."""

    before: str | None
    after: str
    queue_installed: bool

    @property
    def is_current(self) -> bool:
        """Whether the schema already was exactly this program's."""
        return self.before == self.after == head()

    @property
    def summary(self) -> str:
        """The result for the schema, in a sentence."""
        if self.after > head():
            return (
                f"The schema ({self.after}) is newer than this release ({head()}) and compatible with it. "
                "Nothing to do."
            )
        if self.before == self.after:
            return f"Schema is up to date ({self.after})."
        upgraded = f"Schema upgraded from {self.before} to {self.after}."
        return upgraded if self.before else f"Schema created ({self.after})."


class MigrationBlocked(AppError):
    """Other sessions hold locks that the migration needs."""

    code = "migration_blocked"
    status = 503
    title = "Migration blocked"


def head() -> str:
    """The latest revision of this program: revisions are numbered in order, and so are their files."""
    names = (file.name for folder in _folders() for file in folder.iterdir())
    return max(name[1:5] for name in names if name.startswith("r"))


def _folders() -> list[Traversable]:
    """Folders of revisions: the common one, and those of domains that have their own."""
    own = (domain / "migrations" for domain in files("leadflood.domains").iterdir())
    return [files("leadflood.migrations.versions"), *(folder for folder in own if folder.is_dir())]


async def migrate(url: str, *, target: str | None = None) -> tuple[str | None, str]:
    """Upgrade the database at `url`, whose login owns (or will own) the schema. Returns the revision before and after.

    `target`: the revision to stop at, without which it goes on to the newest.

    A newer schema than this program's is left alone: revisions only add, so it serves the release before it, too. A
    revision that waits for a lock yields to the running release and retries, up to 20 times.

    Raises: Unavailable, MigrationBlocked, UnsupportedDatabase, leadflood.kernel.db.roles.UnsafeDatabaseRole.
    """
    async with _locked(url) as connection:
        found = connection.get_server_version().major
        if found < MINIMUM_POSTGRESQL:
            message = f"PostgreSQL {MINIMUM_POSTGRESQL} or newer is required; this server is {found}."
            raise UnsupportedDatabase(message)
        before = await _revision(connection)
        wanted = target or head()
        if before is not None and before > wanted:
            return before, before
        await ensure_roles(connection)
        if before == wanted:
            return before, before
        await connection.execute("CREATE SCHEMA IF NOT EXISTS leadflood")
        await _upgrade_patiently(url, connection, wanted)
        return before, wanted


async def _revision(connection: asyncpg.Connection) -> str | None:
    """The revision of the schema; None where there is none."""
    if not await connection.fetchval("SELECT to_regclass('leadflood.alembic_version') IS NOT NULL"):
        return None
    revision = await connection.fetchval("SELECT version_num FROM leadflood.alembic_version")
    return None if revision is None else str(revision)


async def _upgrade_patiently(url: str, connection: asyncpg.Connection, target: str) -> None:
    """Apply the revisions, and retry one that waits for a lock. Raises: MigrationBlocked."""
    # Only migrating needs SQLAlchemy, which takes a fifth of the time to load the program.
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(url, server_settings=_SETTINGS)

    for attempt in range(1, LOCK_ATTEMPTS + 1):
        engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
        try:
            async with engine.connect() as sa_connection:
                await sa_connection.run_sync(_upgrade, target)
                await sa_connection.commit()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            blockers = await blockers_of_migration(connection)
            if attempt == LOCK_ATTEMPTS:
                raise _blocked(blockers) from error
            _log.warning("migration.waiting_for_lock", attempt=attempt, held_by=blockers)
            await asyncio.sleep(LOCK_PAUSE)
        else:
            return
        finally:
            await engine.dispose()


async def blockers_of_migration(connection: asyncpg.Connection) -> list[str]:
    """The sessions that hold locks on the schema's tables, the longest first, in words.

    What a session of another login does is shown to superusers and members of pg_read_all_stats only.
    """
    return [
        f"session {row['pid']} ({', '.join(row[name] for name in ('application', 'login', 'doing') if row[name])})"
        for row in await connection.fetch(_BLOCKERS)
    ]


def _blocked(blockers: Sequence[str]) -> "MigrationBlocked":
    who = f" Locks are held by {'; '.join(blockers)}." if blockers else ""
    return MigrationBlocked(
        f"The schema cannot be changed while others hold locks on its tables.{who} End their transactions, for example "
        "with SELECT pg_terminate_backend(PID), and run `leadflood migrate` again: finished revisions stay."
    )


async def install_queue(url: str) -> bool:
    """Install the queue in the database at `url` where it is missing. Returns whether it was.

    Raises: Unavailable, MigrationBlocked, leadflood.kernel.db.roles.UnsafeDatabaseRole.
    """
    async with _locked(url) as connection:
        await ensure_roles(connection)
        if await connection.fetchval("SELECT to_regclass('leadflood_queue.tickets') IS NOT NULL"):
            return False
        for attempt in range(1, LOCK_ATTEMPTS + 1):
            try:
                async with connection.transaction():
                    await connection.execute("SELECT set_config('lock_timeout', $1, true)", _SETTINGS["lock_timeout"])
                    await connection.execute(INSTALL)
            except asyncpg.LockNotAvailableError as error:
                if attempt == LOCK_ATTEMPTS:
                    raise _blocked([]) from error
                await asyncio.sleep(LOCK_PAUSE)
            else:
                break
        return True


@asynccontextmanager
async def _locked(url: str) -> AsyncIterator[asyncpg.Connection]:
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, asyncpg.PostgresError) as error:
        message = f"The database cannot be reached for migration: {error}"
        raise Unavailable(message) from error
    try:
        await _take_turn(connection)
        yield connection
    finally:
        await connection.close()


async def _take_turn(connection: asyncpg.Connection) -> None:
    """Wait until no other migration runs. Raises: MigrationBlocked: another one runs for longer than a minute."""
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('lock_timeout', $1, true)", f"{TURN_SECONDS:g}s")
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    except asyncpg.LockNotAvailableError as error:
        holder = await connection.fetchval(_TURN_HOLDER, _LOCK)
        raise MigrationBlocked(
            f"Another migration has been running for more than {TURN_SECONDS:g} s, in session {holder or 'unknown'}. "
            "Wait for it, or end it with SELECT pg_terminate_backend(PID); then run `leadflood migrate` again."
        ) from error


def _upgrade(connection: "Connection", target: str) -> None:
    from alembic.config import Config  # noqa: PLC0415  only migrating needs Alembic, and it takes time to load
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415  as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415  as above

    scripts = ScriptDirectory(
        str(files("leadflood.migrations")), version_locations=[str(folder) for folder in _folders()]
    )
    environment = EnvironmentContext(
        Config(),
        scripts,
        fn=lambda revision, _context: scripts._upgrade_revs(target, revision),  # noqa: SLF001  as Alembic's own command
    )
    with environment:
        environment.configure(connection=connection, version_table_schema="leadflood", transaction_per_migration=True)
        with environment.begin_transaction():
            environment.run_migrations()
