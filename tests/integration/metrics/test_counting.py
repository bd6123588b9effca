"""Aggregated counts equal the timelines, even if a worker is interrupted."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.jobs.errors import Terminal
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.metrics import jobs as figures_jobs
from leadflood.domains.metrics import queries, service, store
from leadflood.domains.metrics.contracts import ActivityView, OverviewView
from leadflood.domains.metrics.events import AGGREGATE_METRICS, REBUILD_METRICS
from leadflood.domains.metrics.models import QUARTER, TimeRange, quarter_of
from leadflood.domains.metrics.registry import METRICS
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.change_subscriber import ChangeSubscriber
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, first_id_at, new_id
from tests.conftest import Workspace, new_workspace
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.support.jobs import Jobs
from tests.support.waiting import PATIENCE, eventually, turns

MINUTES = timedelta(minutes=5)

COUNTED = sql("""
SELECT quarter, coalesce(sum(value) FILTER (WHERE metric = 'leads.created'), 0) AS created,
       coalesce(sum(value) FILTER (WHERE metric = 'enrichment.completed'), 0) AS enriched,
       coalesce(sum(value) FILTER (WHERE metric = 'enrichment.failed'), 0) AS failed
FROM workspace_metrics
WHERE workspace_id = :id AND metric IN ('leads.created', 'enrichment.completed', 'enrichment.failed')
GROUP BY quarter ORDER BY quarter
""")
TRUE = sql("""
SELECT date_bin('15 minutes', at, timestamptz '2000-01-01 00:00:00+00') AS quarter,
       count(*) FILTER (WHERE kind = 'lead.created') AS created,
       count(*) FILTER (WHERE kind = 'enrichment.completed') AS enriched,
       count(*) FILTER (WHERE kind = 'enrichment.failed') AS failed
FROM lead_events WHERE workspace_id = :id AND kind IN ('lead.created', 'enrichment.completed', 'enrichment.failed')
GROUP BY 1 ORDER BY 1
""")
SET_BACK = sql("UPDATE figures_progress SET counted_until = :moment")
WAITING = sql("""
SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM figures_progress%'
""")
PROGRESS = sql("SELECT counted_until FROM figures_progress")
LEAD = sql("""
INSERT INTO leads (workspace_id, id, email, email_norm, source, search_text, status, created_at)
VALUES (:workspace_id, :id, :email, :email, 'api', '', 'enriched', :created_at)
""")
EVENT = sql("""
INSERT INTO lead_events (workspace_id, id, lead_id, kind, at, actor_kind, data)
VALUES (:workspace_id, gen_random_uuid(), :lead_id, :kind, :at, 'system', jsonb_build_object('jobId', :job_id ::text))
""")
MANY = sql("""
INSERT INTO leads (workspace_id, id, email, email_norm, source, search_text, status)
SELECT :workspace_id, gen_random_uuid(), n::text, n::text, 'api', '', 'enriched' FROM generate_series(1, :count) n
""")


@pytest.fixture
def bench(database: Database, workspace: Workspace) -> Bench:
    """A workspace whose jobs a test runs itself."""
    return Bench(database, workspace.actor)


async def enriched(bench: Bench) -> UUID:
    made = await bench.create(f"{new_id().hex}@acme.com")
    await bench.attempt(made.job_id, Scripted("one", [[value(fields.COMPANY_NAME, "Acme")]]))
    return made.lead_id


async def failed(bench: Bench) -> UUID:
    made = await bench.create(f"{new_id().hex}@acme.com")
    await bench.attempt(made.job_id, Scripted("one", [Terminal("No.")]))
    return made.lead_id


async def activity(bench: Bench, span: TimeRange = TimeRange.DAY, time_zone: str = "UTC") -> ActivityView:
    async with bench.database.transaction(bench.actor.workspace_id, read_only=True) as tx:
        return await queries.activity(tx, bench.actor, span=span, time_zone=time_zone, now=utc_now())


async def overview(bench: Bench) -> OverviewView:
    async with bench.database.transaction(bench.actor.workspace_id, read_only=True) as tx:
        return await queries.overview(tx, bench.actor, time_zone="Europe/Berlin", now=utc_now())


def total(view: ActivityView) -> tuple[int, int, int]:
    return view.total.created, view.total.enriched, view.total.failed


async def rows(database: Database, statement: object, workspace_id: UUID) -> list[tuple[object, ...]]:
    async with database.system() as tx:
        return [tuple(row) for row in await tx.all(statement, {"id": workspace_id})]  # type: ignore[arg-type]


async def agrees(database: Database, workspace_id: UUID) -> bool:
    """Whether what is counted is what is in the timeline."""
    counted = await rows(database, COUNTED, workspace_id)
    return counted != [] and counted == await rows(database, TRUE, workspace_id)


async def set_back(database: Database, moment: datetime) -> None:
    await service.aggregate(database, lookback=MINUTES)
    async with database.system() as tx:
        await tx.execute(SET_BACK, {"moment": moment})


async def plant(database: Database, workspace_id: UUID, kind: str, *moments: datetime) -> None:
    """A lead for each of these times, created then and with an event then, its job asked for two seconds before."""
    async with database.transaction(workspace_id) as tx:
        for moment in moments:
            lead_id = new_id()
            lead = {"workspace_id": workspace_id, "id": lead_id, "email": lead_id.hex, "created_at": moment}
            await tx.execute(LEAD, lead)
            job_id = first_id_at(moment, timedelta(seconds=-2))
            event = {
                "workspace_id": workspace_id,
                "lead_id": lead_id,
                "kind": kind,
                "at": moment,
                "job_id": str(job_id),
            }
            await tx.execute(EVENT, event)


async def test_what_happens_shows_at_once_and_counting_changes_no_figure(bench: Bench) -> None:
    lead_id = await enriched(bench)
    await failed(bench)
    await bench.attempt(await bench.again(lead_id), Scripted("one", [[value(fields.COMPANY_NAME, "Acme")]]))

    before = await activity(bench)
    await service.aggregate(bench.database, lookback=MINUTES)
    after = await activity(bench)

    assert total(before) == total(after) == (2, 2, 1)
    assert before.total == after.total
    assert before.points[-1].created + before.points[-2].created == 2
    assert after.counted_until > before.counted_until
    assert before.total.latency_p50 is not None
    assert before.total.latency_p95 is not None
    assert 0 < before.total.latency_p50 <= before.total.latency_p95 < 60
    assert await agrees(bench.database, bench.actor.workspace_id)


@pytest.mark.parametrize("span", TimeRange)
async def test_every_span_shows_the_same_of_today(bench: Bench, span: TimeRange) -> None:
    await enriched(bench)
    await service.aggregate(bench.database, lookback=MINUTES)

    view = await activity(bench, span, "Asia/Kathmandu")

    assert total(view) == (1, 1, 0)
    assert view.points[-1].ends_at > utc_now()


async def test_nothing_is_seen_of_another_workspace(bench: Bench) -> None:
    await enriched(bench)
    stranger = Bench(bench.database, Workspace(await new_workspace(bench.database)).actor)

    for _ in range(2):
        assert total(await activity(stranger)) == (0, 0, 0)
        assert (await activity(stranger)).total.latency_p50 is None
        assert (await overview(stranger)).created_today == 0
        await service.aggregate(bench.database, lookback=MINUTES)


async def test_counting_again_and_at_the_same_time_changes_nothing(bench: Bench) -> None:
    for _ in range(3):
        await enriched(bench)

    await asyncio.gather(
        *(service.aggregate(bench.database, lookback=again) for again in (MINUTES, 3 * MINUTES, MINUTES))
    )
    await service.aggregate(bench.database, lookback=timedelta(hours=3))

    assert await agrees(bench.database, bench.actor.workspace_id)
    assert total(await activity(bench)) == (3, 3, 0)


async def test_who_waits_for_another_s_count_leaves_out_nothing_that_the_other_has_counted(bench: Bench) -> None:
    await enriched(bench)
    async with bench.database.system() as first:
        progress = await store.lock_progress(first)
        waiting = asyncio.create_task(service.aggregate(bench.database, lookback=MINUTES))
        await eventually(lambda: waits_or_is_done(bench.database, waiting))
        assert not waiting.done()
        await enriched(bench)
        await store.aggregate(first, METRICS, since=quarter_of(progress.now - MINUTES), until=utc_now())
    await waiting

    assert await agrees(bench.database, bench.actor.workspace_id)


async def test_what_happens_while_it_is_counted_is_shown_once(bench: Bench) -> None:
    await enriched(bench)
    async with bench.database.system() as tx:
        progress = await store.lock_progress(tx)
        await enriched(bench)
        await store.aggregate(tx, METRICS, since=quarter_of(progress.now - MINUTES), until=progress.now)

    assert total(await activity(bench)) == (2, 2, 0)


async def waits_or_is_done(database: Database, task: asyncio.Task[None]) -> bool:
    async with database.statement() as connection:
        return task.done() or bool(await connection.scalar(WAITING))


async def test_what_is_committed_after_the_count_that_should_have_seen_it_is_counted_by_the_next(bench: Bench) -> None:
    lead_id = await enriched(bench)
    async with bench.database.transaction(bench.actor.workspace_id) as slow:
        await slow.execute(
            EVENT,
            {
                "workspace_id": bench.actor.workspace_id,
                "lead_id": lead_id,
                "kind": "enrichment.failed",
                "at": utc_now() - timedelta(seconds=10),
                "job_id": None,
            },
        )
        await service.aggregate(bench.database, lookback=MINUTES)
        assert not (await rows(bench.database, COUNTED, bench.actor.workspace_id))[-1][-1]

    await service.aggregate(bench.database, lookback=MINUTES)

    assert await agrees(bench.database, bench.actor.workspace_id)


async def test_an_event_at_the_edge_belongs_to_the_quarter_that_begins(bench: Bench) -> None:
    edge = quarter_of(utc_now()) - QUARTER
    instant = timedelta(microseconds=1)
    await plant(bench.database, bench.actor.workspace_id, "enrichment.completed", edge - instant, edge, edge + instant)

    await service.aggregate(bench.database, lookback=timedelta(hours=1))

    counted = await rows(bench.database, COUNTED, bench.actor.workspace_id)
    assert [(row[0], row[2]) for row in counted] == [(edge - QUARTER, 1), (edge, 2)]
    assert 1 < ((await activity(bench)).total.latency_p50 or 0) < 4


async def test_after_days_without_a_worker_all_of_them_are_counted(bench: Bench) -> None:
    now = utc_now()
    hours = [now - timedelta(hours=hour) for hour in (1, 7, 30, 49)]
    await plant(bench.database, bench.actor.workspace_id, "lead.created", *hours)
    await set_back(bench.database, now - timedelta(hours=50))

    await service.aggregate(bench.database, lookback=MINUTES)

    assert await agrees(bench.database, bench.actor.workspace_id)
    assert total(await activity(bench, TimeRange.WEEK)) == (4, 0, 0)
    assert total(await activity(bench)) == (2, 0, 0)


async def test_whoever_is_killed_while_counting_leaves_nothing_wrong(bench: Bench) -> None:
    random_unit = random.Random(11)  # noqa: S311  the same each time
    now = utc_now()
    moments = [now - timedelta(minutes=random_unit.randrange(1, 600)) for _ in range(60)]
    await plant(bench.database, bench.actor.workspace_id, "lead.created", *moments)
    await set_back(bench.database, now - timedelta(hours=11))

    for moment in range(0, 120, 4):
        task = asyncio.create_task(service.aggregate(bench.database, lookback=MINUTES))
        await turns(moment)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await service.aggregate(bench.database, lookback=MINUTES)

    assert await agrees(bench.database, bench.actor.workspace_id)


async def test_counts_beside_many_writers_end_with_the_truth(bench: Bench) -> None:
    turns = asyncio.Semaphore(10)  # fewer than connections: nobody waits for one for seconds on a busy machine

    async def write() -> None:
        async with turns:
            await enriched(bench)

    writing = asyncio.gather(*(write() for _ in range(30)))
    while not writing.done():
        await asyncio.gather(*(service.aggregate(bench.database, lookback=MINUTES) for _ in range(2)))
        seen = await activity(bench)
        assert seen.total.created <= 30
    await writing
    await service.aggregate(bench.database, lookback=MINUTES)

    assert await agrees(bench.database, bench.actor.workspace_id)
    assert total(await activity(bench)) == (30, 30, 0)


async def test_a_clock_that_was_set_back_counts_on(bench: Bench) -> None:
    await set_back(bench.database, utc_now() + timedelta(hours=2))
    await enriched(bench)

    await service.aggregate(bench.database, lookback=MINUTES)

    assert await agrees(bench.database, bench.actor.workspace_id)
    await set_back(bench.database, utc_now())


async def test_where_much_changed_since_the_last_count_enrichments_are_those_of_that_count(bench: Bench) -> None:
    await service.aggregate(bench.database, lookback=MINUTES)
    await enriched(bench)
    assert (await activity(bench)).total.created == 1
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        await tx.execute(MANY, {"workspace_id": bench.actor.workspace_id, "count": queries.LIVE})

    busy = await activity(bench)

    assert (busy.total.created, busy.total.enriched) == (queries.LIVE + 1, 0)
    async with bench.database.system() as tx:
        assert busy.counted_until == await tx.scalar(PROGRESS)


async def test_a_deleted_lead_is_not_counted_as_created_but_its_enrichment_is_counted(bench: Bench) -> None:
    lead_id = await enriched(bench)
    await bench.delete(lead_id)

    await service.aggregate(bench.database, lookback=MINUTES)

    assert total(await activity(bench)) == (0, 1, 0)
    assert (await overview(bench)).leads.value == 0


async def test_the_overview_tells_how_the_workspace_is(bench: Bench) -> None:
    await enriched(bench)
    await failed(bench)
    waiting = await bench.lead((await bench.create("first@acme.com")).lead_id)
    await bench.create("second@acme.com")

    view = await overview(bench)

    assert (view.leads.value, view.leads.exact) == (4, True)
    assert (view.created_today, view.enriched_today, view.failed_today) == (4, 1, 1)
    assert (view.in_flight.value, view.failed.value) == (2, 1)
    assert view.oldest_waiting_at == waiting.created_at


async def test_more_leads_than_are_counted_one_by_one_are_told_as_of_the_last_hour(bench: Bench) -> None:
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        await tx.execute(MANY, {"workspace_id": bench.actor.workspace_id, "count": 12_345})
    before = (await overview(bench)).leads

    await service.aggregate_lead_totals(bench.database)

    after = (await overview(bench)).leads
    assert (before.value, before.exact) == (10_000, False)
    assert (after.value, after.exact) == (12_345, False)


@pytest.mark.parametrize("kind", [AGGREGATE_METRICS, REBUILD_METRICS])
async def test_the_scheduled_jobs_count(bench: Bench, kind: object) -> None:
    await enriched(bench)
    jobs = Jobs(bench.database, SYSTEM_WORKSPACE_ID, kind)  # type: ignore[arg-type]
    registry = JobRegistry(figures_jobs.definitions(bench.database))

    assert (await jobs.attempt(registry, await jobs.one())).status == "completed"

    assert await agrees(bench.database, bench.actor.workspace_id)


@pytest.fixture
async def changes(application_url: str) -> AsyncIterator[ChangeSubscriber]:
    heard = ChangeSubscriber(application_url, application_name="tests changes")
    yield heard
    await heard.close()


async def test_counting_wakes_the_pages_of_those_whose_figures_changed(bench: Bench, changes: ChangeSubscriber) -> None:
    await enriched(bench)
    await bench.database._signals.close()
    async with changes.subscribe(bench.actor.workspace_id) as bell:
        assert await bell.wait(PATIENCE)

        await service.aggregate(bench.database, lookback=MINUTES)

        assert await bell.wait(PATIENCE)
