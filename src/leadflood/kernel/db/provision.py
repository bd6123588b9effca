"""The first steps inside a PostgreSQL server of our own: the owner's login and the database."""

import asyncpg

OWNER = "leadflood_owner"
DATABASE = "leadflood"


async def provision(superuser_url: str) -> None:
    """Create what is missing. The owner can create roles, but is not a superuser and bypasses no policy."""
    connection = await asyncpg.connect(superuser_url, timeout=10)
    try:
        if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", OWNER):
            await connection.execute("CREATE ROLE leadflood_owner LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS")
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute("CREATE DATABASE leadflood OWNER leadflood_owner")
        # Errors go to the client, which logs them without values. The server would quote them: invalid input "ada@…".
        await connection.execute("ALTER DATABASE leadflood SET log_min_messages = 'log'")
    finally:
        await connection.close()
