"""Hooks of the whole run: sample tests are deselected without their folder, and no process grows without bounds."""

import ctypes
import gc
import resource
import sys
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.support.samples import SAMPLES

MAX_MEGABYTES = 600
"""Resident memory that a process of the run may have needed, at its peak."""

_libc = ctypes.CDLL(None)
_trim = getattr(_libc, "malloc_trim", None)
_mallopt = getattr(_libc, "mallopt", None)
_M_ARENA_MAX = -8
if _mallopt is not None:  # otherwise glibc keeps an arena for each of many threads
    _mallopt(_M_ARENA_MAX, 2)

COLLECTED_MEGABYTES = 450
"""Peak of a process from which on garbage is collected after each file."""
LONG_SECONDS = 4 * 3600
"""After which a test that repeats for minutes counts as hanging; `timeout` in pyproject.toml is for all others."""

_DESELECTED = pytest.StashKey[int]()
_PEAKS = pytest.StashKey[dict[str, int]]()

settings.register_profile("suite", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("suite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give repeating tests more time before they count as hanging; deselect the sample tests without samples."""
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(LONG_SECONDS))
    if SAMPLES.is_dir():
        return
    deselected = [item for item in items if item.get_closest_marker("samples")]
    config.stash[_DESELECTED] = len(deselected)
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if not item.get_closest_marker("samples")]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among modules and tests: they stay until the end, and there are millions of objects."""
    gc.disable()
    result = yield
    gc.enable()
    gc.collect()
    gc.freeze()
    return result


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Give freed memory back after each file: the allocator of glibc keeps what a thread hashed or unpacked with.

    Applications that tests built are garbage in cycles, which Python looks for late when there are many objects.
    """
    if nextitem is None or nextitem.path != item.path:
        if _peak() > COLLECTED_MEGABYTES:
            gc.collect()
        if _trim is not None:
            _trim(0)


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> object:
    """Fail a run of which a process grew too large; a worker of pytest-xdist leaves that to the controlling process."""
    config = session.config
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output["deselected"] = config.stash.get(_DESELECTED, 0)
        output["megabytes"] = _peak()
        return (yield)
    peaks = config.stash.setdefault(_PEAKS, {})
    peaks["main"] = _peak()
    result = yield
    if session.exitstatus == pytest.ExitCode.OK and max(peaks.values()) > MAX_MEGABYTES:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take what a worker of pytest-xdist has to say. Each collects all tests, so any of them knows the number."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # pytest-xdist has no types
    output = getattr(node, "workeroutput", {})
    config.stash[_DESELECTED] = output.get("deselected", 0)
    peaks = config.stash.setdefault(_PEAKS, {})
    peaks[node.gateway.id] = output.get("megabytes", 0)  # type: ignore[attr-defined]  # as above


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in one line what was not run, and in one which process grew too large."""
    if number := config.stash.get(_DESELECTED, 0):
        terminalreporter.write_line(f"samples: {number} tests were not run, because there is no {SAMPLES}.")
    peaks = config.stash.get(_PEAKS, {})
    terminalreporter.write_line(f"memory: {', '.join(f'{name} {peak} MB' for name, peak in peaks.items())}")
    if large := [name for name, peak in peaks.items() if peak > MAX_MEGABYTES]:
        terminalreporter.write_line(f"memory: {', '.join(large)} needed more than {MAX_MEGABYTES} MB.", red=True)


def _peak() -> int:
    """Megabytes of resident memory that this process needed so far."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes // (1024 if sys.platform == "linux" else 1024 * 1024)
