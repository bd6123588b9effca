"""No statement is put together from strings: values travel as parameters, statements can be read and EXPLAINed.

`Transaction` runs nothing but a `Sql` (mypy and, at run time, `tests/integration/db/test_statements.py`). A `Sql` comes
from `sql`, whose argument is a literal, from a file, or from `assemble`, which joins such parts. The few modules that
use the driver directly are named here, and hand it literals, too.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import ROOT, Finding, Source, require_none, require_only_allowed, snippet, sources

SQL = "leadflood.kernel.db.sql"
WHOLE = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|WITH|MERGE)\b")
MAX_LINES = 60
EXPLAINED = {
    "src/leadflood/kernel/queue/receive.sql": "one statement, one transaction: each of its steps has a comment",
}
"""Longer files, and why."""
MAX_LINES_IN_CODE = 17
RUNS = frozenset({"cursor", "execute", "executemany", "fetch", "fetchrow", "fetchval", "prepare", "run_script"})
OPENS = frozenset({"asyncpg.connect", "asyncpg.create_pool", "asyncpg.pool.create_pool"})

DRIVER = {
    "src/leadflood/kernel/backup/content.py",
    "src/leadflood/kernel/db/database.py",
    "src/leadflood/kernel/db/listener.py",
    "src/leadflood/kernel/db/migrate.py",
    "src/leadflood/kernel/db/pool.py",
    "src/leadflood/kernel/db/preflight.py",
    "src/leadflood/kernel/db/provision.py",
    "src/leadflood/kernel/db/roles.py",
    "src/leadflood/kernel/db/transaction.py",
    "src/leadflood/kernel/queue/postgres.py",
}
"""Files that may use a connection of the driver itself."""

MADE = {f"src/{SQL.replace('.', '/')}.py"}
"""The file that may make a `Sql` of any text: what it is given is a `Sql` or a literal."""

DECLARES = {"src/leadflood/kernel/fields.py", "src/leadflood/kernel/timeline.py"}
"""Files that may make a name in SQL of a text, which is declared in code and checked."""

ALLOWED: dict[tuple[str, str], str] = {
    ("src/leadflood/kernel/backup/content.py", "contents"): "the server quotes the names (format with %I)",
    ("src/leadflood/kernel/backup/content.py", "unfence_and_empty"): "as above",
    ("src/leadflood/kernel/backup/content.py", "_run_all"): "as above",
    ("src/leadflood/kernel/db/database.py", "Database._begin"): "literals and the hex digits of a UUID",
    ("src/leadflood/kernel/db/migrate.py", "install_queue"): "the carrier's own DDL, from a file beside it",
    ("src/leadflood/kernel/db/roles.py", "ensure_roles"): "literals of a table of this module",
    ("src/leadflood/kernel/db/transaction.py", "Transaction.all"): "of a Sql",
    ("src/leadflood/kernel/db/transaction.py", "Transaction.changed"): "of a Sql",
    ("src/leadflood/kernel/db/transaction.py", "run_script"): "each caller hands over a literal, which this test sees",
    ("src/leadflood/kernel/queue/postgres.py", "PostgresQueueBackend._fetch"): "a literal of this module",
}
"""(path, qualified name): why the statement cannot be a literal there."""


def _is_literal(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _constants(source: Source) -> frozenset[str]:
    """Names that the module sets once, to a literal or to a `Sql`."""

    def is_constant(value: ast.expr) -> bool:
        return _is_literal(value) or (isinstance(value, ast.Call) and source.dotted(value.func).startswith(f"{SQL}."))

    set_to: dict[str, list[ast.expr]] = {}
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            set_to.setdefault(node.targets[0].id, []).append(node.value)
    return frozenset(name for name, values in set_to.items() if len(values) == 1 and is_constant(values[0]))


def _misuse_of_sql(source: Source) -> Iterator[Finding]:
    calls = {node.func: node for node, _ in source.nodes if isinstance(node, ast.Call)}
    for node, scope in source.nodes:
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        name = source.dotted(node)
        if name == f"{SQL}.Sql" and node in calls and source.path not in MADE:
            yield source.finding(node, scope, "only `sql`, `sql_file` and `assemble` make a statement")
        if name == f"{SQL}.identifier" and source.path not in DECLARES:
            yield source.finding(node, scope, "only catalogs make names of columns; write others out")
        if name not in {f"{SQL}.sql", f"{SQL}.sql_file"}:
            continue
        call = calls.get(node)
        if call is None:
            yield source.finding(node, scope, "call it, with a literal; do not hand it on")
        elif call.keywords or not all(_is_literal(argument) for argument in call.args):
            yield source.finding(node, scope, "the text is a literal; values are parameters, parts go by `assemble`")


def _use_of_the_driver(source: Source) -> Iterator[Finding]:
    constants = _constants(source)
    for node, scope in source.nodes:
        if not isinstance(node, ast.Call):
            continue
        name = source.dotted(node.func)
        opens = name in OPENS or name.endswith(".pool.connection")
        if source.path not in DRIVER:
            if opens:
                yield source.finding(node, scope, "only the files in DRIVER use the driver itself")
            continue
        method = node.func.attr if isinstance(node.func, ast.Attribute) else name.rpartition(".")[2]
        if method in RUNS and node.args:
            statement = node.args[1] if method == "run_script" else node.args[0]
            if not (_is_literal(statement) or (isinstance(statement, ast.Name) and statement.id in constants)):
                yield source.finding(node, scope, "hand the driver a literal; values are parameters ($1)")


def unreadable(source: Source) -> Iterator[Finding]:
    """Statements of a module without a comment, and long ones that are not in a file."""
    lines = source.text.splitlines()
    for node in source.tree.body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if (
            not isinstance(value, ast.Call)
            or source.dotted(value.func) != f"{SQL}.sql"
            or not _is_literal(value.args[0])
        ):
            continue
        text = str(ast.literal_eval(value.args[0])).strip()
        if WHOLE.match(text) and not lines[node.lineno - 2].startswith("#"):
            yield source.finding(node, "", "say in a comment above what the statement does")
        if text.count("\n") >= MAX_LINES_IN_CODE:
            yield source.finding(node, "", "move it to a file in the folder sql of the domain")


def faults(source: Source) -> Iterator[Finding]:
    yield from _misuse_of_sql(source)
    yield from _use_of_the_driver(source)


class _Statements:
    """The findings of both checks, in one walk."""

    def __init__(self) -> None:
        self.faults: list[Finding] = []
        self.unreadable: list[Finding] = []
        for source in sources("src", "scripts", naming=["sql", "asyncpg", ".connection"]):
            if "/migrations/versions/" not in source.path:
                self.faults += faults(source)
            if source.path.startswith("src/"):
                self.unreadable += unreadable(source)


@pytest.fixture(scope="module")
def statements() -> _Statements:
    return _Statements()


def test_no_statement_is_put_together_from_strings(statements: _Statements) -> None:
    require_only_allowed(statements.faults, ALLOWED)


def test_statements_say_what_they_do_and_long_ones_are_files(statements: _Statements) -> None:
    require_none(statements.unreadable)


def test_files_of_statements_begin_with_what_they_do_and_are_short() -> None:
    files = sorted((ROOT / "src").rglob("*.sql"))
    assert len(files) > 15
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}

    assert [path for path, text in texts.items() if not text.startswith("-- ")] == []
    assert {path for path, text in texts.items() if text.count("\n") > MAX_LINES} == set(EXPLAINED)


IMPORT = f"from {SQL} import sql, sql_file, Sql, assemble\n"


@pytest.mark.parametrize(
    "bad",
    [
        'sql(f"SELECT 1 FROM {table}")',
        'sql("SELECT * FROM " + table)',
        'sql("SELECT * FROM :t".replace(":t", table))',
        "sql(text)",
        "sql(source=text)",
        "make = sql",
        "list(map(sql, texts))",
        "Sql(text)",
        "sql_file(package, name)",
        f"from {SQL} import sql as of\nof(text)",
        f"import {SQL} as s\ns.sql(text)",
        "import asyncpg\nasync def f(): await asyncpg.connect(url)",
        "async def f(database): database.pool.connection()",
    ],
)
def test_the_check_refuses_statements_from_strings(bad: str) -> None:
    assert list(faults(snippet(f"{IMPORT}{bad}\n")))


@pytest.mark.parametrize(
    "bad", ["execute(f'{verb} leads')", "fetch(a + b)", "fetchval(TEXT.format(x))", "execute(text)"]
)
def test_the_check_refuses_them_where_the_driver_is_used(bad: str) -> None:
    code = f"TEXT = 'SELECT 1'\nasync def f(connection, text):\n    await connection.{bad}\n"
    assert list(faults(snippet(code, "src/leadflood/kernel/db/roles.py")))


@pytest.mark.parametrize(
    "good",
    [
        'sql("SELECT 1 FROM leads WHERE email = :email")',
        'assemble(sql("SELECT {what}"), what=PART)',
        'sql_file("leadflood.domains.jobs.sql", "claim")',
    ],
)
def test_the_check_accepts_literals(good: str) -> None:
    assert list(faults(snippet(f"{IMPORT}{good}\n"))) == []
