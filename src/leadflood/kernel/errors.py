"""Errors that have a name, a stable code and an HTTP status.

Domains raise subclasses of `AppError`; one handler at each edge renders them (RFC 9457 problem details over
HTTP, one line and an exit code on the command line). Whatever is not an `AppError` is a fault of ours and rises.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One input error: the field (RFC 6901 JSON pointer or `?query`/`header` name), code, and remedy."""

    pointer: str
    code: str
    message: str


_MIN_FAULT = 500


class AppError(Exception):
    """An expected error that the caller can understand and act on."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    remedy: ClassVar[str] = "Try again later. If it persists, give the request ID to your administrator."
    """Remedy for all errors of this code."""

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    @property
    def is_fault(self) -> bool:
        """Whether the server is the cause (5xx), so that no form is shown again and no response stored for it."""
        return self.status >= _MIN_FAULT


class InvalidInput(AppError):
    """Invalid input; `errors` lists every invalid field."""

    code = "invalid_input"
    status = 400
    title = "Invalid input"
    remedy = "Fix what `errors` lists and send the request again."


class InvalidCursor(InvalidInput):
    """The cursor of a page is of another list, sort order or filter, or has expired."""


class BodyTimeout(AppError):
    """The request body did not arrive in time."""

    code = "request_timeout"
    status = 408
    title = "Request timed out"
    remedy = "Send the whole body without pauses."


class ContentTooLarge(AppError):
    """The request body exceeds the maximum size."""

    code = "content_too_large"
    status = 413
    title = "Too large"
    remedy = "Reduce the payload."


class Unauthenticated(AppError):
    """Missing, invalid or expired credentials."""

    code = "unauthenticated"
    status = 401
    title = "Authentication required"
    remedy = "Send a valid access token or API key as `Authorization: Bearer …`. Sign in again if it has expired."


class Forbidden(AppError):
    """The caller lacks the permission."""

    code = "forbidden"
    status = 403
    title = "Access denied"
    remedy = "Ask an admin for a role, or use an API key with a scope, that includes `requiredPermission`."


class NotFound(AppError):
    """Nothing with this ID in the caller's workspace."""

    code = "not_found"
    status = 404
    title = "Not found"
    remedy = "Check the ID or path. Resources in other workspaces return 404."


class Conflict(AppError):
    """The resource is in a state that does not allow this."""

    code = "conflict"
    status = 409
    title = "Not allowed in the current state"
    remedy = "Read the current state, then decide."


class PreconditionFailed(AppError):
    """`If-Match` doesn't match the current version (RFC 9110, 13.1.1)."""

    code = "version_conflict"
    status = 412
    title = "Version conflict"
    remedy = "Read it again, apply your change to the new version, and send the new `ETag` as `If-Match`."


class PreconditionRequired(AppError):
    """`If-Match` is missing (RFC 6585, 3)."""

    code = "precondition_required"
    status = 428
    title = "If-Match required"
    remedy = "Send the `ETag` that you last read as `If-Match`."


class TooManyRequests(AppError):
    """Rate limit exceeded; `Retry-After` is the wait in seconds."""

    code = "rate_limited"
    status = 429
    title = "Too many requests"
    remedy = "Wait for as many seconds as `Retry-After` says. The `RateLimit` header shows what is left."


class Unavailable(AppError):
    """A dependency, usually the database, is temporarily unavailable."""

    code = "unavailable"
    status = 503
    title = "Service unavailable"
    remedy = "Wait for as many seconds as `Retry-After` says, then send the same request again."

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        """Args: detail: what is unavailable. retry_after: seconds after which a retry makes sense."""
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class DeadlineExceeded(Unavailable):
    """The request timed out. It is safe to repeat with the same `Idempotency-Key`."""

    code = "deadline_exceeded"
    title = "Timed out"


class UnexpectedState(RuntimeError):
    """A row was not in the state in which it was locked: a bug of ours, whose transaction must not commit."""


def expect_changed(rows: int) -> None:
    """Check a compare-and-set of a locked row. Raises: UnexpectedState: it did not change exactly one row."""
    if rows != 1:
        message = f"The write changed {rows:d} rows instead of one."
        raise UnexpectedState(message)
