"""All errors as RFC 9457 problem details, and the page of each problem type."""

import html
import json
from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from leadflood.kernel.error_redaction import describe
from leadflood.kernel.errors import AppError, FieldError, InvalidInput, Unavailable
from leadflood.kernel.request_context import request_context_of
from leadflood.kernel.schema import View, field_errors_of

PROBLEM_TYPE = "application/problem+json"

_log = structlog.get_logger()


class RouteNotFound(AppError):
    """The API has no such path."""

    code = "route_not_found"
    status = 404
    title = "Not found"
    remedy = "Check the path in the API reference. IDs are UUIDs."


class MethodNotAllowed(AppError):
    """The path doesn't support this method; `Allow` lists the supported ones."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"
    remedy = "Use one of the methods in the `Allow` header."


class UnsupportedMediaType(AppError):
    """The content type of the request body is not JSON."""

    code = "unsupported_media_type"
    status = 415
    title = "Unsupported media type"
    remedy = "Send JSON with `Content-Type: application/json`."


class BadRequest(AppError):
    """The request is not well-formed HTTP."""

    code = "bad_request"
    status = 400
    title = "Bad request"
    remedy = "Send well-formed HTTP."


class FieldProblem(View):
    """A validation error."""

    pointer: str = Field(
        description="Location: a JSON Pointer (RFC 6901) into the body, `?name` for a query parameter, `{name}` "
        "for a path parameter, or the name of a header. Empty for the whole body."
    )
    code: str
    message: str = Field(description="What is wrong and how to fix it.")


class Problem(BaseModel):
    """An error (RFC 9457). Some errors have additional properties."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/invalid_input",
                    "title": "Invalid input",
                    "status": 400,
                    "detail": "1 field is invalid.",
                    "instance": "/v1/leads",
                    "code": "invalid_input",
                    "requestId": "5f0c1d2e3a4b5c6d7e8f901234567890",
                    "errors": [{"pointer": "/email", "code": "required", "message": "This field is required."}],
                }
            ]
        },
    )

    type: str = Field(description="Path of a page that explains the error.")
    title: str
    status: int
    detail: str = Field(description="What happened and what to do.")
    instance: str = Field(description="Path of the request.")
    code: str = Field(description="Stable error code.")
    request_id: str = Field(alias="requestId", description="Request ID for support.")
    errors: list[FieldProblem]


def problem(scope: Scope, error: AppError) -> Response:
    """The response for `error`."""
    request_context = request_context_of(scope)
    body = problem_body(error, instance=request_context.instance, request_id=request_context.request_id)
    return Response(body, error.status, headers=error.headers, media_type=PROBLEM_TYPE)


def problem_body(error: AppError, *, instance: str, request_id: str) -> bytes:
    """The JSON of a problem. `instance` is the requested path; empty if the request could not be parsed."""
    members = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": instance,
        "code": error.code,
        "requestId": request_id,
        "errors": [{"pointer": item.pointer, "code": item.code, "message": item.message} for item in error.errors],
        **error.extra,
    }
    return json.dumps(members, default=str).encode()  # ASCII, so that no invalid encoding in the input can break it


def answer_to(scope: Scope, exc: Exception) -> Response:
    """The response to an error: of ours, of a contract, of Starlette, or unexpected."""
    match exc:
        case AppError() if exc.status == Unavailable.status:
            _log.warning("http.unavailable", reason=exc.detail, cause=describe(exc.__cause__))
            return problem(scope, exc)
        case AppError() if not exc.is_fault:
            return problem(scope, exc)
        case RequestValidationError():
            return _invalid_request(scope, exc)
        case HTTPException():
            return _http_error(scope, exc)
    _log.error("http.exception", exc_info=exc)
    detail = "Internal error. Try again. If it persists, give the request ID to your administrator."
    return problem(scope, AppError(detail))


def _invalid_request(scope: Scope, exc: RequestValidationError) -> Response:
    """The problem response for all violations of a contract."""
    found = [error for fault in exc.errors() for error in _located(fault)]
    errors = list(dict.fromkeys(found))  # a body that two parameters read is reported twice
    detail = "1 field is invalid." if len(errors) == 1 else f"{len(errors)} fields are invalid."
    return problem(scope, InvalidInput(detail, errors=errors))


def _http_error(scope: Scope, exc: HTTPException) -> Response:
    """The problem response for errors of Starlette: unknown paths and methods. OPTIONS gets the list of methods."""
    if exc.status_code == RouteNotFound.status:
        return problem(scope, RouteNotFound("Nothing at this path. /docs lists all operations."))
    if exc.status_code != MethodNotAllowed.status:
        return problem(scope, BadRequest(str(exc.detail)))
    allow = ", ".join(sorted(_methods(scope["app"].routes, scope)))
    if scope["method"] == "OPTIONS":
        return Response(status_code=204, headers={"Allow": allow})
    detail = f"This path supports {allow}."
    return problem(scope, MethodNotAllowed(detail, headers={"Allow": allow}))


def _methods(routes: Sequence[BaseRoute], scope: Scope) -> set[str]:
    matching = [route for route in routes if route.matches(scope)[0] != Match.NONE]
    methods = {method for route in matching for method in getattr(route, "methods", ())}
    return methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())


def _located(fault: Any) -> list[FieldError]:  # noqa: ANN401  FastAPI does not type it
    source, *path = fault["loc"]
    if source == "body":
        if not path and fault["type"] == "missing":
            return [FieldError("", "required", "A JSON body is required.")]
        return field_errors_of([fault | {"loc": tuple(path)}])
    [error] = field_errors_of([fault | {"loc": ()}])
    name = str(path[0])
    pointer = {"query": f"?{name}", "path": f"{{{name}}}"}.get(source, name)
    return [FieldError(pointer, error.code, error.message)]


_REQUEST_MODULES = ("leadflood.api.", "leadflood.domains.", "leadflood.kernel.errors", "leadflood.kernel.idempotency")
"""Modules that define errors of requests; errors of start-up and of the command line are elsewhere."""


def problem_types() -> dict[str, type[AppError]]:
    """All problems of this API by code. The most general error of a code represents it.

    Errors of ours (500) all become the same `internal_error`.
    """
    types: dict[str, type[AppError]] = {AppError.code: AppError}
    for error in _descendants(AppError):
        if error.status != AppError.status and error.__module__.startswith(_REQUEST_MODULES):
            types.setdefault(error.code, error)
    return dict(sorted(types.items()))


def meaning_of(error: type[AppError]) -> str:
    """The description of an error, on one line."""
    if error is AppError:
        return "An unexpected error on the server. Its logs have the details."
    return " ".join((error.__doc__ or "").split())


def problem_page(error: type[AppError]) -> str:
    """A small HTML page that explains the problem and its remedy."""
    return _page(
        error.title,
        f"<p><code>{html.escape(error.code)}</code>, HTTP status {error.status}</p>"
        f"<p>{html.escape(meaning_of(error))}</p><h2>What to do</h2><p>{html.escape(error.remedy)}</p>"
        '<p><a href="/problems">All problems</a></p>',
    )


def problem_index() -> str:
    """An HTML page that lists all problems."""
    entries = "".join(
        f'<li><a href="/problems/{html.escape(code)}">{html.escape(code)}</a> ({error.status}) '
        f"{html.escape(error.title)}</li>"
        for code, error in problem_types().items()
    )
    return _page("Problems", f"<ul>{entries}</ul>")


def _page(title: str, body: str) -> str:
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
    )
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{html.escape(title)}</h1>{body}</body></html>'


def _descendants(error: type[AppError]) -> Iterator[type[AppError]]:
    """Breadth first, so that a general error comes before the specific ones that share its code."""
    level = [error]
    while level:
        yield from level
        level = [child for parent in level for child in parent.__subclasses__()]
