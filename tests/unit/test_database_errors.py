"""Translation of the driver's errors: 503 if the same request may succeed later, or else the error itself."""

import asyncpg
import pytest

from leadflood.kernel.db.errors import DatabaseUnavailable, LockConflict, WritesRefused, translated_errors
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.queue.postgres import _away_is_unavailable


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.DeadlockDetectedError, LockConflict),
        (asyncpg.LockNotAvailableError, LockConflict),
        (asyncpg.QueryCanceledError, LockConflict),
        (asyncpg.DiskFullError, WritesRefused),
        (asyncpg.ReadOnlySQLTransactionError, WritesRefused),
        (asyncpg.TooManyConnectionsError, DatabaseUnavailable),
        (asyncpg.AdminShutdownError, DatabaseUnavailable),
        (asyncpg.CrashShutdownError, DatabaseUnavailable),
        (asyncpg.CannotConnectNowError, DatabaseUnavailable),
        (asyncpg.ConnectionDoesNotExistError, DatabaseUnavailable),
        (asyncpg.exceptions.PostgresIOError, DatabaseUnavailable),  # while its disk fails
        (asyncpg.exceptions.UndefinedFileError, DatabaseUnavailable),
        (ConnectionResetError, DatabaseUnavailable),
        (TimeoutError, DatabaseUnavailable),
    ],
)
def test_an_error_that_passes_is_unavailable(error: type[Exception], expected: type[Unavailable]) -> None:
    with pytest.raises(Unavailable) as raised, translated_errors():
        raise error("secret")

    assert type(raised.value) is expected
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "error", [asyncpg.UniqueViolationError, asyncpg.DivisionByZeroError, asyncpg.UndefinedTableError, ValueError]
)
def test_an_error_that_would_come_again_stays(error: type[Exception]) -> None:
    with pytest.raises(error), translated_errors():
        raise error("again")


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ConnectionDoesNotExistError,
        asyncpg.DiskFullError,
        asyncpg.AdminShutdownError,
        asyncpg.exceptions.PostgresIOError,
        asyncpg.ReadOnlySQLTransactionError,
        asyncpg.InvalidCatalogNameError,
        ConnectionResetError,
    ],
)
def test_the_queue_is_unavailable_where_its_server_is(error: type[Exception]) -> None:
    with pytest.raises(Unavailable), _away_is_unavailable():
        raise error("secret")
