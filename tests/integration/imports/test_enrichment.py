"""New leads of an import are enriched when it says so, no more at a time than workers can take."""

from uuid import UUID

import pytest

from leadflood.domains.enrichment import invariants
from leadflood.domains.enrichment.events import ENRICH_LEAD
from leadflood.domains.imports.events import ENRICH_IMPORTED
from leadflood.kernel.queue.ports import Priority
from tests.support.desk import Desk, csv_of
from tests.support.jobs import Jobs

FILE = csv_of([["email"], *[[f"lead{number}@acme.com"] for number in range(7)]])


async def queued(desk: Desk, kind: str) -> list[UUID]:
    rows = await Jobs(desk.database, desk.actor.workspace_id).rows(
        "SELECT id, priority FROM job_executions"
        " WHERE workspace_id = :workspace_id AND kind = :kind AND status = 'queued'",
        workspace_id=desk.actor.workspace_id,
        kind=kind,
    )
    assert all(row.priority == Priority.BULK for row in rows), "a single lead is enriched first"
    return [row.id for row in rows]


async def violations(desk: Desk) -> list[str]:
    async with desk.database.system(read_only=True) as tx:
        found = await invariants.violations(tx)
    ids = [str(row["id"]) for row in await desk.leads()]
    return [told for told in found if any(item in told for item in ids)]


async def test_an_import_without_enrichment_leaves_its_leads_new_and_that_is_in_order(desk: Desk) -> None:
    await desk.run(FILE, enrich=False)

    assert await queued(desk, ENRICH_IMPORTED.name) == []
    assert await queued(desk, ENRICH_LEAD.name) == []
    assert {lead["status"] for lead in await desk.leads()} == {"new"}
    assert await violations(desk) == []


async def test_enrichment_is_queued_a_batch_at_a_time_and_ends_when_all_are(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadflood.domains.imports.service.commit.ENRICH_BATCH", 3)
    done = await desk.run(FILE)
    assert await violations(desk) == []
    (job_id,) = await queued(desk, ENRICH_IMPORTED.name)

    await desk.attempt(job_id)

    jobs = await queued(desk, ENRICH_LEAD.name)
    assert len(jobs) == 7
    assert await violations(desk) == []
    removed = "DELETE FROM job_executions WHERE workspace_id = :workspace_id AND id = :id"
    await Jobs(desk.database, desk.actor.workspace_id).change(removed, workspace_id=desk.actor.workspace_id, id=jobs[0])
    assert len(await violations(desk)) == 1
    assert done.status == "committed"


async def test_an_undone_import_enriches_nothing_more(desk: Desk) -> None:
    done = await desk.run(FILE)
    (job_id,) = await queued(desk, ENRICH_IMPORTED.name)
    await desk.undo(done.id)

    await desk.attempt(job_id)

    assert await queued(desk, ENRICH_LEAD.name) == []
