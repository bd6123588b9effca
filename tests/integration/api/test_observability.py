"""Observability of the API: headers, IDs, logs, metrics, probes."""

import re

import httpx
import pytest
from structlog.testing import capture_logs

from leadflood.api.context import ApiContext
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.operator_warnings import UNTRUSTED_PROXY, recent_warnings
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.observability import TraceContext
from leadflood.kernel.queue.ports import QueueBackend
from tests.support.api import Caller, client_of, make_parts
from tests.support.memory_queue import MemoryCarrier
from tests.support.waiting import eventually

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.mark.parametrize(
    "path", ["/health", "/ready", "/metrics", "/problems", "/docs", "/v1/toys", "/v1/nothing", "/v1/toys/none"]
)
async def test_every_answer_has_the_security_headers(toys: httpx.AsyncClient, path: str) -> None:
    answer = await toys.get(path)

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers.get("Cache-Control") == ("no-store" if path.startswith("/v1/") else None)
    assert "Strict-Transport-Security" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_over_https_browsers_are_told_to_stay_there(toys: httpx.AsyncClient) -> None:
    answer = await toys.get("https://test/health")

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("given", ["my-request.1", "x" * 128])
async def test_a_request_id_comes_back(toys: httpx.AsyncClient, given: str) -> None:
    assert (await toys.get("/health", headers={"X-Request-Id": given})).headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\tb", "<script>", "é"])
async def test_an_unfit_request_id_is_replaced(toys: httpx.AsyncClient, given: str) -> None:
    answer = await toys.get("/health", headers=[("X-Request-Id", given.encode())])  # type: ignore[arg-type]

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_a_valid_traceparent_is_continued() -> None:
    trace = TraceContext.continued([f"00-{TRACE}-{PARENT}-01"])

    assert re.fullmatch(rf"00-{TRACE}-(?!{PARENT})[0-9a-f]{{16}}-01", trace.traceparent)


def test_a_newer_version_with_more_parts_is_continued() -> None:
    assert TraceContext.continued([f"cc-{TRACE}-{PARENT}-00-more"]).trace_id == TRACE


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        [f"ff-{TRACE}-{PARENT}-01"],
        [f"00-{TRACE}-{PARENT}-01-more"],
        [f"00-{'0' * 32}-{PARENT}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"00-{TRACE.upper()}-{PARENT}-01"],
        [f"00-{TRACE}-{PARENT}"],
        [f"00-{TRACE}-{PARENT}-01"] * 2,
    ],
)
def test_anything_else_starts_a_new_trace(headers: list[str]) -> None:
    trace = TraceContext.continued(headers)

    assert trace.trace_id != TRACE
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", trace.traceparent)


async def test_one_line_is_logged_a_request_without_queries_and_tokens(toys: httpx.AsyncClient, caller: Caller) -> None:
    with capture_logs() as logs:
        await toys.get("/v1/toys?colour=secret-colour", headers=caller.headers)

    [line] = [entry for entry in logs if entry["event"] == "http.request"]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/toys", 200)
    assert line["workspace_id"] == str(caller.workspace_id)
    assert line["bytes"] > 0
    assert line["duration_ms"] > 0
    assert "secret" not in str(logs)
    assert caller.token not in str(logs)


async def test_head_is_get_without_the_body(toys: httpx.AsyncClient, caller: Caller) -> None:
    got = await toys.get("/v1/toys", headers=caller.headers)
    head = await toys.head("/v1/toys", headers=caller.headers)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.content))


async def test_metrics_count_requests_by_route_and_measure_the_queue(toys: httpx.AsyncClient, caller: Caller) -> None:
    await toys.get("/v1/toys", headers=caller.headers)
    await toys.get("/v1/nothing/at/all")

    metrics = (await toys.get("/metrics")).text

    assert 'leadflood_http_requests_total{method="GET",route="/v1/toys",status="200"} 1.0' in metrics
    assert 'leadflood_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in metrics
    assert 'leadflood_http_request_duration_seconds_count{method="GET",route="/v1/toys"} 1.0' in metrics
    assert "leadflood_http_requests_in_flight 1.0" in metrics
    assert "leadflood_database_transactions_open 0.0" in metrics
    assert "leadflood_queue_up 1.0" in metrics


async def test_ready_when_database_schema_and_queue_are(toys: httpx.AsyncClient) -> None:
    answer = await toys.get("/ready")

    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["status"] == "ready"
    assert [check["name"] for check in found["checks"] if check["ok"]] == ["database", "migrations", "writes", "queue"]
    assert found["system"]["workers"] >= 0


class AbsentQueue(MemoryCarrier):
    """A queue that does not answer."""

    async def check(self) -> None:
        raise Unavailable("The queue is away.")


async def test_unready_names_what_fails(
    settings: Settings, database: Database, registry: JobRegistry, secret_box: SecretBox
) -> None:
    async with client_of(make_parts(settings, database, AbsentQueue(), registry, secret_box)) as client:
        answer = await client.get("/ready")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert [check for check in answer.json()["checks"] if not check["ok"]] == [
        {"name": "queue", "ok": False, "detail": "The queue is away."}
    ]


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        ("10.0.0.1", "192.0.2.9", "192.0.2.9"),
        ("10.0.0.1", "198.51.100.1, 192.0.2.9, 10.0.0.2", "192.0.2.9"),
        ("10.0.0.1", "not an address", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("192.0.2.50", "192.0.2.9", "192.0.2.50"),
    ],
)
async def test_only_trusted_proxies_are_believed(
    settings: Settings,
    database: Database,
    queue_backend: QueueBackend,
    registry: JobRegistry,
    secret_box: SecretBox,
    peer: str,
    forwarded: str | None,
    seen: str,
) -> None:
    behind = settings.model_copy(update={"trusted_proxies": "10.0.0.0/8, ::1"})
    parts = make_parts(behind, database, queue_backend, registry, secret_box)
    headers = {"X-Forwarded-Proto": "https"} | ({"X-Forwarded-For": forwarded} if forwarded else {})
    async with client_of(parts, client=(peer, 123)) as client:
        with capture_logs() as logs:
            answer = await client.get("/health", headers=headers)

    assert [entry["client_ip"] for entry in logs if entry["event"] == "http.request"] == [seen]
    assert ("Strict-Transport-Security" in answer.headers) is peer.startswith("10.")


async def test_a_proxy_that_is_not_trusted_is_warned_of_once(
    settings: Settings, database: Database, queue_backend: QueueBackend, registry: JobRegistry, secret_box: SecretBox
) -> None:
    peer = "172.20.0.9"
    parts = make_parts(settings, database, queue_backend, registry, secret_box)

    async def stored() -> bool:
        """Each client has a server of its own, which stores its peer again if that of an earlier test was later."""
        async with client_of(parts, client=(peer, 123)) as client:
            await client.get("/health", headers={"X-Forwarded-For": "192.0.2.9"})
        async with database.system(read_only=True) as tx:
            return (await recent_warnings(tx)).get(UNTRUSTED_PROXY) == peer

    async with client_of(parts, client=(peer, 123)) as client:
        with capture_logs() as logs:
            await client.get("/health")
            for _ in range(3):
                await client.get("/health", headers={"X-Forwarded-For": "192.0.2.9"})
    await eventually(stored)

    warned = [(log["log_level"], log["peer"]) for log in logs if log["event"] == "http.untrusted_proxy"]
    assert warned == [("warning", peer)]


async def test_pages_walk_a_list_to_its_end(toys: httpx.AsyncClient, caller: Caller) -> None:
    sizes: list[int] = []
    url: str | None = "/v1/toys?limit=3&colour=r%C3%B6d"
    while url:
        answer = await toys.get(url, headers=caller.headers)
        sizes += [item["size"] for item in answer.json()["items"]]
        link = answer.links.get("next")
        assert (link is None) is (answer.json()["nextCursor"] is None)
        url = link["url"] if link else None

    assert sizes == list(range(7))


async def test_a_cursor_is_bound_to_its_filters(toys: httpx.AsyncClient, caller: Caller) -> None:
    cursor = (await toys.get("/v1/toys?limit=3", headers=caller.headers)).json()["nextCursor"]

    fitting = await toys.get("/v1/toys", params={"cursor": cursor}, headers=caller.headers)
    foreign = await toys.get("/v1/toys", params={"cursor": cursor, "colour": "red"}, headers=caller.headers)

    assert (fitting.status_code, foreign.status_code) == (200, 400)


async def test_a_known_version_is_not_sent_again(toys: httpx.AsyncClient, caller: Caller, parts: ApiContext) -> None:
    path = f"/v1/toys/{caller.user_id}"
    tag = (await toys.get(path, headers=caller.headers)).headers["ETag"]

    known = await toys.get(path, headers={**caller.headers, "If-None-Match": f'"9", {tag}'})
    changed = await toys.get(path, headers={**caller.headers, "If-None-Match": '"9"'})

    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tag)
    assert changed.status_code == 200
