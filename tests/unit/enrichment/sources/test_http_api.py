"""A source that a workspace defines: what it sends, what it reads, and which definitions are refused."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from leadflood.domains.enrichment.contracts.http_sources import DefineSource
from leadflood.domains.enrichment.models import Answer, Busy, Found, KeyRejected, Missed, ProviderReply, SourceFailure
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.http_definitions import filled_body, filled_url
from leadflood.domains.enrichment.sources.http_api import HttpSource
from tests.support.canned_web import NOW, CannedFetcher
from tests.unit.enrichment.sources.asking import ask, values

BASE: Mapping[str, Any] = {
    "label": "Acme Data",
    "subject": "company",
    "url": "https://api.acme-data.test/v1/{domain}?lang=en",
    "auth": "header",
    "header": "x-acme-key",
    "needs": [["domain"]],
    "fields": {"name": "company.title", "employees": "company.staff", "technology": "stack[].name"},
    "missWhen": "found == `false`",
    "statuses": {"409": "busy"},
    "units": "meta.credits",
    "charges": "on_hit",
    "mostUnits": 2,
}
URL = "https://api.acme-data.test/v1/acme.com"
KNOWN = {company.DOMAIN: "acme.com"}


def source(**changes: Any) -> HttpSource:  # noqa: ANN401
    return HttpSource(DefineSource.model_validate({**BASE, **changes}).definition("custom_acme"), "a secret key")


async def asked(value: Any, status: int = 200, **changes: Any) -> tuple[Answer | SourceFailure, CannedFetcher]:  # noqa: ANN401
    fetcher = CannedFetcher(calls={URL: ProviderReply(URL, status, {}, value, "", NOW)})
    try:
        return await ask(source(**changes), KNOWN, fetcher), fetcher
    except SourceFailure as failure:
        return failure, fetcher


async def test_values_are_read_by_path_and_units_as_the_reply_says() -> None:
    reply = {
        "found": True,
        "company": {"title": "Acme", "staff": 120},
        "stack": [{"name": "nginx"}, {"name": "Python"}],
        "meta": {"credits": 2},
    }

    answer, fetcher = await asked(reply)

    assert isinstance(answer, Found)
    facts = [*answer.facts]
    assert (values(facts, company.NAME), values(facts, company.EMPLOYEES)) == (["Acme"], [120])
    assert set(values(facts, company.TECHNOLOGY)) == {"nginx", "Python"}
    assert answer.units == 2
    (sent,) = fetcher.requests
    assert (sent.method, sent.url) == ("GET", f"{URL}?lang=en")
    assert sent.headers == {"x-acme-key": "a secret key"}


@pytest.mark.parametrize(
    ("value", "status", "kind"),
    [
        ({"found": False}, 200, Missed),
        ({"company": {"title": None}}, 200, Missed),
        ([], 200, Missed),
        ({}, 404, Missed),
        ({}, 409, Busy),
        ({}, 401, KeyRejected),
    ],
)
async def test_misses_and_errors_have_their_class(value: object, status: int, kind: type) -> None:
    answer, _ = await asked(value, status)

    assert type(answer) is kind


@pytest.mark.parametrize(("charges", "most", "units"), [("on_call", 1, 1), ("on_hit", 1, 0), ("never", 0, 0)])
async def test_a_miss_costs_what_the_definition_says(charges: str, most: int, units: int) -> None:
    answer, _ = await asked({"found": False}, charges=charges, mostUnits=most)

    assert isinstance(answer, Missed)
    assert answer.units == units


@pytest.mark.parametrize(
    ("auth", "header"), [("bearer", "Bearer a secret key"), ("basic", "Basic YSBzZWNyZXQga2V5Og==")]
)
async def test_a_key_is_sent_as_the_api_expects(auth: str, header: str) -> None:
    _, fetcher = await asked({}, auth=auth)

    assert fetcher.requests[0].headers == {"authorization": header}


def test_a_value_can_change_neither_path_nor_query_nor_json() -> None:
    hostile = {"domain": "a/../b?x=1&y#z{name}", "name": '"},{"admin":true'}

    assert filled_url("https://a.test/{domain}?q={name}", hostile) == (
        "https://a.test/a%2F..%2Fb%3Fx%3D1%26y%23z%7Bname%7D?q=%22%7D%2C%7B%22admin%22%3Atrue"
    )
    assert filled_body({"q": ["{name}", 1]}, hostile) == {"q": [hostile["name"], 1]}


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://api.acme-data.test/{domain}"},
        {"url": "https://{domain}/v1"},
        {"url": "https://api.{domain}.test/v1"},
        {"url": "https://user:pass@api.acme-data.test/{domain}"},
        {"url": "https://api.acme-data.test:port/{domain}"},
        {"url": "https://api.acme-data.test/{email}"},
        {"url": "https://api.acme-data.test/ {domain}"},
        {"url": "//api.acme-data.test/{domain}"},
        {"body": {"x": "{city}"}, "method": "POST"},
        {"body": {"x": "1"}},
        {"needs": []},
        {"needs": [["salary"]]},
        {"fields": {}},
        {"fields": {"salary": "x"}},
        {"fields": {"name": "a["}},
        {"fields": {"name": "x" * 501}},
        {"missWhen": "=="},
        {"statuses": {"99": "miss"}},
        {"statuses": {"404": "hit"}},
        {"header": "Host"},
        {"header": "x y"},
        {"charges": "never"},
        {"mostUnits": 0},
        {"confidence": 1.0},
        {"key": "a secret key"},
    ],
    ids=str,
)
def test_a_definition_that_does_not_fit_is_refused(changes: Mapping[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DefineSource.model_validate({**BASE, **changes})


def test_what_changes_an_answer_changes_the_version() -> None:
    first = source().spec.version

    assert source(label="Other", calls=5).spec.version == first
    for changes in ({"url": "https://other.test/{domain}"}, {"fields": {"name": "x"}}, {"missWhen": None}):
        assert source(**changes).spec.version != first
