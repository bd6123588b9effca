"""The fields of a kind of subject, such as a lead: one entry each, from which lists and statements are built.

A domain declares its `FieldCatalog`. What shows, imports, exports, merges or writes fields reads it, and names none.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from leadflood.kernel.db.sql import COMMA, Sql, assemble, joined, sql
from leadflood.kernel.field_types import FieldType

TEXT: Final = sql("text")
UUID_: Final = sql("uuid")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDefinition:
    """One field.

    Attributes:
        name: of its column, and in Python.
        api_name: in the API, in forms and in files.
        label: what people read.
        type: what it holds.
        column: its name as a part of statements; `sql_type`: the type of the column.
        normalise: the stored form of a text; None where the contract decides by more than the text.
        identity: what the subject is known by: changed on its own, not by an import or a merge.
        importable, updatable, mergeable, exportable, searchable, filterable: what can be done with it.
        personal: it says something of a person.
        multiple: it may have several values.
        time_to_live: after what time a value is out of date; None: never.
    """

    name: str
    api_name: str
    label: str
    column: Sql
    type: FieldType = FieldType.TEXT
    sql_type: Sql = TEXT
    normalise: Callable[[str], str] | None = None
    identity: bool = False
    importable: bool = True
    updatable: bool = True
    mergeable: bool = True
    exportable: bool = True
    searchable: bool = False
    filterable: bool = True
    personal: bool = True
    multiple: bool = False
    time_to_live: timedelta | None = None


class FieldCatalog:
    """The fields of one kind of subject, in the order of the API."""

    def __init__(self, subject: str, fields: Sequence[FieldDefinition]) -> None:
        """Raises: ValueError: two fields share a name."""
        self.subject = subject
        self._fields = tuple(fields)
        for names in ([each.name for each in fields], [each.api_name for each in fields]):
            if len(set(names)) < len(names):
                message = f"Two fields of {subject} share a name: {', '.join(names)}."
                raise ValueError(message)

    def __iter__(self) -> Iterator[FieldDefinition]:
        """In the order of the API."""
        return iter(self._fields)

    def where(self, meant: Callable[[FieldDefinition], bool]) -> "FieldCatalog":
        """The fields that meet a condition."""
        return FieldCatalog(self.subject, [each for each in self._fields if meant(each)])

    def sql(self, template: Sql, separator: Sql = COMMA) -> Sql:
        """The template repeated for each field, with `{field}` and `{type}` filled in."""
        parts = [assemble(template, field=each.column, type=each.sql_type) for each in self._fields]
        return joined(separator, parts)

    @property
    def columns(self) -> Sql:
        """Names of the columns."""
        return joined(COMMA, [each.column for each in self._fields])
