"""Finds the verbs of the services, and what each of them reaches."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tests.architecture.source import Finding, Source

RECORDS = frozenset({f"leadflood.domains.identity.service.audit.{name}" for name in ("record", "record_for_user")})
_HANDLES = ("Transaction", "Database")


@dataclass(frozen=True)
class Verb:
    """A public function of a service that takes a transaction or the database. `name`: dotted, from the domain on."""

    name: str
    source: Source
    node: ast.AsyncFunctionDef

    def finding(self, remedy: str) -> Finding:
        return self.source.finding(self.node, self.node.name, remedy)


class Services:
    """The functions of some modules, and which of them call which."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources

    @cached_property
    def functions(self) -> Mapping[str, tuple[Source, ast.AsyncFunctionDef | ast.FunctionDef]]:
        return {
            f"{module_of(source)}.{node.name}": (source, node)
            for source in self.sources
            for node in source.tree.body
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
        }

    def verbs(self) -> Iterator[Verb]:
        """Every function that could write: whoever adds one says in a list if it does not."""
        for dotted, (source, node) in self.functions.items():
            is_public = not node.name.startswith("_") and isinstance(node, ast.AsyncFunctionDef)
            if is_public and "/service" in source.path and _takes_handle(node):
                assert isinstance(node, ast.AsyncFunctionDef)
                yield Verb(dotted.removeprefix("leadflood.domains."), source, node)

    def records(self, verb: Verb) -> bool:
        """Whether the verb, or what it calls, writes to the audit log."""
        waiting, seen = [f"leadflood.domains.{verb.name}"], set[str]()
        while waiting:
            called = set(self._calls(waiting.pop())) - seen
            if called & RECORDS:
                return True
            seen |= called
            waiting += called
        return False

    def _calls(self, dotted: str) -> Iterator[str]:
        if dotted not in self.functions:
            return
        source, function = self.functions[dotted]
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and (name := source.dotted(node.func)):
                yield name if "." in name else f"{module_of(source)}.{name}"


def module_of(source: Source) -> str:
    """The dotted name of a file below `src`."""
    return source.path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


_PERMISSION = re.compile(r"leadflood\.kernel\.actor\.Permission\.|leadflood\.domains\.\w+\.permissions\.[A-Z]")
"""A permission of the kernel, or of a domain."""


def requires_permission(verb: Verb) -> bool:
    """Whether `actor.require(PERMISSION)` is reached whatever the input is, and before anything is awaited."""
    for statement in verb.node.body:
        if _is_requirement(verb.source, statement):
            return True
        if any(isinstance(node, ast.Await | ast.AsyncWith | ast.AsyncFor | ast.Return) for node in ast.walk(statement)):
            return False
    return False


def _is_requirement(source: Source, statement: ast.stmt) -> bool:
    if isinstance(statement, ast.For):  # each of several actors
        return any(_is_requirement(source, inner) for inner in statement.body)
    call = statement.value if isinstance(statement, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and source.dotted(call.func).rpartition(".actor")[2] in {"actor.require", ".require"}
        and len(call.args) == 1
        and _PERMISSION.match(source.dotted(call.args[0])) is not None
    )


def _takes_handle(node: ast.AsyncFunctionDef | ast.FunctionDef) -> bool:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return any(
        isinstance(argument.annotation, ast.Name) and argument.annotation.id in _HANDLES for argument in arguments
    )
