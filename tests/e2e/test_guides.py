"""The guides of docs/guides, followed literally: in a copy of the checkout, up to their own tests."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from leadflood.kernel.db.migrate import head
from tests.architecture.source import ROOT
from tests.support.guides import GuideError, apply_guide, changes, copy_tree
from tests.support.postgres import temporary_home

GUIDES = (
    "add-a-domain",
    "add-an-endpoint",
    "add-a-page",
    "add-a-job",
    "add-a-source",
    "add-a-field",
    "change-the-schema",
)


REVISION = re.compile(r"/migrations/(versions/)?r\d{4}_")
"""Modules of revisions."""


def revisions(newest: int) -> dict[str, str]:
    """The numbers of the readers' revisions: 0900 stands for the newest one, 0901 and 0902 for those that come next."""
    return {f"09{number:02}": f"{newest + number:04}" for number in range(3)}


def run(tree: Path, *argv: str) -> None:
    run_program(tree, sys.executable, "-m", *argv)


def run_program(tree: Path, program: str, *argv: str) -> None:
    """Run a program of this environment on the copy."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LEADFLOOD_", "PYTEST_"))}
    env |= {"PYTHONPATH": str(tree / "src")}
    done = subprocess.run(
        [str(Path(sys.executable).with_name(Path(program).name)), *argv],
        cwd=tree,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"


def wait_for_types() -> None:
    """Wait until mypy, which `./test` runs meanwhile, has written what it keeps."""
    with (ROOT / "test").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)


@pytest.fixture(scope="module")
def tree() -> Iterator[Path]:
    """A copy of the checkout, in a folder that PostgreSQL's account can enter."""
    with temporary_home() as folder:
        copy_tree(ROOT, folder / "leadflood")
        wait_for_types()
        if (cache := ROOT / ".mypy_cache").exists():
            shutil.copytree(cache, folder / "leadflood/.mypy_cache")
        yield folder / "leadflood"


@pytest.fixture(scope="module")
def changed(tree: Path) -> dict[str, list[str]]:
    """The files that each guide changed, one after the other in one copy, formatted as they say."""
    files: dict[str, list[str]] = {}
    newest = int(head())
    for guide in GUIDES:
        try:
            page = (ROOT / f"docs/guides/{guide}.md").read_text(encoding="utf-8")
            files[guide] = apply_guide(page, tree, revisions(newest))
        except GuideError as error:
            pytest.fail(f"docs/guides/{guide}.md: {error}")
        newest += sum(REVISION.search(name) is not None for name in files[guide])
    code = code_of(files)
    run(tree, "ruff", "format", "--quiet", "--no-cache", *code)
    run(tree, "ruff", "check", "--fix", "--quiet", "--no-cache", *code)
    run(tree, "scripts.generate_docs")
    return files


def test_a_new_field_is_one_entry_and_one_migration(changed: dict[str, list[str]]) -> None:
    code = [name for name in changed["add-a-field"] if name.startswith("src/")]

    assert [name for name in code if not REVISION.search(name)] == ["src/leadflood/domains/leads/catalog.py"]
    assert len(code) == 2


def code_of(files: Mapping[str, list[str]]) -> list[str]:
    """All changed modules, each once."""
    return list(dict.fromkeys(name for changed in files.values() for name in changed if name.endswith(".py")))


def test_a_new_domain_touches_its_own_folders_and_one_line_of_bootstrap(changed: dict[str, list[str]]) -> None:
    own = ("src/leadflood/domains/badges/", "tests/integration/badges/")
    page = (ROOT / "docs/guides/add-a-domain.md").read_text(encoding="utf-8")
    (change,) = [change for change in changes(page) if change.path == "src/leadflood/bootstrap.py"]

    assert [name for name in changed["add-a-domain"] if not name.startswith(own)] == ["src/leadflood/bootstrap.py"]
    assert [line for line in change.text.splitlines() if line[:1] != " "] == ['+        "badges",']


def test_the_code_of_the_guides_passes_the_automated_checks(tree: Path, changed: dict[str, list[str]]) -> None:
    code = [name for name in code_of(changed) if name.startswith("src/") and "/migrations/" not in name]

    run(tree, "mypy", *code)
    run_program(tree, "lint-imports", "--no-cache")
    run(tree, "pytest", "-q", "-p", "no:cacheprovider", "tests/architecture", "tests/unit/test_settings_docs.py")


def test_the_tests_of_the_guides_pass(tree: Path, changed: dict[str, list[str]]) -> None:
    tests = [name for name in code_of(changed) if Path(name).name.startswith("test_")]

    assert len(tests) >= len(GUIDES)
    run(tree, "pytest", "-q", "-p", "no:cacheprovider", *tests)
