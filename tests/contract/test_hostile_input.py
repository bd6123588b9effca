"""Hostile and mistaken input of `/v1/leads`: the right 4xx that names all errors, or the text stored unchanged."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from leadflood.kernel.field_types import MAX_TEXT
from leadflood.kernel.ids import new_id
from leadflood.kernel.text import InvalidValue, clean_block, clean_line, is_blank
from tests.support import naughty
from tests.support.tenants import Tenant, bearer, unread

JSON = {"Content-Type": "application/json"}
TEXTS = ("firstName", "lastName", "company", "jobTitle")
"""Fields that hold whatever text a person writes."""
FORMATS = ("email", "phone", "website", "country", "source", "ownerId")
"""Fields whose text has a form."""


@dataclass
class Lead:
    """A lead that is changed again and again."""

    url: str
    version: str = '"1"'


@pytest.fixture
async def lead(api: httpx.AsyncClient, ours: Tenant) -> Lead:
    created = await api.post("/v1/leads", json={"email": address()}, headers=bearer(ours.session))
    return Lead(created.headers["Location"])


def address() -> str:
    return f"u{new_id().hex}@acme.com"


async def send(
    api: httpx.AsyncClient,
    ours: Tenant,
    lead: Lead,
    method: str,
    headers: Mapping[str, str] = JSON,
    **body: Any,  # noqa: ANN401  json or content, as httpx takes them
) -> httpx.Response:
    if method == "POST":
        return await api.post("/v1/leads", headers={**bearer(ours.session), **headers}, **body)
    headers = {**bearer(ours.session), "If-Match": lead.version, **headers}
    answer = await api.patch(lead.url, headers=headers, **body)
    lead.version = answer.headers.get("ETag", lead.version)
    return answer


async def change(
    api: httpx.AsyncClient,
    ours: Tenant,
    lead: Lead,
    **fields: Any,  # noqa: ANN401  JSON of any shape
) -> httpx.Response:
    return await send(api, ours, lead, "PATCH", content=json.dumps(fields).encode())


def faults(answer: httpx.Response) -> set[tuple[str, str]]:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    assert all(error["message"] for error in answer.json()["errors"])
    return {(error["pointer"], error["code"]) for error in answer.json()["errors"]}


SIX_FAULTS: dict[str, Any] = {
    "email": "ada",
    "firstName": 7,
    "company": "x" * 201,
    "phone": "none",
    "country": "Atlantis",
    "website": "ftp://acme.com",
    "customFields": {"ok": 1, "no good": 2, "list": [1], "text": "x" * 2001},
    "isAdmin": True,
}
NAMED = {
    ("/email", "invalid_format"),
    ("/firstName", "wrong_type"),
    ("/company", "too_long"),
    ("/country", "invalid_format"),
    ("/website", "invalid_format"),
    ("/customFields/no good", "invalid_format"),
    ("/customFields/list", "wrong_type"),
    ("/customFields/text", "too_long"),
    ("/isAdmin", "unknown_field"),
}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_every_field_at_fault_is_named_at_once(
    api: httpx.AsyncClient, ours: Tenant, lead: Lead, method: str
) -> None:
    answer = await send(api, ours, lead, method, json=SIX_FAULTS)

    assert answer.status_code == 400
    assert {fault for fault in faults(answer) if fault[0] != "/phone"} == NAMED
    assert any(pointer == "/phone" for pointer, _ in faults(answer))


def wrong_types() -> Iterator[tuple[str, Any]]:
    no_texts: list[Any] = [0, 1.5, True, [], {}, ["x"], {"x": 1}]
    no_objects: list[Any] = [0, "x", True, [], ["x"]]
    yield from ((name, value) for name in (*TEXTS, *FORMATS) for value in no_texts)
    yield from (("customFields", value) for value in no_objects)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_value_of_the_wrong_type_is_refused_by_its_name(
    api: httpx.AsyncClient, ours: Tenant, lead: Lead, method: str
) -> None:
    for name, value in wrong_types():
        answer = await send(api, ours, lead, method, json={"email": address(), name: value})
        assert (answer.status_code, {pointer for pointer, _ in faults(answer)}) == (400, {f"/{name}"}), (name, value)


BODIES: Mapping[str, tuple[bytes, str]] = {
    "cut off": (b'{"email": "ada@acme.com"', "invalid_json"),
    "spaces": (b"   ", "invalid_json"),
    "array": (b'[{"email": "ada@acme.com"}]', "wrong_type"),
    "null": (b"null", "wrong_type"),
    "text": (b'"ada@acme.com"', "wrong_type"),
    "number": (b"1", "wrong_type"),
    "same name twice": (b'{"email": "a@acme.com", "email": "b@acme.com"}', "invalid_json"),
    "same name twice, escaped": (b'{"email": "a@acme.com", "\\u0065mail": "b@acme.com"}', "invalid_json"),
    "deep": (b'{"customFields":' * 5_000 + b"1" + b"}" * 5_000, "invalid_json"),
    "deep list": (b'{"email":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "invalid_json"),
    "lone surrogate": (b'{"email": "a@acme.com", "company": "\\ud800"}', "invalid_json"),
    "lone surrogate as a name": (b'{"\\udfff": 1}', "invalid_json"),
    "no utf-8": (b'{"email": "a@acme.com", "company": "\xff\xfe"}', "invalid_json"),
    "utf-16": ('{"email": "a@acme.com"}'.encode("utf-16"), "invalid_json"),
    "NUL": (b'{"email": "a@acme.com", "company": "a\\u0000b"}', "invalid_characters"),
    "raw NUL": (b'{"email": "a@acme.com", "company": "a\x00b"}', "invalid_json"),
    "a number of many digits": (
        b'{"email": "a@acme.com", "customFields": {"n": ' + b"9" * 4_000 + b"}}",
        "out_of_range",
    ),
    "a number beyond all": (b'{"email": "a@acme.com", "customFields": {"n": 1e400}}', "out_of_range"),
    "not a number": (b'{"email": "a@acme.com", "customFields": {"n": NaN}}', "invalid_json"),
    "prototype": (b'{"email": "a@acme.com", "__proto__": {"isAdmin": true}}', "unknown_field"),
    "python": (b'{"email": "a@acme.com", "__class__": "x", "first_name": "Ada"}', "unknown_field"),
    "a thousand fields": (json.dumps({f"field{n}": n for n in range(1_000)}).encode(), "unknown_field"),
    "a name of 100 kB": (json.dumps({"x" * 100_000: 1}).encode(), "unknown_field"),
}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_is_none_is_refused_shortly(
    api: httpx.AsyncClient, ours: Tenant, lead: Lead, method: str, name: str
) -> None:
    content, code = BODIES[name]
    before = await unread(ours.database, ours.workspace_id)

    answer = await send(api, ours, lead, method, content=content)

    assert answer.status_code == 400, answer.text
    assert code in {code for _, code in faults(answer)}
    assert len(answer.content) < 50_000
    assert await unread(ours.database, ours.workspace_id) == before


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_body_is_neither_too_large_nor_something_else_nor_missing(
    api: httpx.AsyncClient, ours: Tenant, lead: Lead, method: str
) -> None:
    large = await send(api, ours, lead, method, content=json.dumps({"company": "x" * 10_000_000}).encode())
    form = await send(api, ours, lead, method, {"Content-Type": "text/csv"}, content=b"email\nada@acme.com\n")
    untyped = await send(api, ours, lead, method, {}, content=b'{"email": "ada@acme.com"}')
    missing = await send(api, ours, lead, method)
    empty = await send(api, ours, lead, method, json={})

    assert [answer.status_code for answer in (large, form, untyped, missing, empty)] == [413, 415, 415, 400, 400]
    assert faults(missing) == {("", "required")}
    assert faults(empty) == {("/email" if method == "POST" else "", "required")}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_lengths_are_held_to_the_character(api: httpx.AsyncClient, ours: Tenant, lead: Lead, method: str) -> None:
    for name, longest in (*((name, 200) for name in TEXTS), ("phone", 100), ("website", 2048), ("country", 100)):
        answer = await send(api, ours, lead, method, json={"email": address(), name: "x" * 100_000})
        assert (answer.status_code, faults(answer)) == (400, {(f"/{name}", "too_long")}), name
        answer = await send(api, ours, lead, method, json={"email": address(), name: "🐻" * longest})
        if name in TEXTS:
            assert answer.status_code in {200, 201}, name
            over = await send(api, ours, lead, method, json={"email": address(), name: "🐻" * (longest + 1)})
            assert faults(over) == {(f"/{name}", "too_long")}


def cleaned(text: str, clean: Callable[..., str], longest: int) -> str | None:
    """The text as it is stored, or None where it cannot be."""
    try:
        return clean(text, max_length=longest)
    except InvalidValue:
        return None


@naughty.texts
async def test_naughty_text_is_kept_as_it_is_or_refused_by_its_name(
    api: httpx.AsyncClient, ours: Tenant, lead: Lead, texts: naughty.Texts
) -> None:
    for text in texts():
        name, block = cleaned(text, clean_line, 200), cleaned(text, clean_block, MAX_TEXT)
        clears = is_blank(text)
        answer = await change(api, ours, lead, **dict.fromkeys(TEXTS, text), customFields={"text": text})
        if name is None and not clears:
            assert answer.status_code == 400, text
            refused = {f"/{item}" for item in TEXTS} | ({"/customFields/text"} if block is None else set())
            assert {pointer for pointer, _ in faults(answer)} in ({""}, refused), text
            answer = await change(api, ours, lead, customFields={"text": text})
        assert answer.status_code == (400 if block is None else 200), (text, answer.text)
        if block is not None:
            stored = (await api.get(lead.url, headers=bearer(ours.session))).json()
            assert stored["customFields"]["text"] == block
            assert (name is None and not clears) or [stored[item] for item in TEXTS] == [name] * len(TEXTS)


@naughty.texts
async def test_naughty_text_breaks_no_field_that_has_a_form(
    api: httpx.AsyncClient, ours: Tenant, lead: Lead, texts: naughty.Texts
) -> None:
    accepted = 0
    for text in texts():
        answer = await change(api, ours, lead, **dict.fromkeys(FORMATS, text))
        assert answer.status_code == 400, (text, answer.text)
        pointers = {pointer for pointer, _ in faults(answer)}
        assert pointers <= {"", *(f"/{name}" for name in FORMATS)}
        sound = [name for name in FORMATS if f"/{name}" not in pointers and pointers != {""} and name != "phone"]
        if sound:
            accepted += 1
            answer = await change(api, ours, lead, **dict.fromkeys(sound, text))
            assert answer.status_code in {200, 409}, (text, answer.text)
    assert accepted > 10


@naughty.texts
async def test_naughty_text_breaks_no_list(api: httpx.AsyncClient, ours: Tenant, texts: naughty.Texts) -> None:
    formed = ("source", "status", "ownerId", "createdFrom", "updatedUntil", "sort", "limit")
    for text in texts():
        raw = text.encode("utf-8", "surrogatepass")
        for names in (["q"], formed, ["cursor"], [text]):
            answer = await api.get("/v1/leads", params=dict.fromkeys(names, raw), headers=bearer(ours.session))
            assert answer.status_code in {200, 400}, (text, answer.text)
            if answer.status_code == 400 and names != [text]:
                assert {pointer for pointer, _ in faults(answer)} <= {f"?{name}" for name in names}, text


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "99999-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01",
        "1e9",
        "-infinity",
        "now",
    ],
)
async def test_a_far_off_time_is_a_time_or_refused(api: httpx.AsyncClient, ours: Tenant, moment: str) -> None:
    for name in ("createdFrom", "createdUntil", "updatedFrom", "updatedUntil"):
        for search in ({}, {"q": "ada"}):
            answer = await api.get("/v1/leads", params={name: moment, **search}, headers=bearer(ours.session))
            assert answer.status_code in {200, 400}, answer.text
            assert answer.status_code == 200 or faults(answer) == {(f"?{name}", "invalid_format")}


@pytest.mark.parametrize("value", ["-1", "0", "201", "1e3", "99999999999999999999", "1.0", "०", "", "NaN", " 1"])
async def test_a_page_size_is_a_plain_number_within_bounds(api: httpx.AsyncClient, ours: Tenant, value: str) -> None:
    answer = await api.get("/v1/leads", params={"limit": value}, headers=bearer(ours.session))

    assert answer.status_code in {200, 400}
    assert answer.status_code == 200 or {pointer for pointer, _ in faults(answer)} == {"?limit"}


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": "*"},
        {"If-Match": '"1", "2"'},
        {"If-Match": 'W/"1"'},
        {"If-Match": '"99999999999999999999"'},
        {"If-Match": "\xff"},
        {"If-Match": ""},
        {"Idempotency-Key": "é"},
        {"Idempotency-Key": "x" * 300},
        {"traceparent": "00-zz-zz-01"},
        {"traceparent": "x" * 5_000},
        {"X-Request-Id": "a\tb"},
        {"X-Request-Id": "x" * 5_000},
        {"Accept": "text/html"},
        {"Accept-Encoding": "br;q=x"},
        {"Accept-Language": "\xe9"},
        {"User-Agent": "\xff" * 3_000},
        {"Content-Length": "abc"},
        {"X-Forwarded-For": "999.1.1.1, \xff"},
        {"Host": "evil.test:99999"},
        {"Content-Encoding": "gzip"},
    ],
    ids=str,
)
async def test_a_weird_header_is_refused_or_passed_over(
    api: httpx.AsyncClient, ours: Tenant, lead: Lead, headers: dict[str, str]
) -> None:
    raw = {name: value.encode("latin-1") for name, value in {**bearer(ours.session), **JSON, **headers}.items()}

    sent: Any = {"If-Match": b'"1"', **raw}
    answer = await api.patch(lead.url, content=b'{"company": "Acme"}', headers=sent)

    assert answer.status_code in {200, 400, 412, 415}, answer.text
    assert answer.status_code == 200 or faults(answer) is not None
