"""Requests that share a transaction get the outcomes that some serial order would give them, and disturb nobody."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

from leadflood.api.app import create_app
from leadflood.api.context import ApiContext
from leadflood.bootstrap import SUBSCRIBERS
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.service.group_commit import GroupCommit
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from tests.conftest import DATABASE, TEMPLATE
from tests.support.api import Caller, api_on, make_parts, new_caller
from tests.support.commit_proxy import CommitProxy
from tests.support.examples import examples
from tests.support.outages import breakable
from tests.support.postgres import Cluster, temporary_home
from tests.support.waiting import eventually

STORED, GONE = "stored@acme.com", "gone@acme.com"
STRANGER = UUID(int=7)
Seen = tuple[object, ...]


@dataclass(frozen=True)
class Asked:
    """A request: who of two people in which of two workspaces sends it, what it says, and whether they hang up."""

    house: int
    sender: int
    email: str
    key: str | None
    owner: str | None
    hangs_up: bool

    def body(self, member: UUID) -> dict[str, Any]:
        owners = {"member": str(member), "stranger": str(STRANGER)}
        return {"email": self.email, **({"ownerId": owners[self.owner]} if self.owner else {})}

    @property
    def fingerprint(self) -> tuple[object, ...]:
        return self.sender, self.email, self.owner


REQUESTS = st.lists(
    st.builds(
        Asked,
        house=st.sampled_from([0, 0, 0, 1]),
        sender=st.sampled_from([0, 0, 0, 1]),
        email=st.sampled_from([STORED, GONE, "new@acme.com", "other@acme.com"]),
        key=st.sampled_from([None, None, "k", "l"]),
        owner=st.sampled_from([None, None, None, "member", "stranger"]),
        hangs_up=st.sampled_from([False, False, False, False, True]),
    ),
    min_size=2,
    max_size=5,
)


def serially(requests: Sequence[Asked], order: Sequence[int]) -> dict[int, Seen]:
    """Expected result of each request of `order`, run one after the other. A lead has the name of its request."""
    active: dict[tuple[int, str], object] = {(0, STORED): "before 0", (1, STORED): "before 1"}
    answers: dict[tuple[int, str], tuple[object, Seen]] = {}
    seen: dict[int, Seen] = {}
    for number in order:
        asked = requests[number]
        address, key = (asked.house, asked.email), (asked.house, asked.key or "")
        if key in answers:
            said, answer = answers[key]
            seen[number] = (*answer, "replayed") if said == asked.fingerprint else (422,)
            continue
        if address in active:
            seen[number] = (409, active[address])
        elif asked.owner == "stranger":
            seen[number] = (400,)
        else:
            active[address] = number
            seen[number] = (201, number)
        if asked.key is not None and seen[number] != (400,):
            answers[key] = (asked.fingerprint, seen[number])
    return seen


def serial_outcomes(requests: Sequence[Asked]) -> Iterator[dict[int, Seen]]:
    """Of every order. A request whose sender hung up may have been served or not."""
    for order in itertools.permutations(range(len(requests))):
        doubtful = [number for number in order if requests[number].hangs_up]
        for left_out in itertools.chain.from_iterable(
            itertools.combinations(doubtful, size) for size in range(len(doubtful) + 1)
        ):
            yield serially(requests, [number for number in order if number not in left_out])


@examples(25, suppress=(HealthCheck.function_scoped_fixture,))
@given(requests=REQUESTS)
@example(requests=[Asked(0, n % 2, f"by{n}@acme.com", None, None, hangs_up=False) for n in range(5)])
@example(requests=[Asked(0, 0, "new@acme.com", "k", "stranger", hangs_up=False)] * 3)
async def test_any_mix_of_requests_gets_the_outcomes_of_some_serial_order(
    toys: httpx.AsyncClient, database: Database, requests: list[Asked]
) -> None:
    houses = [await new_house(database) for _ in range(2)]
    names: dict[str, object] = {}
    for number, house in enumerate(houses):
        stored, gone = [await create(toys, house[0], email) for email in (STORED, GONE)]
        headers = {**house[0].headers, "If-Match": '"1"'}
        assert (await toys.delete(gone.headers["Location"], headers=headers)).status_code == 204
        names[stored.json()["leadId"]] = f"before {number}"

    tasks = [asyncio.create_task(ask(toys, database, houses[asked.house], asked)) for asked in requests]
    await asyncio.wait(tasks, timeout=0)
    for task, asked in zip(tasks, requests, strict=True):
        if asked.hangs_up:
            task.cancel()
    answers = dict(enumerate(await asyncio.gather(*tasks, return_exceptions=True)))

    heard = {number: item for number, item in answers.items() if isinstance(item, httpx.Response)}
    for number, answer in heard.items():
        if answer.status_code == 201 and "Idempotency-Replayed" not in answer.headers:
            names[answer.json()["leadId"]] = number
    seen = {number: outcome(answer, names) for number, answer in heard.items()}
    assert all(requests[number].hangs_up for number in answers.keys() - heard.keys()), answers
    possible = [
        {n: unheard(item, heard, names) for n, item in run.items() if n in heard} for run in serial_outcomes(requests)
    ]
    assert seen in possible
    for number, house in enumerate(houses):
        told = {lead_id: requests[name] for lead_id, name in names.items() if isinstance(name, int)}
        told = {lead_id: asked for lead_id, asked in told.items() if asked.house == number}
        left = {asked.email for n, asked in enumerate(requests) if n not in heard and asked.house == number}
        await assert_written(database, house, told, left)


async def new_house(database: Database) -> list[Caller]:
    """Two people of one workspace."""
    first = await new_caller(database, [LEADS_WRITE])
    return [first, await new_caller(database, [LEADS_WRITE], workspace_id=first.workspace_id)]


COMMITTED = sql("SELECT true FROM leads WHERE id = :id")
WRITTEN = sql("""
SELECT l.id, l.email_norm, l.owner_id,
       (SELECT count(*) FROM job_executions j WHERE j.subject_id = l.id AND j.status = 'queued') AS jobs,
       (SELECT array_agg(k.created_by) FROM lead_events e JOIN api_keys k ON k.id = e.actor_id WHERE e.lead_id = l.id)
       AS makers
FROM leads l WHERE l.deleted_at IS NULL AND l.email_norm <> :stored
""")


async def assert_written(
    database: Database, house: Sequence[Caller], told: Mapping[str, Asked], unheard_of: set[str]
) -> None:
    """A workspace holds each lead that was told of, with its job and its maker, and else what nobody waited for."""
    async with database.transaction(house[0].workspace_id, read_only=True) as tx:
        rows = {str(row.id): row for row in await tx.all(WRITTEN, {"stored": STORED})}
    owners = {None: None, "member": house[0].user_id}
    for lead_id, asked in told.items():
        row = rows.pop(lead_id)
        assert (row.email_norm, row.owner_id) == (asked.email, owners[asked.owner])
        assert (row.jobs, row.makers) == (1, [house[asked.sender].user_id])
    assert {row.email_norm for row in rows.values()} <= unheard_of


def unheard(seen: Seen, heard: dict[int, httpx.Response], names: dict[str, object]) -> Seen:
    """A lead of somebody who hung up has no name."""
    return tuple(
        "unheard" if i == 1 and isinstance(item, int) and item not in heard else item for i, item in enumerate(seen)
    )


def outcome(answer: httpx.Response, names: dict[str, object]) -> Seen:
    body = answer.json()
    replayed = ("replayed",) if "Idempotency-Replayed" in answer.headers else ()
    lead_id = body.get("leadId") or body.get("existingId")
    return (answer.status_code, *([names.get(lead_id, "unheard")] if lead_id else []), *replayed)


async def ask(client: httpx.AsyncClient, database: Database, house: Sequence[Caller], asked: Asked) -> httpx.Response:
    """The answer to a request. A lead that it tells of is on disk when it comes."""
    headers = {**house[asked.sender].headers, **({"Idempotency-Key": asked.key} if asked.key else {})}
    answer = await client.post("/v1/leads", json=asked.body(house[0].user_id), headers=headers)
    if answer.status_code == 201:
        async with database.transaction(house[0].workspace_id, read_only=True) as tx:
            assert await tx.scalar(COMMITTED, {"id": UUID(answer.json()["leadId"])})
    return answer


async def create(client: httpx.AsyncClient, caller: Caller, email: str, **headers: str) -> httpx.Response:
    return await client.post("/v1/leads", json={"email": email}, headers={**caller.headers, **headers})


async def test_concurrent_requests_share_transactions_and_each_job_keeps_its_own_trace(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    traces = [f"00-{number:032x}-{number:016x}-01" for number in range(1, 41)]

    answers = await asyncio.gather(
        *(create(toys, caller, f"lead{n}@acme.com", traceparent=trace) for n, trace in enumerate(traces))
    )

    assert {answer.status_code for answer in answers} == {201}
    async with database.transaction(caller.workspace_id, read_only=True) as tx:
        assert await tx.scalar(sql("SELECT count(DISTINCT xmin::text) FROM leads")) < 30
        rows = await tx.all(sql("SELECT id, trace FROM job_executions"))
    kept = {str(row.id): row.trace["traceparent"].split("-")[1] for row in rows}
    assert [kept[answer.json()["jobId"]] for answer in answers] == [trace.split("-")[1] for trace in traces]


INSERT = sql("""
INSERT INTO leads (workspace_id, id, email, email_norm, source, search_text)
VALUES (:workspace_id, :id, 'held@acme.com', 'held@acme.com', 'test', 'held')
""")


@asynccontextmanager
async def impatient(
    cluster: Cluster, parts: ApiContext, application_url: str, queue_backend: PostgresQueueBackend
) -> AsyncIterator[tuple[httpx.AsyncClient, Any]]:
    """An API that waits half a second for a lock."""
    pool = ConnectionPool(application_url, application_name="impatient", size=5, statement_timeout=1)
    async with api_on(pool, queue_backend, parts) as opened:
        yield opened


async def test_an_address_that_is_held_elsewhere_holds_up_its_own_request_only(
    cluster: Cluster,
    parts: ApiContext,
    application_url: str,
    queue_backend: PostgresQueueBackend,
    caller: Caller,
    database: Database,
) -> None:
    async with (
        impatient(cluster, parts, application_url, queue_backend) as (client, _),
        database.transaction(caller.workspace_id) as holder,
    ):
        await holder.execute(INSERT, {"workspace_id": caller.workspace_id, "id": new_id()})
        names = ["a@acme.com", "held@acme.com", "z@acme.com"]
        answers = await asyncio.gather(*(create(client, caller, name) for name in names))

    assert [answer.status_code for answer in answers] == [201, 503, 201]
    assert answers[1].headers["Retry-After"] == "1"


async def test_more_than_may_wait_are_told_to_come_back(
    cluster: Cluster,
    parts: ApiContext,
    application_url: str,
    queue_backend: PostgresQueueBackend,
    caller: Caller,
    database: Database,
) -> None:
    async with impatient(cluster, parts, application_url, queue_backend) as (client, app):
        app.state.group_commit = GroupCommit(parts.database, parts.metrics, max_waiting=2)
        async with database.transaction(caller.workspace_id) as holder:
            await holder.execute(INSERT, {"workspace_id": caller.workspace_id, "id": new_id()})
            waiting = [asyncio.create_task(create(client, caller, f"{n}held@acme.com"[1:])) for n in range(6)]
            left = set(waiting)
            while len(left) > 2:
                _, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
        answers = await asyncio.gather(*waiting)

    refused = [answer for answer in answers if answer.status_code == 503]
    assert [answer.headers["Retry-After"] for answer in refused] == ["1"] * 4
    assert sorted(answer.status_code for answer in answers) == [409, 409, 503, 503, 503, 503]


async def test_a_connection_lost_in_the_middle_is_no_success_and_each_key_has_one_effect(
    cluster: Cluster,
    settings: Settings,
    registry: JobRegistry,
    secret_box: SecretBox,
    queue_backend: PostgresQueueBackend,
) -> None:
    async with breakable(cluster, TEMPLATE) as server:
        pool = ConnectionPool(server.url, application_name="cut", size=5, statement_timeout=30)
        database = Database(pool, queue_backend, SUBSCRIBERS)
        caller = await new_caller(database, [LEADS_WRITE])
        app = create_app(make_parts(settings, database, queue_backend, registry, secret_box))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:

            async def until_created(number: int) -> httpx.Response:
                while True:
                    answer = await create(client, caller, f"lead{number}@acme.com", **{"Idempotency-Key": f"k{number}"})
                    if answer.status_code == 201:
                        return answer
                    assert answer.status_code in {503, 409}, answer.text

            sent = [asyncio.create_task(until_created(number)) for number in range(60)]
            for _ in range(4):
                await asyncio.to_thread(server.cut)
            answers = await asyncio.gather(*sent)
        async with database.transaction(caller.workspace_id, read_only=True) as tx:
            rows = await tx.all(sql("SELECT id FROM leads ORDER BY id"))
        await database.close()

    assert [str(row.id) for row in rows] == sorted(answer.json()["leadId"] for answer in answers)


WAITS = sql("SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO leads%'")


@asynccontextmanager
async def deleted_at_the_same_instant(
    client: httpx.AsyncClient, caller: Caller, database: Database, stored: httpx.Response
) -> AsyncIterator[None]:
    """Deletes a lead after an insert of what is asked for inside met it, and before that can look it up.

    The insert goes by address. It has passed the lead by when it waits for one that sorts behind, and is held.
    """
    entered = asyncio.Event()

    async def delete() -> None:
        async with database.transaction(caller.workspace_id) as holder:
            await holder.execute(INSERT, {"workspace_id": caller.workspace_id, "id": new_id()})
            entered.set()
            await eventually(lambda: waits(database))
            headers = {**caller.headers, "If-Match": '"1"'}
            assert (await client.delete(stored.headers["Location"], headers=headers)).status_code == 204

    deletion = asyncio.create_task(delete())
    await entered.wait()
    yield
    await deletion


async def waits(database: Database) -> bool:
    async with database.statement() as connection:
        return bool(await connection.scalar(WAITS))


async def test_a_batch_takes_the_address_of_a_lead_that_is_deleted_at_the_same_instant(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    stored = await create(toys, caller, "ada@acme.com")
    names = ["ada@acme.com", "held@acme.com", "ada@acme.com", "new@acme.com"]

    async with deleted_at_the_same_instant(toys, caller, database, stored):
        leads = {"leads": [{"email": name} for name in names]}
        answer = await toys.post("/v1/leads/batch", json=leads, headers=caller.headers)

    assert answer.status_code == 200, answer.text
    first, held, second, new = answer.json()["results"]
    assert [item["status"] for item in (first, held, new)] == ["created", "duplicate", "created"]
    assert first["leadId"] != stored.json()["leadId"]
    assert second == {"status": "duplicate", "existingId": first["leadId"]}


async def test_a_request_takes_the_address_of_a_lead_that_is_deleted_at_the_same_instant(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    stored = await create(toys, caller, "ada@acme.com")

    async with deleted_at_the_same_instant(toys, caller, database, stored):
        names = ["first@acme.com", "ada@acme.com", "held@acme.com"]
        answers = await asyncio.gather(*(create(toys, caller, name) for name in names))

    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[1].json()["leadId"] != stored.json()["leadId"]


async def test_a_commit_whose_reply_is_lost_is_told_as_lost_and_not_repeated(
    cluster: Cluster, parts: ApiContext, queue_backend: PostgresQueueBackend, caller: Caller
) -> None:
    with temporary_home() as folder, CommitProxy(folder, cluster.server.socket_dir, b"doubtful") as proxy:
        pool = ConnectionPool(proxy.url(APP_ROLE, DATABASE), application_name="doubt", size=5, statement_timeout=30)
        async with api_on(pool, queue_backend, parts) as (client, _):
            proxy.mode = "cut"
            lost = await create(client, caller, "doubtful@acme.com")
            proxy.mode = "pass"
            again = await create(client, caller, "doubtful@acme.com")

    assert (lost.status_code, lost.headers["Retry-After"], proxy.cuts) == (503, "1", 1)
    assert again.status_code == 409
