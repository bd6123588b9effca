"""Costs of the latest calls of sources, by which the costs of many enrichments are estimated."""

from leadflood.domains.enrichment.models.cost_estimates import SourceHistory
from leadflood.domains.enrichment.queries.cost_history import cost_history
from leadflood.kernel.db.sql import sql
from tests.integration.enrichment.bench import Bench

# Answers about a lead each: the first two are older than the first question to the source.
ANSWERS = sql("""
INSERT INTO lookups (workspace_id, id, lead_id, source, source_version, state, sentence, asked_at, answered_at,
                     expires_at, cost_micros)
SELECT :workspace_id, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, l.id, source, '1', state, '',
       now(), now(), now(), cost
FROM (VALUES (1, 1, 'email_insight', 'found', 0), (2, 2, 'email_insight', 'found', 0),
             (3, 3, 'email_insight', 'found', 0), (4, 3, 'hunter', 'found', 30),
             (5, 4, 'email_insight', 'found', 0), (6, 4, 'hunter', 'missed', 0),
             (7, 5, 'email_insight', 'found', 0), (8, 6, 'email_insight', 'found', 0),
             (9, 6, 'hunter', 'found', 10)) AS given (n, place, source, state, cost)
JOIN unnest(:lead_ids::uuid[]) WITH ORDINALITY AS l (id, place) ON l.place = given.place
""")


async def answered(bench: Bench) -> None:
    leads = [(await bench.create(f"lead{number}@acme.com")).lead_id for number in range(6)]
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        await tx.execute(ANSWERS, {"workspace_id": bench.actor.workspace_id, "lead_ids": leads})


async def test_leads_count_from_the_first_question_to_a_source_on(bench: Bench, other_bench: Bench) -> None:
    await answered(bench)
    await answered(other_bench)

    async with bench.database.transaction(bench.actor.workspace_id, read_only=True) as tx:
        found = await cost_history(tx, bench.actor, sources=["hunter", "never_asked"])

    assert found == {"hunter": SourceHistory(subjects=4, asked=3, charged=2, cost_micros=40)}
