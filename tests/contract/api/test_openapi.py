"""The OpenAPI document is valid, complete, and its examples are what the API takes and gives."""

from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from fastapi.routing import APIRoute

from leadflood.api.app import create_app
from leadflood.api.context import ApiContext
from leadflood.api.openapi import describe
from leadflood.api.routing import EdgeRoute
from leadflood.bootstrap import api_routers
from tests.support.openapi import METHODS, validator


@pytest.fixture(scope="module")
def openapi_31() -> jsonschema_rs.Validator:
    """The schema of such documents."""
    from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR  # noqa: PLC0415  takes a second

    return OPENAPI_31_VALIDATOR


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe([route for router in api_routers() for route in router.routes])


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def test_it_is_valid_openapi_3_1(document: dict[str, Any], openapi_31: jsonschema_rs.Validator) -> None:
    assert document["openapi"].startswith("3.1.")
    assert [str(error) for error in openapi_31.iter_errors(document)] == []


def test_every_example_of_a_schema_is_valid(document: dict[str, Any]) -> None:
    checked = 0
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            checked += 1
            faults = [error.message for error in validator(document, schema).iter_errors(example)]
            assert faults == [], f"{name}: {faults}"
    assert checked > 10


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            if "example" in content or content["schema"].get("format") == "binary":
                continue
            name = content["schema"]["$ref"].rpartition("/")[2]
            assert document["components"]["schemas"][name].get("examples"), f"{method} {path}: {name} has no example"


def test_every_operation_is_named_described_and_guarded(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for path, method, operation in operations(document):
        assert operation["operationId"].isidentifier(), path
        assert operation["operationId"][0].islower(), path
        assert operation["tags"], path
        assert operation["summary"], path
        assert operation["description"], path
        if operation["security"]:
            assert "401" in operation["responses"], f"{method} {path}"
        else:
            assert "Public: " in operation["description"], f"{method} {path}"


def test_failures_are_problems_and_fastapi_s_own_are_gone(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if status[0] in "45" and path != "/ready":
                assert response == {"$ref": f"#/components/responses/Problem{status}"}, f"{method} {path} {status}"
    for response in document["components"]["responses"].values():
        assert list(response["content"]) == ["application/problem+json"]


def test_what_changes_something_documents_its_idempotency_key(document: dict[str, Any]) -> None:
    exempt = {"login", "refresh", "changePassword", "updateMe", "streamLeads"}
    exempt |= {"createImport", "readImportAs", "closeHold", "openHold"}
    for path, method, operation in operations(document):
        named = any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ()))
        wanted = method != "get" and operation["operationId"] not in exempt
        assert named is wanted, f"{method} {path}"
        if operation["operationId"] in exempt:
            assert "Idempotency-Key" in operation["description"], path


def test_parameters_are_camel_case_and_never_null(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert "_" not in parameter["name"], f"{path}: {parameter['name']}"
            assert {"type": "null"} not in parameter["schema"].get("anyOf", ()), f"{path}: {parameter['name']}"


def test_every_route_of_the_application_is_an_edge_route(parts: ApiContext) -> None:
    routes = create_app(parts).routes

    assert len(routes) > 20
    assert [route for route in routes if not isinstance(route, EdgeRoute)] == []
    paths = [(route.path, method) for route in routes if isinstance(route, APIRoute) for method in route.methods or ()]
    assert len(set(paths)) == len(paths)


async def test_the_document_is_served(toys: httpx.AsyncClient, openapi_31: jsonschema_rs.Validator) -> None:
    served = (await toys.get("/openapi.json")).json()

    assert "/v1/toys" in served["paths"]
    assert openapi_31.is_valid(served)
