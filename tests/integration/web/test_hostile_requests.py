"""Hostile values in every input of every page and every operation: a 4xx in the worst case, and no fault of ours."""

import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count
from types import ModuleType
from urllib.parse import quote_from_bytes

import httpx
import pytest
from structlog.testing import capture_logs

from leadflood.api.routing import EdgeRoute
from leadflood.bootstrap import api_routers, page_modules
from leadflood.kernel.actor import Role
from leadflood.kernel.schema import Schema
from leadflood.web.cookies import SESSION, VISITOR, csrf_token
from leadflood.web.pipeline import PageRoute
from tests.integration.web.conftest import House
from tests.support.examples import NIGHTLY
from tests.support.identity import make_operator
from tests.support.tenants import bearer, new_session
from tests.support.web import ORIGIN, Browser

VALUES: Sequence[bytes] = (
    b"\0",
    b"a\0b",
    b"\xff\xfe",
    b"\xed\xa0\x80",  # a lone surrogate
    b"",
    b" ",
    b"9" * 5_000,
    b"-1",
    b"99999999999999999999",
    b"1e400",
    b"NaN",
    "٣²".encode(),
    b"0001-01-01T00:00:00+14:00",
    b"9999-12-31T23:59:59-14:00",
    b"9999-12-31",
    b"0001-01-01",
    b"00000000-0000-0000-0000-000000000000",
    b"x" * 10_000,
    "🐻\u202e\ufeff\ufffe".encode(),
    b"a\r\nSet-Cookie: x=y",
    b"[]",
    b'{"a": [1]}',
    b"../../etc/passwd",
    b"%00%ff",
    b"' OR 1=1 --",
    "\u0301".encode() * 500,
    b"//evil.test",
)
STEP = 1 if NIGHTLY else 12
"""Each page and operation gets every 12th rotation of the values; its neighbor in the list gets the next one."""
LITERALS: Sequence[object] = (None, [], {}, -1, 1e308, 10**20, ["\0"], {"a": [1]}, True, 0.5, "")
HEADERS: Sequence[tuple[str, Sequence[bytes]]] = (
    ("Origin", (b"http://[", b"null", b"\xff", b"https://leadflood.test:99999999", b"x" * 5_000, b"//", b"")),
    ("Referer", (b"http://[::1", b"\xff\xfe", b"https://[v1.x]:y/", b"")),
    ("Cookie", (b"\xff=\xff", b"=;;=;", f"{SESSION}=\xff".encode("latin-1"), f"{VISITOR}=\xe9".encode("latin-1"))),
    ("Accept", (b"\xff", b"*" * 5_000)),
    ("Accept-Encoding", (b"gzip;q=\xff", b"br;q=9e999, gzip", b"\0")),
    ("If-Match", (b'"' + b"9" * 5_000 + b'"', b"\xff", b'"x"', b"*")),
    ("If-None-Match", (b"\xff", b'W/"', b"*")),
    ("Range", (b"bytes=9-1", b"bytes=" + b"9" * 5_000 + b"-", b"\xff")),
    (
        "Content-Type",
        (b"multipart/form-data", b"multipart/form-data; boundary=\xff", b"\xff", b"application/json; charset=x"),
    ),
    ("HX-Target", (b"\xff\xfe", b"../../x", b"__class__", b"x" * 5_000)),
    ("HX-Current-URL", (b"http://[", b"\xff")),
    ("X-CSRF-Token", (b"\xff", b"=" * 50, b"A" * 44)),
    ("Idempotency-Key", (b"\xff", b" ", b"x" * 256)),
    ("Authorization", (b"Bearer \xff", b"Basic x", b"Bearer", b"\xff")),
    ("X-Request-Id", (b"\xff", b"x" * 500)),
    ("traceparent", (b"\xff", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-00")),
    ("X-Forwarded-For", (b"\xff", b"1.2.3.4.5")),
    ("User-Agent", (b"\xff\xfe", b"x" * 5_000, b"\0")),
    ("Sec-Fetch-Site", (b"\xff", b"cross-site")),
    ("X-Live", (b"\xff",)),
    ("Content-Length", (b"-1", b"x", b"9" * 30)),
)
METHODS = ("GET", "POST", "PUT", "OPTIONS", "HEAD", "TRACE", "FOO")
_READS = re.compile(
    r"""(?:query(?:\.get)?|value|values|checked|number|id|after|get|cookies)[(\[]\s*f?["']([\w.-]+)["']"""
)
_FAULTS = {"http.exception", "web.exception"}


def names_of(rule: PageRoute) -> list[str]:
    """Query and form fields that a page's module and its imports read, and the fields of their contracts."""
    module = sys.modules[inspect.unwrap(rule.handler).__module__]
    used = [var for var in vars(module).values() if isinstance(var, ModuleType) and ".web." in var.__name__]
    found = set(chain.from_iterable(_READS.findall(inspect.getsource(item)) for item in (module, *used)))
    contracts = [var for var in vars(module).values() if isinstance(var, type) and issubclass(var, Schema)]
    return sorted(found | set(chain.from_iterable(map(fields_of, contracts))) | {"customFields.x", "unknown"})


def fields_of(contract: type[Schema]) -> list[str]:
    return [field.alias or name for name, field in contract.model_fields.items()]


def mixtures(names: Sequence[str], nth: int) -> Iterator[list[tuple[str, bytes]]]:
    """All names with values that change from turn to turn. In every second turn, half of the names are left out."""
    for turn in range(nth % STEP, len(VALUES), STEP):
        every = [(name, VALUES[(turn + place) % len(VALUES)]) for place, name in enumerate(names)]
        yield every[turn // STEP % 2 :: 2] if turn // STEP % 2 else every


def encoded(pairs: Iterable[tuple[str, bytes]]) -> bytes:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in pairs).encode()


def header_of(turn: int) -> dict[str, bytes]:
    """One header with one of its values, for every third turn."""
    name, values = HEADERS[turn // 3 % len(HEADERS)]
    return {} if turn % 3 else {name: values[turn // 3 // len(HEADERS) % len(values)]}


def place_of(path: str, known: object, turn: int) -> str:
    """A path whose parameters are ids, in every tenth turn hostile ones."""
    hostile = quote_from_bytes(VALUES[turn // 10 % len(VALUES)][:2000], safe="")
    return re.sub(r"{\w+}", str(known) if turn % 10 else hostile or "x", path)


async def send(
    client: httpx.AsyncClient, method: str, target: str, headers: dict[str, bytes], content: bytes = b""
) -> httpx.Response:
    """A request that is sent as it is, whatever it holds. The target is in ASCII."""
    request = client.build_request("POST", "/", content=content)
    request.method = method
    request.url = request.url.copy_with(raw_path=target.encode())
    given = {name.lower().encode(): value for name, value in headers.items()}
    kept = [(name, value) for name, value in request.headers.raw if name.lower() not in given]
    request.headers = httpx.Headers([*kept, *given.items()])
    return await client.send(request)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR", "httpx")


async def test_no_page_breaks(house: House) -> None:
    user_id, _ = await house.member(Role.OWNER)
    await make_operator(house.parts.database, user_id)
    lead, turns = await house.lead("ada@acme.com"), count()
    shown = 0

    async def ctx(rule: PageRoute, pairs: list[tuple[str, bytes]], browser: Browser, anchor: str) -> int:
        turn = next(turns)
        headers = header_of(turn) | ({"HX-Request": b"true", "HX-Target": b"main"} if turn % 4 == 0 else {})
        path = place_of(rule.path, lead, turn)
        if rule.method == "GET":
            answer = await send(browser.client, "GET", f"{path}?{encoded(pairs).decode()}", headers)
        else:
            token = csrf_token(house.parts.secret_box, anchor)
            form = b"csrf=%b&%b" % (token.encode(), encoded(pairs))
            usual = {"Origin": ORIGIN.encode(), "Content-Type": b"application/x-www-form-urlencoded"}
            answer = await send(browser.client, "POST", path, usual | headers, form)
        assert answer.status_code < 500, (rule.method, path, headers, pairs)
        return answer.status_code

    with capture_logs() as logs:
        for nth, rule in enumerate(rule for pages in page_modules() for rule in pages.rules):
            browser = await house.enter(user_id, Role.OWNER)
            anchor = browser.client.cookies[SESSION]
            shown += 200 in [await ctx(rule, pairs, browser, anchor) for pairs in mixtures(names_of(rule), nth)]
            for method in METHODS:
                answer = await send(browser.client, method, place_of(rule.path, lead, 1), {})
                assert answer.status_code < 500, (method, rule.path)
    assert shown > 20
    assert [log for log in logs if log["event"] in _FAULTS] == []


async def test_no_operation_breaks(house: House) -> None:
    user_id, _ = await house.member(Role.OWNER)
    lead, turns = await house.lead("ada@acme.com"), count()
    browser = await house.stranger()
    routes = [route for router in api_routers() for route in router.routes if isinstance(route, EdgeRoute)]
    with capture_logs() as logs:
        for nth, route in enumerate(routes):
            _, token = await new_session(house.parts.database, house.workspace_id, user_id)
            contract = getattr(route.body_field and route.body_field.field_info, "annotation", None)
            fields = fields_of(contract) if isinstance(contract, type) and issubclass(contract, Schema) else []
            names = [*sorted(route._query_parameters), *fields]
            for pairs in mixtures(names, nth):
                turn = next(turns)
                query = encoded(pair for pair in pairs if pair[0] not in fields).decode()
                body: dict[str, object] = {
                    name: value.decode("utf-8", "replace") for name, value in pairs if name in fields
                }
                if turn % 2:
                    body = {name: LITERALS[(turn + place) % len(LITERALS)] for place, name in enumerate(body)}
                [method] = (route.methods or {"GET"}) - {"HEAD"}
                headers = {"Content-Type": b"application/json", "If-Match": b'"1"'} | header_of(turn)
                headers = {"Authorization": bearer(token)["Authorization"].encode()} | headers
                content = json.dumps(body).encode() if fields else b""
                path = place_of(route.path, lead, turn)
                answer = await send(browser.client, method, f"{path}?{query}", headers, content)
                assert answer.status_code < 500 or answer.status_code == 503, (method, path, query, headers, body)
    assert [log for log in logs if log["event"] in _FAULTS] == []
