"""Hardly a mock in the tests."""

import ast
import re

from tests.architecture.source import Source, sources

MOCKS = frozenset({"AsyncMock", "MagicMock", "Mock", "PropertyMock", "create_autospec", "mocker", "patch"})
MOCK_LINES_PER_TEST = 0.1
_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(MOCKS))}|mock|monkeypatch)\b")
"""A file without a match mocks nothing."""
_TEST = re.compile(r"^ *(?:async )?def test_", re.MULTILINE)


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


def test_tests_use_real_things_and_hardly_a_mock() -> None:
    mocked, tests = {}, 0
    for source in sources("tests"):
        tests += len(_TEST.findall(source.text))
        if _WORDS.search(source.text) and (lines := mock_lines(source)):
            mocked[source.path] = len(lines)

    assert sum(mocked.values()) <= MOCK_LINES_PER_TEST * tests, f"use PostgreSQL and loopback servers instead: {mocked}"
