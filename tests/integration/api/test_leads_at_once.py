"""Many callers of `/v1/leads` at the same time: one effect a key, no change lost, no lead missed on a walk."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from leadflood.kernel.actor import SCOPES
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.support.api import Caller, new_caller

WRITERS = 20


async def count(database: Database, caller: Caller) -> dict[str, int]:
    async with database.transaction(caller.workspace_id, read_only=True) as tx:
        row = await tx.first(
            sql(
                "SELECT (SELECT count(*) FROM leads) AS leads, (SELECT count(*) FROM job_executions) AS jobs,"
                " (SELECT count(*) FROM outbox_events WHERE kind = 'job.queued') AS events,"
                " (SELECT count(*) FROM lead_events) AS entries"
            )
        )
    assert row is not None
    return dict(row)


async def create(client: httpx.AsyncClient, caller: Caller, email: str, **headers: str) -> httpx.Response:
    return await client.post("/v1/leads", json={"email": email}, headers={**caller.headers, **headers})


async def test_fifty_equal_requests_at_once_make_one_lead(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    key = {"Idempotency-Key": "import-7"}

    answers = await asyncio.gather(*(create(toys, caller, "ada@acme.com", **key) for _ in range(50)))
    later = await create(toys, caller, "ada@acme.com", **key)

    made = [answer for answer in answers if answer.status_code == 201]
    assert {answer.content for answer in made} == {later.content}
    assert later.headers["Idempotency-Replayed"] == "true"
    others = [answer for answer in answers if answer.status_code != 201]
    assert {answer.json()["code"] for answer in others} <= {"idempotency_in_progress"}
    assert await count(database, caller) == {"leads": 1, "jobs": 1, "events": 1, "entries": 1}


async def test_fifty_equal_requests_without_a_key_make_one_lead_and_name_it(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    answers = await asyncio.gather(*(create(toys, caller, "ada@acme.com") for _ in range(50)))

    made = [answer.json()["leadId"] for answer in answers if answer.status_code == 201]
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert (len(made), len(refused)) == (1, 49)
    assert {problem["existingId"] for problem in refused} == set(made)
    assert await count(database, caller) == {"leads": 1, "jobs": 1, "events": 1, "entries": 1}


async def test_another_workspace_s_key_is_another_key(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    stranger = await new_caller(database, sorted(SCOPES))
    key = {"Idempotency-Key": "the same"}

    ours, theirs = await asyncio.gather(
        create(toys, caller, "ada@acme.com", **key), create(toys, stranger, "grace@acme.com", **key)
    )

    assert (ours.status_code, theirs.status_code) == (201, 201)
    assert ours.json()["leadId"] != theirs.json()["leadId"]
    assert (await create(toys, caller, "grace@acme.com", **key)).json()["code"] == "idempotency_mismatch"
    assert (await count(database, caller))["leads"] == (await count(database, stranger))["leads"] == 1


async def test_no_change_of_twenty_writers_is_lost(toys: httpx.AsyncClient, caller: Caller) -> None:
    where = (await create(toys, caller, "ada@acme.com")).headers["Location"]
    statuses: Counter[int] = Counter()

    async def add_one() -> None:
        """Read, add, write back; from the start for as long as others were quicker."""
        while True:
            read = await toys.get(where, headers=caller.headers)
            seats = read.json()["customFields"].get("seats", 0)
            headers = {**caller.headers, "If-Match": read.headers["ETag"]}
            written = await toys.patch(where, json={"customFields": {"seats": seats + 1}}, headers=headers)
            statuses[written.status_code] += 1
            if written.status_code != 412:
                assert written.status_code == 200, written.text
                return
            assert written.json()["code"] == "version_conflict"

    await asyncio.gather(*(add_one() for _ in range(WRITERS)))

    lead = (await toys.get(where, headers=caller.headers)).json()
    assert (lead["customFields"]["seats"], lead["version"]) == (WRITERS, WRITERS + 1)
    assert (statuses[200], set(statuses)) == (WRITERS, {200, 412})


async def test_of_twenty_equal_writers_one_wins(toys: httpx.AsyncClient, caller: Caller) -> None:
    where = (await create(toys, caller, "ada@acme.com")).headers["Location"]
    headers = {**caller.headers, "If-Match": '"1"'}

    answers = await asyncio.gather(
        *(toys.patch(where, json={"company": f"Acme {n}"}, headers=headers) for n in range(WRITERS))
    )

    won = [answer.json()["company"] for answer in answers if answer.status_code == 200]
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: WRITERS - 1}
    lead = (await toys.get(where, headers=caller.headers)).json()
    assert ([lead["company"]], lead["version"]) == (won, 2)


@pytest.mark.parametrize("sort", ["-createdAt", "email"])
@pytest.mark.parametrize("search", [{}, {"q": "walk"}], ids=["list", "search"])
async def test_a_walk_misses_nothing_that_was_there_and_shows_nothing_twice(
    toys: httpx.AsyncClient, caller: Caller, sort: str, search: dict[str, str]
) -> None:
    lasting = {await new_lead(toys, caller) for _ in range(40)}
    passing = [await new_lead(toys, caller) for _ in range(20)]
    seen: list[str] = []

    url: str | None = str(httpx.URL("/v1/leads", params={"limit": 7, "sort": sort, **search}))
    while url:
        page = await toys.get(url, headers=caller.headers)
        assert page.status_code == 200, page.text
        seen += [lead["id"] for lead in page.json()["items"]]
        url = page.links["next"]["url"] if "next" in page.links else None
        assert (url is None) == (page.json()["nextCursor"] is None)
        await asyncio.gather(*(new_lead(toys, caller) for _ in range(4)))
        for lead in passing[:2]:
            await toys.delete(f"/v1/leads/{lead}", headers={**caller.headers, "If-Match": '"1"'})
        del passing[:2]

    assert len(seen) == len(set(seen))
    assert lasting <= set(seen)


async def new_lead(client: httpx.AsyncClient, caller: Caller) -> str:
    """A lead that a search for `walk` finds, anywhere in the order of addresses."""
    answer = await create(client, caller, f"walk.{new_id().hex[::-1]}@acme.com")
    found: dict[str, Any] = answer.json()
    return str(found["leadId"])


@pytest.mark.parametrize(
    "spoil",
    [lambda c: c[:-1], lambda c: ("B" if c[0] == "A" else "A") + c[1:], lambda c: c + "=", lambda c: c.swapcase()],
)
async def test_a_cursor_that_was_tampered_with_is_refused(
    toys: httpx.AsyncClient,
    caller: Caller,
    spoil: Any,  # noqa: ANN401  what is done to it
) -> None:
    for _ in range(2):
        await new_lead(toys, caller)
    first = (await toys.get("/v1/leads", params={"limit": 1}, headers=caller.headers)).json()

    bad = await toys.get("/v1/leads", params={"cursor": spoil(first["nextCursor"])}, headers=caller.headers)
    other_sort = {"cursor": first["nextCursor"], "sort": "email"}
    elsewhere = await toys.get("/v1/leads", params=other_sort, headers=caller.headers)

    for answer in (bad, elsewhere):
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_cursor")
