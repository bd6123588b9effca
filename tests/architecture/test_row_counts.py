"""House style, rule 3: a write that names the state it expects says whether it met it, and its caller looks."""

import ast
from collections.abc import Iterator

from tests.architecture.source import Finding, Source, require_none, sources

DOMAINS = "src/leadflood/domains"


def _domain(source: Source) -> str:
    return source.path.removeprefix(f"{DOMAINS}/").partition("/")[0]


def _compare_and_sets() -> set[tuple[str, str]]:
    """(domain, function) of the stores that say whether they changed the row."""
    return {
        (_domain(source), node.name)
        for source in sources(DOMAINS)
        if "/store" in source.path
        for node in source.tree.body
        if isinstance(node, ast.AsyncFunctionDef) and isinstance(node.returns, ast.Name) and node.returns.id == "bool"
    }


def _ignored(source: Source, functions: set[tuple[str, str]]) -> Iterator[Finding]:
    for node, scope in source.nodes:
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Await)):
            continue
        call = node.value.value
        if not isinstance(call, ast.Call):
            continue
        module, _, name = source.dotted(call.func).rpartition(".")
        if "store" in module.split(".") and (_domain(source), name) in functions:
            yield source.finding(node, scope, f"{name} says whether it changed the row: look at it, or `expect` it")


def test_no_result_of_a_compare_and_set_is_ignored() -> None:
    functions = _compare_and_sets()

    assert functions
    require_none(finding for source in sources(DOMAINS) for finding in _ignored(source, functions))
