"""Every table says what it has of a lead: a participant declares it, or it is on the list of those without any.

A participant (`leadflood.kernel.subjects`) says how its rows are exported and erased. A new table belongs to one of the
places of a domain's `participant.py`, or on the list below, with the reason.
"""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from tests.conftest import DATABASE
from tests.support.domain_tenants import domain_tenants
from tests.support.postgres import Cluster

_ACCOUNT = "of a user of this installation, not of a lead"
_SYSTEM = "of the system; it has no data of any person"
WITHOUT = {
    "alembic_version": _SYSTEM,
    "api_keys": _ACCOUNT,
    "duplicate_scans": "counts, and an id up to which leads are compared",
    "merge_runs": "counts, and an id up to which pairs are merged",
    "effects_hold": _SYSTEM,
    "door_blocked_hosts": _SYSTEM,
    "door_hosts": _SYSTEM,
    "door_robots": _SYSTEM,
    "installation_keys": _SYSTEM,
    "default_views": _ACCOUNT,
    "email_changes": _ACCOUNT,
    "field_definitions": "labels, types and options of custom fields",
    "event_retention": _SYSTEM,
    "figures_progress": _SYSTEM,
    "heartbeats": _SYSTEM,
    "import_mappings": "what columns of files become; names of columns only",
    "invitations": _ACCOUNT,
    "login_failures": _ACCOUNT,
    "memberships": _ACCOUNT,
    "operator_warnings": _SYSTEM,
    "schedules": _SYSTEM,
    "session_tokens": _ACCOUNT,
    "sessions": _ACCOUNT,
    "users": _ACCOUNT,
    "worker_processes": _SYSTEM,
    "workspace_figures": "counts",
    "workspace_metrics": "counts",
    "workspaces": "its name",
    "write_probes": _SYSTEM,
    **{table: why for tenant in domain_tenants() for table, why in tenant.without_personal_data.items()},
}
"""Tables that have nothing about a lead, and why."""

TABLES = """
SELECT c.relname AS name FROM pg_class c
WHERE c.relnamespace = 'leadflood'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""
REFERRING = """
SELECT DISTINCT f.conrelid::regclass::text AS name FROM pg_constraint f
WHERE f.contype = 'f' AND f.confrelid = 'leadflood.leads'::regclass
"""
NAMED = """
SELECT DISTINCT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'leadflood'::regnamespace AND c.relkind IN ('r', 'p')
  AND (a.attname ~ '(^|_)lead(_|$)' OR a.attname IN ('subject_id', 'survivor_id', 'raw', 'custom_fields'))
"""

DECLARED = {place.table.source for place in LEAD_PARTICIPANTS.places}


@pytest.fixture(scope="module")
async def catalog(cluster: Cluster) -> AsyncIterator[asyncpg.Connection]:
    """The system catalogs of the migrated database."""
    connection = await asyncpg.connect(cluster.url(DATABASE), server_settings={"search_path": "leadflood, public"})
    yield connection
    await connection.close()


async def test_every_table_is_declared_by_a_participant_or_has_nothing_about_leads(catalog: asyncpg.Connection) -> None:
    tables = {row["name"] for row in await catalog.fetch(TABLES)}

    assert tables == DECLARED | set(WITHOUT)
    assert DECLARED.isdisjoint(WITHOUT)


@pytest.mark.parametrize("referring", [REFERRING, NAMED], ids=["foreign key", "column"])
async def test_a_table_that_refers_to_leads_is_declared_by_a_participant(
    catalog: asyncpg.Connection, referring: str
) -> None:
    tables = {row["name"] for row in await catalog.fetch(referring)}

    assert len(tables) > 3
    assert tables <= DECLARED
