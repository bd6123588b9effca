"""Query plans of the real verbs with 100,000 leads in one workspace: what auto_explain says of the application role.

Half of the leads have found values instead of written ones.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.enrichment import jobs as enrichment_jobs
from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.imports import store as imports
from leadflood.domains.imports.models.fields import API_NAMES
from leadflood.domains.imports.models.states import Duplicates, ImportMode, InvalidValues
from leadflood.domains.imports.store import staging
from leadflood.domains.jobs import execution, relay
from leadflood.domains.jobs import queries as jobs
from leadflood.domains.jobs import store as jobs_store
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import CreateLead
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.errors import DuplicateLead
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.leads.queries.orders import FOLDED
from leadflood.domains.leads.queries.search import count_leads, list_sources
from leadflood.domains.leads.service import bulk, changesets
from leadflood.domains.leads.service.found_values import set_found_values
from leadflood.domains.metrics import queries as figures
from leadflood.domains.metrics import service as counting
from leadflood.domains.metrics.models import TimeRange
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import QueueMessage
from tests.conftest import DATABASE, TEMPLATE
from tests.integration.db.conftest import listening
from tests.support import crowd
from tests.support.crowd import numbered
from tests.support.explained import READ, Plans
from tests.support.memory_queue import MemoryCarrier
from tests.support.postgres import Cluster

PLANS = "plans"
_FOUND = sql("""
SELECT id, found_first_name, found_last_name, found_company, found_job_title, found_phone, found_country, found_website
FROM leads WHERE id = ANY (:lead_ids::uuid[])
""")

ACTOR = Actor.cli(numbered(1, 1))
HALF_WAY = datetime.now(UTC) - timedelta(days=365)
RANKED = {"score", "engagement"}
"""Orders by what other domains have of leads: see test_score_order_plans.py, and test_order.py of engagement."""
SOURCES = ["api", "import", "linkedin", "partner", "referral", "trade-fair", "web-form", "webinar"]
OWNER, LEAD = numbered(2, 4), numbered(3, 4242)
REGISTRY = JobRegistry(enrichment_jobs.definitions([], cast("SubjectEngines", None)))


@pytest.fixture(scope="module")
async def crowded(cluster: Cluster) -> AsyncIterator[Plans]:
    """A database of its own, full, on a connection that tells its plans."""
    cluster.create_database(PLANS, template=TEMPLATE)
    crowd.fill(cluster, cluster.url(PLANS), leads=100_000, found=True)
    async with listening(cluster, PLANS, *READ) as plans:
        yield plans
    cluster.drop_database(PLANS)


@pytest.fixture
def plans(crowded: Plans) -> Plans:
    crowded.nodes.clear()
    return crowded


async def listed(plans: Plans, filters: LeadFilter, sort: LeadSort = LeadSort.NEWEST) -> None:
    """Read two pages, so that one plan goes on from a position."""
    for _ in range(6):  # so often that PostgreSQL may choose a generic plan
        async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
            first = await queries.list_leads(tx, ACTOR, filters=filters, sort=sort, limit=50)
            await queries.list_leads(tx, ACTOR, filters=filters, sort=sort, after=first.after, limit=50)


@pytest.mark.parametrize(
    ("filters", "sort", "index"),
    [
        (LeadFilter(), LeadSort.NEWEST, "leads_list_idx"),
        (LeadFilter(), LeadSort.CREATED, "leads_list_idx"),
        (LeadFilter(), LeadSort.LATEST, "leads_latest_idx"),
        (LeadFilter(), LeadSort.UPDATED, "leads_latest_idx"),
        (LeadFilter(), LeadSort.EMAIL, "leads_email_norm_key"),
        (LeadFilter(), LeadSort.EMAIL_REVERSED, "leads_email_norm_key"),
        (LeadFilter(statuses=(LeadStatus.FAILED,)), LeadSort.NEWEST, "leads_status_idx"),
        (LeadFilter(statuses=(LeadStatus.FAILED,)), LeadSort.EMAIL, "leads_status_idx"),
        (LeadFilter(sources=("import",)), LeadSort.NEWEST, "leads_source_idx"),
        (LeadFilter(owner_id=OWNER), LeadSort.NEWEST, "leads_owner_idx"),
        (LeadFilter(countries=("NZ",)), LeadSort.NEWEST, "leads_country_idx"),
        (LeadFilter(unowned=True), LeadSort.NEWEST, "leads_list_idx"),
        (LeadFilter(), LeadSort.STATUS, "leads_status_idx"),
        (LeadFilter(), LeadSort.SOURCE_REVERSED, "leads_source_idx"),
        (LeadFilter(), LeadSort.NAME, "leads_name_idx"),
        (LeadFilter(), LeadSort.COMPANY_REVERSED, "leads_company_idx"),
        (LeadFilter(), LeadSort.JOB_TITLE, "leads_job_title_idx"),
        (LeadFilter(has_phone=False), LeadSort.LATEST, "leads_latest_idx"),
        (LeadFilter(updated_until=HALF_WAY), LeadSort.NEWEST, "leads_list_idx"),
        (LeadFilter(created_from=HALF_WAY), LeadSort.UPDATED, "leads_latest_idx"),
        (LeadFilter(statuses=(LeadStatus.ENRICHED, LeadStatus.NEW)), LeadSort.NEWEST, "leads_list_idx"),
        (LeadFilter(owner_id=OWNER, statuses=(LeadStatus.FAILED,)), LeadSort.NEWEST, "leads_status_idx"),
    ],
)
async def test_a_page_is_read_from_an_index(plans: Plans, filters: LeadFilter, sort: LeadSort, index: str) -> None:
    await listed(plans, filters, sort)

    assert plans.used() == {index}
    assert all("workspace_id" in node["Index Cond"] for node in plans.nodes if "Index Name" in node)


async def test_a_filter_is_evaluated_in_the_index_that_is_walked(plans: Plans) -> None:
    await listed(plans, LeadFilter(sources=("api", "web-form"), countries=("NZ", "DE"), has_phone=True))

    assert plans.used() == {"leads_list_idx"}
    conditions = [node["Index Cond"] for node in plans.nodes if "Index Name" in node]
    assert all("source" in condition and "country" in condition and "phone" in condition for condition in conditions)


@pytest.mark.parametrize(
    ("filters", "indexes"),
    [
        (LeadFilter(statuses=(LeadStatus.FAILED,)), {"leads_status_idx"}),
        (LeadFilter(sources=("import",)), {"leads_source_idx"}),
    ],
)
async def test_leads_are_counted_from_an_index_alone(plans: Plans, filters: LeadFilter, indexes: set[str]) -> None:
    async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
        await count_leads(tx, ACTOR, filters=filters)

    assert plans.used() <= indexes
    assert any(node["Node Type"] == "Index Only Scan" for node in plans.nodes)


async def test_the_sources_are_looked_up_one_by_one(plans: Plans) -> None:
    async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
        assert await list_sources(tx, ACTOR) == SOURCES

    assert plans.used() == {"leads_source_idx"}
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in plans.nodes if "Index Name" in node) < 20


async def test_a_changeset_and_its_undo_find_leads_by_their_keys(plans: Plans) -> None:
    ids = [str(numbered(3, number)) for number in range(1000, 2000)]
    command = BulkChange.model_validate({"action": "set", "changes": {"company": "Acme"}, "leadIds": ids})
    async with plans.database.transaction(ACTOR.workspace_id) as tx:
        made = await bulk.change_leads(tx, ACTOR, command=command, trace={})
        undone = await changesets.undo_changeset(tx, ACTOR, LEAD_PARTICIPANTS, changeset_id=made.id, trace={})

    assert (made.updated, undone.reverted) == (1000, 1000)
    expected = {"leads_pkey", "leads_email_norm_key", "lead_changes_pkey", "lead_changesets_pkey", "lead_events_pkey"}
    assert plans.used() <= expected
    assert max(node["Actual Rows"] * node["Actual Loops"] for node in plans.nodes) <= 20_000


@pytest.mark.parametrize(
    ("needle", "indexes"),
    [
        (".com", {"leads_list_idx"}),
        ("4242@", {"leads_list_idx", "leads_search_idx", "leads_pkey"}),
        ("nowhere to be found", {"leads_list_idx", "leads_search_idx", "leads_pkey"}),
        ("zzz", {"leads_list_idx", "leads_search_idx", "leads_pkey"}),
        ("zz", {"leads_list_idx", "leads_search_idx", "leads_pkey"}),
        ("an", {"leads_list_idx"}),
    ],
)
async def test_a_search_walks_the_list_while_much_is_found_and_then_asks_the_trigrams(
    plans: Plans, needle: str, indexes: set[str]
) -> None:
    await listed(plans, LeadFilter(q=needle))

    assert plans.used() == indexes
    trigrams = [node["Index Cond"] for node in plans.nodes if node.get("Index Name") == "leads_search_idx"]
    assert [trigram for trigram in trigrams if "workspace_id" not in trigram or "search_text" not in trigram] == []


@pytest.mark.parametrize("sort", [sort for sort in LeadSort if sort.column not in RANKED])
@pytest.mark.parametrize("needle", ["alpenline", "999@", "batiment sarl"])
async def test_a_search_shows_the_same_leads_near_and_far_in_the_list(
    cluster: Cluster, plans: Plans, sort: LeadSort, needle: str
) -> None:
    order = "DESC" if sort.descending else "ASC"
    key = FOLDED[sort.column].source if sort.column in FOLDED else sort.column
    then = f"created_at {order}, " if sort.column in {"status", "source"} else ""
    script = f"""
        SET search_path = leadflood, public;
        SELECT id FROM leads WHERE workspace_id = :'workspace' AND strpos(search_text, :'needle') > 0
        ORDER BY ({key}) IS NULL, {key} {order}, {then}id {order}
    """  # noqa: S608  of two words, and constants
    names = {"workspace": str(ACTOR.workspace_id), "needle": needle}
    expected = cluster.run(script, PLANS, **names).split()
    assert len(expected) > 90
    shown: list[str] = []
    after = None

    while not shown or after is not None:
        async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
            page = await queries.list_leads(tx, ACTOR, filters=LeadFilter(q=needle), sort=sort, after=after, limit=30)
        shown += [str(lead.id) for lead in page.items]
        after = page.after

    assert shown == expected


async def test_a_duplicate_is_found_by_its_address(plans: Plans) -> None:
    async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
        existing = await queries.get_lead(tx, ACTOR, lead_id=LEAD)
    command = CreateLead.model_validate({"email": existing.email})
    plans.nodes.clear()

    with pytest.raises(DuplicateLead):
        async with plans.database.transaction(ACTOR.workspace_id) as tx:
            await service.create_lead(tx, ACTOR, command=command, trace={})

    assert plans.used() == {"leads_email_norm_key"}


async def test_a_lead_and_its_timeline_come_from_their_keys(plans: Plans) -> None:
    async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
        await queries.list_events(tx, ACTOR, lead_id=LEAD, limit=50)

    assert plans.used() == {"leads_pkey", "lead_events_pkey"}


async def test_a_claim_finds_its_jobs_by_their_keys(plans: Plans) -> None:
    tickets = [QueueMessage("leads.enrich.v1", ACTOR.workspace_id, numbered(3, n), 1) for n in range(9, 5009, 50)]

    jobs_claimed = await execution.claim(plans.database, tickets, new_id(), 15)

    assert len(jobs_claimed) == len(tickets) == 100
    assert plans.used() == {"job_executions_pkey"}


async def test_running_attempts_are_looked_up_by_their_keys_and_compared_with_no_others(plans: Plans) -> None:
    tickets = [QueueMessage("leads.enrich.v1", ACTOR.workspace_id, numbered(3, n), 1) for n in range(5009, 10_009, 50)]
    running = await execution.claim(plans.database, tickets, new_id(), 15)
    keys = [job.key for job in running]
    plans.nodes.clear()

    assert await execution.renew(plans.database, running, 15) == []
    async with plans.database.transaction(ACTOR.workspace_id) as tx:
        assert len(await jobs_store.owned_attempts(tx, keys)) == len((await jobs_store.finish(tx, keys))[0]) == 100

    assert plans.used() <= {"job_executions_pkey", "job_executions_status_idx", "job_executions_lease_idx"}
    assert max(node["Actual Rows"] * node["Actual Loops"] for node in plans.nodes) <= 100
    assert sum(node.get("Rows Removed by Join Filter", 0) for node in plans.nodes) == 0


async def test_the_sweep_for_silent_workers_finds_expired_leases_by_their_time(plans: Plans) -> None:
    assert await execution.rescue(plans.database, REGISTRY) > 0

    assert "job_executions_lease_idx" in plans.used()


async def test_the_sweep_for_lost_tickets_finds_overdue_jobs_by_their_time(plans: Plans) -> None:
    assert await execution.requeue_lost(plans.database) == 0

    assert "job_executions_due_idx" in plans.used()


async def test_the_relay_takes_open_events_by_their_time(plans: Plans) -> None:
    assert await relay.relay(plans.database, MemoryCarrier()) > 0

    assert "outbox_events_open_idx" in plans.used()


async def test_a_list_of_jobs_or_of_those_of_a_lead_comes_from_an_index(plans: Plans) -> None:
    async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
        await jobs.list_jobs(tx, ACTOR, limit=50)
        await jobs.list_jobs(tx, ACTOR, subject_id=LEAD, limit=50)

    assert plans.used() == {"job_executions_pkey", "job_executions_subject_idx"}


async def test_failures_by_cause_come_from_an_index_step_by_step(plans: Plans) -> None:
    async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
        found = await jobs.failed_by_cause(tx, ACTOR)
        await jobs.dead_by_cause(tx, ACTOR)

    assert [group.count.value for group in found.items] == [100]
    assert plans.used() == {"job_executions_cause_idx", "outbox_events_cause_idx"}


async def test_all_of_a_cause_are_found_by_an_index_also_where_plans_are_generic(plans: Plans) -> None:
    cause = jobs.FailureGroup(jobs.FAILED_JOBS, "", "leads.enrich.v1")
    async with plans.database.transaction(ACTOR.workspace_id) as tx:
        for _ in range(6):  # so often that PostgreSQL may choose a generic plan
            assert await jobs.count_of_cause(tx, ACTOR, cause=cause, limit=5001) == 100
            assert len(await jobs.ids_of_cause(tx, ACTOR, cause=cause, after=None, limit=1000)) == 100

    assert plans.used() == {"job_executions_cause_idx"}


async def test_a_list_of_jobs_by_cause_or_time_comes_from_an_index(plans: Plans) -> None:
    async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
        await jobs.list_jobs(tx, ACTOR, cause="", kind="leads.enrich.v1", limit=50)
        await jobs.list_jobs(tx, ACTOR, created_from=utc_now(), limit=50)

    assert plans.used() <= {"job_executions_cause_idx", "job_executions_status_idx", "job_executions_pkey"}


async def test_how_the_queue_is_comes_from_indexes(plans: Plans) -> None:
    async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
        queue = await jobs.get_queue(tx, ACTOR)

    assert queue.due.value > 1500
    # The index of leases holds what runs at the moment, of all workspaces: never many.
    assert plans.used() <= {"job_executions_status_idx", "job_executions_due_idx", "job_executions_lease_idx"}


async def test_counting_reads_the_last_part_of_the_timeline_only(plans: Plans) -> None:
    async with plans.database.system() as tx:
        await tx.execute(sql("INSERT INTO figures_progress VALUES ('leads', now()) ON CONFLICT DO NOTHING"))

    await counting.aggregate(plans.database, lookback=timedelta(minutes=5))

    assert plans.used() == {"lead_events_at_idx"}


async def test_figures_are_read_without_reading_leads_or_timelines_whole(plans: Plans) -> None:
    async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
        await figures.activity(tx, ACTOR, span=TimeRange.MONTH, time_zone="UTC", now=utc_now())
        await figures.overview(tx, ACTOR, time_zone="UTC", now=utc_now())

    leads = {index for index in plans.used() if index.startswith("leads")}
    assert leads == {"leads_list_idx", "leads_latest_idx", "leads_status_idx"}


@pytest.mark.parametrize("counts", Duplicates)
async def test_staging_looks_each_row_up_by_its_address_alone(plans: Plans, counts: Duplicates) -> None:
    import_id = new_id()
    async with plans.database.transaction(ACTOR.workspace_id) as tx:
        await imports.insert_import(tx, ACTOR, import_id=import_id, filename="leads.csv")
    policies = dict.fromkeys(API_NAMES, "fill_empty")
    rules = staging.StagingRules(ImportMode.CREATE_AND_UPDATE, counts, InvalidValues.DROP, policies)
    for first in (1, 501, 1001):
        plans.nodes.clear()
        emails = [f"row{number}@import.example" for number in range(first, first + 500)]
        values = [
            {"row_no": first + place, "lead_id": new_id(), "email": email, "email_norm": email, "new_source": "import"}
            for place, email in enumerate(emails)
        ]
        records = [tuple(value.get(column) for column in staging.COLUMNS) for value in values]
        async with plans.database.transaction(ACTOR.workspace_id) as tx:
            found = await imports.lock(tx, ACTOR.workspace_id, import_id)
            assert found is not None
            await staging.load_rows(tx, records)
            await staging.decide_rows(tx, found, rules, first=first)

        scans = [node for node in plans.nodes if node.get("Relation Name") in ("leads", "import_rows")]
        names = {node["Index Name"] for node in scans if node["Node Type"] != "ModifyTable"}
        assert names == {"leads_email_norm_key", "import_rows_email_key"}


async def test_leads_whose_found_values_stay_are_not_compared_with_each_other(plans: Plans) -> None:
    leads = [numbered(3, number) for number in range(1, 401)]
    found: Sequence[Row] = []
    for _ in range(7):  # so often that PostgreSQL may choose a generic plan
        async with plans.database.transaction(ACTOR.workspace_id) as tx:
            found = await tx.all(_FOUND, {"lead_ids": leads})
            plans.nodes.clear()
            assert await set_found_values(tx, ACTOR, found={row["id"]: _values(dict(row)) for row in found}) == 0

    assert len(found) == len(leads)
    assert max(node.get("Rows Removed by Join Filter", 0) for node in plans.nodes) <= len(leads)


def _values(row: Mapping[str, Any]) -> dict[str, str]:
    return {name.removeprefix("found_"): value for name, value in row.items() if name != "id" and value is not None}


def test_whoever_inserts_a_lead_moves_little_of_the_searchs_pending_list(cluster: Cluster) -> None:
    options = cluster.run("SELECT reloptions FROM pg_class WHERE relname = 'leads_search_idx'", DATABASE)

    assert options == "{gin_pending_list_limit=1024}"
