"""The service refuses to start where row-level security would not bind it."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.embedded import SUPERUSER
from leadflood.kernel.db.migrate import OutdatedSchema, head, migrate
from leadflood.kernel.db.preflight import check_role, check_schema
from leadflood.kernel.db.provision import OWNER
from leadflood.kernel.db.roles import APP_ROLE, UnsafeDatabaseRole
from leadflood.kernel.ids import new_id
from tests.conftest import DATABASE, TEMPLATE
from tests.integration.db.conftest import opened
from tests.support.postgres import Cluster


async def check(database: Database) -> None:
    """Startup check of a service."""
    await check_role(database)
    await check_schema(database)


@contextmanager
def clone(cluster: Cluster) -> Iterator[str]:
    """A database of the test's own."""
    name = f"roles_{new_id().hex}"
    cluster.create_database(name, template=TEMPLATE)
    yield name
    cluster.drop_database(name)


@contextmanager
def login(cluster: Cluster, attributes: str) -> Iterator[str]:
    """A login with these attributes."""
    name = f"login_{new_id().hex}"
    cluster.run(f'CREATE ROLE :"name" LOGIN {attributes}', name=name)
    yield name
    cluster.run('DROP ROLE :"name"', name=name)


async def test_the_application_role_is_accepted(cluster: Cluster) -> None:
    async with opened(cluster.url(DATABASE, APP_ROLE)) as database:
        await check(database)


async def test_any_login_that_is_a_member_of_the_application_role_is_accepted(cluster: Cluster) -> None:
    with login(cluster, "IN ROLE leadflood_app") as name:
        async with opened(cluster.url(DATABASE, name)) as database:
            await check(database)


@pytest.mark.parametrize(
    ("role", "reason"),
    [(SUPERUSER, "is a superuser or bypasses"), (OWNER, "bypasses row-level security")],
)
async def test_a_superuser_and_the_owner_are_refused(cluster: Cluster, role: str, reason: str) -> None:
    async with opened(cluster.url(DATABASE, role), role=role) as database:
        with pytest.raises(UnsafeDatabaseRole, match=reason):
            await check(database)


@pytest.mark.parametrize(
    "attributes",
    [
        "BYPASSRLS IN ROLE leadflood_app",
        "INHERIT IN ROLE leadflood_app, leadflood_system",
        "INHERIT IN ROLE leadflood_app, leadflood_search",
        "INHERIT IN ROLE leadflood_app, leadflood_owner",
    ],
)
async def test_a_role_that_policies_do_not_bind_to_one_workspace_is_refused(cluster: Cluster, attributes: str) -> None:
    with login(cluster, attributes) as name:
        async with opened(cluster.url(DATABASE, name), role=name) as database:
            with pytest.raises(UnsafeDatabaseRole):
                await check(database)


async def test_a_role_that_owns_a_table_is_refused(cluster: Cluster) -> None:
    with login(cluster, "IN ROLE leadflood_app") as name, clone(cluster) as copy:
        cluster.run('ALTER TABLE leadflood.heartbeats OWNER TO :"name"', copy, name=name)
        async with opened(cluster.url(copy, name), role=name) as database:
            with pytest.raises(UnsafeDatabaseRole, match="owns 1 tables"):
                await check(database)


@pytest.mark.parametrize("how", ["NO FORCE", "DISABLE"])
async def test_a_table_without_forced_row_level_security_is_refused_by_name(cluster: Cluster, how: str) -> None:
    with clone(cluster) as copy:
        for table in ("outbox_events", "workspaces"):
            cluster.run(f'ALTER TABLE leadflood.:"table" {how} ROW LEVEL SECURITY', copy, table=table)
        async with opened(cluster.url(copy, APP_ROLE)) as database:
            with pytest.raises(UnsafeDatabaseRole, match="not forced on: outbox_events, workspaces"):
                await check(database)


async def test_an_older_schema_is_refused_and_a_newer_one_served(cluster: Cluster) -> None:
    with clone(cluster) as copy:
        async with opened(cluster.url(copy, APP_ROLE)) as database:
            cluster.run("UPDATE leadflood.alembic_version SET version_num = '0000'", copy)
            with pytest.raises(OutdatedSchema, match="0000"):
                await check(database)
            cluster.run("UPDATE leadflood.alembic_version SET version_num = '9999'", copy)
            await check(database)


async def test_a_login_that_may_not_create_roles_migrates_once_an_administrator_has_made_them(cluster: Cluster) -> None:
    name = f"managed_{new_id().hex}"
    with login(cluster, "NOCREATEROLE") as owner:
        cluster.create_database(name)
        cluster.run('ALTER DATABASE :"name" OWNER TO :"owner"', name=name, owner=owner)
        with pytest.raises(UnsafeDatabaseRole, match="CREATE ROLE leadflood_app"):
            await migrate(cluster.url(name, owner))
        grant = 'GRANT leadflood_app, leadflood_system, leadflood_search TO :"owner"'
        cluster.run(grant, owner=owner)

        assert await migrate(cluster.url(name, owner)) == (None, head())

        assert await migrate(cluster.url(name, owner)) == (head(), head())
        async with opened(cluster.url(name, APP_ROLE)) as database:
            await check(database)
        cluster.drop_database(name)


@pytest.mark.parametrize("table", ["audit_events", "lead_events"])
@pytest.mark.parametrize("role", ["leadflood_app", "leadflood_system"])
async def test_the_log_of_what_happened_cannot_be_changed_by_services(cluster: Cluster, role: str, table: str) -> None:
    script = """
        SET ROLE :"role"; SET search_path TO leadflood;
        \\set ON_ERROR_STOP off
        UPDATE :"table" SET data = '{}'; \\echo :SQLSTATE
        DELETE FROM :"table"; \\echo :SQLSTATE
        TRUNCATE :"table"; \\echo :SQLSTATE
    """

    answers = cluster.run(script, DATABASE, role=role, table=table)

    assert answers.split() == [asyncpg.InsufficientPrivilegeError.sqlstate] * 3
