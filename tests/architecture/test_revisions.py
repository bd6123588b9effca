"""Revisions of the schema are one chain, and they and the decisions are numbered in order.

Two branches that each add the next revision would leave two heads, with which every migration fails.
"""

import ast
import re
from pathlib import Path

from tests.architecture.source import ROOT


def constants(path: Path) -> dict[str, str]:
    """The text constants of a revision."""
    return {
        node.targets[0].id: node.value.value
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def test_revisions_are_one_chain_numbered_in_its_order() -> None:
    files = sorted((ROOT / "src/leadflood").glob("**/migrations/**/r[0-9]*.py"), key=lambda path: path.name)
    numbers = [path.name[1:5] for path in files]

    assert numbers == [f"{place:04}" for place in range(1, len(files) + 1)], "rename yours to the next free number"
    for path, before in zip(files, [None, *numbers], strict=False):
        found = constants(path)
        assert (found["revision"], found.get("down_revision")) == (path.name[1:5], before), path.name


def test_decisions_are_numbered_in_order_and_listed_once() -> None:
    folder = ROOT / "docs/decisions"
    files = sorted(path.name for path in folder.glob("[0-9]*.md"))
    listed = re.findall(r"\((\d{4}-[^)]+\.md)\)$", (folder / "README.md").read_text("utf-8"), re.MULTILINE)

    assert [name[:4] for name in files] == [f"{place:04}" for place in range(1, len(files) + 1)]
    assert listed == files
