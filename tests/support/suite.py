"""Hooks of the whole run: sample tests are deselected without their folder, and one closing line says so."""

import pytest
from hypothesis import settings

from tests.support.samples import SAMPLES

_DESELECTED = pytest.StashKey[int]()

settings.register_profile("suite", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("suite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the sample tests where there are no samples."""
    if SAMPLES.is_dir():
        return
    deselected = [item for item in items if item.get_closest_marker("samples")]
    config.stash[_DESELECTED] = len(deselected)
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if not item.get_closest_marker("samples")]


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> object:
    """Let the controlling process know what a worker of pytest-xdist deselected."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["deselected"] = session.config.stash.get(_DESELECTED, 0)
    return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Each worker collects all tests, so that any of them knows the number."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # a node of pytest-xdist, which has no types
    config.stash[_DESELECTED] = getattr(node, "workeroutput", {}).get("deselected", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in one line what was not run."""
    if number := config.stash.get(_DESELECTED, 0):
        terminalreporter.write_line(f"samples: {number} tests were not run, because there is no {SAMPLES}.")
