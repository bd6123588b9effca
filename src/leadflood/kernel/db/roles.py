"""The database roles, and the refusal to serve as one that row-level security does not bind.

- the *owner* (any login) owns the tables and runs migrations;
- `leadflood_app` is what every process acts as: it owns nothing, and policies bind it to one workspace;
- `leadflood_system` is what the worker's sweeps and sign-in assume inside a transaction: its policy is `true`;
- `leadflood_search` and `leadflood_system` own the audited functions of the schema.
"""

import asyncpg

from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import AppError

APP_ROLE = "leadflood_app"
SYSTEM_ROLE = "leadflood_system"
SEARCH_ROLE = "leadflood_search"

ROLES_SQL = """
CREATE ROLE leadflood_app LOGIN NOINHERIT;
CREATE ROLE leadflood_system NOLOGIN NOINHERIT;
CREATE ROLE leadflood_search NOLOGIN NOINHERIT;
GRANT leadflood_system TO leadflood_app;
GRANT leadflood_app, leadflood_system, leadflood_search TO leadflood_owner; -- or the login that migrates
"""
"""Statements that an administrator runs if the migration login cannot create roles."""

_ROLES = (
    (APP_ROLE, "CREATE ROLE leadflood_app LOGIN NOINHERIT", "GRANT leadflood_app TO CURRENT_USER"),
    (SYSTEM_ROLE, "CREATE ROLE leadflood_system NOLOGIN NOINHERIT", "GRANT leadflood_system TO CURRENT_USER"),
    (SEARCH_ROLE, "CREATE ROLE leadflood_search NOLOGIN NOINHERIT", "GRANT leadflood_search TO CURRENT_USER"),
)
_MEMBER = "SELECT pg_has_role(current_user, $1, 'MEMBER')"

# pg_class.relrowsecurity and relforcerowsecurity: PostgreSQL manual, 52.11. A role that inherits from another is bound
# by the other's policies as well, and the policies of these two let everything through.
UNSAFE = sql("""
SELECT r.rolname AS role, r.rolsuper AS superuser,
       r.rolbypassrls OR pg_has_role(r.oid, 'leadflood_system', 'USAGE')
           OR pg_has_role(r.oid, 'leadflood_search', 'USAGE') AS bypasses,
       (SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'leadflood'::regnamespace
        AND c.relkind IN ('r', 'p') AND c.relowner = r.oid) AS owned,
       (SELECT coalesce(array_agg(c.relname::text ORDER BY c.relname), '{}')
        FROM pg_class c
        WHERE c.relnamespace = 'leadflood'::regnamespace AND c.relkind IN ('r', 'p')
          AND (c.relname = 'workspaces' OR EXISTS (
               SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'workspace_id'))
          AND NOT (c.relrowsecurity AND c.relforcerowsecurity)) AS unfenced
FROM pg_roles r WHERE r.rolname = current_user
""")


class UnsafeDatabaseRole(AppError):
    """Row-level security would not apply to the service, so it does not start."""

    code = "unsafe_database_role"
    status = 500
    title = "Unsafe database role"


def refuse_unsafe(*, role: str, superuser: bool, bypasses: bool, owned: int, unfenced: list[str]) -> None:
    """Raises: UnsafeDatabaseRole: for a superuser, a BYPASSRLS role, an owner, or a table without forced RLS."""
    remedy = f"Connect with a login that is a member of {APP_ROLE}, and run `leadflood migrate` as the owner."
    if superuser or bypasses:
        message = f"The role {role!r} is a superuser or bypasses row-level security. {remedy}"
        raise UnsafeDatabaseRole(message)
    if owned:
        message = f"The role {role!r} owns {owned} tables of the schema leadflood. {remedy}"
        raise UnsafeDatabaseRole(message)
    if unfenced:
        message = f"Row-level security is not forced on: {', '.join(unfenced)}. {remedy}"
        raise UnsafeDatabaseRole(message)


async def ensure_roles(connection: asyncpg.Connection) -> None:
    """Create the roles that are missing and let the migrating login hand objects over to them.

    Raises: UnsafeDatabaseRole: when the login may not create them; the message holds the SQL for an administrator.
    """
    try:
        async with connection.transaction():
            for role, create, join in _ROLES:
                missing = await connection.fetchval("SELECT to_regrole($1) IS NULL", role)
                if missing:
                    await connection.execute(create)
                if missing or not await connection.fetchval(_MEMBER, role):
                    await connection.execute(join)
            if not await connection.fetchval("SELECT pg_has_role('leadflood_app', 'leadflood_system', 'MEMBER')"):
                await connection.execute("GRANT leadflood_system TO leadflood_app")
    except asyncpg.InsufficientPrivilegeError as error:
        message = f"The migration login can't create roles. Have an administrator run:\n{ROLES_SQL}"
        raise UnsafeDatabaseRole(message) from error
