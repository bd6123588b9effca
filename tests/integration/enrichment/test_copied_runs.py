"""Runs and values that the previous release stored are lookups, found and chosen values, with the same IDs."""

# ruff: noqa: S608  statements name our own tables

from collections.abc import AsyncIterator

import pytest

from leadflood.kernel.db.migrate import migrate
from leadflood.kernel.ids import new_id
from tests.support.postgres import Cluster

BEFORE, AFTER = "0049", "0051"
LEADS = """
SET search_path = leadflood, public;
INSERT INTO workspaces (id, name) VALUES ('00000000-0000-0000-0000-0000000000a1', 'Old'),
    ('00000000-0000-0000-0000-0000000000a2', 'Other');
INSERT INTO leads (workspace_id, id, email, email_norm, source)
SELECT w.id, n.id::uuid, n.id || '@acme.test', n.id || '@acme.test', 'api'
FROM workspaces w, (VALUES ('00000000-0000-0000-0000-0000000000b1'), ('00000000-0000-0000-0000-0000000000b2')) AS n (id)
WHERE w.id <> '00000000-0000-0000-0000-000000000000';
"""
# As the previous release writes: the values in the same statement as their run.
ENRICHED = """
SET search_path = leadflood, public;
WITH run AS (
    INSERT INTO enrichment_runs (workspace_id, id, lead_id, job_id, adapter, adapter_version, status, error,
                                 cost_micros, started_at, finished_at)
    SELECT w.id, ('00000000-0000-0000-0000-00000000' || n.id)::uuid, '00000000-0000-0000-0000-0000000000b1', w.id,
           n.adapter, '1', n.status, n.error, n.cost, '2026-01-01', '2026-01-02'
    FROM workspaces w, (VALUES ('{runs}c1', 'email_insight', 'completed', NULL, 7),
                               ('{runs}c2', 'simulated', 'completed', NULL, 0),
                               ('{runs}c3', 'refusing', 'failed', 'The key is wrong.', 0))
         AS n (id, adapter, status, error, cost)
    WHERE w.id <> '00000000-0000-0000-0000-000000000000'
)
INSERT INTO enrichment_values (workspace_id, id, run_id, lead_id, field, value, confidence, method, evidence,
                               source_url, cost_micros, observed_at, chosen)
SELECT w.id, ('00000000-0000-0000-0000-00000000' || n.id)::uuid, ('00000000-0000-0000-0000-00000000' || n.run)::uuid,
       '00000000-0000-0000-0000-0000000000b1', n.field, n.value::jsonb, n.confidence, 'a_method', 'Seen.',
       'https://acme.test/', n.cost, '2026-01-02', n.chosen
FROM workspaces w, (VALUES ('{runs}d1', '{runs}c1', 'company_name', '"Acme \U0001f680"', 0.9, 7, true),
                           ('{runs}d2', '{runs}c1', 'company_name', '"Akme"', 0.4, 0, false),
                           ('{runs}d3', '{runs}c1', 'is_free_mail', 'false', 0.8, 0, true))
     AS n (id, run, field, value, confidence, cost, chosen)
WHERE w.id <> '00000000-0000-0000-0000-000000000000';
"""
LOOKUPS = """
SELECT string_agg(concat_ws(' ', right(id::text, 4), source, source_version, state, cost_micros, asked_at::date,
                            answered_at::date, sentence), '; ' ORDER BY workspace_id, id)
FROM leadflood.lookups WHERE lead_id = '00000000-0000-0000-0000-0000000000{lead}'
"""
FOUND = """
SELECT string_agg(concat_ws(' ', right(lookup_id::text, 4), right(id::text, 4), field, value, confidence, method,
                            evidence, source_url, cost_micros, observed_at::date), '; ' ORDER BY workspace_id, id)
FROM leadflood.found_values
"""
CHOSEN = """
SELECT string_agg(concat_ws(' ', subject_kind, right(subject_id::text, 2), field, right(value_id::text, 4), confidence,
                            because), '; ' ORDER BY workspace_id, field)
FROM leadflood.chosen_values
"""


@pytest.fixture
async def older(cluster: Cluster) -> AsyncIterator[str]:
    """A database of the previous release, with leads."""
    name = f"older_{new_id().hex}"
    cluster.create_database(name)
    await migrate(cluster.url(name), target=BEFORE)
    cluster.run(LEADS, name)
    yield name
    cluster.drop_database(name)


def assert_copied(cluster: Cluster, name: str) -> None:
    """Every receipt is there, once per workspace."""
    of_one = (
        "00c1 email_insight 1 found 7 2026-01-01 2026-01-02 ; 00c2 simulated 1 missed 0 2026-01-01 2026-01-02 ; "
        "00c3 refusing 1 refused 0 2026-01-01 2026-01-02 The key is wrong."
    )
    assert cluster.run(LOOKUPS.format(lead="b1"), name) == f"{of_one}; {of_one}"
    seen = "a_method Seen. https://acme.test/"
    found = (
        f'00c1 00d1 company_name "Acme \U0001f680" 0.9 {seen} 7 2026-01-02; '
        f'00c1 00d2 company_name "Akme" 0.4 {seen} 0 2026-01-02; '
        f"00c1 00d3 is_free_mail false 0.8 {seen} 0 2026-01-02"
    )
    assert cluster.run(FOUND, name) == f"{found}; {found}"
    chosen = "lead b1 company_name 00d1 0.9 surest; lead b1 is_free_mail 00d3 0.8 only"
    assert cluster.run(CHOSEN, name) == f"{chosen}; {chosen}"


async def test_stored_runs_are_copied_and_a_repeated_copy_changes_nothing(cluster: Cluster, older: str) -> None:
    cluster.run(ENRICHED.format(runs="00"), older)

    await migrate(cluster.url(older), target=AFTER)
    assert_copied(cluster, older)

    cluster.run("UPDATE leadflood.alembic_version SET version_num = '0050'", older)
    await migrate(cluster.url(older), target=AFTER)
    assert_copied(cluster, older)


async def test_runs_that_the_previous_release_writes_afterwards_are_copied(cluster: Cluster, older: str) -> None:
    await migrate(cluster.url(older), target=AFTER)

    cluster.run(ENRICHED.format(runs="00"), older)

    assert_copied(cluster, older)


async def test_another_choice_and_a_merge_of_the_previous_release_are_copied(cluster: Cluster, older: str) -> None:
    await migrate(cluster.url(older), target=AFTER)
    cluster.run(ENRICHED.format(runs="00"), older)
    one = "workspace_id = '00000000-0000-0000-0000-0000000000a1'"

    cluster.run(f"UPDATE leadflood.enrichment_values SET chosen = false WHERE {one} AND field = 'company_name'", older)
    cluster.run(f"UPDATE leadflood.enrichment_values SET chosen = true WHERE {one} AND confidence = 0.4", older)
    other = "lead_id = '00000000-0000-0000-0000-0000000000b2'"
    cluster.run(f"UPDATE leadflood.enrichment_runs SET {other} WHERE {one}", older)
    cluster.run(f"UPDATE leadflood.enrichment_values SET {other} WHERE {one}", older)

    chosen = "lead b2 company_name 00d2 0.4 surest; lead b2 is_free_mail 00d3 0.8 only"
    assert cluster.run(CHOSEN, older).startswith(f"{chosen}; lead b1 company_name 00d1")
    assert cluster.run(LOOKUPS.format(lead="b2"), older).startswith("00c1 email_insight 1 found 7")


async def test_a_purged_lead_takes_all_of_it_along(cluster: Cluster, older: str) -> None:
    cluster.run(ENRICHED.format(runs="00"), older)
    await migrate(cluster.url(older), target=AFTER)

    cluster.run("DELETE FROM leadflood.leads", older)

    for table in ("lookups", "found_values", "chosen_values"):
        assert cluster.run(f"SELECT count(*) FROM leadflood.{table}", older) == "0"
