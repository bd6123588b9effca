"""Rows of the database stay in the domain that reads them: what crosses a border is a dataclass or a contract."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import Finding, Source, require_none, snippet, sources

ROW = "leadflood.kernel.db.pool.Row"
REMEDY = "it takes or returns a Row, which stays in its own domain: hand over a dataclass or a contract"


def _domain(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[2:3]) if parts[:2] == ["leadflood", "domains"] else ""


def _module(source: Source) -> str:
    return source.path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def functions_of_rows(source: Source) -> Iterator[str]:
    """The full names of functions with a Row in their signature."""
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts = [*node.args.args, *node.args.kwonlyargs]
            annotations = [*(part.annotation for part in parts), node.returns]
            names = (item for annotation in annotations if annotation for item in ast.walk(annotation))
            if any(source.dotted(name) == ROW for name in names):
                yield f"{_module(source)}.{node.name}"


def crossings(source: Source, of_rows: frozenset[str]) -> Iterator[Finding]:
    """Uses of such a function of another domain in a file."""
    own = _domain(_module(source))
    for node, scope in source.nodes:
        if isinstance(node, ast.Name | ast.Attribute):
            name = source.dotted(node)
            if name in of_rows and _domain(name) != own:
                yield source.finding(node, scope, REMEDY)


def test_no_row_crosses_the_border_of_a_domain() -> None:
    of_rows = frozenset(
        name for source in sources("src/leadflood/domains", naming=["Row"]) for name in functions_of_rows(source)
    )
    assert len(of_rows) > 10
    names = {name.rpartition(".")[2] for name in of_rows}
    require_none(finding for source in sources("src", naming=names) for finding in crossings(source, of_rows))


@pytest.mark.parametrize(
    ("path", "crosses"),
    [
        ("src/leadflood/domains/duplicates/service.py", True),
        ("src/leadflood/web/pages/lead.py", True),
        ("src/leadflood/domains/leads/service/bulk.py", False),
    ],
)
def test_the_check_sees_a_row_that_crosses(path: str, crosses: bool) -> None:
    store = f"from {ROW.rpartition('.')[0]} import Row\nasync def lock(tx) -> Row | None: ...\n"
    of_rows = frozenset(functions_of_rows(snippet(store, "src/leadflood/domains/leads/store.py")))
    user = snippet("from leadflood.domains.leads import store\nasync def f(): await store.lock(tx)\n", path)

    assert bool(list(crossings(user, of_rows))) is crosses
