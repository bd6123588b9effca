"""Requests that Schemathesis makes up from the OpenAPI document, valid and invalid ones, against the served API.

`SCHEMATHESIS_EXAMPLES=600 pytest -p schemathesis tests/contract/schemathesis_requests.py` makes 300 times as many,
and others each time.
"""

import os
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis.config import SchemathesisConfig
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import negative_data_rejection

from leadflood.kernel.ids import new_id
from tests.support.openapi import document
from tests.support.served import Served
from tests.support.tenants import Tenant, bearer, new_session, new_tenant

CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            # Some of our rules cannot be told in JSON Schema: what a phone number, a website or a good password is.
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "400", "401", "403", "404", "409", "412", "413", "415", "422", "429"]
            },
            # 413: a list that is too long can be refused for its bytes, before it is read.
            "negative_data_rejection": {
                "expected-statuses": [
                    "400",
                    "401",
                    "403",
                    "404",
                    "405",
                    "409",
                    "412",
                    "413",
                    "415",
                    "422",
                    "428",
                    "429",
                ]
            },
            "missing_required_header": {"expected-statuses": ["400", "401", "415", "428"]},
        },
    }
)
USUAL = 2
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", USUAL))
"""Requests an operation."""

# Lines of JSON are no media type that it can make or check: tests/integration/api/test_many_leads.py does.
SCHEMA = from_dict(document(), config=CONFIG).exclude(operation_id="streamLeads")


@pytest.fixture(scope="module")
def tenant(server: Served) -> Tenant:
    return server.run(new_tenant(server.parts.database, server.parts.registry))


def credential(case: schemathesis.Case[Any], server: Served, tenant: Tenant) -> dict[str, str]:
    """The owner's; for what ends the session, that of a session of its own."""
    if case.operation.path == "/v1/auth/logout":
        _, token = server.run(new_session(tenant.database, tenant.workspace_id, tenant.owner_id))
        return bearer(token)
    return bearer(tenant.session)


def about_something_real(case: schemathesis.Case[Any], server: Served, tenant: Tenant) -> None:
    """Let a valid request be about what exists, as no made-up id ever is, and not a repetition under another's key."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = new_id().hex + case.headers["Idempotency-Key"][:200]
    if "{id}" not in case.path or case.method == "DELETE":
        return
    collection = case.path.removeprefix("/v1/").split("/")[0]
    resource_id = tenant.ids[collection]
    case.path_parameters = {**case.path_parameters, "id": str(resource_id)}
    if "If-Match" in case.headers:
        read = httpx.get(f"{server.url}/v1/{collection}/{resource_id}", headers=bearer(tenant.session))
        case.headers["If-Match"] = read.headers["ETag"]


def check(case: schemathesis.Case[Any], server: Served, tenant: Tenant) -> None:
    about_something_real(case, server, tenant)
    sending: dict[str, Any] = {"base_url": server.url, "headers": credential(case, server, tenant)}
    answer = case.call(**sending)
    sent = parse_qs(urlsplit(str(answer.request.url)).query, keep_blank_values=True)
    # A made-up parameter whose value is an empty list is not sent at all: there was nothing to reject.
    unsent = set(case.query or ()) - set(sent)
    excluded: list[schemathesis.CheckFunction] = [negative_data_rejection] if unsent else []
    if case.operation.path == "/v1/leads/batch":  # a faulty lead fails itself alone
        excluded.append(negative_data_rejection)
    case.validate_response(answer, headers=sending["headers"], excluded_checks=excluded, transport_kwargs=sending)


@SCHEMA.parametrize()
@hypothesis.settings(max_examples=EXAMPLES, derandomize=EXAMPLES == USUAL, suppress_health_check=list(HealthCheck))
def test_no_request_breaks_the_contract(case: schemathesis.Case[Any], server: Served, tenant: Tenant) -> None:
    check(case, server, tenant)
