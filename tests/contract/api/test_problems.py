"""Every refusal and fault has the one shape of RFC 9457, and its type leads somewhere."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from leadflood.api.errors import Problem, problem_types
from leadflood.api.routing import EdgeRoute
from leadflood.bootstrap import api_routers
from tests.support.api import Caller

TOY_ID = "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"
TOY = {"name": "bear", "size": 3}


async def assert_problem(client: httpx.AsyncClient, answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    Problem.model_validate_json(answer.content)
    assert (found["status"], found["code"], found["type"]) == (status, code, f"/problems/{code}")
    assert found["instance"] == answer.request.url.path
    assert found["requestId"] == answer.headers["X-Request-Id"]
    assert found["title"]
    assert found["detail"]
    page = await client.get(found["type"])
    assert (page.status_code, code in page.text) == (200, True)
    return found


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code"),
    [
        ("GET", "/v1/nothing", {}, 404, "route_not_found"),
        ("GET", "/v1/toys/", {}, 404, "route_not_found"),
        ("GET", "/%F0%9F%98%80%00", {}, 404, "route_not_found"),
        ("PUT", "/v1/toys", {}, 405, "method_not_allowed"),
        ("BREW", "/v1/toys", {}, 405, "method_not_allowed"),
        ("POST", "/v1/toys", {}, 400, "invalid_input"),
        ("POST", "/v1/toys", {"json": {**TOY, "colour": "red"}}, 400, "invalid_input"),
        ("POST", "/v1/toys", {"content": b"{"}, 400, "invalid_input"),
        ("POST", "/v1/toys", {"data": {"name": "bear"}}, 415, "unsupported_media_type"),
        ("POST", "/v1/toys", {"content": b" " * 2_000_000}, 413, "content_too_large"),
        ("GET", "/v1/toys?limit=0", {}, 400, "invalid_input"),
        ("GET", "/v1/toys?colur=red", {}, 400, "invalid_input"),
        ("GET", "/v1/toys?cursor=made.up", {}, 400, "invalid_input"),
        ("GET", "/v1/toys/none", {}, 400, "invalid_input"),
        ("POST", "/v1/toys/conflicts", {}, 409, "conflict"),
        ("POST", "/v1/toys/faults", {}, 500, "internal_error"),
        ("POST", "/v1/toys/late-violations", {}, 500, "internal_error"),
        ("POST", "/v1/toys/absences", {}, 503, "unavailable"),
        ("PATCH", f"/v1/toys/{TOY_ID}", {}, 428, "precondition_required"),
        ("PATCH", f"/v1/toys/{TOY_ID}", {"headers": {"If-Match": '"old"'}}, 412, "version_conflict"),
        ("PATCH", f"/v1/toys/{TOY_ID}", {"headers": {"If-Match": "3"}}, 400, "invalid_input"),
        ("GET", f"/v1/jobs/{TOY_ID}", {}, 404, "job_not_found"),
    ],
)
async def test_every_failure_is_a_problem(
    toys: httpx.AsyncClient, caller: Caller, method: str, path: str, sent: Mapping[str, Any], status: int, code: str
) -> None:
    headers = {**caller.headers, **({"Content-Type": "application/json"} if "content" in sent else {})}
    headers |= sent.get("headers", {})

    answer = await toys.request(method, path, **{**sent, "headers": headers})

    await assert_problem(toys, answer, status, code)


async def test_without_a_credential_the_problem_says_how_to_get_one(toys: httpx.AsyncClient) -> None:
    answer = await toys.get("/v1/toys")

    await assert_problem(toys, answer, 401, "unauthenticated")


async def test_all_fields_at_fault_are_named(toys: httpx.AsyncClient, caller: Caller) -> None:
    answer = await toys.post("/v1/toys", json={"size": "big", "colour": "red"}, headers=caller.headers)

    errors = answer.json()["errors"]
    assert {(error["pointer"], error["code"]) for error in errors} == {
        ("/name", "required"),
        ("/size", "wrong_type"),
        ("/colour", "unknown_field"),
    }
    assert all(error["message"] for error in errors)


@pytest.mark.parametrize(
    ("path", "pointers"),
    [
        ("/v1/toys?limit=201", ["?limit"]),
        ("/v1/toys?limit=x", ["?limit"]),
        ("/v1/toys?colur=red&sise=1", ["?colur", "?sise"]),
        ("/v1/toys?cursor=x", ["?cursor"]),
        ("/v1/toys/none", ["{id}"]),
    ],
)
async def test_faults_outside_the_body_are_named_by_their_place(
    toys: httpx.AsyncClient, caller: Caller, path: str, pointers: list[str]
) -> None:
    answer = await toys.get(path, headers=caller.headers)

    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


async def test_a_missing_body_is_asked_for(toys: httpx.AsyncClient, caller: Caller) -> None:
    answer = await toys.post("/v1/toys", headers=caller.headers)

    assert answer.json()["errors"] == [{"pointer": "", "code": "required", "message": "A JSON body is required."}]


async def test_a_fault_of_ours_is_logged_once_and_not_told(toys: httpx.AsyncClient, caller: Caller) -> None:
    with capture_logs() as logs:
        answer = await toys.post("/v1/toys/faults", headers=caller.headers)

    assert "secret inside" not in answer.text
    faults = [entry for entry in logs if entry["log_level"] == "error"]
    assert [str(fault["exc_info"]) for fault in faults] == ["secret inside"]


async def test_options_and_a_wrong_method_list_the_right_methods(toys: httpx.AsyncClient) -> None:
    options = await toys.options("/v1/toys")
    wrong = await toys.delete("/v1/toys")

    assert (options.status_code, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")


async def test_every_problem_type_has_a_page_with_a_remedy(toys: httpx.AsyncClient) -> None:
    index = await toys.get("/problems")

    for code, error in problem_types().items():
        page = await toys.get(f"/problems/{code}")
        assert page.status_code == 200
        assert "What to do" in page.text
        assert error.__doc__
        assert f'"/problems/{code}"' in index.text
    assert (await toys.get("/problems/unheard-of")).status_code == 404


async def test_a_problem_can_be_told_of_any_path(toys: httpx.AsyncClient) -> None:
    answer = await toys.get("/" + "é" * 3000)

    assert json.loads(answer.content)["instance"] == "/" + "é" * 999


ROUTES = [route for router in api_routers() for route in router.routes if isinstance(route, EdgeRoute)]
WRITTEN_OUT = sorted(
    {
        route.path
        for route in ROUTES
        if any(other.path != route.path and other.path_regex.fullmatch(route.path) for other in ROUTES)
    }
)


def test_paths_are_written_out_beside_ids() -> None:
    assert {"/v1/leads/batch", "/v1/leads/stream", "/v1/leads/exports", "/v1/jobs/failures"} <= set(WRITTEN_OUT)


@pytest.mark.parametrize("path", WRITTEN_OUT)
async def test_a_path_that_is_written_out_is_not_taken_for_an_id(
    toys: httpx.AsyncClient, caller: Caller, path: str
) -> None:
    known = {method for route in ROUTES if route.path == path for method in route.methods or ()}
    allow = ", ".join(sorted(known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())))

    options = await toys.options(path)

    assert (options.status_code, options.headers["Allow"]) == (204, allow)
    for method in {"DELETE", "GET", "PATCH", "POST", "PUT"} - known:
        for headers in ({}, caller.headers):
            answer = await toys.request(method, path, headers=headers)
            await assert_problem(toys, answer, 405, "method_not_allowed")
            assert answer.headers["Allow"] == allow
