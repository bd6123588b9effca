"""Translation of the driver's errors.

Errors of an absent or overloaded database become `Unavailable`; what the server refuses for another reason stays
`asyncpg.PostgresError`, a violated constraint `asyncpg.IntegrityConstraintViolationError`. None of them quotes a value.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from leadflood.kernel.error_redaction import redact_values
from leadflood.kernel.errors import Unavailable

DatabaseError = asyncpg.PostgresError
"""Error reported by the server."""
IntegrityError = asyncpg.IntegrityConstraintViolationError
"""Violation of a constraint, reported by the server."""

READ_ONLY_TRANSACTION = "25006"
"""SQLSTATE of a write in a read-only transaction, or on a read-only server."""

AWAY = ("08", "53", "57", "58")
"""Error classes of a server that is away: no connection, no resources, shutting down, starting or cancelling, a failing
disk (PostgreSQL manual, appendix A)."""
# And those of one transaction that can succeed if it is repeated: conflict, lock, idle for too long.
_PASSING = (*AWAY, "40", "55P03", "25P03")
_CONTENDED = ("40", "55P03", "57014")
WRITES_REFUSED = {
    "53100": "The database's disk is full. Nothing is lost; free some space on it.",
    READ_ONLY_TRANSACTION: "The database is read-only. Nothing is lost; it must be made writable, or its standby "
    "promoted.",
}
CONNECTION_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg's error for a connection that was cut between two messages
)
"""Errors of the driver when there is no connection, or it was lost."""


class DatabaseUnavailable(Unavailable):
    """The database does not answer: it is away, starting, or has no connection left."""


class LockConflict(Unavailable):
    """A concurrent transaction was in the way: a deadlock, or a lock held for too long. Nothing was written."""


class WritesRefused(Unavailable):
    """The database answers but accepts no writes: its disk is full, or it is read-only."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Translate errors of an unavailable or overloaded database to `Unavailable`; pass all others through."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        redact_values(error)
        raise
    except asyncpg.PostgresError as error:
        redact_values(error)
        unavailable = _unavailable(error)
        if unavailable is None:
            raise
        raise unavailable from error
    except CONNECTION_ERRORS as error:
        redact_values(error)
        if isinstance(error, ValueError):  # a parameter that does not fit its type: a bug of ours
            raise
        raise DatabaseUnavailable("The database is temporarily unavailable. Try again shortly.") from error


def unanswered(error: BaseException) -> bool:
    """Whether an error leaves a connection with a statement that the server has not answered: cancelled, or timed out.

    It may never answer, so the connection is discarded.
    """
    return isinstance(error, asyncio.CancelledError) or isinstance(error.__cause__, CONNECTION_ERRORS)


def sqlstate(error: BaseException | None) -> str:
    """The SQLSTATE of the driver's error; empty if it has none."""
    return getattr(error, "sqlstate", None) or ""


def constraint_of(error: asyncpg.IntegrityConstraintViolationError) -> str | None:
    """The name of the constraint or unique index that was violated."""
    name = getattr(error, "constraint_name", None)
    return name if isinstance(name, str) else None


def _unavailable(error: asyncpg.PostgresError) -> Unavailable | None:
    """The error for callers; None for an error that a repeated request would meet again."""
    state = sqlstate(error)
    if state in WRITES_REFUSED:
        return WritesRefused(WRITES_REFUSED[state], retry_after=5)
    # A migration changed the result type of a prepared statement. The driver then prepares it again.
    if state.startswith(_CONTENDED) or isinstance(error, asyncpg.InvalidCachedStatementError):
        return LockConflict("The database is busy. Try again shortly.")
    if state.startswith(_PASSING) or not state:
        return DatabaseUnavailable("The database is away or busy. Try again shortly.")
    return None
