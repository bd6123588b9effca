"""The OpenAPI 3.1 document: FastAPI's, completed with the parts of our pipeline."""

import inspect
from collections.abc import Collection, Iterable, Iterator, Sequence
from importlib.metadata import version
from typing import Any

from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from starlette.routing import BaseRoute

from leadflood.api.errors import PROBLEM_TYPE, Problem
from leadflood.api.routing import EdgeRoute

_SCHEMAS = "#/components/schemas/"
_TAGS = {
    "leads": "People to enrich, qualify and contact.",
    "changesets": "Bulk changes, imports and merges, which can be undone.",
    "custom-fields": "Custom fields of leads: labels, types and options.",
    "views": "Saved filters, sort orders and columns of the lead list.",
    "exports": "Leads as files: downloaded directly or prepared in the background.",
    "imports": "Leads from files: upload, preview, commit, undo.",
    "duplicates": "Pairs of leads that are probably the same person.",
    "merges": "Merged leads, which can be unmerged.",
    "jobs": "Background jobs: status, attempts and errors.",
    "outbox": "Events to publish to the queue.",
    "events": "What happened in the workspace, in order.",
    "metrics": "Metrics of the workspace.",
    "auth": "Sign in, refresh tokens, sign out.",
    "sessions": "Your sessions.",
    "members": "Members of the workspace and their roles.",
    "invitations": "Pending invitations to the workspace.",
    "api-keys": "API keys for programs.",
    "workspace": "The current workspace.",
    "audit": "Audit log.",
    "system": "Health of the server.",
}
_DESCRIPTION = """\
JSON in camelCase. Errors are `application/problem+json` (RFC 9457) with a stable `code`; their `type` links to a page.
Lists are paginated with `limit` and `cursor`. All writes accept an `Idempotency-Key`, except sign-in and refresh: their
responses are secrets of a caller who isn't authenticated yet. `/metrics` is for your Prometheus server; don't expose it
through your proxy.
"""
_MEANINGS = {
    400: "Invalid input; `errors` lists every invalid field.",
    401: "Missing or invalid credentials.",
    403: "Missing permission.",
    404: "Not found in the caller's workspace.",
    408: "The request body did not arrive in time.",
    409: "Conflict with the current state, or the same request is in progress.",
    410: "The cursor is too old.",
    412: "`If-Match` doesn't match the current version.",
    413: "The request body is too large.",
    415: "The request body is not JSON.",
    422: "The `Idempotency-Key` was used for a different request.",
    428: "`If-Match` is missing.",
    429: "Rate limit exceeded.",
    503: "The database or queue is temporarily unavailable.",
}
_RETRIABLE = frozenset({409, 429, 503})
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes the request safe to retry: repeats with the same key have no further effect and return "
    "the stored response, for 7 days. 1 to 255 printable ASCII characters.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$",
    },
    "example": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10",
}
_HEADERS = {
    "X-Request-Id": ("Request ID for support.", "5f0c1d2e3a4b5c6d7e8f901234567890"),
    "RateLimit": ("Remaining quota: `r` requests for `t` seconds.", '"default";r=59999;t=1'),
    "RateLimit-Policy": ("Quota: `q` requests per `w` seconds.", '"default";q=60000;w=60'),
    "Retry-After": ("Seconds to wait before retrying.", "1"),
    "Idempotency-Replayed": ("`true` if the response is the stored one of an earlier request.", "true"),
    "Link": ('The next page, as `rel="next"`.', '</v1/jobs?limit=50&cursor=…>; rel="next"'),
}


def describe(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The document for these routes."""
    document = get_openapi(
        title="LEAD-FLOOD API", version=version("leadflood"), description=_DESCRIPTION, routes=routes
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, examples in _examples(routes):
        if name in schemas:
            schemas[name]["examples"] = examples
    schemas |= _problem_schemas()
    components["responses"] = {f"Problem{status}": _problem_response(status) for status in _MEANINGS}
    components["headers"] = {name: _header(text, example) for name, (text, example) in _HEADERS.items()}
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An access token from login, or an API key."}
    }
    used: set[str] = set()
    for route, operation in _operations(document, routes):
        _complete(route, operation)
        used.update(operation.get("tags", ()))
    known = [{"name": name, "description": text} for name, text in _TAGS.items() if name in used]
    document["tags"] = [*known, *_other_tags(routes, used - _TAGS.keys())]
    return document


def _other_tags(routes: Sequence[BaseRoute], names: Collection[str]) -> Iterator[dict[str, str]]:
    """The tags of domains whose routes are in their own folder: described by the first line of the module."""
    for name in sorted(names):
        endpoint = next(route.endpoint for route in routes if isinstance(route, EdgeRoute) and name in route.tags)
        yield {"name": name, "description": inspect.cleandoc(inspect.getmodule(endpoint).__doc__ or "").split("\n")[0]}


def _operations(document: dict[str, Any], routes: Sequence[BaseRoute]) -> Iterator[tuple[EdgeRoute, dict[str, Any]]]:
    for route in routes:
        if isinstance(route, EdgeRoute) and route.include_in_schema:
            for method in route.methods or ():
                yield route, document["paths"][route.path_format][method.lower()]


def _examples(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, list[Any]]]:
    """The examples of all models as written: FastAPI removes nulls from them."""
    for route in routes:
        if isinstance(route, EdgeRoute) and route.include_in_schema:
            models: list[tuple[Any, JsonSchemaMode]] = [(route.response_model, "serialization")]
            if route.body_field is not None:
                models.append((route.body_field.field_info.annotation, "validation"))
            for model, mode in models:
                schema = TypeAdapter(model).json_schema(mode=mode, ref_template=_SCHEMAS + "{model}")
                named = {schema.get("title", ""): schema, **schema.get("$defs", {})}
                yield from ((name, item["examples"]) for name, item in named.items() if "examples" in item)


def _complete(route: EdgeRoute, operation: dict[str, Any]) -> None:
    operation["security"] = [{"bearer": []}] if route.access.needs_caller else []
    if route.access.permission is not None:
        operation["x-required-permission"] = route.access.permission.value
    operation["description"] = f"{route.description}\n\n{_who_may(route)}"
    if route.writes:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    responses = operation["responses"]
    responses.pop("422", None)
    for response in responses.values():
        response["headers"] = _headers(_headers_of_answer(route, operation))
    declared = {int(status) for status, response in route.responses.items() if not response}
    for status in declared | (_problems_of(route, operation) - {int(status) for status in responses}):
        responses[str(status)] = _reference("responses", f"Problem{status}")
    operation["responses"] = dict(sorted(responses.items()))
    for parameter in operation.get("parameters", ()):
        _tidy(parameter)


def _who_may(route: EdgeRoute) -> str:
    if route.access.permission is not None:
        return f"Requires the `{route.access.permission.value}` permission."
    return "Any authenticated caller." if route.access.needs_caller else f"Public: {route.access.public_reason}."


def _problems_of(route: EdgeRoute, operation: dict[str, Any]) -> set[int]:
    parameters = {parameter["name"] for parameter in operation.get("parameters", ())}
    problems: set[int] = set()
    if route.access.needs_caller:
        problems |= {400, 401, 429, 503}
    if route.access.permission is not None:
        problems |= {403}
    if "{" in route.path_format:
        problems |= {400, 404}
    if route.writes:
        problems |= {409, 422}
    if "requestBody" in operation:
        problems |= {400, 408, 413, 415, 503}
    if "If-Match" in parameters:
        problems |= {412, 428}
    return problems


def _headers_of_answer(route: EdgeRoute, operation: dict[str, Any]) -> Iterator[str]:
    yield "X-Request-Id"
    if route.access.needs_caller:
        yield from ("RateLimit", "RateLimit-Policy")
    if route.writes:
        yield "Idempotency-Replayed"
    if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ())):
        yield "Link"


def _problem_response(status: int) -> dict[str, Any]:
    retriable = ["Retry-After"] if status in _RETRIABLE else []
    return {
        "description": _MEANINGS[status],
        "headers": _headers(["X-Request-Id", *retriable]),
        "content": {PROBLEM_TYPE: {"schema": _reference("schemas", "Problem")}},
    }


def _tidy(parameter: dict[str, Any]) -> None:
    """A parameter is present or absent, never null. `If-Match` is required; its absence has its own status."""
    schema = parameter["schema"]
    kept = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(kept) == 1:
        del schema["anyOf"]
        schema.update(kept[0])
    if parameter["name"] == "If-Match":
        parameter |= {"required": True, "example": '"3"'}
        schema["pattern"] = '^"[0-9]{1,9}"$'


def _problem_schemas() -> dict[str, Any]:
    schema = TypeAdapter(Problem).json_schema(mode="serialization", ref_template=_SCHEMAS + "{model}")
    return {**schema.pop("$defs"), "Problem": schema}


def _header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: _reference("headers", name) for name in names}


def _reference(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
