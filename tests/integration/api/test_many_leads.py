"""`POST /v1/leads/batch` and `/v1/leads/stream`: many leads, each for itself."""

import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from leadflood.api.context import ApiContext
from leadflood.api.lead_stream import LineSplitter
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.idempotency import MAX_STORED_BYTES
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import Priority
from tests.support.api import Caller, client_of

NDJSON = {"Content-Type": "application/x-ndjson"}
Json = dict[str, Any]


async def batch(client: httpx.AsyncClient, caller: Caller, *leads: object, **headers: str) -> httpx.Response:
    return await client.post("/v1/leads/batch", json={"leads": leads}, headers={**caller.headers, **headers})


async def stream(client: httpx.AsyncClient, caller: Caller, *pieces: bytes) -> list[Json]:
    async def content() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    answer = await client.post("/v1/leads/stream", content=content(), headers={**caller.headers, **NDJSON})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/x-ndjson"), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def held(database: Database, caller: Caller) -> tuple[int, ...]:
    """Leads, jobs, outbox events, entries of timelines."""
    async with database.transaction(caller.workspace_id, read_only=True) as tx:
        row = await tx.first(
            sql(
                "SELECT (SELECT count(*) FROM leads), (SELECT count(*) FROM job_executions),"
                " (SELECT count(*) FROM outbox_events WHERE kind = 'job.queued'), (SELECT count(*) FROM lead_events)"
            )
        )
    assert row is not None
    return tuple(row)


async def test_each_lead_of_a_batch_gets_its_own_result_in_order(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    stored = (await toys.post("/v1/leads", json={"email": "stored@acme.com"}, headers=caller.headers)).json()["leadId"]

    answer = await batch(
        toys,
        caller,
        {"email": "ada@acme.com", "firstName": "Ada"},
        {"email": "stored@acme.com"},
        {"email": "nobody", "colour": "red"},
        {"email": "ADA@acme.com"},
        {"email": "grace@acme.com", "ownerId": str(new_id())},
        17,
        {"email": "grace@acme.com", "ownerId": str(caller.user_id)},
    )

    assert answer.status_code == 200, answer.text
    assert {name: answer.json()[name] for name in ("created", "duplicate", "invalid")} == {
        "created": 2,
        "duplicate": 2,
        "invalid": 3,
    }
    made, known, faulty, again, stranger, nothing, owned = answer.json()["results"]
    assert (made["status"], known, owned["status"]) == (
        "created",
        {"status": "duplicate", "existingId": stored},
        "created",
    )
    assert again == {"status": "duplicate", "existingId": made["leadId"]}
    assert {error["pointer"] for error in faulty["errors"]} == {"/email", "/colour"}
    assert [error["pointer"] for error in stranger["errors"]] == ["/ownerId"]
    assert nothing["errors"][0]["pointer"] == ""
    assert await held(database, caller) == (3, 3, 3, 3)
    lead = (await toys.get(f"/v1/leads/{made['leadId']}", headers=caller.headers)).json()
    assert (lead["firstName"], lead["source"], lead["status"]) == ("Ada", "api", "new")


async def test_the_leads_of_a_batch_are_enriched_after_a_single_one(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    single = await toys.post("/v1/leads", json={"email": "single@acme.com"}, headers=caller.headers)
    many = await batch(toys, caller, {"email": "ada@acme.com"}, {"email": "grace@acme.com"})

    async with database.transaction(caller.workspace_id, read_only=True) as tx:
        rows = await tx.all(sql("SELECT subject_id, priority FROM job_executions"))
    bulk = {result["leadId"]: Priority.BULK for result in many.json()["results"]}
    assert {str(row.subject_id): row.priority for row in rows} == {single.json()["leadId"]: Priority.NORMAL, **bulk}


async def test_a_repeated_batch_has_one_effect_and_the_same_answer(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    leads = [{"email": f"lead{n}@acme.com"} for n in range(1000)]
    first = await batch(toys, caller, *leads, **{"Idempotency-Key": "b"})
    second = await batch(toys, caller, *leads, **{"Idempotency-Key": "b"})

    assert first.json()["created"] == 1000
    assert (second.content, second.headers["Idempotency-Replayed"]) == (first.content, "true")
    assert await held(database, caller) == (1000,) * 4


@pytest.mark.parametrize("number", [0, 1001])
async def test_a_batch_has_limits(toys: httpx.AsyncClient, caller: Caller, number: int) -> None:
    answer = await batch(toys, caller, *[{"email": f"lead{n}@acme.com"} for n in range(number)])

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/leads")


async def test_a_batch_may_be_larger_than_other_bodies(toys: httpx.AsyncClient, caller: Caller) -> None:
    leads = [{"email": f"lead{n}@acme.com", "customFields": {"note": "x" * 2000}} for n in range(900)]

    assert (await batch(toys, caller, *leads)).json()["created"] == 900


async def test_every_line_of_a_stream_is_answered_with_its_number(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    results = await stream(
        toys,
        caller,
        b'{"email": "ada@acme.com"}\n{"email": "gra',
        b'ce@acme.com"}\r\n\n{"email": \n{"email": "nobody"}\n[]\n{"email": "x@acme.com", "email": "y@acme.com"}\n',
        b'{"email": "ada@acme.com"}',
    )

    assert [(result.get("line"), result["status"]) for result in results] == [
        (1, "created"),
        (2, "created"),
        (4, "invalid"),
        (5, "invalid"),
        (6, "invalid"),
        (7, "invalid"),
        (8, "duplicate"),
        (None, "done"),
    ]
    assert results[-1] == {"status": "done", "lines": 8, "created": 2, "duplicate": 1, "invalid": 4}
    assert await held(database, caller) == (2,) * 4


async def test_a_line_that_is_too_long_is_invalid_and_ends_nothing(toys: httpx.AsyncClient, caller: Caller) -> None:
    long = [b"x" * 500_000] * 3

    results = await stream(toys, caller, b'{"email": "', *long, b'"}\n{"email": "ada@acme.com"}\n')

    assert [result["status"] for result in results] == ["invalid", "created", "done"]
    assert results[0]["errors"][0]["code"] == "too_long"


def test_lines_are_cut_in_constant_memory() -> None:
    lines = LineSplitter(max_bytes=10)
    for _ in range(1000):
        assert list(lines.take(b"x" * 1000)) == []
        assert len(lines._begun) <= 10
    assert list(lines.take(b"\nabc\n\nd")) == [(1, None), (2, b"abc")]
    assert list(lines.rest()) == [(4, b"d")]


async def test_a_stream_that_is_no_ndjson_is_refused(toys: httpx.AsyncClient, caller: Caller) -> None:
    answer = await toys.post("/v1/leads/stream", json={"email": "ada@acme.com"}, headers=caller.headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert answer.headers["Accept"] == "application/x-ndjson"


async def test_an_empty_stream_is_done(toys: httpx.AsyncClient, caller: Caller) -> None:
    assert await stream(toys, caller) == [{"status": "done", "lines": 0, "created": 0, "duplicate": 0, "invalid": 0}]


async def test_more_is_read_only_when_what_came_before_is_on_disk(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    seen: list[int] = []

    async def content() -> AsyncIterator[bytes]:
        for number in range(5):
            yield f'{{"email": "lead{number}@acme.com"}}\n'.encode()
            seen.append((await held(database, caller))[0])

    answer = await toys.post("/v1/leads/stream", content=content(), headers={**caller.headers, **NDJSON})

    assert answer.text.count('"created"') == 6
    assert seen == [1, 2, 3, 4, 5]


class Away(Database):
    """A database that goes away after some transactions."""

    left = 1

    def transaction(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401  as the real one
        self.left -= 1
        if self.left < 0:
            raise Unavailable("The database cannot be reached. Try again shortly.")
        return super().transaction(*args, **options)


@pytest.mark.parametrize("left", [0, 1])
async def test_a_stream_that_cannot_go_on_says_from_where(
    parts: ApiContext, caller: Caller, database: Database, left: int
) -> None:
    away = Away(database.pool, database._publisher, database.subscribers)
    away.left = left
    lines = [f'{{"email": "lead{n}@acme.com"}}\n'.encode() for n in range(1, 4)]

    async def content() -> AsyncIterator[bytes]:
        for line in lines:
            yield line

    async with client_of(parts) as client:
        await client.get("/v1/leads", headers=caller.headers)  # so that the use of the key is noted already
        client._transport.app.state.parts = dataclasses.replace(parts, database=away)  # type: ignore[attr-defined]
        answer = await client.post("/v1/leads/stream", content=content(), headers={**caller.headers, **NDJSON})

    if left == 0:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        return
    results = [json.loads(line) for line in answer.text.splitlines()]
    assert [result["status"] for result in results] == ["created", "failed"]
    assert (results[1]["line"], results[1]["code"]) == (2, "unavailable")
    assert await held(database, caller) == (1,) * 4


async def test_an_answer_that_is_too_large_is_not_kept_and_its_effect_stays_single(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    broken = {f"field{n}": n for n in range(10)}
    body = {"leads": [{"email": "ada@acme.com"}, *[broken] * 999]}
    headers = {**caller.headers, "Idempotency-Key": "large"}

    first = await toys.post("/v1/leads/batch", json=body, headers=headers)
    again = await toys.post("/v1/leads/batch", json=body, headers=headers)

    assert (first.status_code, first.json()["created"]) == (200, 1)
    assert len(first.content) > MAX_STORED_BYTES
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_response_not_stored")
    assert again.headers["Idempotency-Replayed"] == "true"
