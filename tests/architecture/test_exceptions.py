"""House style, rule 7: catch what you can name and handle."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import Finding, Source, findings, require_only_allowed, snippet

BROAD = {"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"}
REMEDY = "name the errors you can handle, or let it rise to the process edge"

ALLOWED: dict[tuple[str, str], str] = {
    ("src/leadflood/api/middleware.py", "Edge.__call__"): "the process edge of HTTP: logs the fault once, answers 500",
    (
        "src/leadflood/domains/jobs/execution.py",
        "_rescue",
    ): "one broken row must not keep the others from being rescued",
    ("src/leadflood/domains/jobs/execution.py", "_fail"): "a failure hook's bug must not end each worker that rescues",
    ("src/leadflood/domains/jobs/shared.py", "SharedTransactions._in_workspace"): "a job's fault ends its own attempt",
    ("src/leadflood/kernel/grouping.py", "Grouping._serve_group"): "every caller of the group gets it, and handles it",
    ("src/leadflood/kernel/sandbox/child.py", "_frames"): "a task's fault is an outcome, which the parent logs",
    ("src/leadflood/kernel/threads.py", "BoundedThreads.run"): "gives the place in the queue back, and raises again",
    ("src/leadflood/web/app.py", "create_web.web"): "the process edge of pages: logs the fault once, answers 500",
    ("src/leadflood/worker/runner.py", "Runner._handle_together"): "each job of the group is run alone then",
    ("src/leadflood/worker/runner.py", "Runner._attempt"): "a handler's bug ends its attempt, not the worker",
}
"""(path, qualified name): why everything must be caught there."""


def _is_broad(source: Source, caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    parts = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(source.dotted(part) in BROAD for part in parts)


def broad_excepts(source: Source) -> Iterator[Finding]:
    for node, scope in source.nodes:
        handles = isinstance(node, ast.ExceptHandler) and _is_broad(source, node.type)
        suppresses = (
            isinstance(node, ast.Call)
            and source.dotted(node.func) == "contextlib.suppress"
            and any(_is_broad(source, argument) for argument in node.args)
        )
        if handles or suppresses:
            yield source.finding(node, scope, REMEDY)


def test_everything_is_caught_only_where_the_list_says_why() -> None:
    require_only_allowed(findings(broad_excepts, "src", "scripts"), ALLOWED)


@pytest.mark.parametrize(
    "bad",
    [
        "try:\n    act()\nexcept:\n    pass\n",
        "try:\n    act()\nexcept Exception as error:\n    log(error)\n",
        "try:\n    act()\nexcept (ValueError, BaseException):\n    pass\n",
        "try:\n    act()\nexcept* Exception:\n    pass\n",
        "import contextlib\nwith contextlib.suppress(Exception):\n    act()\n",
        "from contextlib import suppress\nwith suppress(ValueError, Exception):\n    act()\n",
    ],
)
def test_the_check_refuses_a_broad_except(bad: str) -> None:
    assert len(list(broad_excepts(snippet(bad)))) == 1


def test_the_check_accepts_a_named_error() -> None:
    assert list(broad_excepts(snippet("try:\n    act()\nexcept (ValueError, OSError):\n    pass\n"))) == []
