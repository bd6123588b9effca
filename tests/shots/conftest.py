"""Fixtures of screenshots: the real site with a showcase in it, in a real Chromium."""

from tests.support.chromium import chromium, pytest_runtest_makereport, windows
from tests.support.site import machine, own_parts, server, showcase

__all__ = ["chromium", "machine", "own_parts", "pytest_runtest_makereport", "server", "showcase", "windows"]
