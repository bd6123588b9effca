"""Constant SQL with named parameters.

A statement is written once, as a constant: `sql("SELECT … WHERE id = :id")` next to its store, or `sql_file` for one
longer than about 15 lines. Values travel as parameters only. The server infers a parameter's type from its use; where
it cannot (`unnest(:ids)`, a bare `:value IS NULL`), the statement says so: `:ids::uuid[]`. A `jsonb` parameter is JSON
text.

Parts that vary, such as the conditions of a filtered list, are constants as well; `assemble` is the only way to join
them. `tests/architecture/test_sql.py` checks that nothing but literals reaches `sql`, and `Transaction` refuses
everything that is not a `Sql`, so no statement can contain a value.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, LiteralString

_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")
_VALUE = re.compile(r"(?<![:\w]):value\b")
_PART = re.compile(r"\{([a-z_]\w*)\}")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)


class Sql:
    """A statement, or a part of one. Created only by `sql`, `sql_file`, `identifier` and `assemble`."""

    __slots__ = ("_compiled", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        """The text with named parameters."""
        self._compiled: tuple[str, tuple[str, ...]] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sql) and self.source == other.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"sql({self.source!r})"

    @property
    def text(self) -> str:
        """The text for the server, with numbered parameters."""
        return self._numbered()[0]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of their numbers."""
        return self._numbered()[1]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the parameters. Values without a parameter are ignored. Raises: KeyError."""
        return [values[name] for name in self._numbered()[1]]

    def _numbered(self) -> tuple[str, tuple[str, ...]]:
        if self._compiled is None:
            numbers: dict[str, int] = {}
            text = _PARAMETER.sub(lambda found: f"${numbers.setdefault(found[1], len(numbers) + 1)}", self.source)
            self._compiled = text, tuple(numbers)
        return self._compiled


def sql(source: LiteralString) -> Sql:
    """A constant statement, or a constant part of one. The argument is a literal (checked)."""
    return Sql(source)


def sql_file(package: LiteralString, name: LiteralString) -> Sql:
    """The statement in the file `<name>.sql` of the folder of `package`, such as `leadflood.domains.jobs.store`."""
    return Sql(files(package).joinpath(f"{name}.sql").read_text("utf-8"))


def identifier(name: str) -> Sql:
    """The name of a column that code declares, such as a field of a catalog. Raises: ValueError: it is no name."""
    if not _IDENTIFIER.fullmatch(name):
        message = f"{name!r} is not the name of a column."
        raise ValueError(message)
    return Sql(name)


@lru_cache(maxsize=2000)
def _assembled(template: Sql, parts: tuple[tuple[str, Sql], ...]) -> Sql:
    known = dict(parts)
    return Sql(_PART.sub(lambda found: known[found[1]].source, template.source))


def assemble(template: Sql, **parts: Sql) -> Sql:
    """The template with each `{name}` replaced by the part with that name. The result is cached per parts.

    Raises: TypeError: a part is not a `Sql`. KeyError: a part is missing.
    """
    for name, part in parts.items():
        if not isinstance(part, Sql):
            message = f"{name} must be a Sql, not {type(part).__name__}."
            raise TypeError(message)
    return _assembled(template, tuple(parts.items()))


def joined(separator: Sql, parts: Iterable[Sql]) -> Sql:
    """The parts with a separator between them, such as `sql(" AND ")`. Raises: TypeError: a part is not a `Sql`."""
    return _joined(separator, tuple(parts))


@lru_cache(maxsize=2000)
def _joined(separator: Sql, parts: tuple[Sql, ...]) -> Sql:
    if not all(isinstance(part, Sql) for part in (separator, *parts)):
        message = "Only Sql can be joined."
        raise TypeError(message)
    return Sql(separator.source.join(part.source for part in parts))


def numbered(part: Sql, number: int) -> Sql:
    """The part with its parameter `value` renamed to `value_<number>`, for statements that contain it several times."""
    return _numbered(part, number)


@lru_cache(maxsize=2000)
def _numbered(part: Sql, number: int) -> Sql:
    return Sql(_VALUE.sub(f":value_{number:d}", part.source))


EMPTY = sql("")
"""An empty part."""
AND = sql(" AND ")
"""Between conditions."""
COMMA = sql(", ")
"""Between columns."""


def assignments(columns: Mapping[str, Sql], names: Iterable[str]) -> Sql:
    """The SET list for some of the columns in `columns`. Raises: KeyError: for any other name."""
    return joined(COMMA, [columns[name] for name in sorted(names)])
