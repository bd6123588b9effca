"""Fixtures of tests of single pages: the real site behind the real HTTP server, and a real Chromium."""

from tests.support.chromium import chromium, pytest_runtest_makereport, windows
from tests.support.site import machine, own_parts, server, showcase

__all__ = ["chromium", "machine", "own_parts", "pytest_runtest_makereport", "server", "showcase", "windows"]
