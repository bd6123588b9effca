"""Reads the repository's own source for the architecture tests. A check takes `Source` and gives `Finding`s."""

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Finding:
    """A broken rule: where, in which function or class, and what to do about it."""

    path: str
    line: int
    scope: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} ({self.scope or 'module'}): {self.remedy}"


@dataclass(frozen=True)
class Source:
    """One Python file: its path below the checkout, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> tuple[tuple[ast.AST, str], ...]:
        """Every node with the dotted name of the function or class it stands in."""
        found: list[tuple[ast.AST, str]] = []
        _walk(self.tree, "", found)
        return tuple(found)

    @cached_property
    def imports(self) -> Mapping[str, str]:
        """Local name → dotted name of what it was imported from."""
        names: dict[str, str] = {}
        for node, _ in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    names[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return names

    def dotted(self, node: ast.AST) -> str:
        """The full name behind `a.b.c`, imports resolved; empty for anything but names and attributes."""
        if isinstance(node, ast.Attribute):
            left = self.dotted(node.value)
            return f"{left}.{node.attr}" if left else ""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, node.id)
        return ""

    def finding(self, node: ast.AST, scope: str, remedy: str) -> Finding:
        return Finding(self.path, getattr(node, "lineno", 1), scope, remedy)


def _walk(node: ast.AST, scope: str, found: list[tuple[ast.AST, str]]) -> None:
    # Not `ast.iter_child_nodes` and no generator: the checks visit millions of nodes.
    for field in node._fields:
        value = getattr(node, field, None)
        for child in value if isinstance(value, list) else (value,):
            if not isinstance(child, ast.AST):
                continue
            inner = scope
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = f"{scope}.{child.name}".lstrip(".")
            found.append((child, inner))
            _walk(child, inner, found)


def sources(*folders: str, naming: Collection[str] = ("",)) -> Iterator[Source]:
    """The Python files below these folders of the checkout. No files at all is a fault of the test's set-up.

    Each is read again and then released: the trees of all of them take hundreds of megabytes.

    Args: naming: what a check looks for; files whose text has none of these need not be parsed.
    """
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    assert paths, f"no Python files in {folders}: were they moved?"
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if any(name in text for name in naming):
            yield Source(path.relative_to(ROOT).as_posix(), text)


Check = Callable[[Source], Iterable[Finding]]


def findings(check: Check, *folders: str, naming: Collection[str] = ("",)) -> list[Finding]:
    """All findings of a check in these folders. Args: naming: as for `sources`."""
    return [finding for source in sources(*folders, naming=naming) for finding in check(source)]


def require_none(found: Iterable[Finding]) -> None:
    """Fail with one line per finding."""
    if lines := [str(finding) for finding in found]:
        pytest.fail("\n".join(lines), pytrace=False)


def require_only_allowed(found: Iterable[Finding], allowed: Mapping[tuple[str, str], str]) -> None:
    """Fail for a finding that is not allowed by (path, scope), and for an entry that allows nothing any more."""
    kept = list(found)
    used = {(finding.path, finding.scope) for finding in kept}
    lines = [str(finding) for finding in kept if (finding.path, finding.scope) not in allowed]
    lines += [
        f"{path} ({scope or 'module'}): take this entry off the list, it allows nothing any more"
        for path, scope in allowed
        if (path, scope) not in used
    ]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def snippet(text: str, path: str = "src/leadflood/domains/leads/service.py") -> Source:
    """A piece of code as if it stood in that file: each check is shown one that it must refuse."""
    return Source(path, text)
