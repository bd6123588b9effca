"""The route class of all endpoints: each declares its access rules, and all requests go through the same steps."""

import functools
import inspect
import re
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from leadflood.api.admission import admit
from leadflood.api.context import ApiContext, context_of
from leadflood.api.deps import UnitOfWork
from leadflood.api.direct_calls import direct_call
from leadflood.api.errors import UnsupportedMediaType
from leadflood.api.json_bodies import ReceivedRequest, parse_json, parse_large
from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.deadline import Deadline
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.idempotency import IdempotencyKey
from leadflood.kernel.request_bodies import BodyLease, read_whole

F = TypeVar("F", bound=Callable[..., Any])
Handler = Callable[[ReceivedRequest], Coroutine[Any, Any, Response]]

_ACCESS = "__leadflood_guard__"
_FASTAPI_STACKS = ("fastapi_middleware_astack", "fastapi_inner_astack", "fastapi_function_astack")
"""Scope keys of the exit stacks that FastAPI closes after a request."""
_JSON = re.compile(r"application/(?:json|[a-z0-9.!#$&^_-]+\+json)(?:\s*;.*)?", re.IGNORECASE | re.ASCII)
NDJSON = "application/x-ndjson"
_NDJSON = re.compile(r"application/(?:x-ndjson|jsonl|x-jsonlines)(?:\s*;.*)?", re.IGNORECASE | re.ASCII)


class RouteWithoutAccess(TypeError):
    """An endpoint without access rules, or with rules that do nothing: a mistake in our code."""


@dataclass(frozen=True, slots=True)
class Access:
    """Access rules of an endpoint, and whether it runs in a transaction of its own or in a shared one.

    Either `public_reason` says why the route is public, or a valid credential is needed, with `permission` if given.
    A `large` body has its own limit; a `stream` is lines of JSON that the endpoint reads itself. A `raw` one it takes
    itself as it comes (`read_pieces`), of any type and size. Those two have limits of their own instead of the deadline
    of a request, and so has what works on a whole file.
    """

    permission: Permission | None = None
    public_reason: str = ""
    transaction: bool = True
    grouped: bool = False
    body: Literal["usual", "large", "stream", "raw"] = "usual"
    whole_file: bool = False

    @property
    def needs_caller(self) -> bool:
        """Whether the caller needs a credential."""
        return not self.public_reason

    @property
    def hurried(self) -> bool:
        """Whether the endpoint is limited by the deadline of a request."""
        return self.body in ("usual", "large") and not self.whole_file


def requires(
    permission: Permission,
    *,
    transaction: bool = True,
    large: bool = False,
    streams: bool = False,
    whole_file: bool = False,
) -> Callable[[F], F]:
    """Let only callers with `permission` in. The endpoint has a parameter `unit: InUnit`.

    Without `transaction`, the endpoint calls a verb that opens its own; it then takes no `Idempotency-Key`. `large`:
    the body may have the size of a batch. One that `streams` reads the body itself: see `read_pieces`.
    `whole_file`: it reads a stored file from end to end, which has limits of its own instead of the deadline.
    """
    body: Literal["usual", "large", "raw"] = "raw" if streams else "large" if large else "usual"
    return _with_access(Access(permission=permission, transaction=transaction, body=body, whole_file=whole_file))


def streamed(permission: Permission) -> Callable[[F], F]:
    """Like `requires`, for an endpoint that reads lines of JSON as they arrive, in transactions of its own."""
    return _with_access(Access(permission=permission, transaction=False, body="stream"))


def grouped(permission: Permission) -> Callable[[F], F]:
    """Like `requires`, for a busy endpoint that shares its transaction with other requests, `Idempotency-Key` included.

    It takes only the contract of its body and the unit, and returns a `Response` that is committed.
    """
    return _with_access(Access(permission=permission, transaction=False, grouped=True))


def authenticated(*, transaction: bool = True) -> Callable[[F], F]:
    """Allow every caller with a valid credential. Otherwise like `requires`."""
    return _with_access(Access(transaction=transaction))


def public(reason: str) -> Callable[[F], F]:
    """Allow everyone, for the given reason. The endpoint gets no unit of work and no transaction."""
    if not reason:
        message = "Say why this endpoint is public."
        raise RouteWithoutAccess(message)
    return _with_access(Access(public_reason=reason, transaction=False))


def _with_access(access: Access) -> Callable[[F], F]:
    def mark(endpoint: F) -> F:
        setattr(endpoint, _ACCESS, access)
        return endpoint

    return mark


class EdgeRoute(APIRoute):
    """A route whose requests go through one pipeline.

    Authentication, permission and rate limit, from the head alone; then content type, body within limits, JSON; then
    input against the contract; then one transaction around the endpoint, which commits before the answer leaves. All of
    it within the deadline, but for the time that the body takes to arrive.
    """

    access: Access
    _handle: Handler

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401  FastAPI's own
        """Raises: RouteWithoutAccess: without `@requires`, `@authenticated` or `@public`."""
        access = getattr(endpoint, _ACCESS, None)
        if not isinstance(access, Access):
            message = f"{endpoint.__qualname__} needs @requires(PERMISSION), @authenticated() or @public(reason)."
            raise RouteWithoutAccess(message)
        if access.needs_caller and "unit" not in inspect.signature(endpoint).parameters:
            message = f"{endpoint.__qualname__} needs a parameter `unit: InUnit`."
            raise RouteWithoutAccess(message)
        if access.transaction:
            endpoint = _in_unit(endpoint)
        self.access = access
        options["operation_id"] = options.get("operation_id") or to_camel(endpoint.__name__)
        super().__init__(path, endpoint, **options)
        self.app = self._serve

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Replaces FastAPI's handler, which adds layers for errors and for dependencies that clean up."""
        response = await self._handle(ReceivedRequest(scope, receive, send))
        await response(scope, receive, send)

    @property
    def writes(self) -> bool:
        """Whether the method changes data and thus accepts an `Idempotency-Key`."""
        return self.access.grouped or (self.access.transaction and "GET" not in (self.methods or ()))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether it serves a path. A path with an ID does not match literal paths: /v1/leads/batch is not a lead."""
        match, found = super().matches(scope)
        if match is not Match.NONE and self.param_convertors and scope["path"] in scope["app"].state.literal_paths:
            return Match.NONE, {}
        return match, found

    def get_route_handler(self) -> Handler:  # type: ignore[override]  # only `_serve` calls it
        """The pipeline, from the headers to the response. Raises: AppError, RequestValidationError."""
        endpoint = direct_call(self, large=self.access.body == "large") or super().get_route_handler()

        async def handle(request: ReceivedRequest) -> Response:
            parts = context_of(request.scope)
            async with Deadline(parts.settings.request_timeout_seconds) as deadline:
                actor = await admit(request, self.access.permission) if self.access.needs_caller else None
                with parts.body_budget.lease() as lease:
                    with deadline.paused(self._body_seconds(parts)):
                        await self._receive(request, parts, lease)
                    if not self.access.hurried:
                        deadline.lift()
                    return await self._answered(request, actor, endpoint)

        self._handle = handle
        return handle

    async def _answered(self, received: ReceivedRequest, actor: Actor | None, endpoint: Handler) -> Response:
        async with AsyncExitStack() as stack:
            received.scope.update(dict.fromkeys(_FASTAPI_STACKS, stack))
            if actor is None:
                return await endpoint(received)
            self._refuse_unknown_parameters(received)
            unit = UnitOfWork(received.scope, actor, self._idempotency_key(received, actor), stack)
            response = await endpoint(received)
            if self.access.transaction:
                await unit.store(response)
        return _not_modified(received, response)

    def _body_seconds(self, parts: ApiContext) -> float | None:
        return None if self.access.body in ("raw", "stream") else parts.body_timeout

    async def _receive(self, request: ReceivedRequest, parts: ApiContext, lease: BodyLease) -> None:
        """Receive and parse the body, unless the endpoint reads it itself."""
        if request.method == "GET" or self.access.body == "raw":
            return
        if self.access.body == "stream":
            if not _NDJSON.fullmatch(request.headers.get("content-type", "")):
                detail = "Send one JSON object per line, with the header Content-Type: application/x-ndjson."
                raise UnsupportedMediaType(detail, headers={"Accept": NDJSON})
            return
        declared = request.headers.get("content-length", "")
        if declared in ("", "0") and "transfer-encoding" not in request.headers:
            return
        if self.body_field and not _JSON.fullmatch(request.headers.get("content-type", "")):
            detail = "Send JSON, with the header Content-Type: application/json."
            raise UnsupportedMediaType(detail, headers={"Accept": "application/json"})
        settings, large = parts.settings, self.access.body == "large"
        limit = settings.max_batch_bytes if large else settings.max_body_bytes
        body = await read_whole(request.receive, declared=declared, limit=limit, lease=lease)
        if not body or not self.body_field:
            request.set_body(body)
            return
        request.set_body(body, await parse_large(body, settings.max_body_bytes) if large else parse_json(body))

    def _refuse_unknown_parameters(self, request: Request) -> None:
        if not request.scope["query_string"]:
            return
        known = self._query_parameters
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            message = f"Unknown parameter. Remove it; known are: {', '.join(sorted(known)) or 'none'}."
            errors = [FieldError(f"?{name[:100]}", "unknown_parameter", message) for name in unknown[:100]]
            raise InvalidInput("This operation does not know all of the query parameters.", errors=errors)
        unfit = [name for name, value in request.query_params.multi_items() if "\0" in value]
        if unfit:
            message = "Contains an unsupported character (U+0000)."
            errors = [FieldError(f"?{name}", "invalid_characters", message) for name in dict.fromkeys(unfit)]
            raise InvalidInput("A query parameter has a character that cannot be stored.", errors=errors)

    @functools.cached_property
    def _query_parameters(self) -> frozenset[str]:
        dependants = [self.dependant]
        for dependant in dependants:
            dependants.extend(dependant.dependencies)
        return frozenset(field.alias for dependant in dependants for field in dependant.query_params)

    def _idempotency_key(self, received: ReceivedRequest, actor: Actor) -> IdempotencyKey | None:
        key = received.headers.get("idempotency-key")
        if key is None or not self.writes:
            return None
        caller = actor.id.bytes if actor.id else b""
        path = received.scope["path"].encode("utf-8", "surrogatepass")
        said = (received.method.encode(), path, received.scope["query_string"], received.content, caller)
        return IdempotencyKey(context_of(received.scope).secret_box, actor.workspace_id, key, said)


def _in_unit(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint, called in the transaction of its unit of work."""

    @functools.wraps(endpoint)
    async def call(**values: Any) -> Any:  # noqa: ANN401  whatever the endpoint takes and returns
        unit: UnitOfWork = values["unit"]
        return await unit.run(functools.partial(endpoint, **values))

    return call


def _not_modified(request: Request, response: Response) -> Response:
    """304 if the caller already has this version (RFC 9110, 13.1.2)."""
    if request.method != "GET":
        return response
    tag, known = response.headers.get("etag"), request.headers.get("if-none-match")
    if tag is None or known is None:
        return response
    if known.strip() != "*" and tag not in [item.strip().removeprefix("W/") for item in known.split(",")]:
        return response
    return Response(status_code=304, headers={"ETag": tag})
