"""Requests that Schemathesis makes up from the OpenAPI document, valid and invalid ones, against the served API.

They are worked out from the document: each kind of value and of fault, for each operation. At random come more with
`SCHEMATHESIS_EXAMPLES=600 pytest -p schemathesis tests/contract/schemathesis_requests.py`: 600 for each operation, and
others each time. Then none of those that are worked out is left out.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import parse_qs, urlsplit

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
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
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "0"))
"""Requests an operation at random."""
ALIKE = 2
"""Requests that an operation gets of those that are worked out in the same way, such as for one property each."""

_NAMES = re.compile(r"`[^`]*`|'[^']*'|\d+|^\w+(?=: )")

# Lines of JSON are no media type that it can make or check: tests/integration/api/test_many_leads.py does.
SCHEMA = from_dict(document(), config=CONFIG).exclude(operation_id="streamLeads")
_made: Counter[tuple[object, ...]] = Counter()
"""Numbers of requests by how they are worked out."""


@SCHEMA.hook("filter_case")
def is_new(_context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Whether the operation lacks requests that are worked out in this way; a wrong method counts for the path."""
    how = getattr(case.meta.phase.data, "description", None) if case.meta else None
    if how is None or case.meta is None or EXAMPLES:
        return True
    is_method = "HTTP method" in how
    operation = case.operation.path if is_method else case.operation.label
    where = getattr(case.meta.phase.data, "parameter_location", None)
    kind = (operation, case.meta.generation.mode, where, _NAMES.sub("", how))
    _made[kind] += 1
    return _made[kind] <= (1 if is_method else ALIKE)


@pytest.fixture(scope="module")
def tenant(server: Served) -> Tenant:
    return server.run(new_tenant(server.parts.database, server.parts.registry))


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Keeps its connection, and neither cookies nor what the environment says about networks."""
    with requests.Session() as opened:
        opened.trust_env = False
        opened.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield opened


def credential(case: schemathesis.Case[Any], server: Served, tenant: Tenant) -> dict[str, str]:
    """The owner's; for what ends the session, that of a session of its own."""
    if case.operation.path == "/v1/auth/logout":
        _, token = server.run(new_session(tenant.database, tenant.workspace_id, tenant.owner_id))
        return bearer(token)
    return bearer(tenant.session)


def about_something_real(
    case: schemathesis.Case[Any], server: Served, tenant: Tenant, session: requests.Session
) -> None:
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
        read = session.get(f"{server.url}/v1/{collection}/{resource_id}", headers=bearer(tenant.session), timeout=60)
        case.headers["If-Match"] = read.headers["ETag"]


def check(case: schemathesis.Case[Any], server: Served, tenant: Tenant, session: requests.Session) -> None:
    about_something_real(case, server, tenant, session)
    headers = credential(case, server, tenant)
    sending: dict[str, Any] = {"base_url": server.url, "headers": headers, "session": session}
    answer = case.call(**sending)
    sent = parse_qs(urlsplit(str(answer.request.url)).query, keep_blank_values=True)
    # A made-up parameter whose value is an empty list is not sent at all: there was nothing to reject.
    unsent = set(case.query or ()) - set(sent)
    excluded: list[schemathesis.CheckFunction] = [negative_data_rejection] if unsent else []
    if case.operation.path == "/v1/leads/batch":  # a faulty lead fails itself alone
        excluded.append(negative_data_rejection)
    case.validate_response(answer, headers=sending["headers"], excluded_checks=excluded, transport_kwargs=sending)


@SCHEMA.parametrize()
@hypothesis.settings(
    max_examples=max(EXAMPLES, 1),
    phases=[Phase.explicit, *([Phase.generate, Phase.shrink] if EXAMPLES else [])],
    derandomize=not EXAMPLES,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_contract(
    case: schemathesis.Case[Any],
    server: Served,
    tenant: Tenant,
    session: requests.Session,
) -> None:
    check(case, server, tenant, session)
