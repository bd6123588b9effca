"""What callers get for an error of the driver: 503 where the same request may succeed later, else the error itself."""

import asyncpg
import pytest

from leadflood.kernel.db.errors import Contended, WritesRefused, passing_errors
from leadflood.kernel.errors import Unavailable


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.DeadlockDetectedError, Contended),
        (asyncpg.LockNotAvailableError, Contended),
        (asyncpg.QueryCanceledError, Contended),
        (asyncpg.DiskFullError, WritesRefused),
        (asyncpg.ReadOnlySQLTransactionError, WritesRefused),
        (asyncpg.TooManyConnectionsError, Unavailable),
        (asyncpg.AdminShutdownError, Unavailable),
        (asyncpg.CrashShutdownError, Unavailable),
        (asyncpg.CannotConnectNowError, Unavailable),
        (asyncpg.ConnectionDoesNotExistError, Unavailable),
        (asyncpg.exceptions.PostgresIOError, Unavailable),  # while its disk fails
        (asyncpg.exceptions.UndefinedFileError, Unavailable),
        (ConnectionResetError, Unavailable),
        (TimeoutError, Unavailable),
    ],
)
def test_an_error_that_passes_is_unavailable(error: type[Exception], expected: type[Unavailable]) -> None:
    with pytest.raises(Unavailable) as raised, passing_errors():
        raise error("secret")

    assert type(raised.value) is expected
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "error", [asyncpg.UniqueViolationError, asyncpg.DivisionByZeroError, asyncpg.UndefinedTableError, ValueError]
)
def test_an_error_that_would_come_again_stays(error: type[Exception]) -> None:
    with pytest.raises(error), passing_errors():
        raise error("again")
