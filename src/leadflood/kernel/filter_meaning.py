"""Meaning of conditions: comparisons of columns, for one reader at one time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from leadflood.kernel.filters import (
    ME,
    WITHOUT_VALUE,
    Column,
    Compare,
    Comparison,
    Condition,
    Either,
    Every,
    FilterField,
    FilterReader,
    Kind,
    Node,
    Operator,
    Related,
    Relation,
)
from leadflood.kernel.search import pattern, search_terms
from leadflood.kernel.text import search_key
from leadflood.kernel.timestamps import parse_timestamp

_NO_USER: Final = UUID(int=0)
_AFTER_DATES: Final = ":"
"""Dates are stored as ISO 8601 text, next to other text: this sorts after every digit."""
_COMPARISONS: Final = {
    Operator.IS_NOT: Comparison.DISTINCT,
    Operator.LESS_THAN: Comparison.LESS,
    Operator.GREATER_THAN: Comparison.MORE,
    Operator.BEFORE: Comparison.LESS,
    Operator.ON_OR_AFTER: Comparison.AT_LEAST,
}
"""Comparisons of one value; all other operators compare for equality."""
_POSITIVE: Final = {
    Operator.IS_NOT: Operator.IS,
    Operator.IS_NONE_OF: Operator.IS_ANY_OF,
    Operator.IS_EMPTY: Operator.IS_NOT_EMPTY,
}
"""Operators that mean "no related row", with the condition that no row meets."""
_SEVERAL: Final = {
    Operator.IS: Operator.IS_ANY_OF,
    Operator.IS_ANY_OF: Operator.IS_ANY_OF,
    Operator.IS_NOT: Operator.IS_NONE_OF,
    Operator.IS_NONE_OF: Operator.IS_NONE_OF,
}
"""Operators for several values, by those for one."""


def kind_of(operator: Operator, value: object) -> Kind:
    """The kind that a condition takes the values of a custom field for."""
    first = value[0] if isinstance(value, list | tuple) and value else value
    if operator in {Operator.BEFORE, Operator.ON_OR_AFTER, Operator.IN_LAST_DAYS}:
        return Kind.DATE
    if operator in {Operator.CONTAINS, Operator.STARTS_WITH}:
        return Kind.TEXT
    if isinstance(first, bool):
        return Kind.BOOLEAN
    if isinstance(first, int | float) or operator in {Operator.GREATER_THAN, Operator.LESS_THAN}:
        return Kind.NUMBER
    return Kind.DATE if operator is Operator.BETWEEN else Kind.CHOICE


def days_ago(days: int, reader: FilterReader) -> datetime:
    """The time this many days before the reader's."""
    return reader.now.astimezone(UTC) - timedelta(days=days)


def person(value: str, reader: FilterReader) -> UUID:
    """The user that the value names. `me` is empty for a program, which has no user."""
    return (reader.actor.user_id or _NO_USER) if value == ME else UUID(value)


def compared(field: FilterField, condition: Condition, reader: FilterReader) -> Node:
    """The comparisons of one condition."""
    if field.places is not None:
        return _placed(field.places, condition, reader)
    if field.kind is Kind.SEARCH:
        return _searched(field.column, condition.value)
    if field.relation is None:
        return _comparison(field, condition, reader)
    if condition.operator is Operator.IS_ALL_OF:
        each = (Condition(field.name, Operator.IS, value) for value in condition.value)
        return Every(tuple(compared(field, item, reader) for item in each))
    if field.absent is not None and field.absent in _each(condition.value):
        return _absent(field, field.relation, condition, reader)
    negated = condition.operator in _POSITIVE
    asked = Condition(field.name, _POSITIVE.get(condition.operator, condition.operator), condition.value)
    return _related(field, field.relation, _comparison(field, asked, reader), negated=negated)


def _absent(field: FilterField, relation: Relation, condition: Condition, reader: FilterReader) -> Node:
    """The comparisons of a condition with the value that subjects without a related row have."""
    others = tuple(value for value in _each(condition.value) if value != field.absent)
    elsewhere = (*field.fixed, Compare(field.column, Comparison.DISTINCT, field.absent))
    if condition.operator is Operator.IS_NOT:
        return Related(relation, elsewhere)
    here = Related(relation, elsewhere, negated=True)
    if not others:
        return here
    return Either((here, compared(field, Condition(field.name, Operator.IS_ANY_OF, others), reader)))


def _placed(places: Mapping[Kind, FilterField], condition: Condition, reader: FilterReader) -> Node:
    """The comparisons of a condition on a custom field: it is empty if it is empty in each place."""
    if condition.operator not in WITHOUT_VALUE:
        condition = with_reader(condition, reader) if names_reader(condition) else condition
        return compared(places[kind_of(condition.operator, condition.value)], condition, reader)
    nodes = tuple(compared(places[kind], condition, reader) for kind in (Kind.CHOICE, Kind.NUMBER))
    return Every(nodes) if condition.operator is Operator.IS_EMPTY else Either(nodes)


def names_reader(condition: Condition) -> bool:
    """Whether a condition on a custom field, whose values may be members, can mean the reader by `me`."""
    return condition.operator in _SEVERAL and ME in _each(condition.value)


def with_reader(condition: Condition, reader: FilterReader, *, alone: bool = False) -> Condition:
    """The condition with the reader's ID besides `me`, which may be a text; `alone`: instead of it."""
    user = str(person(ME, reader))
    values = [user if alone and value == ME else value for value in _each(condition.value)]
    return Condition(condition.field, _SEVERAL[condition.operator], (*values, *([] if alone else [user])))


def _related(field: FilterField, relation: Relation, node: Node, *, negated: bool) -> Node:
    """Any of the related rows, or none of them, meets this. Each of several values has its own row."""
    if isinstance(node, Either):
        return Either(tuple(_related(field, relation, part, negated=negated) for part in node.parts))
    parts = node.parts if isinstance(node, Every) else (node,)
    return Related(relation, (*field.fixed, *(part for part in parts if isinstance(part, Compare))), negated)


def _comparison(field: FilterField, condition: Condition, reader: FilterReader) -> Node:  # noqa: PLR0911  one for each shape
    """The comparison of the column."""
    operator, column = condition.operator, field.column
    if operator in WITHOUT_VALUE:
        return Compare(column, Comparison.NULL if operator is Operator.IS_EMPTY else Comparison.NOT_NULL)
    if field.kind is Kind.TEXT:
        return _text_compared(column, condition)
    if operator is Operator.IN_LAST_DAYS:
        return _since(column, field.kind, days_ago(condition.value, reader))
    values = tuple(_stored(field.kind, item, reader) for item in _each(condition.value))
    if operator is Operator.BETWEEN:
        upper = Comparison.LESS if field.kind is Kind.TIME else Comparison.AT_MOST
        return Every((Compare(column, Comparison.AT_LEAST, values[0]), Compare(column, upper, values[1])))
    if operator is Operator.IS_ANY_OF and len(values) > 1:
        return Compare(column, Comparison.ONE_OF, values)
    if operator is Operator.ON_OR_AFTER and field.kind is Kind.DATE:
        return Every((Compare(column, Comparison.AT_LEAST, values[0]), Compare(column, Comparison.LESS, _AFTER_DATES)))
    return Compare(column, _COMPARISONS.get(operator, Comparison.EQUAL), values[0])


def _since(column: Column, kind: Kind, moment: datetime) -> Node:
    if kind is not Kind.DATE:
        return Compare(column, Comparison.AT_LEAST, moment)
    since = Compare(column, Comparison.AT_LEAST, moment.date().isoformat())
    return Every((since, Compare(column, Comparison.LESS, _AFTER_DATES)))


def _text_compared(column: Column, condition: Condition) -> Node:
    operator = condition.operator
    before, after = operator is Operator.CONTAINS, operator in {Operator.CONTAINS, Operator.STARTS_WITH}
    patterns = [pattern(search_key(item), before=before, after=after) for item in _each(condition.value)]
    if operator is Operator.IS_NOT:
        return Compare(column, Comparison.FOLDED_NOT_LIKE, patterns[0])
    likes = tuple(Compare(column, Comparison.FOLDED_LIKE, item) for item in patterns)
    return likes[0] if len(likes) == 1 else Either(likes)


def _searched(column: Column, text: str) -> Node:
    """Every word is in the searched text, in one of its spellings."""
    terms: list[Node] = []
    for patterns in search_terms(text):
        likes = tuple(Compare(column, Comparison.LIKE, item) for item in patterns)
        terms.append(likes[0] if len(likes) == 1 else Either(likes))
    return terms[0] if len(terms) == 1 else Every(tuple(terms))


def _each(value: Any) -> tuple[Any, ...]:  # noqa: ANN401  whatever the field has
    return value if isinstance(value, tuple) else (value,)


def _stored(kind: Kind, value: Any, reader: FilterReader) -> Any:  # noqa: ANN401  whatever the field has
    """A value in the form that the driver takes."""
    match kind:
        case Kind.TIME:
            return parse_timestamp(value)
        case Kind.BOOLEAN:
            return "true" if value else "false"
        case Kind.PERSON:
            return person(value, reader)
        case Kind.REFERENCE:
            return UUID(value)
        case Kind.NUMBER:
            return Decimal(str(value))
        case _:
            return value
