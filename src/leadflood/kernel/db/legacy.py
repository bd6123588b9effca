"""Statements that SQLAlchemy still assembles, until their stores have constant SQL."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, TextClause
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from leadflood.kernel.db.sql import Sql

Statement = Sql | Executable

_DIALECT = dialect()  # type: ignore[no-untyped-call]


class _Converted(Sql):
    __slots__ = ("_convert", "_defaults", "_names", "_text")

    def __init__(self, statement: Any, columns: frozenset[str] | None) -> None:  # noqa: ANN401
        options = {} if columns is None else {"column_keys": sorted(columns)}
        done = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True}, **options)
        super().__init__(str(done))
        self._names = done.positiontup or ()
        self._text = str(done)
        self._defaults = dict(done.params)
        self._convert = {n: b.type.dialect_impl(_DIALECT).bind_processor(_DIALECT) for n, b in done.binds.items()}

    @property
    def text(self) -> str:
        return self._text

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        given = {**self._defaults, **values}
        return [
            given[name] if self._convert.get(name) is None else self._convert[name](given[name]) for name in self._names
        ]


@lru_cache(maxsize=1000)
def _text(statement: TextClause) -> _Converted:
    return _Converted(statement, None)


def statement_of(statement: Statement, parameters: Mapping[str, Any]) -> tuple[Sql, Mapping[str, Any]]:
    """The statement as `Sql`."""
    if isinstance(statement, Sql):
        return statement, parameters
    if isinstance(statement, TextClause):
        return _text(statement), parameters
    if not isinstance(statement, Executable):
        raise TypeError("A statement is made by kernel.db.sql.")
    columns = frozenset(parameters) if getattr(statement, "is_insert", False) and parameters else None
    return _Converted(statement, columns), parameters
