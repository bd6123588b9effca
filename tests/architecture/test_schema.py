"""The schema as migrated: tenants are fenced in, and roles own nothing."""

from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from tests.conftest import DATABASE
from tests.support.domain_tenants import domain_tenants
from tests.support.postgres import Cluster

TENANT = "workspace_id = (NULLIF(current_setting('app.workspace_id'::text, true), ''::text))::uuid"


SHARED = {
    "alembic_version": "the revision of the schema; services read it only",
    "users": "a person signs in once and may be a member of many workspaces",
    "email_changes": "of a person, who is in no workspace or in many",
    "operator_warnings": "what an operator should know of the installation",
    "login_failures": "counted before anybody is known; the subject is a keyed hash",
    "schedules": "when the system's own jobs run next",
    "heartbeats": "the last run of the system's own jobs",
    "worker_processes": "which workers live; they serve all workspaces",
    "write_probes": "what `/ready` writes to; a process's id and random bytes",
    "door_hosts": "when each host may be contacted again; no workspace sees which hosts another one looked up",
    "door_robots": "robots.txt of crawled sites; as above",
    "door_blocked_hosts": "hosts whose owners do not want to be crawled",
    "installation_keys": "keys of the whole installation, encrypted under its secret key",
    "effects_hold": "whether mails may leave; for the whole installation",
    "event_retention": "up to when events of all workspaces are purged",
    "figures_progress": "up to when the timelines of all workspaces are counted",
    **{table: why for tenant in domain_tenants() for table, why in tenant.shared.items()},
}
"""Tables without a workspace, and why."""

APPEND_ONLY = frozenset({"audit_events", "lead_events", "lead_field_history"}).union(
    *(tenant.append_only for tenant in domain_tenants())
)

SEARCHED = frozenset(
    {"imports", "lead_changes", "lead_field_numbers", "lead_field_texts", "lead_stages", "leads"}
).union(*(tenant.searched for tenant in domain_tenants()))
"""Tables that `search_leads` reads, which takes the workspace from the transaction."""

BEYOND_TENANT = {
    "system": ("{leadflood_system}", "true", "true"),
    "search": ("{leadflood_search}", "true", None),
    "retention": ("{leadflood_owner}", "(at < (now() - '90 days'::interval))", None),
    "retention_read": ("{leadflood_owner}", "(at < (now() - '90 days'::interval))", None),
}
"""The policies that let more through than one workspace: for whom, and what they let read and written."""

TABLES = """
SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'workspace_id') AS keyed
FROM pg_class c WHERE c.relnamespace = 'leadflood'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1
"""
UNIQUE = """
SELECT i.indrelid::regclass::text AS table_name, i.indexrelid::regclass::text AS index_name,
       (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[0]) AS leading
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = 'leadflood'::regnamespace AND i.indisunique
"""
FOREIGN = """
SELECT f.conrelid::regclass::text AS table_name, f.conname AS name, f.confrelid::regclass::text AS refers_to,
       (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = f.conrelid AND a.attnum = f.conkey[1]) AS leading,
       (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = f.confrelid AND a.attnum = f.confkey[1]) AS target
FROM pg_constraint f WHERE f.connamespace = 'leadflood'::regnamespace AND f.contype = 'f'
"""
POLICIES = """
SELECT tablename AS table_name, policyname AS name, permissive, roles::text, cmd, qual, with_check
FROM pg_policies WHERE schemaname = 'leadflood'
"""
DEFINERS = """
SELECT p.oid::regprocedure::text AS signature, p.proconfig AS settings, o.rolname AS owner, o.rolsuper AS superuser,
       EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g WHERE g.grantee = 0) AS public
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles o ON o.oid = p.proowner
WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


@pytest.fixture(scope="module")
async def catalog(cluster: Cluster) -> AsyncIterator[asyncpg.Connection]:
    """The system catalogs of the migrated database."""
    connection = await asyncpg.connect(cluster.url(DATABASE), server_settings={"search_path": "leadflood, public"})
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def tenant_tables(catalog: asyncpg.Connection) -> Sequence[str]:
    """All tables with a `workspace_id`."""
    return [row["name"] for row in await catalog.fetch(TABLES) if row["keyed"]]


async def test_every_table_belongs_to_a_workspace_or_is_on_the_list_of_shared_ones(catalog: asyncpg.Connection) -> None:
    without = {row["name"] for row in await catalog.fetch(TABLES) if not row["keyed"]}

    assert without == {"workspaces", *SHARED}


async def test_row_level_security_is_enabled_and_forced_on_every_tenant_table(catalog: asyncpg.Connection) -> None:
    tables = [row for row in await catalog.fetch(TABLES) if row["name"] not in SHARED]

    assert len(tables) > 10
    assert [row["name"] for row in tables if not (row["enabled"] and row["forced"])] == []


async def test_every_tenant_table_shows_and_takes_one_workspace_only(
    catalog: asyncpg.Connection, tenant_tables: Sequence[str]
) -> None:
    policies = {(row["table_name"], row["name"]): row for row in await catalog.fetch(POLICIES)}

    for table in (*tenant_tables, "workspaces"):
        row = policies[table, "tenant"]
        rule = f"({TENANT if table != 'workspaces' else TENANT.removeprefix('workspace_')})"
        assert (row["permissive"], row["roles"], row["cmd"]) == ("PERMISSIVE", "{public}", "ALL"), table
        assert (row["qual"], row["with_check"]) == (rule, rule), table


async def test_only_the_known_policies_reach_beyond_one_workspace(catalog: asyncpg.Connection) -> None:
    rows = [row for row in await catalog.fetch(POLICIES) if row["name"] != "tenant"]

    for row in rows:
        assert (row["roles"], row["qual"], row["with_check"]) == BEYOND_TENANT[row["name"]]
    searched = [(row["table_name"], row["cmd"]) for row in rows if row["name"] == "search"]
    assert sorted(searched) == [(name, "SELECT") for name in sorted(SEARCHED)]


async def test_primary_keys_and_unique_indexes_of_tenant_tables_start_with_the_workspace(
    catalog: asyncpg.Connection, tenant_tables: Sequence[str]
) -> None:
    rows = [row for row in await catalog.fetch(UNIQUE) if row["table_name"] in tenant_tables]

    assert {row["table_name"] for row in rows} == set(tenant_tables)
    assert [row["index_name"] for row in rows if row["leading"] != "workspace_id"] == []


async def test_foreign_keys_between_tenant_tables_start_with_the_workspace_on_both_sides(
    catalog: asyncpg.Connection, tenant_tables: Sequence[str]
) -> None:
    rows = [row for row in await catalog.fetch(FOREIGN) if row["refers_to"] not in SHARED]

    assert {row["refers_to"] for row in rows} <= {*tenant_tables, "workspaces"}
    for row in rows:
        target = "id" if row["refers_to"] == "workspaces" else "workspace_id"
        assert (row["leading"], row["target"]) == ("workspace_id", target), row["name"]


async def test_no_view_shows_rows_with_the_rights_of_its_owner(catalog: asyncpg.Connection) -> None:
    views = """
        SELECT relname FROM pg_class WHERE relnamespace = 'leadflood'::regnamespace AND relkind IN ('v', 'm')
            AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)
    """

    assert await catalog.fetch(views) == []


async def test_only_the_known_functions_run_with_the_rights_of_their_owner(catalog: asyncpg.Connection) -> None:
    rows = await catalog.fetch(DEFINERS)

    assert {(row["signature"].partition("(")[0], row["owner"]) for row in rows} == {
        ("authenticate_token", "leadflood_system"),
        ("authenticate_visitor", "leadflood_system"),
        ("count_active_api_keys", "leadflood_system"),
        ("erase_from_audit_log", "leadflood_owner"),
        ("erase_from_field_history", "leadflood_owner"),
        ("erase_from_timelines", "leadflood_owner"),
        ("purge_audit_events", "leadflood_owner"),
        ("search_leads", "leadflood_search"),
    }
    for row in rows:
        assert set(row["settings"]) - {"enable_seqscan=off"} == {"search_path=leadflood, pg_temp"}
        assert not row["public"]
        assert not row["superuser"]


async def test_the_application_owns_nothing_and_has_no_attribute_that_lifts_it(catalog: asyncpg.Connection) -> None:
    role = await catalog.fetchrow("""
        SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit
        FROM pg_roles WHERE rolname = 'leadflood_app'""")
    owned = "SELECT count(*) FROM pg_shdepend WHERE refobjid = 'leadflood_app'::regrole AND deptype = 'o'"

    assert role is not None
    assert not any(role.values())
    assert await catalog.fetchval(owned) == 0


async def test_the_application_may_become_the_system_and_inherits_nothing_from_it(catalog: asyncpg.Connection) -> None:
    memberships = await catalog.fetch("""
        SELECT r.rolname, pg_has_role('leadflood_app', r.oid, 'MEMBER') AS may_become,
               pg_has_role('leadflood_app', r.oid, 'USAGE') AS inherits
        FROM pg_roles r WHERE pg_has_role('leadflood_app', r.oid, 'MEMBER') AND r.rolname <> 'leadflood_app'""")

    assert [tuple(row.values()) for row in memberships] == [("leadflood_system", True, False)]


async def test_a_backup_can_read_every_sequence(catalog: asyncpg.Connection) -> None:
    rows = await catalog.fetch("""
        SELECT relname, has_sequence_privilege('leadflood_system', oid, 'SELECT') AS readable
        FROM pg_class WHERE relnamespace = 'leadflood'::regnamespace AND relkind = 'S'""")

    assert {row["relname"]: row["readable"] for row in rows} == {row["relname"]: True for row in rows}
    assert rows


@pytest.mark.parametrize("role", ["leadflood_app", "leadflood_system"])
async def test_what_services_may_do_to_tables_is_read_and_write_rows(catalog: asyncpg.Connection, role: str) -> None:
    rows = await catalog.fetch(
        """
        SELECT c.relname, c.relkind, array_agg(g.privilege_type) AS rights
        FROM pg_class c, aclexplode(c.relacl) g
        WHERE c.relnamespace = 'leadflood'::regnamespace AND g.grantee = $1::text::regrole GROUP BY 1, 2
        """,
        role,
    )

    for row in rows:
        expected = ["DELETE", "INSERT", "SELECT", "UPDATE"]
        if row["relname"] in APPEND_ONLY:
            expected = ["INSERT", "SELECT"]
        if row["relname"] == "alembic_version" or row["relkind"] in {b"S", b"v"}:
            expected = ["SELECT"]
        assert sorted(row["rights"]) == expected, row["relname"]
    assert not await catalog.fetchval("SELECT has_schema_privilege($1, 'leadflood', 'CREATE')", role)
    assert not await catalog.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", role)
