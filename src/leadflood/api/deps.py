"""Dependencies of endpoints: unit of work, pagination, versions."""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Annotated, Any, Generic, TypeVar, cast
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Header, Path, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from leadflood.api.context import ApiContext, context_of
from leadflood.api.errors import problem
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError, FieldError, InvalidInput, PreconditionFailed, PreconditionRequired
from leadflood.kernel.idempotency import (
    MAX_STORED_BYTES,
    IdempotencyKey,
    KeyedRequest,
    ResponseNotStored,
    StoredResponse,
)
from leadflood.kernel.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, Position
from leadflood.kernel.request_context import RequestContext, request_context_of
from leadflood.kernel.schema import View

T = TypeVar("T")

_UNIT = "leadflood.unit"
_KEPT_HEADERS = ("content-type", "etag", "link", "location", "retry-after")
_NOT_KEPT = frozenset({400, 401, 403, 413, 415, 429})
"""Refusals that do not depend on the effect of the request: a retry may succeed."""
_MAX_CURSOR = 2000
_VERSION = re.compile(r'"(\d{1,9})"')


class UnitOfWork:
    """A guarded request as a unit of work: the caller, and the transaction that commits before the response is sent.

    The transaction opens when the endpoint is called, not before: input that breaks the contract costs none.
    """

    def __init__(self, scope: Scope, actor: Actor, key: IdempotencyKey | None, stack: AsyncExitStack) -> None:
        """`stack` ends with the request: leaving it in peace commits, leaving it by an error rolls back."""
        self.parts = context_of(scope)
        self.request_context = request_context_of(scope)
        self.actor = actor
        self.scope = scope
        self.key = key
        self._stack = stack
        self._tx: Transaction | None = None
        self._replayed = False
        scope[_UNIT] = self

    @property
    def tx(self) -> Transaction:
        """The transaction of this request, in the caller's workspace. Read only for GET."""
        if self._tx is None:
            message = "The transaction opens with the endpoint: use it there, not in a dependency."
            raise RuntimeError(message)
        return self._tx

    @property
    def trace(self) -> Mapping[str, str]:
        """Trace context stored with the jobs that this request enqueues."""
        return self.request_context.trace

    async def run(self, endpoint: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401  whatever the endpoint returns
        """Open the transaction and call the endpoint in it, or return the stored response of the same request.

        Raises: leadflood.kernel.idempotency.IdempotencyInProgress, IdempotencyMismatch.
        """
        self._stack.enter_context(self.parts.metrics.transactions_open.track_inprogress())
        reading = self.scope["method"] == "GET"
        transaction = self.parts.database.transaction(self.actor.workspace_id, read_only=reading)
        self._tx = await self._stack.enter_async_context(transaction)
        if self.key is None:
            return await endpoint()
        kept = await self.key.claim(self._tx)
        if kept is not None:
            self._replayed = True
            return replayed(kept)
        try:
            async with self._tx.savepoint():
                return await endpoint()
        except AppError as error:
            if not is_stored(error):
                raise
            return problem(self.scope, error)

    def keyed(self, answer: Callable[[T], Response]) -> KeyedRequest[T] | None:
        """The idempotency key of the request, if it has one, for a verb that stores the response itself.

        Args: answer: makes the answer of what the verb returns: ids, and nothing about a person.
        """
        if self.key is None:
            return None

        def kept(outcome: T | AppError) -> StoredResponse | None:
            if isinstance(outcome, AppError):
                return stored_response(problem(self.scope, outcome), ids_only=True) if is_stored(outcome) else None
            return stored_response(answer(outcome), ids_only=True)

        return KeyedRequest(self.key, kept)

    async def store(self, response: Response) -> None:
        """Store the response under the request's idempotency key, if it has one."""
        if self.key is None or self._replayed:
            return
        small = len(response.body) <= MAX_STORED_BYTES
        await self.key.store(self.tx, stored_response(response if small else problem(self.scope, ResponseNotStored())))


def is_stored(refusal: AppError) -> bool:
    """Whether a refusal is stored as the response to later requests with the same key."""
    return not refusal.is_fault and refusal.status not in _NOT_KEPT


def stored_response(response: Response, *, ids_only: bool = False) -> StoredResponse:
    """The stored form of a response. `ids_only`: it contains no personal data."""
    headers = {name: value for name in _KEPT_HEADERS if (value := response.headers.get(name)) is not None}
    return StoredResponse(response.status_code, headers, bytes(response.body), ids_only)


def replayed(kept: StoredResponse) -> Response:
    """A stored response, sent again."""
    return Response(kept.body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"})


def unit_of_work_of(scope: Scope) -> UnitOfWork:
    """The unit of work of the request."""
    return cast("UnitOfWork", scope[_UNIT])


async def _unit(request: Request) -> UnitOfWork:
    return unit_of_work_of(request.scope)


async def _parts(request: Request) -> ApiContext:
    return context_of(request.scope)


async def _request_context(request: Request) -> RequestContext:
    return request_context_of(request.scope)


UnitOfWorkDep = Annotated[UnitOfWork, Depends(_unit)]
"""The parameter `unit` of all guarded endpoints."""
ContextDep = Annotated[ApiContext, Depends(_parts)]
"""For public endpoints, which open transactions themselves."""
RequestContextDep = Annotated[RequestContext, Depends(_request_context)]
"""Address and request ID of the caller, for public endpoints."""


ResourceId = Annotated[UUID, Path(alias="id", description="Resource ID.")]


class Listing(View, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = Field(description="Pass as `cursor` to get the next page; null on the last page.")


class Paging:
    """Pagination parameters of a list."""

    def __init__(self, request: Request, response: Response, limit: int, cursor: str | None) -> None:
        self.limit = limit
        self._response = response
        self._path = request.url.path
        self._cursors = context_of(request.scope).cursors
        self._workspace_id = unit_of_work_of(request.scope).actor.workspace_id
        query = request.query_params.multi_items()
        self._filters = sorted((name, value) for name, value in query if name not in {"limit", "cursor"})
        self._scope = f"{self._path}?{urlencode(self._filters)}"
        self.after: Position | None = None
        if cursor is not None:
            self.after = self._cursors.read(cursor, self._workspace_id, self._scope)

    def answer(self, page: Page[T]) -> Listing[T]:
        """The page as a response. Sets `Link: …; rel="next"` (RFC 8288) if there are more."""
        cursor = None if page.after is None else self._cursors.write(page.after, self._workspace_id, self._scope)
        if cursor is not None:
            query = urlencode([*self._filters, ("limit", self.limit), ("cursor", cursor)])
            self._response.headers["Link"] = f'<{self._path}?{query}>; rel="next"'
        return Listing[T].model_construct(items=list(page.items), next_cursor=cursor)


async def _paging(
    request: Request,
    response: Response,
    limit: Annotated[
        int, Query(ge=1, le=MAX_PAGE_SIZE, description="Maximum number of items per page.")
    ] = DEFAULT_PAGE_SIZE,
    cursor: Annotated[
        str | None, Query(max_length=_MAX_CURSOR, description="`nextCursor` of the previous page.")
    ] = None,
) -> Paging:
    return Paging(request, response, limit, cursor)


InPages = Annotated[Paging, Depends(_paging)]


def etag(version: int) -> str:
    """The strong entity tag of a version of a resource (RFC 9110, 8.8.3)."""
    return f'"{version}"'


async def _expected_version(
    if_match: Annotated[
        str | None, Header(alias="If-Match", description="The `ETag` of the version you last read.")
    ] = None,
) -> int:
    if if_match is None:
        raise PreconditionRequired("Send the ETag that you last read as If-Match.")
    tag = if_match.strip()
    version = _VERSION.fullmatch(tag)
    if version:
        return int(version[1])
    if re.fullmatch(r'(?:W/)?"[^"]*"', tag):
        raise PreconditionFailed("If-Match names no version that we ever gave out. Read the resource again.")
    error = FieldError("If-Match", "invalid_format", 'Use one ETag, such as "3" with its quotes.')
    raise InvalidInput("If-Match is not valid.", errors=[error])


ExpectedVersion = Annotated[int, Depends(_expected_version)]
"""The version in `If-Match`. Missing: 428. `*` is refused, as it would overwrite changes of others unseen."""
