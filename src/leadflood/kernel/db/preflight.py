"""Check of a server before use: refusals are explained, with the remedy."""

import asyncpg

from leadflood.kernel.db.roles import APP_ROLE
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
