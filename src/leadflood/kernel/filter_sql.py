"""The normal form of a filter as constant SQL with parameters, and as JSON for the function that searches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import JsonValue

from leadflood.kernel.db.sql import AND, Sql, assemble, joined, numbered, sql
from leadflood.kernel.filters import Compare, Comparison, Either, Every, Node, Related

# Each has the same parameter name: `numbered` makes them distinct within a statement.
_COMPARED: Final[Mapping[Comparison, Sql]] = {
    Comparison.EQUAL: sql("{column} = :value"),
    Comparison.DISTINCT: sql("{column} IS DISTINCT FROM :value"),
    Comparison.ONE_OF: sql("{column} = ANY(:value)"),
    Comparison.LESS: sql("{column} < :value"),
    Comparison.AT_MOST: sql("{column} <= :value"),
    Comparison.MORE: sql("{column} > :value"),
    Comparison.AT_LEAST: sql("{column} >= :value"),
    Comparison.NULL: sql("{column} IS NULL"),
    Comparison.NOT_NULL: sql("{column} IS NOT NULL"),
    Comparison.LIKE: sql("{column} LIKE :value"),
    Comparison.FOLDED_LIKE: sql("search_key({column}) LIKE :value"),
    Comparison.FOLDED_NOT_LIKE: sql("({column} IS NULL OR search_key({column}) NOT LIKE :value)"),
}
_OR: Final = sql(" OR ")
_IN_BRACKETS: Final = sql("({parts})")
_NOT: Final = sql("NOT {part}")
_TRUE, _FALSE = sql("true"), sql("false")


@dataclass
class Conditions:
    """Conditions of a statement, and the values of their parameters."""

    values: dict[str, Any] = field(default_factory=dict)
    parts: list[Sql] = field(default_factory=list)

    def add(self, node: Node) -> None:
        """Add the condition of a node. Under row-level security, no index serves one that is not leakproof."""
        self.parts.append(self._of(node))

    def _of(self, node: Node) -> Sql:
        match node:
            case Compare():
                return self._compared(node)
            case Related():
                found = assemble(node.relation.exists, conditions=joined(AND, map(self._compared, node.where)))
                return assemble(_NOT, part=found) if node.negated else found
            case Every(parts):
                return self._joined(AND, parts) if parts else _TRUE
            case Either(parts):
                return self._joined(_OR, parts) if parts else _FALSE

    def _joined(self, separator: Sql, parts: Iterable[Node]) -> Sql:
        return assemble(_IN_BRACKETS, parts=joined(separator, map(self._of, parts)))

    def _compared(self, node: Compare) -> Sql:
        part = assemble(_COMPARED[node.comparison], column=node.column.sql)
        if node.comparison in {Comparison.NULL, Comparison.NOT_NULL}:
            return part
        number = len(self.values) + 1
        self.values[f"value_{number}"] = list(node.value) if isinstance(node.value, tuple) else node.value
        return numbered(part, number)


def is_leakproof(node: Node) -> bool:
    """Whether row-level security lets indexes serve a node."""
    match node:
        case Compare():
            return node.comparison.leakproof
        case Related():
            return all(map(is_leakproof, node.where))
        case Every(parts) | Either(parts):
            return all(map(is_leakproof, parts))


def searched(node: Node) -> list[tuple[str, ...]]:
    """Patterns on the searched text that a node implies; at least one of each tuple matches."""
    match node:
        case Compare(column, Comparison.LIKE, value):
            return [(value,)]
        case Compare(column, Comparison.FOLDED_LIKE, value) if column.searched:
            return [(f"%{value}%",)]
        case Related(where=where, negated=False):
            return [item for part in where for item in searched(part)]
        case Every(parts):
            return [item for part in parts for item in searched(part)]
        case Either(parts) if parts and all(found := [searched(part) for part in parts]):
            return [tuple(dict.fromkeys(item for terms in found for item in rarest(terms)))]
        case _:
            return []


def rarest(terms: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The most selective of several terms: the one whose shortest pattern is longest."""
    return max(terms, key=lambda patterns: min(map(len, patterns)), default=())


def json_of(node: Node) -> dict[str, JsonValue]:
    """A node in the form that `search_leads` reads."""
    match node:
        case Compare(column, comparison, value):
            return {"column": column.name, "op": comparison.value, "value": _json_value(value)}
        case Related(relation, where, negated):
            return {"relation": relation.name, "negated": negated, "where": [json_of(part) for part in where]}
        case Every(parts):
            return {"all": [json_of(part) for part in parts]}
        case Either(parts):
            return {"any": [json_of(part) for part in parts]}


def _json_value(value: Any) -> JsonValue:  # noqa: ANN401  whatever a column has
    if isinstance(value, tuple):
        return [_json_value(item) for item in value]
    if value is None or isinstance(value, str | bool):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
