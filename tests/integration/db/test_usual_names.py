"""Stored names of the previous release: the migration renames them, and its queued jobs still run."""

from collections.abc import AsyncIterator

import pytest

from leadflood.bootstrap import SCHEDULES
from leadflood.kernel.db.migrate import migrate
from leadflood.kernel.ids import new_id
from leadflood.migrations.versions import r0036_usual_names as revision
from tests.support.postgres import Cluster

BEFORE, AFTER = "0035", "0036"
OLD = """
SET search_path = leadflood, public;
INSERT INTO workspaces (id, name) VALUES ('00000000-0000-0000-0000-0000000000a1', 'Old');
INSERT INTO audit_events (workspace_id, id, actor_kind, action, subject_type)
SELECT '00000000-0000-0000-0000-0000000000a1', gen_random_uuid(), 'cli', action, 'lead'
FROM unnest(ARRAY['leads.changed', 'view.changed', 'field.changed', 'import.read_again', 'leads.deleted']) AS action;
INSERT INTO schedules (name, next_run_at) VALUES ('exports.forget.v1', '2030-01-01'), ('figures.count.v1', now());
"""
ACTIONS = "SELECT string_agg(action, ' ' ORDER BY action) FROM leadflood.audit_events"
NAMES = "SELECT string_agg(name, ' ' ORDER BY name) FROM leadflood.schedules"
NEXT = "SELECT next_run_at::date FROM leadflood.schedules WHERE name = 'exports.purge_expired.v1'"
FORCED = "SELECT relforcerowsecurity FROM pg_class WHERE oid = 'leadflood.audit_events'::regclass"


@pytest.fixture
async def older(cluster: Cluster) -> AsyncIterator[str]:
    """A database of the previous release."""
    name = f"older_{new_id().hex}"
    cluster.create_database(name)
    await migrate(cluster.url(name), target=BEFORE)
    cluster.run(OLD, name)
    yield name
    cluster.drop_database(name)


async def test_stored_names_are_renamed_and_schedules_keep_their_next_run(cluster: Cluster, older: str) -> None:
    await migrate(cluster.url(older), target=AFTER)

    renamed = "field.updated import.format_changed leads.deleted leads.updated view.updated"
    assert cluster.run(ACTIONS, older) == renamed
    assert cluster.run(NAMES, older) == "exports.purge_expired.v1 metrics.aggregate.v1"
    assert cluster.run(NEXT, older) == "2030-01-01"
    assert cluster.run(FORCED, older) == "t"


def test_the_registry_knows_every_renamed_kind() -> None:
    kinds = [schedule.kind for schedule in SCHEDULES]

    assert {kind.former_name: kind.name for kind in kinds if kind.former_name} == revision.KINDS
