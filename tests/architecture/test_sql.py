"""No SQL is pieced together from strings: values travel as parameters, statements can be read and EXPLAINed."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import Finding, Source, findings, require_only_allowed, snippet

RUNS_SQL = frozenset(
    {"copy_from_query", "cursor", "exec_driver_sql", "execute", "executemany", "fetch", "fetchrow", "fetchval"}
    | {"prepare", "scalar", "scalars", "text"}
)
STATEMENT = re.compile(
    r"^\s*(select\s|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s|with\s+\S+\s+as\s|copy\s|set\s+(local|role)\s"
    r"|(create|alter|drop)\s+(table|index|role|user|database|schema|policy|function|extension|unique)\b"
    r"|grant\s|revoke\s|truncate\s|notify\s|listen\s)",
    re.IGNORECASE,
)
REMEDY = "pass values as bind parameters (:name), build statements with SQLAlchemy Core"

REVISIONS = "src/leadflood/migrations/versions/"
"""Free to repeat DDL over constant names, which no statement takes as parameters: nothing from outside gets there."""

ALLOWED: dict[tuple[str, str], str] = {}
"""(path, qualified name): why a part of the statement cannot be a parameter there."""


def _pieces(node: ast.AST) -> str | None:
    """The literal text of a string that is put together at run time; None for anything else."""
    if isinstance(node, ast.JoinedStr):
        if not any(isinstance(part, ast.FormattedValue) for part in node.values):
            return None
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        sides = [_text(side) for side in (node.left, node.right)]
        constants = all(isinstance(side, ast.Constant) for side in (node.left, node.right))
        return None if constants or sides == [None, None] else "".join(side or "{}" for side in sides)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"format", "join"}:
        return _text(node.func.value)
    return None


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return _pieces(node)


def _callee(source: Source, call: ast.Call) -> str:
    """The last part of the called name: the method of whatever object, or what a bare name was imported as."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return source.dotted(call.func).rpartition(".")[2]


def pieced_sql(source: Source) -> Iterator[Finding]:
    given: set[ast.AST] = set()
    for node, scope in source.nodes:
        if isinstance(node, ast.Call) and node.args and _callee(source, node) in RUNS_SQL:
            given.add(node.args[0])
        pieces = _pieces(node)
        if pieces is not None and (node in given or STATEMENT.match(pieces)):
            yield source.finding(node, scope, REMEDY)


def test_no_sql_is_built_from_strings() -> None:
    found = findings(pieced_sql, "src", "scripts")
    require_only_allowed((finding for finding in found if not finding.path.startswith(REVISIONS)), ALLOWED)


@pytest.mark.parametrize(
    "bad",
    [
        'await tx.execute(text(f"SELECT 1 FROM leads WHERE email = {email}"))',
        'await connection().execute(f"{verb} leads")',
        'tx.exec_driver_sql(f"SET ROLE {role}")',
        'tx.execute("SELECT * FROM %s" % table)',
        'tx.execute("SELECT * FROM " + table)',
        'tx.execute("SELECT * FROM {}".format(table))',
        'tx.execute(" ".join(parts))',
        'query = f"SELECT * FROM {table}"',
        'query = "DELETE FROM leads WHERE " + condition',
        'from sqlalchemy import text as sql\nsql(f"lower({column})")',
    ],
)
def test_the_check_refuses_sql_from_strings(bad: str) -> None:
    assert list(pieced_sql(snippet(f"async def act():\n    {bad}\n" if "\n" not in bad else bad + "\n")))


@pytest.mark.parametrize(
    "good",
    [
        'tx.execute(text("SELECT 1 FROM leads WHERE email = :email"), {"email": email})',
        'tx.execute(select(leads).where(leads.c.email == f"{local}@{domain}"))',
        'message = f"Deleted {count} leads"',
        "total = left + right",
    ],
)
def test_the_check_accepts_parameters_and_prose(good: str) -> None:
    assert list(pieced_sql(snippet(good))) == []
