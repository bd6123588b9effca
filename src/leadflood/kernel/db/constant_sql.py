"""Constant SQL, run on the driver itself.

SQLAlchemy takes four times as long for a statement as asyncpg does, most of it for what constant text does not need.
So `text(…)` is compiled once, parameters typed by `bindparams` included, and goes straight to the driver. Statements
that SQLAlchemy puts together (`select(…)`) stay with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import asyncpg
from sqlalchemy import Result, TextClause
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError, IntegrityError

_DIALECT = dialect()  # type: ignore[no-untyped-call]

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class ConstantSql:
    """A statement as the driver takes it, and how its parameters are made from those given by name."""

    sql: str
    parameters: tuple[tuple[str, Convert | None], ...]

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        """The parameters in the order of the statement. Raises: KeyError: for one that is missing."""
        return [given[name] if convert is None else convert(given[name]) for name, convert in self.parameters]


@lru_cache(maxsize=1000)
def compiled(statement: TextClause) -> ConstantSql:
    """The statement for the driver. Statements are constants of their modules, so each is compiled once."""
    done = statement.compile(dialect=_DIALECT)
    convert = {name: bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT) for name, bind in done.binds.items()}
    return ConstantSql(str(done), tuple((name, convert[name]) for name in done.positiontup or ()))


def rows_of(records: Sequence[asyncpg.Record]) -> Result[Any]:
    """The driver's rows as SQLAlchemy gives them."""
    keys = tuple(records[0].keys()) if records else ()
    return IteratorResult(_metadata(keys), map(tuple, records))


@contextmanager
def errors_of_sqlalchemy(sql: str) -> Iterator[None]:
    """Raise what the server refuses as SQLAlchemy would."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise IntegrityError(sql, None, error) from error
    except asyncpg.PostgresError as error:
        raise DBAPIError(sql, None, error) from error


@lru_cache(maxsize=1000)
def _metadata(keys: tuple[str, ...]) -> SimpleResultMetaData:
    return SimpleResultMetaData(keys)
