"""Fixtures of end-to-end tests: a migrated database of their own, on which they start real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadflood.kernel.ids import new_id
from tests.conftest import TEMPLATE
from tests.support.chromium import chromium, pytest_runtest_makereport, windows
from tests.support.deployment import Deployment, deployed
from tests.support.postgres import Cluster, copy_home, temporary_home

__all__ = ["chromium", "pytest_runtest_makereport", "windows"]


@pytest.fixture
def deployment(cluster: Cluster) -> Iterator[Deployment]:
    """A database with a first workspace. Whoever uses it ends its processes; at the end none is left."""
    name = f"e2e_{new_id().hex}"
    cluster.create_database(name, template=TEMPLATE)
    with temporary_home() as folder:
        with deployed(cluster, name, folder) as prepared:
            yield prepared
            prepared.assert_sound()
        prepared.assert_nothing_left()
    cluster.drop_database(name)


@pytest.fixture
def home(prepared_home: Path) -> Iterator[Path]:
    """A data folder for tests of what `up` runs. tests/e2e/test_command_line.py starts it on an empty one."""
    with temporary_home() as folder:
        copy_home(prepared_home, folder / "home")
        yield folder / "home"
