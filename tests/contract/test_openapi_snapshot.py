"""The committed description of the API is what the program says today, and says all that a caller must expect."""

import json
from typing import Any

import httpx
import pytest

from leadflood.api.errors import problem_types
from scripts.generate_docs import GENERATED, ROOT
from tests.support.openapi import Operation, document, operations, validator

REFERENCES = ("docs/reference/http-api.md", "docs/reference/openapi.json", "docs/reference/problems.md")


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_is_what_the_api_says_today(name: str) -> None:
    committed = (ROOT / name).read_text(encoding="utf-8") if (ROOT / name).exists() else None

    assert committed == GENERATED[name](), (
        f"{name} is stale. Run `uv run just docs`, and read the difference: does it break a caller?"
    )


async def test_the_server_gives_what_is_committed(api: httpx.AsyncClient) -> None:
    committed = json.loads((ROOT / "docs/reference/openapi.json").read_text(encoding="utf-8"))

    assert (await api.get("/openapi.json")).json() == committed


def test_an_operation_declares_every_problem_that_its_parts_can_cause(subtests: pytest.Subtests) -> None:
    for operation in operations():
        with subtests.test(str(operation)):
            assert_an_operation_declares_every_problem_that_its_parts_can_cause(operation)


def assert_an_operation_declares_every_problem_that_its_parts_can_cause(operation: Operation) -> None:
    if operation.path in {"/health", "/ready"}:
        return
    parameters = {parameter["name"] for parameter in operation.described.get("parameters", ())}
    wanted = {400, 401, 429, 503}
    wanted |= {403} if operation.permission else set()
    wanted |= {404} if "id" in parameters else set()
    wanted |= {409, 422} if "Idempotency-Key" in parameters else set()
    wanted |= {408, 413, 415} if operation.body_schema else set()
    wanted |= {412, 428} if "If-Match" in parameters else set()
    declared = {int(status) for status in operation.described["responses"] if status >= "4"}

    assert wanted <= declared
    assert 500 not in declared


def test_an_operation_names_its_permission_in_words_too(subtests: pytest.Subtests) -> None:
    for operation in operations():
        with subtests.test(str(operation)):
            assert_an_operation_names_its_permission_in_words_too(operation)


def assert_an_operation_names_its_permission_in_words_too(operation: Operation) -> None:
    if operation.permission is not None:
        assert f"Requires the `{operation.permission.value}` permission." in operation.described["description"]
        assert operation.described["security"] == [{"bearer": []}]


def test_every_example_fits_its_schema(subtests: pytest.Subtests) -> None:
    for operation in operations():
        with subtests.test(str(operation)):
            assert_every_example_fits_its_schema(operation)


def assert_every_example_fits_its_schema(operation: Operation) -> None:
    described: list[tuple[dict[str, Any], Any]] = [
        (parameter["schema"], parameter["example"])
        for parameter in operation.described.get("parameters", ())
        if "example" in parameter
    ]
    schema = dict(operation.body_schema or {})
    described += [(schema, example) for example in schema.get("examples", ())]
    for schema, example in described:
        assert [fault.message for fault in validator(document(), schema).iter_errors(example)] == []


def test_every_body_is_an_object_that_takes_no_other_fields(subtests: pytest.Subtests) -> None:
    for operation in operations():
        with subtests.test(str(operation)):
            assert_every_body_is_an_object_that_takes_no_other_fields(operation)


def assert_every_body_is_an_object_that_takes_no_other_fields(operation: Operation) -> None:
    if operation.body_schema is not None:
        assert operation.body_schema["type"] == "object"
        assert operation.body_schema["additionalProperties"] is False


def test_every_problem_is_in_the_reference_with_its_meaning() -> None:
    page = (ROOT / "docs/reference/problems.md").read_text(encoding="utf-8")

    for code, error in problem_types().items():
        assert f"| `{code}` | {error.status} | " in page
        assert error.__doc__, code
        assert error.status in {400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 415, 422, 428, 429, 500, 503}, code
