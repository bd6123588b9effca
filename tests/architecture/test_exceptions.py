"""House style, rule 7: catch what you can name and handle. ruff (BLE001) refuses a broad `except`."""

import ast
from collections.abc import Iterator

from tests.architecture.source import Finding, Source, findings, require_none

BROAD = {"Exception", "BaseException"}


def broad_suppressions(source: Source) -> Iterator[Finding]:
    for node, scope in source.nodes:
        if not isinstance(node, ast.Call) or source.dotted(node.func) != "contextlib.suppress":
            continue
        if BROAD & {source.dotted(argument) for argument in node.args}:
            yield source.finding(node, scope, "name the errors that may be ignored")


def test_nothing_suppresses_everything() -> None:
    require_none(findings(broad_suppressions, "src", "scripts", naming=["suppress"]))
