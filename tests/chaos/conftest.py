"""Fixtures of chaos tests: a durable server of their own with a migrated database, and the history of the run."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from leadflood.kernel.db.provision import DATABASE
from tests.support.chromium import chromium, pytest_runtest_makereport, windows
from tests.support.deployment import Deployment, deployed
from tests.support.history import History
from tests.support.postgres import temporary_cluster, temporary_home

__all__ = ["chromium", "pytest_runtest_makereport", "windows"]

SEED = "CHAOS_SEED"


@pytest.fixture
def seed() -> int:
    """Of `CHAOS_SEED`, or a new one; printed, so that a failed run can be repeated."""
    chosen = int(os.environ.get(SEED, Random().randrange(1_000_000)))  # noqa: S311  not a secret
    print(f"{SEED}={chosen}")  # noqa: T201  pytest shows it when the test fails
    return chosen


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    """The history of the run, kept by pytest with its last few temporary folders."""
    opened = History(tmp_path / "history.jsonl")
    print(f"history: {opened.path}")  # noqa: T201  as above
    yield opened
    opened.close()


@pytest.fixture
def deployment(prepared_home: Path) -> Iterator[Deployment]:
    """A durable server and a database in it; whatever runs at the end of the test is ended, and none is left."""
    with temporary_cluster(settings={}, copy_of=prepared_home) as cluster, temporary_home() as folder:
        with deployed(cluster, DATABASE, folder, simulated_latency_seconds="0.3") as prepared:
            yield prepared
        prepared.assert_nothing_left()
