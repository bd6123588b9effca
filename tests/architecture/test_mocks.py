"""No notes to oneself in the code, and hardly a mock in the tests."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.architecture.source import Finding, Source, findings, require_none, snippet, sources

NOTE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
MOCKS = frozenset({"AsyncMock", "MagicMock", "Mock", "PropertyMock", "create_autospec", "mocker", "patch"})
MOCK_LINES_PER_TEST = 0.1


def notes(source: Source) -> Iterator[Finding]:
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and NOTE.search(token.string):
            yield Finding(source.path, token.start[0], "", "do it now, or file an issue")
    for node, scope in [(source.tree, ""), *source.nodes]:
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if NOTE.search(ast.get_docstring(node) or ""):
            yield source.finding(node, scope, "do it now, or file an issue")


def mock_lines(source: Source) -> set[int]:
    """Lines that import or use a mock, or replace an attribute through pytest's monkeypatch."""
    lines: set[int] = set()
    for node, _ in source.nodes:
        name = source.dotted(node)
        imported = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unittest.mock")
        replaced = name == "monkeypatch.setattr"
        mocked = name.startswith("unittest.mock") or name.split(".")[0] in MOCKS
        if imported or replaced or mocked:
            lines.add(getattr(node, "lineno", 0))
    return lines


def count_tests(source: Source) -> int:
    functions = (node for node, _ in source.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return sum(function.name.startswith("test_") for function in functions)


def test_the_code_holds_no_notes_to_oneself() -> None:
    require_none(findings(notes, "src", "tests", "scripts"))


def test_tests_use_real_things_and_hardly_a_mock() -> None:
    mocked = {source.path: len(lines) for source in sources("tests") if (lines := mock_lines(source))}
    tests = sum(count_tests(source) for source in sources("tests"))

    assert sum(mocked.values()) <= MOCK_LINES_PER_TEST * tests, f"use PostgreSQL and loopback servers instead: {mocked}"


@pytest.mark.parametrize("bad", ["x = 1  # TODO later\n", '"""FIXME."""\n', 'def act():\n    """Act. XXX slow."""\n'])
def test_the_check_refuses_a_note_to_oneself(bad: str) -> None:
    assert len(list(notes(snippet(bad)))) == 1


def test_the_check_accepts_the_word_in_a_string() -> None:
    assert list(notes(snippet('currency = "XXX"\n'))) == []


@pytest.mark.parametrize(
    "bad",
    [
        "from unittest.mock import AsyncMock\n",
        "import unittest.mock\nstore = unittest.mock.Mock()\n",
        "def test_it(mocker):\n    mocker.patch('leadflood.api')\n",
        "def test_it(monkeypatch):\n    monkeypatch.setattr(service, 'create_lead', fake)\n",
    ],
)
def test_the_check_counts_a_mock(bad: str) -> None:
    assert mock_lines(snippet(bad, "tests/unit/test_leads.py"))


def test_the_check_counts_no_environment_variable_as_a_mock() -> None:
    assert mock_lines(snippet("def test_it(monkeypatch):\n    monkeypatch.setenv('HOME', '/')\n")) == set()
