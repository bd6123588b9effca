"""Counting what is asked of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from asyncpg.connection import LoggedQuery
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


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
def counted(engine: AsyncEngine) -> Iterator[Statements]:
    """Count what goes over the connections of `engine` that are taken from its pool meanwhile."""
    statements = Statements()

    def executed(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.note(statement)

    def logged(query: LoggedQuery) -> None:  # what goes past SQLAlchemy; the driver tells of nothing else
        if "pg_notify" not in query.query:  # of an earlier write, which is told of after its commit
            statements.note(query.query)

    def taken(connection: Any, *_: object) -> None:  # noqa: ANN401  the driver's, as SQLAlchemy hands it on
        connection.driver_connection.add_query_logger(logged)

    def returned(connection: Any, *_: object) -> None:  # noqa: ANN401  as above
        if connection is not None:
            connection.driver_connection.remove_query_logger(logged)

    listeners = (("before_cursor_execute", executed), ("checkout", taken), ("checkin", returned))
    for name, listener in listeners:
        event.listen(engine.sync_engine, name, listener)
    try:
        yield statements
    finally:
        for name, listener in listeners:
            event.remove(engine.sync_engine, name, listener)
