"""The fields of a kind of subject, such as a lead: one entry each, from which lists and statements are built.

A domain declares a class whose annotations are the entries, `name: Annotated[type, FieldDefinition(...)]`, and makes a
`FieldCatalog` of it. Contracts, forms, lists, imports, exports and statements read the catalog, and name no field.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Any, Final, get_args, get_type_hints

from pydantic import JsonValue
from pydantic.alias_generators import to_camel

from leadflood.kernel.db.sql import COMMA, EMPTY, Sql, assemble, identifier, joined, sql
from leadflood.kernel.field_types import AllowedValues, FieldType, Option, parse_value
from leadflood.kernel.text import FromText, InvalidValue, line

TEXT: Final = sql("text")
UUID_: Final = sql("uuid")
_OR_INITIAL: Final = sql("coalesce({field}, {initial})")
# Unlike COALESCE, PostgreSQL knows of CASE that it leaks nothing, so that row-level security lets indexes serve it.
_OR_FOUND: Final = sql("CASE WHEN {field} IS NULL THEN found_{field} ELSE {field} END")
Line: Final = Annotated[str, line(200)]
"""The usual input of a field: one line of text."""
_STORED_AS_TEXT: Final = (FieldType.TEXT, FieldType.URL, FieldType.CHOICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDefinition:
    """One field.

    Attributes:
        label: what people read.
        type: what it holds.
        sql_type: the type of its column.
        input: the type of its values in contracts: a string with the rule that parses it (`FromText`), or a UUID.
        choices: all values that there can be, with their labels, of a choice whose rule is just that.
        listed_by_workspace: its choices are records of the workspace.
        initial: an expression, without access to rows, for the value of a new subject without one.
        categorical: a text with few different values, such as a source: filters compare it as a whole.
        depends_on: names of fields whose values its rule needs: they are validated before it.
        compared: brings a text to compare with to the stored form, where that is not the rule of `input`.
        identity: what the subject is known by: changed on its own, not by an import or a merge.
        required: it always has a value, and cannot be cleared.
        importable, updatable, mergeable, exportable, searchable, filterable: what can be done with it.
        bulk: it can be set for many subjects alike.
        personal: it says something of a person.
        multiple: it may have several values.
        time_to_live: after what time a value is out of date; None: never.
        listed: it is a column of lists. standard: one that is shown unless others were chosen. width: of it, in px.
        quick: it is in the short form for a new subject. wide: it has a row of a form for itself.
        hint: text below its input. keyboard: the type of that input in HTML. fill: whether browsers offer values.
        findable: sources may find its value. It has a second column, `found_<name>`, which counts while it is empty.
        headers: names in files that mean it, besides its own.
        example: a value for documents.
        name: of its column, and in Python. api_name: in the API, in forms and in files. Both come from the annotation.
        column: its name as a part of statements.
    """

    label: str
    type: FieldType = FieldType.TEXT
    sql_type: Sql = TEXT
    input: Any = Line
    choices: Mapping[str, str] = field(default_factory=dict)
    listed_by_workspace: bool = False
    initial: Sql | None = None
    categorical: bool = False
    depends_on: Sequence[str] = ()
    compared: Callable[[str], str] | None = None
    identity: bool = False
    required: bool = False
    importable: bool = True
    updatable: bool = True
    mergeable: bool = True
    exportable: bool = True
    searchable: bool = False
    filterable: bool = True
    bulk: bool = True
    personal: bool = True
    multiple: bool = False
    time_to_live: timedelta | None = None
    listed: bool = True
    standard: bool = False
    width: int = 144
    quick: bool = False
    wide: bool = False
    hint: str = ""
    keyboard: str = "text"
    fill: bool = True
    findable: bool = False
    headers: Sequence[str] = ()
    example: JsonValue = None
    name: str = ""
    api_name: str = ""
    column: Sql = EMPTY

    @property
    def short_name(self) -> str:
        """The name of what it refers to: `owner` for `ownerId`. Columns of lists, filters and files have it."""
        return self.api_name.removesuffix("Id")

    @property
    def parse(self) -> Callable[[str], Any] | None:
        """The rule that brings a text to the stored form; None for an ID. Raises InvalidValue."""
        return next((each.parse for each in get_args(self.input)[1:] if isinstance(each, FromText)), None)

    @property
    def normalise(self) -> Callable[[str], str] | None:
        """The stored form of a text to compare with; None if texts are compared as they are."""
        whole = self.categorical or self.type is FieldType.CHOICE
        return self.compared or (self.parse if whole else None)

    @property
    def effective(self) -> Sql:
        """The value, or else the found one."""
        return assemble(_OR_FOUND, field=self.column) if self.findable else self.column

    def named(self, name: str) -> "FieldDefinition":
        """The entry with its names. Raises: ValueError: the name or the type is not possible."""
        if self.type not in (*_STORED_AS_TEXT, FieldType.PERSON) or (self.type is FieldType.PERSON) != (
            self.sql_type == UUID_
        ):
            message = f"{name}: a field is text, a URL, a choice or a person (stored as uuid)."
            raise ValueError(message)
        given = _one_of(self.choices) if self.choices else self.input
        return replace(self, name=name, api_name=to_camel(name), column=identifier(name), input=given)


def _one_of(choices: Mapping[str, str]) -> Any:  # noqa: ANN401  an annotation
    allowed = AllowedValues([Option(value, label) for value, label in choices.items()])

    def parse(text: str) -> str:
        if (value := parse_value(FieldType.CHOICE, text, allowed)) is None:
            message = "Can't be blank."
            raise InvalidValue(message, "too_short")
        return str(value)

    return Annotated[str, FromText(parse, {"enum": list(choices)})]


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

    @classmethod
    def of(cls, subject: str, declared: type) -> "FieldCatalog":
        """The catalog that the annotations of a class declare. Raises: ValueError."""
        hints = get_type_hints(declared, include_extras=True)
        return cls(subject, [get_args(hint)[1].named(name) for name, hint in hints.items()])

    def __iter__(self) -> Iterator[FieldDefinition]:
        """In the order of the API."""
        return iter(self._fields)

    def __getitem__(self, name: str) -> FieldDefinition:
        """Raises: KeyError."""
        return {each.name: each for each in self._fields}[name]

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

    @property
    def new_columns(self) -> Sql:
        """The columns, with the initial values of new subjects where there is no other. Has the same parameters."""
        parts = [
            each.column if each.initial is None else assemble(_OR_INITIAL, field=each.column, initial=each.initial)
            for each in self._fields
        ]
        return joined(COMMA, parts)

    @property
    def by_dependency(self) -> list[FieldDefinition]:
        """The fields, each after those that its rule needs."""
        return sorted(self._fields, key=lambda each: bool(each.depends_on))

    @property
    def rows(self) -> list[list[FieldDefinition]]:
        """The fields in the rows of a form: two in each, unless one is `wide`."""
        rows: list[list[FieldDefinition]] = []
        for each in self._fields:
            beside = bool(rows) and len(rows[-1]) == 1 and not rows[-1][0].wide
            if beside and not each.wide:
                rows[-1].append(each)
            else:
                rows.append([each])
        return rows

    def values(self, declared: type) -> dict[str, Any]:
        """The fields as arguments of `pydantic.create_model`, with the types that a class declares."""
        hints = get_type_hints(declared)
        return {each.name: (hints[each.name], ...) for each in self._fields}

    @property
    def examples(self) -> dict[str, JsonValue]:
        """A value of each field, by API name."""
        return {each.api_name: each.example for each in self._fields}
