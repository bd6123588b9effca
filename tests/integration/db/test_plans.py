"""Query plans with 200,000 leads in one workspace, as PostgreSQL makes them for the application's role.

The plans come from auto_explain, so they are those of the real verbs with their real parameters, what runs inside
`search_leads` included.
"""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.enrichment import jobs as enrichment_jobs
from leadflood.domains.jobs import execution, relay
from leadflood.domains.jobs import queries as jobs
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import CreateLead
from leadflood.domains.leads.errors import DuplicateLead
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.leads.queries import LeadFilter, LeadSort
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.memory import MemoryCarrier
from leadflood.kernel.queue.ports import Ticket
from tests.conftest import TEMPLATE
from tests.integration.db.conftest import opened
from tests.support.postgres import Cluster

CROWD = Path(__file__).with_name("crowd.sql")
PLANS = "plans"
LARGE = {"leads", "lead_events", "job_executions", "outbox_events"}


def numbered(kind: int, number: int) -> UUID:
    """The ids that crowd.sql gives."""
    return UUID(f"01900000-0000-7000-8{kind:03x}-{number:012x}")


ACTOR = Actor.cli(numbered(1, 1))
OWNER, LEAD = numbered(2, 4), numbered(3, 4242)
REGISTRY = JobRegistry(enrichment_jobs.definitions([]))


@dataclass
class Plans:
    """The plans of everything that the database ran since `forget`."""

    database: Database
    nodes: list[dict[str, Any]] = field(default_factory=list)

    def hear(self, _connection: object, message: Any) -> None:  # noqa: ANN401  asyncpg's log message
        """A NOTICE of auto_explain."""
        _, found, plan = message.message.partition("plan:\n")
        if found:
            self.nodes += _nodes(json.loads(plan)["Plan"])

    def used(self) -> set[str]:
        """The indexes used on the large tables. Fails where one of them is read whole."""
        relevant = [node for node in self.nodes if node.get("Relation Name") in LARGE]
        assert relevant, "no plan was heard of"
        whole = [node for node in relevant if node["Node Type"] == "Seq Scan"]
        assert whole == []
        scans = [node for node in self.nodes if node.get("Index Name", "").startswith(tuple(LARGE))]
        return {node["Index Name"] for node in scans}


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


@pytest.fixture(scope="module")
async def crowded(cluster: Cluster) -> AsyncIterator[Plans]:
    """A database of its own, full, on a connection that tells its plans."""
    cluster.create_database(PLANS, template=TEMPLATE)
    cluster.run(CROWD.read_text(encoding="utf-8"), PLANS)
    for setting in (
        "session_preload_libraries = auto_explain",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_nested_statements = on",
        "auto_explain.log_format = json",
        "auto_explain.log_level = notice",
    ):
        cluster.run(f'ALTER ROLE leadflood_app IN DATABASE :"name" SET {setting}', name=PLANS)
    async with opened(cluster.url(PLANS, APP_ROLE), pool_size=1) as database:
        plans = Plans(database)
        async with database._engine.connect() as connection:
            raw = await connection.get_raw_connection()
            assert raw.driver_connection is not None
            raw.driver_connection.add_log_listener(plans.hear)
        yield plans
    cluster.drop_database(PLANS)


@pytest.fixture
def plans(crowded: Plans) -> Plans:
    crowded.nodes.clear()
    return crowded


async def listed(plans: Plans, only: LeadFilter, sort: LeadSort = LeadSort.NEWEST) -> None:
    """Read two pages, so that one plan goes on from a position."""
    for _ in range(6):  # so often that PostgreSQL may choose a generic plan
        async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
            first = await queries.list_leads(tx, ACTOR, only=only, sort=sort, limit=50)
            await queries.list_leads(tx, ACTOR, only=only, sort=sort, after=first.after, limit=50)


@pytest.mark.parametrize(
    ("only", "sort", "index"),
    [
        (LeadFilter(), LeadSort.NEWEST, "leads_created_at_idx"),
        (LeadFilter(), LeadSort.CREATED, "leads_created_at_idx"),
        (LeadFilter(), LeadSort.LATEST, "leads_updated_at_idx"),
        (LeadFilter(), LeadSort.UPDATED, "leads_updated_at_idx"),
        (LeadFilter(), LeadSort.EMAIL, "leads_email_norm_key"),
        (LeadFilter(), LeadSort.EMAIL_REVERSED, "leads_email_norm_key"),
        (LeadFilter(status=LeadStatus.FAILED), LeadSort.NEWEST, "leads_status_idx"),
        (LeadFilter(status=LeadStatus.FAILED), LeadSort.EMAIL, "leads_status_idx"),
        (LeadFilter(source="import"), LeadSort.NEWEST, "leads_source_idx"),
        (LeadFilter(owner_id=OWNER), LeadSort.NEWEST, "leads_owner_idx"),
        (LeadFilter(owner_id=OWNER, status=LeadStatus.FAILED), LeadSort.NEWEST, "leads_status_idx"),
    ],
)
async def test_a_page_of_a_list_comes_from_an_index(plans: Plans, only: LeadFilter, sort: LeadSort, index: str) -> None:
    await listed(plans, only, sort)

    assert plans.used() == {index}
    assert all("workspace_id" in node["Index Cond"] for node in plans.nodes if "Index Name" in node)


@pytest.mark.parametrize(
    ("needle", "indexes"),
    [
        (".com", {"leads_created_at_idx"}),
        ("person4242@", {"leads_created_at_idx", "leads_search_idx"}),
        ("nowhere to be found", {"leads_created_at_idx", "leads_search_idx"}),
        ("zzz", {"leads_created_at_idx", "leads_search_idx"}),
    ],
)
async def test_a_search_walks_the_list_while_much_is_found_and_then_asks_the_trigrams(
    plans: Plans, needle: str, indexes: set[str]
) -> None:
    await listed(plans, LeadFilter(q=needle))

    assert plans.used() == indexes
    trigrams = [node["Index Cond"] for node in plans.nodes if node.get("Index Name") == "leads_search_idx"]
    assert all("workspace_id" in condition and "search_text" in condition for condition in trigrams)


@pytest.mark.parametrize("sort", list(LeadSort))
@pytest.mark.parametrize("needle", ["person424", "999@", "f1ff1de774005f8da13f42943881c655f"])
async def test_a_search_shows_the_same_leads_near_and_far_in_the_list(
    cluster: Cluster, plans: Plans, sort: LeadSort, needle: str
) -> None:
    order = "DESC" if sort.descending else "ASC"
    script = f"""
        SELECT id FROM leadflood.leads WHERE workspace_id = :'workspace' AND strpos(search_text, :'needle') > 0
        ORDER BY :"sorted_by" {order}, id {order}
    """  # noqa: S608  a word of two
    names = {"workspace": str(ACTOR.workspace_id), "needle": needle, "sorted_by": sort.column}
    expected = cluster.run(script, PLANS, **names).split()
    assert len(expected) > 100
    shown: list[str] = []
    after = None

    while not shown or after is not None:
        async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
            page = await queries.list_leads(tx, ACTOR, only=LeadFilter(q=needle), sort=sort, after=after, limit=30)
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
    tickets = [Ticket("leads.enrich.v1", ACTOR.workspace_id, numbered(3, n), 1) for n in range(9, 5009, 50)]

    jobs_claimed = await execution.claim(plans.database, tickets, new_id(), 15)

    assert len(jobs_claimed) == len(tickets) == 100
    assert plans.used() == {"job_executions_pkey"}


async def test_the_sweep_for_silent_workers_finds_expired_leases_by_their_time(plans: Plans) -> None:
    assert await execution.rescue(plans.database, REGISTRY) > 0

    assert "job_executions_lease_idx" in plans.used()


async def test_the_sweep_for_lost_tickets_finds_overdue_jobs_by_their_time(plans: Plans) -> None:
    assert await execution.remind(plans.database) == 0

    assert "job_executions_due_idx" in plans.used()


async def test_the_relay_takes_open_events_by_their_time(plans: Plans) -> None:
    assert await relay.relay(plans.database, MemoryCarrier()) > 0

    assert "outbox_events_open_idx" in plans.used()


async def test_a_list_of_jobs_or_of_those_of_a_lead_comes_from_an_index(plans: Plans) -> None:
    async with plans.database.transaction(ACTOR.workspace_id, read_only=True) as tx:
        await jobs.list_jobs(tx, ACTOR, limit=50)
        await jobs.list_jobs(tx, ACTOR, subject_id=LEAD, limit=50)

    assert plans.used() == {"job_executions_pkey", "job_executions_subject_idx"}
