"""Clock, randomness and ids come from the kernel, and tests do not sleep."""

import ast
from collections.abc import Iterator, Mapping
from functools import partial

import pytest

from tests.architecture.source import ROOT, Finding, Source, findings, require_none, snippet, sources

CLOCK = "call leadflood.kernel.clock, or take `now` as an argument"
RANDOM = "call leadflood.kernel.crypto (secrets) or leadflood.kernel.ids (ids)"

AMBIENT: Mapping[str, str] = {
    "datetime.date.today": CLOCK,
    "datetime.datetime.now": CLOCK,
    "datetime.datetime.today": CLOCK,
    "datetime.datetime.utcnow": CLOCK,
    "os.urandom": RANDOM,
    "random": RANDOM,
    "secrets": RANDOM,
    "time.monotonic": CLOCK,
    "time.monotonic_ns": CLOCK,
    "time.perf_counter": CLOCK,
    "time.perf_counter_ns": CLOCK,
    "time.time": CLOCK,
    "time.time_ns": CLOCK,
    "uuid.uuid1": RANDOM,
    "uuid.uuid4": RANDOM,
    "uuid.uuid6": RANDOM,
    "uuid.uuid7": RANDOM,
    "uuid_utils": RANDOM,
}
AMBIENT_HOMES = frozenset(f"src/leadflood/kernel/{name}.py" for name in ("clock", "crypto", "ids"))

WAITS: Mapping[str, str] = dict.fromkeys(
    ("anyio.sleep", "asyncio.sleep", "time.sleep"), "wait for a signal or condition: see tests/support"
)

SHARED_THREADS = dict.fromkeys(
    ("asyncio.to_thread",), "threads that everything shares: use leadflood.kernel.threads, or a process of its own"
)
SHARED_THREADS_USERS = {
    "src/leadflood/cli": "a terminal or the supervisor, which serve nobody else",
    "src/leadflood/kernel/mail_server.py": "small files of the development mail catcher, in a process of its own",
    "src/leadflood/web/pages/mail.py": "small files of the development mail catcher",
}

STRAY = frozenset(["base", "common", "core", "helper", "helpers", "manager", "managers", "misc", "util", "utils"])


def _listed(name: str, listed: Mapping[str, str]) -> str | None:
    parts = name.split(".")
    return next((listed[head] for end in range(len(parts), 0, -1) if (head := ".".join(parts[:end])) in listed), None)


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def uses_of(listed: Mapping[str, str], source: Source) -> Iterator[Finding]:
    """Each import of, or reference to, a listed name or something inside it."""
    for node, scope in source.nodes:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute) and _root(node) in source.imports:
            names = [source.dotted(node)]
        for name in names:
            if remedy := _listed(name, listed):
                yield source.finding(node, scope, f"{name}: {remedy}")


def test_clock_and_randomness_come_from_the_kernel() -> None:
    found = findings(partial(uses_of, AMBIENT), "src")
    require_none(finding for finding in found if finding.path not in AMBIENT_HOMES)


def test_tests_wait_for_signals_and_do_not_sleep() -> None:
    found = findings(partial(uses_of, WAITS), "tests")
    require_none(finding for finding in found if not finding.path.startswith("tests/support/"))


def test_blocking_work_does_not_share_threads() -> None:
    found = findings(partial(uses_of, SHARED_THREADS), "src")
    require_none(finding for finding in found if not finding.path.startswith(tuple(SHARED_THREADS_USERS)))


def test_a_file_is_named_for_what_it_does() -> None:
    stray = [path for source in sources("src", "tests", "scripts") if (path := ROOT / source.path).stem in STRAY]
    stray += [path for path in (ROOT / "src").rglob("*") if path.is_dir() and path.name in STRAY]

    assert [str(path.relative_to(ROOT)) for path in stray] == [], "name it for what it does, or move it to its user"


@pytest.mark.parametrize(
    "bad",
    [
        "from datetime import datetime\nnow = datetime.now()",
        "import datetime as dt\nnow = dt.datetime.utcnow()",
        "from time import monotonic",
        "import time\nstarted = time.time()",
        "import random\nrandom.choice(leads)",
        "from secrets import token_urlsafe",
        "from uuid import uuid4",
        "import uuid\ndefault = uuid.uuid7",
        "import os\nkey = os.urandom(32)",
    ],
)
def test_the_check_refuses_an_ambient_clock_or_randomness(bad: str) -> None:
    assert list(uses_of(AMBIENT, snippet(bad)))


@pytest.mark.parametrize(
    "good",
    [
        "from datetime import UTC, datetime\ndatetime(2026, 1, 1, tzinfo=UTC)",
        "row.random",
        "secrets = []\nsecrets.append(1)",
    ],
)
def test_the_check_accepts_values_that_are_passed_in(good: str) -> None:
    assert list(uses_of(AMBIENT, snippet(good))) == []


@pytest.mark.parametrize(
    "bad", ["import time\ntime.sleep(1)", "from asyncio import sleep\nasync def a():\n  await sleep(1)"]
)
def test_the_check_refuses_a_sleep(bad: str) -> None:
    assert list(uses_of(WAITS, snippet(bad, "tests/unit/test_leads.py")))
