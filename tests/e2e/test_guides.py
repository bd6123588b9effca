"""The guides of docs/guides, followed literally: in a copy of the checkout, up to their own tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadflood.kernel.db.migrate import head
from tests.architecture.source import ROOT
from tests.support.guides import GuideError, apply_guide, copy_tree
from tests.support.postgres import temporary_home

GUIDES = ("add-an-endpoint", "add-a-page", "add-a-job", "add-an-adapter", "change-the-schema")
NUMBERS = {f"09{number:02}": f"{int(head()) + number:04}" for number in range(3)}
"""The revisions in change-the-schema.md: 0900 stands for the newest one, 0901 and 0902 for those that come next."""


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


@pytest.fixture(scope="module")
def tree() -> Iterator[Path]:
    """A copy of the checkout, in a folder that PostgreSQL's account can enter."""
    with temporary_home() as folder:
        copy_tree(ROOT, folder / "leadflood")
        yield folder / "leadflood"


@pytest.fixture(scope="module")
def changed(tree: Path) -> list[str]:
    """The files that all guides together changed, formatted as they say."""
    files: list[str] = []
    for guide in GUIDES:
        try:
            files += apply_guide((ROOT / f"docs/guides/{guide}.md").read_text(encoding="utf-8"), tree, NUMBERS)
        except GuideError as error:
            pytest.fail(f"docs/guides/{guide}.md: {error}")
    code = [name for name in dict.fromkeys(files) if name.endswith(".py")]
    run(tree, "ruff", "format", "--quiet", "--no-cache", *code)
    run(tree, "ruff", "check", "--fix", "--quiet", "--no-cache", *code)
    run(tree, "scripts.generate_docs")
    return list(dict.fromkeys(files))


@pytest.fixture(scope="module")
def domain() -> Iterator[tuple[Path, list[str]]]:
    """A copy of the checkout with the domain of its guide, and the files that it changed."""
    with temporary_home() as folder:
        tree = folder / "leadflood"
        copy_tree(ROOT, tree)
        files = apply_guide((ROOT / "docs/guides/add-a-domain.md").read_text(encoding="utf-8"), tree, NUMBERS)
        code = [name for name in files if name.endswith(".py")]
        run(tree, "ruff", "format", "--quiet", "--no-cache", *code)
        run(tree, "ruff", "check", "--fix", "--quiet", "--no-cache", *code)
        run(tree, "scripts.generate_docs")
        yield tree, files


def test_a_new_domain_touches_its_own_folders_and_one_line_of_bootstrap(domain: tuple[Path, list[str]]) -> None:
    tree, files = domain
    own = ("src/leadflood/domains/tags/", "tests/integration/tags/")
    path = "src/leadflood/bootstrap.py"
    before, after = ((root / path).read_text(encoding="utf-8").splitlines() for root in (ROOT, tree))

    assert [name for name in files if not name.startswith(own)] == [path]
    assert [line.strip() for line in after if line not in before] == ['"tags",']
    assert len(after) == len(before) + 1


def test_a_new_domain_passes_the_automated_checks_and_its_tests(domain: tuple[Path, list[str]]) -> None:
    tree, files = domain
    code = [name for name in files if name.startswith("src/") and name.endswith(".py") and "/migrations/" not in name]

    run(tree, "mypy", "--no-incremental", *code)
    run_program(tree, "lint-imports", "--no-cache")
    run(tree, "pytest", "-q", "-p", "no:cacheprovider", "tests/architecture", "tests/integration/tags")


def test_the_code_of_the_guides_passes_the_automated_checks(tree: Path, changed: list[str]) -> None:
    run(tree, "mypy", "--no-incremental", *(name for name in changed if name.startswith("src/") and name[-3:] == ".py"))
    run(tree, "pytest", "-q", "-p", "no:cacheprovider", "tests/architecture", "tests/unit/test_settings_docs.py")


def test_the_tests_of_the_guides_pass(tree: Path, changed: list[str]) -> None:
    tests = [name for name in changed if name.startswith("tests/") and Path(name).name.startswith("test_")]

    assert len(tests) >= len(GUIDES)
    run(tree, "pytest", "-q", "-p", "no:cacheprovider", *tests)
