"""Every filter of the audit log is served by an index, in the order in which the log is shown, under its policies."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.identity import queries
from leadflood.kernel.actor import Actor
from tests.conftest import TEMPLATE
from tests.integration.db.conftest import listening
from tests.support.explained import Plans
from tests.support.postgres import Cluster

NAME = "audit_plans"
WORKSPACE, ACTOR_ID, SUBJECT_ID = (UUID(f"01900000-0000-7000-8000-00000000000{digit}") for digit in "123")

FILL = """
SET search_path = leadflood, public;
INSERT INTO workspaces (id, name) VALUES (:'workspace', 'Busy'), (gen_random_uuid(), 'Other');
INSERT INTO audit_events (workspace_id, id, at, actor_kind, actor_id, action, subject_type, subject_id)
SELECT w.id, ('01900000-0000-7000-9' || lpad(to_hex(n % 4096), 3, '0') || '-' || lpad(to_hex(n), 12, '0'))::uuid,
       timestamptz '2026-01-01' + n * interval '1 minute', 'user',
       CASE WHEN n % 500 = 0 THEN CAST(:'actor' AS uuid) ELSE gen_random_uuid() END,
       CASE WHEN n % 500 = 0 THEN 'session.ended' WHEN n % 2 = 0 THEN 'lead.changed' ELSE 'job.retried' END, 'thing',
       CASE WHEN n % 5000 = 0 THEN CAST(:'subject' AS uuid) ELSE gen_random_uuid() END
FROM workspaces w, generate_series(1, 40000) n WHERE w.name IN ('Busy', 'Other');
VACUUM ANALYZE audit_events;
"""


@pytest.fixture(scope="module")
async def busy(cluster: Cluster) -> AsyncIterator[Plans]:
    """A database of its own with a long log, on a connection that tells its plans."""
    cluster.create_database(NAME, template=TEMPLATE)
    cluster.run(FILL, NAME, workspace=str(WORKSPACE), actor=str(ACTOR_ID), subject=str(SUBJECT_ID))
    async with listening(cluster, NAME) as plans:
        yield plans
    cluster.drop_database(NAME)


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "audit_events_at_idx"),
        ({"actor_id": ACTOR_ID}, "audit_events_actor_idx"),
        ({"subject_id": SUBJECT_ID}, "audit_events_subject_idx"),
        ({"action": "session."}, "audit_events_action_idx"),
        ({"action": "session.ended"}, "audit_events_action_idx"),
        ({"action": "lead."}, "audit_events_at_idx"),
        ({"until": datetime(2026, 1, 2, tzinfo=UTC)}, "audit_events_at_idx"),
        ({"since": datetime(2026, 1, 2, tzinfo=UTC), "until": datetime(2026, 1, 3, tzinfo=UTC)}, "audit_events_at_idx"),
    ],
)
async def test_a_page_of_the_log_comes_from_an_index(busy: Plans, filters: dict[str, Any], index: str) -> None:
    actor = Actor.cli(WORKSPACE)
    busy.nodes.clear()
    async with busy.database.transaction(WORKSPACE, read_only=True) as tx:
        first = await queries.list_audit_events(tx, actor, limit=5, **filters)
        rest = await queries.list_audit_events(tx, actor, limit=5, after=first.after, **filters)

    assert first.items
    assert rest.items
    scans = [node for node in busy.nodes if "Index Name" in node]
    assert {node["Index Name"] for node in scans} == {index}
    assert all("workspace_id" in node["Index Cond"] for node in scans)
    assert [node for node in busy.nodes if node["Node Type"] == "Seq Scan"] == []
