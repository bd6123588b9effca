"""Counting what is asked of the database."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

import asyncpg
from asyncpg.connection import LoggedQuery

from leadflood.kernel.db.pool import ConnectionPool


@dataclass
class Statements:
    """The statements that were run while counting, whoever sent them and however."""

    texts: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)

    def note(self, text: str) -> None:
        """Take note of one."""
        self.texts.append(" ".join(text.split()))


@contextmanager
def while_borrowed(
    pool: ConnectionPool,
    attach: Callable[[asyncpg.Connection], object],
    detach: Callable[[asyncpg.Connection], object] = lambda _connection: None,
) -> Iterator[None]:
    """Call `attach` with each connection that is borrowed meanwhile, and `detach` when it is returned."""
    borrow = pool.connection

    @asynccontextmanager
    async def watched() -> AsyncIterator[asyncpg.Connection]:
        async with borrow() as connection:
            attach(connection)
            try:
                yield connection
            finally:
                with suppress(asyncpg.InterfaceError):  # terminated meanwhile
                    detach(connection)

    pool.connection = watched  # type: ignore[method-assign]
    try:
        yield
    finally:
        pool.connection = borrow  # type: ignore[method-assign]


@contextmanager
def heard(pool: ConnectionPool, tell: Callable[[str], object]) -> Iterator[None]:
    """Call `tell` with each statement on connections that are borrowed meanwhile."""

    def logged(query: LoggedQuery) -> None:
        tell(query.query)

    with while_borrowed(
        pool, lambda item: item.add_query_logger(logged), lambda item: item.remove_query_logger(logged)
    ):
        yield


@contextmanager
def counted(pool: ConnectionPool) -> Iterator[Statements]:
    """Count what goes over the connections that are borrowed meanwhile."""
    statements = Statements()

    def tell(statement: str) -> None:
        # Notifications of an earlier write follow its commit; a new connection asks for the types of parameters.
        if not any(other in statement for other in ("pg_notify", "typeinfo_tree", "'jit'")):
            statements.note(statement)

    with heard(pool, tell):
        yield statements
