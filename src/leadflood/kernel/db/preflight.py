"""Checks of a server and its schema before use: refusals are explained, with the remedy."""

import asyncpg

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.errors import DatabaseError
from leadflood.kernel.db.migrate import REVISION, OutdatedSchema, head
from leadflood.kernel.db.roles import APP_ROLE, UNSAFE, refuse_unsafe
from leadflood.kernel.errors import Unavailable

_SECONDS = 5
_NO_SUCH_ROLE = "22023"  # invalid_parameter_value (PostgreSQL manual, appendix A), for the start-up setting `role`


async def server_version(url: str) -> str:
    """Connect as every process does, acting as the application's role, and return the server's version, such as 18.1.

    Raises: Unavailable: no server answers, or it refuses us; the message says why and what to do.
    """
    try:
        connection = await asyncpg.connect(url, timeout=_SECONDS, server_settings={"role": APP_ROLE})
    except (OSError, TimeoutError, ValueError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
        raise Unavailable(_explained(error)) from error
    try:
        # The server's own words, such as "18.6 (Debian 18.6-1)": asyncpg calls 18.6 major 18, minor 0, micro 6.
        return str(connection.get_settings().server_version).split()[0]
    finally:
        await connection.close()


async def check_role(database: Database) -> None:
    """Refuse to serve where row-level security does not bind us. Raises: UnsafeDatabaseRole, OutdatedSchema."""
    async with database.statement() as connection:
        try:
            row = await connection.first(UNSAFE)
        except DatabaseError as error:
            raise _no_schema() from error
    if row is not None:
        refuse_unsafe(
            role=row.role, superuser=row.superuser, bypasses=row.bypasses, owned=row.owned, unfenced=row.unfenced
        )


async def check_schema(database: Database) -> str:
    """The schema's revision. A newer one than this program's is fine: it still serves the release before it.

    Raises: OutdatedSchema: the schema is older than this program, or there is none.
    """
    async with database.statement() as connection:
        try:
            revision = await connection.scalar(REVISION)
        except DatabaseError as error:
            raise _no_schema() from error
    if revision < head():  # revisions are numbered in order
        message = f"The schema is at revision {revision}, this program needs {head()}. Run `leadflood migrate`."
        raise OutdatedSchema(message)
    return str(revision)


def _no_schema() -> OutdatedSchema:
    return OutdatedSchema("The database has no LEAD-FLOOD schema yet. Run `leadflood migrate`.")


def _explained(error: Exception) -> str:
    state = getattr(error, "sqlstate", None) or ""
    if state == _NO_SUCH_ROLE:
        return f"The database is not prepared: {error}. Run `leadflood migrate` as the owner of the database."
    if state.startswith("42501"):
        return f"The login can't act as {APP_ROLE}: {error}. Run GRANT {APP_ROLE} TO that login."
    if state.startswith(("28", "3D")):
        return f"PostgreSQL refuses the connection: {error}. Check LEADFLOOD_DATABASE_URL."
    reason = str(error) or f"no answer within {_SECONDS} s"
    return f"The database cannot be reached: {reason}. Start it, or check LEADFLOOD_DATABASE_URL."
