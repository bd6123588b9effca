"""The kernel names no domain: neither its modules, nor its permissions, nor its tables.

Import contracts check what it imports. This checks what it says in strings and SQL files.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadflood.bootstrap import DOMAINS
from leadflood.kernel.actor import Permission
from tests.architecture.source import ROOT

KERNEL = ROOT / "src/leadflood/kernel"
KERNEL_TABLES = frozenset(
    {
        "effects_hold",
        "idempotency_keys",
        "installation_keys",
        "door_blocked_hosts",
        "door_hosts",
        "door_robots",
        "operator_warnings",
        "write_probes",
    }
)
"""Tables that the kernel itself reads and writes."""
ALLOWED = {
    ("backup/content.py", "event_retention"): "a restored event feed starts again: its positions are of another server",
    ("backup/content.py", "outbox_events"): "as above",
    ("db/migrate.py", "leadflood.domains"): "finds the revisions of all domains",
    ("db/roles.py", "workspaces"): "every tenant table has workspace_id, but for the table of workspaces",
    ("backup/content.py", "users"): "an installation in use has users",
    ("backup/content.py", "workspaces"): "an installation in use has workspaces of customers",
}
"""Exceptions: names in the kernel, with the reason."""

_CREATED = re.compile(r"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\w+)")
_SQL = re.compile(r"\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|FROM|JOIN)\b")
_MODULE = re.compile(r"\bleadflood\.(?:domains|api|web|worker|cli)\b")


def tables_of_domains() -> frozenset[str]:
    """All tables that a revision creates, but for those of the kernel."""
    revisions = [*(ROOT / "src/leadflood").glob("**/migrations/**/*.py")]
    found = {name for path in revisions for name in _CREATED.findall(path.read_text(encoding="utf-8"))}
    return frozenset(found) - KERNEL_TABLES


def texts(path: Path) -> Iterator[str]:
    """The SQL of a file, or the strings of a module without its docstrings."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        yield content
        return
    tree = ast.parse(content)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def named(text: str, tables: frozenset[str]) -> Iterator[str]:
    """Names of a domain in a text."""
    yield from _MODULE.findall(text)
    if text in {domain.name for domain in DOMAINS} | {name for name in Permission.known if ":" in name}:
        yield text
    if _SQL.search(text):
        yield from tables & set(re.findall(r"\w+", text))


def test_the_kernel_names_no_domain() -> None:
    tables = tables_of_domains()
    found = {
        (path.relative_to(KERNEL).as_posix(), name)
        for path in sorted(KERNEL.rglob("*"))
        if path.suffix in {".py", ".sql"}
        for text in texts(path)
        for name in named(text, tables)
    }

    assert {"leads", "job_executions", "memberships"} <= tables
    assert found - set(ALLOWED) == set(), "declare it in the domain (`Domain` in kernel/domain.py has a place for it)"
    assert set(ALLOWED) - found == set(), "they no longer need their exception"


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ('X = "leads:read"', {"leads:read"}),
        ('X = "SELECT id FROM leads"', {"leads"}),
        ('X = "leadflood.domains.leads.service"', {"leadflood.domains"}),
        ('X = "imports"', {"imports"}),
        ('"""Rows of leads."""\nX = "leads and jobs"', set()),
    ],
)
def test_the_check_sees_what_a_module_names(tmp_path: Path, code: str, names: set[str]) -> None:
    path = tmp_path / "module.py"
    path.write_text(code, encoding="utf-8")

    assert {name for text in texts(path) for name in named(text, frozenset({"leads"}))} == names
