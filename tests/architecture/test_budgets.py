"""House style: a file has 400 lines (stop 600), a function 40 (stop 80), docstring not counted."""

import ast
from collections.abc import Iterator, Mapping

import pytest

from tests.architecture.source import Finding, Source, findings, require_none, require_only_allowed, sources

CODE = ("src", "scripts", "tests")

FILE_BUDGET, FILE_STOP = 400, 600
FUNCTION_BUDGET, FUNCTION_STOP = 40, 80

LONG_FILES: dict[tuple[str, str], str] = {
    ("src/leadflood/migrations/versions/r0001_foundation.py", ""): "the first revision creates every table",
}
"""(path, ""): why it is still over budget. This list may only shrink."""

LONG_FUNCTIONS: dict[tuple[str, str], str] = {}
"""(path, qualified name): why it is still over budget. This list may only shrink."""


def long_files(source: Source, limit: int) -> Iterator[Finding]:
    length = len(source.text.splitlines())
    if length > limit:
        yield Finding(source.path, limit + 1, "", f"{length} lines, {limit} allowed: split it by use case")


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    docstring = 0
    if ast.get_docstring(function, clean=False) is not None:
        docstring = (first.end_lineno or first.lineno) - first.lineno + 1
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


def long_functions(source: Source, limit: int) -> Iterator[Finding]:
    if len(source.text.splitlines()) <= limit:
        return  # not parsed: no function in it can be longer
    for node, scope in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (length := _length(node)) > limit:
            yield source.finding(node, scope, f"{length} lines, {limit} allowed: name its steps as functions")


def test_no_file_is_longer_than_the_stop() -> None:
    require_none(findings(lambda source: long_files(source, FILE_STOP), *CODE))


def test_a_file_over_budget_is_on_the_list_with_its_reason() -> None:
    require_only_allowed(findings(lambda source: long_files(source, FILE_BUDGET), *CODE), LONG_FILES)


@pytest.fixture(scope="module")
def long_ones() -> Mapping[int, list[Finding]]:
    """Limit → the functions above it, found in one walk."""
    found: dict[int, list[Finding]] = {FUNCTION_BUDGET: [], FUNCTION_STOP: []}
    for source in sources(*CODE):
        for limit, those in found.items():
            those.extend(long_functions(source, limit))
    return found


def test_no_function_is_longer_than_the_stop(long_ones: Mapping[int, list[Finding]]) -> None:
    require_none(long_ones[FUNCTION_STOP])


def test_a_function_over_budget_is_on_the_list_with_its_reason(long_ones: Mapping[int, list[Finding]]) -> None:
    require_only_allowed(long_ones[FUNCTION_BUDGET], LONG_FUNCTIONS)
