"""Filters: a tree of conditions on declared fields, read from JSON, checked, and brought to a normal form.

    {"all": [{"field": "status", "operator": "is", "value": "new"},
             {"any": [{"field": "company", "operator": "contains", "value": "acme"},
                      {"field": "createdAt", "operator": "inLastDays", "value": 7}]}]}

Domains declare fields: a `FilterField` says what its values are, so which operators it has, and where they are stored.
`FilterFields` (in `kernel.filter_fields`) reads a tree and turns it into the normal form: comparisons of columns, for
one reader at one moment. The normal form runs in two ways with one meaning (`kernel.filter_sql`): as constant SQL with
parameters, and as JSON for a function in the database that may compare text in ways that are not leakproof.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import JsonValue

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import Sql
from leadflood.kernel.db.transaction import Transaction

MAX_DEPTH: Final = 4
"""Maximum depth of groups, including the outermost one."""
MAX_CONDITIONS: Final = 50
MAX_VALUES: Final = 50
MAX_DAYS: Final = 3650
MAX_TEXT: Final = 200
ME: Final = "me"
"""The value that means the reader."""


class Operator(StrEnum):
    """Operator of a condition. A field without a value matches `isNot` and `isEmpty`, and nothing else."""

    IS = "is"
    IS_NOT = "isNot"
    IS_ANY_OF = "isAnyOf"
    IS_ALL_OF = "isAllOf"
    IS_NONE_OF = "isNoneOf"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    MATCHES = "matches"
    GREATER_THAN = "greaterThan"
    LESS_THAN = "lessThan"
    BETWEEN = "between"
    BEFORE = "before"
    ON_OR_AFTER = "onOrAfter"
    IN_LAST_DAYS = "inLastDays"
    IS_EMPTY = "isEmpty"
    IS_NOT_EMPTY = "isNotEmpty"


class Kind(StrEnum):
    """Type of a field's values."""

    TEXT = "text"
    CHOICE = "choice"
    PERSON = "person"
    TIME = "time"
    DATE = "date"
    NUMBER = "number"
    BOOLEAN = "boolean"
    REFERENCE = "reference"
    SEARCH = "search"
    CUSTOM = "custom"
    """For fields with values of any type: the condition's value decides."""


WITHOUT_VALUE: Final = frozenset({Operator.IS_EMPTY, Operator.IS_NOT_EMPTY})
OF_SEVERAL: Final = frozenset({Operator.IS_ANY_OF, Operator.IS_ALL_OF, Operator.IS_NONE_OF})
"""Operators with a list of values in any order."""
_EQUAL: Final = (Operator.IS, Operator.IS_NOT, Operator.IS_ANY_OF)
_OPERATORS: Final[Mapping[Kind, tuple[Operator, ...]]] = {
    Kind.TEXT: (Operator.CONTAINS, Operator.IS, Operator.IS_NOT, Operator.IS_ANY_OF, Operator.STARTS_WITH),
    Kind.CHOICE: _EQUAL,
    Kind.PERSON: _EQUAL,
    Kind.TIME: (Operator.IN_LAST_DAYS, Operator.ON_OR_AFTER, Operator.BEFORE, Operator.BETWEEN),
    Kind.DATE: (Operator.IS, Operator.IN_LAST_DAYS, Operator.ON_OR_AFTER, Operator.BEFORE, Operator.BETWEEN),
    Kind.NUMBER: (Operator.IS, Operator.IS_NOT, Operator.GREATER_THAN, Operator.LESS_THAN, Operator.BETWEEN),
    Kind.BOOLEAN: (Operator.IS, Operator.IS_NOT),
    Kind.REFERENCE: (Operator.IS, Operator.IS_NOT, Operator.IS_ANY_OF),
    Kind.SEARCH: (Operator.MATCHES,),
    Kind.CUSTOM: (
        *_EQUAL,
        Operator.CONTAINS,
        Operator.STARTS_WITH,
        Operator.GREATER_THAN,
        Operator.LESS_THAN,
        Operator.BETWEEN,
        Operator.BEFORE,
        Operator.ON_OR_AFTER,
        Operator.IN_LAST_DAYS,
    ),
}


class Comparison(StrEnum):
    """Comparison of a column in the normal form. Those from `LIKE` on are not leakproof."""

    EQUAL = "="
    DISTINCT = "distinct"
    ONE_OF = "in"
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    NULL = "null"
    NOT_NULL = "not null"
    LIKE = "like"
    FOLDED_LIKE = "folded like"
    FOLDED_NOT_LIKE = "folded not like"

    @property
    def leakproof(self) -> bool:
        """Whether row-level security lets an index serve it."""
        return self not in {Comparison.LIKE, Comparison.FOLDED_LIKE, Comparison.FOLDED_NOT_LIKE}


@dataclass(frozen=True, slots=True)
class Column:
    """A column, by name and as constant SQL. `searched`: the searched text contains its folded text."""

    name: str
    sql: Sql
    searched: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows that belong to a subject: a table or view with its workspace and ID, as constant SQL around `{conditions}`.

    `search_leads` needs the right to read it.
    """

    name: str
    exists: Sql


@dataclass(frozen=True, slots=True)
class Compare:
    """A column of the subject, or of its related rows, compared with a value."""

    column: Column
    comparison: Comparison
    value: Any = None


@dataclass(frozen=True, slots=True)
class Related:
    """Existence of a related row that meets all of these."""

    relation: Relation
    where: tuple[Compare, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Every:
    """All of these."""

    parts: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """Any of these."""

    parts: tuple["Node", ...]


Node = Compare | Related | Every | Either

Options = Callable[[Transaction, Actor], Awaitable[Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field that can be filtered by.

    Attributes:
        name: in the JSON of a filter.
        label: for people.
        kind: which decides its operators.
        column: where its values are: of the subject, or of `relation`.
        relation: related rows, any of which may meet the condition.
        fixed: what else the related rows must be, such as the field that they are values of.
        nullable: whether it can be empty.
        absent: value of the subjects without a related row.
        choices: all values that there are, with their labels; None where any are possible.
        normalise: brings a value to the form that is stored; raises InvalidValue.
        options: loads the labels of all values, by value.
        multiple: whether a subject can have several values.
        listed: whether it is offered to users.
        places: of a field of kind CUSTOM, where values of each kind are: as a field of that kind.
    """

    name: str
    label: str
    kind: Kind
    column: Column
    relation: Relation | None = None
    fixed: tuple[Compare, ...] = ()
    nullable: bool = True
    absent: str | None = None
    choices: Mapping[str, str] | None = None
    normalise: Callable[[str], str] | None = None
    options: Options | None = None
    multiple: bool = False
    listed: bool = True
    places: Mapping[Kind, "FilterField"] | None = None

    @property
    def operators(self) -> tuple[Operator, ...]:
        """Operators of the field, the usual one first."""
        several = (Operator.IS_ALL_OF, Operator.IS_NONE_OF) if self.multiple else ()
        empty = (Operator.IS_EMPTY, Operator.IS_NOT_EMPTY) if self.nullable else ()
        return _OPERATORS[self.kind] + several + empty


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, an operator, and the value as JSON has it; lists are tuples."""

    field: str
    operator: Operator
    value: Any = None


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions and groups, combined by all or any. An empty group matches everything."""

    match: Literal["all", "any"]
    parts: tuple["Condition | Group", ...] = ()

    @property
    def conditions(self) -> Iterator[Condition]:
        """All conditions, in order."""
        for part in self.parts:
            if isinstance(part, Group):
                yield from part.conditions
            else:
                yield part


EVERYTHING: Final = Group("all")


@dataclass(frozen=True, slots=True)
class FilterReader:
    """Reader and time of a filter: the meaning of `me` and of relative dates.

    The actor is asked for its user only where a condition names `me`: viewers share the page of any other filter.
    """

    now: datetime
    actor: Actor


def written(tree: Group | Condition) -> dict[str, JsonValue]:
    """The JSON of a tree."""
    if isinstance(tree, Group):
        return {tree.match: [written(part) for part in tree.parts]}
    given: dict[str, JsonValue] = {"field": tree.field, "operator": tree.operator.value}
    if tree.operator not in WITHOUT_VALUE:
        given["value"] = list(tree.value) if isinstance(tree.value, tuple) else tree.value
    return given


def narrowed(tree: Group, conditions: Sequence[Condition]) -> Group:
    """All of the conditions and the tree."""
    if not conditions:
        return tree
    return Group("all", (*conditions, *(tree.parts if tree.match == "all" else (tree,))))
