"""HTTP requests in a workspace with many leads: lists, filters, searches, and whether an address exists."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from urllib.parse import urlencode

from leadflood.kernel.clock import monotonic
from tests.bench.client import Client
from tests.bench.contestant import Contestant
from tests.bench.machine import Snapshot
from tests.bench.measure import Figures, Measured, Sizes, postmaster, rank

LABEL = "lists"
AIMS = {1_000_000: 50, 10_000_000: 150}
"""p95 in milliseconds that is aimed for, up to so many leads."""
HOPS = 100
"""Pages of 200 that are turned to get far down in a list."""
_CONFLICT = 409

# Different ones each time, so that no answer is only remembered.
_SAMPLE = """
SELECT json_build_object('first', first_name, 'last', last_name, 'company', company, 'email', email, 'owner', owner_id)
FROM leadflood.leads
WHERE workspace_id = '01900000-0000-7000-8001-000000000001' AND deleted_at IS NULL AND owner_id IS NOT NULL
  AND first_name IS NOT NULL AND last_name IS NOT NULL AND company IS NOT NULL
ORDER BY hashint8extended(extract(epoch FROM created_at)::bigint, 5) LIMIT 100
"""

Lead = dict[str, str]
Parameters = dict[str, str | list[str]]


def _is(field: str, value: str) -> dict[str, object]:
    return {"field": field, "operator": "is", "value": value}


def _all(*conditions: dict[str, object]) -> str:
    return json.dumps({"all": conditions})


def _any(*conditions: dict[str, object]) -> str:
    return json.dumps({"any": conditions})


PLAIN: dict[str, Parameters] = {
    "newest first": {},
    "oldest first": {"sort": "createdAt"},
    "changed last": {"sort": "-updatedAt"},
    "by e-mail": {"sort": "email"},
    "status": {"status": "failed"},
    "source": {"source": "partner"},
    "common country": {"country": "DE", "sort": "-updatedAt"},
    "rare country": {"country": "NZ"},
    "two sources, country, phone": {"source": ["api", "web-form"], "country": "FR", "hasPhone": "true"},
    "without owner, by e-mail": {"unowned": "true", "sort": "email"},
    "search: mail provider": {"q": "gmail.com"},
    "search: two letters": {"q": "an"},
    "search: rare word, by e-mail": {"q": "rheinwerk labs", "sort": "email"},
    "search: nothing": {"q": "xyzzy"},
    "search: job title": {"q": "chief officer"},
    "search: two words, one of them short": {"q": "an muller"},
    "any of a country or a status": {"filter": _any(_is("country", "NZ"), _is("status", "failed"))},
    "without a company": {"filter": _all({"field": "company", "operator": "isEmpty"})},
    "in the last 7 days, not from one source": {
        "filter": _all(
            {"field": "createdAt", "operator": "inLastDays", "value": 7},
            {"field": "source", "operator": "isNot", "value": "api"},
        )
    },
    "company contains": {"filter": _all({"field": "company", "operator": "contains", "value": "alpen"})},
    "title starts with, or country": {
        "filter": _any({"field": "jobTitle", "operator": "startsWith", "value": "head of"}, _is("country", "NZ"))
    },
}
"""Requests by label."""

OF_A_LEAD: dict[str, Callable[[Lead], Parameters]] = {
    "owner": lambda lead: {"ownerId": lead["owner"]},
    "owner and status": lambda lead: {"ownerId": lead["owner"], "status": "new"},
    "search: last name": lambda lead: {"q": lead["last"]},
    "search: first and last name": lambda lead: {"q": f"{lead['first']} {lead['last']}"},
    "search: company": lambda lead: {"q": lead["company"]},
    "search: e-mail address": lambda lead: {"q": lead["email"]},
    "search: words in another order": lambda lead: {"q": f"{lead['company']} {lead['first']}"},
    "email is": lambda lead: {"filter": _all(_is("email", lead["email"]))},
    "search: name and country": lambda lead: {"q": lead["last"], "country": "NZ"},
}
"""The same, for each of some leads in turn."""

DEEP, TAKEN = "far down", "address is taken"
NAMES = (*PLAIN, *OF_A_LEAD, DEEP, TAKEN)


def measure(crowded: Contestant, sizes: Sizes) -> Measured:
    """Each of them over one connection, one after the other: p50, p95 and processor time (API and server), in ms."""
    sample = [json.loads(line) for line in crowded.sql(_SAMPLE).splitlines()]
    figures: Figures = {}
    with crowded.api() as api:
        named = {"api": api, "pg": postmaster(crowded.cluster)}
        client = Client(crowded.port, crowded.token)
        paths = {name: [_path(item)] for name, item in PLAIN.items()}
        paths |= {name: [_path(of(lead)) for lead in sample] for name, of in OF_A_LEAD.items()}
        paths[DEEP] = [_far_down(client)]
        before = Snapshot.take(named)
        for name, item in paths.items():
            figures |= _timed(name, [partial(client.call, "GET", path) for path in item], sizes.page_contexts, named)
        taken = [{"email": lead["email"]} for lead in sample]
        posts = [partial(client.call, "POST", "/v1/leads", lead, expected=_CONFLICT) for lead in taken]
        figures |= _timed(TAKEN, posts, sizes.page_contexts, named)
        used = Snapshot.take(named).cores_since(before)
        client.close()
    return figures, used


def aim(leads: int) -> int | None:
    """The p95 that is aimed for with so many leads, in milliseconds."""
    return next((milliseconds for most, milliseconds in AIMS.items() if leads <= most), None)


def _path(parameters: Parameters) -> str:
    return f"/v1/leads?{urlencode({'limit': '50', **parameters}, doseq=True)}"


def _far_down(client: Client) -> str:
    path = "/v1/leads?limit=200"
    cursor = None
    for _ in range(HOPS):
        page = client.call("GET", path if cursor is None else f"{path}&cursor={cursor}")
        if page["nextCursor"] is None:
            break
        cursor = page["nextCursor"]
    return f"/v1/leads?limit=50&cursor={cursor}"


def _timed(name: str, calls: Sequence[Callable[[], object]], page_contexts: int, named: Mapping[str, int]) -> Figures:
    calls[0]()
    times: list[float] = []
    before = Snapshot.take(named)
    for number in range(page_contexts):
        started = monotonic()
        calls[number % len(calls)]()
        times.append((monotonic() - started) * 1000)
    used = sum(Snapshot.take(named).seconds_since(before).values())
    return {
        f"{name} p50_ms": rank(times, 0.5),
        f"{name} p95_ms": rank(times, 0.95),
        f"{name} cpu_ms": round(used * 1000 / page_contexts, 1),
    }
