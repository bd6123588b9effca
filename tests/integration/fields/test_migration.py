"""Leads of the release before get their projection, and the fields that their keys stand for."""

from collections.abc import AsyncIterator

import pytest

from leadflood.kernel.db.migrate import migrate
from leadflood.kernel.ids import new_id
from tests.support.postgres import Cluster

BEFORE, AFTER = "0024", "0025"
OLD = """
SET search_path = leadflood, public;
INSERT INTO workspaces (id, name) VALUES ('00000000-0000-0000-0000-0000000000a1', 'Old');
ALTER TABLE leads DISABLE TRIGGER USER;
INSERT INTO leads (workspace_id, id, email, email_norm, source, search_text, custom_fields)
SELECT '00000000-0000-0000-0000-0000000000a1', gen_random_uuid(), 'p' || n || '@acme.com', 'p' || n || '@acme.com',
       'api', '', CASE n WHEN 1 THEN '{"plan": "pro", "seats": 3, "vip": true, "mixed": 1}'::jsonb
                         WHEN 2 THEN '{"plan": "free", "seats": 4.5, "vip": false, "mixed": "one"}' ELSE '{}' END
FROM generate_series(1, 3) n;
ALTER TABLE leads ENABLE TRIGGER USER;
"""
FIELDS = "SELECT string_agg(key || ':' || label || ':' || type, ' ' ORDER BY position) FROM leadflood.field_definitions"
VALUES = """
SELECT (SELECT count(*) FROM leadflood.lead_field_texts), (SELECT count(*) FROM leadflood.lead_field_numbers)
"""


@pytest.fixture
async def older(cluster: Cluster) -> AsyncIterator[str]:
    """A database with leads that were never projected."""
    name = f"older_{new_id().hex}"
    cluster.create_database(name)
    await migrate(cluster.url(name), target=BEFORE)
    cluster.run(OLD, name)
    yield name
    cluster.drop_database(name)


async def test_old_values_are_projected_and_their_keys_are_defined_by_type(cluster: Cluster, older: str) -> None:
    assert await migrate(cluster.url(older), target=AFTER) == (BEFORE, AFTER)

    assert cluster.run(FIELDS, older) == "mixed:Mixed:text plan:Plan:text seats:Seats:number vip:Vip:boolean"
    assert cluster.run(VALUES, older) == "5|3"

    cluster.run("UPDATE leadflood.alembic_version SET version_num = '0024'", older)
    await migrate(cluster.url(older), target=AFTER)  # as after a kill
    assert cluster.run(VALUES, older) == "5|3"
