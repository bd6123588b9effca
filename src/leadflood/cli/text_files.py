"""Text files that commands read, or standard input in their place."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

STDIO = "-"
"""A path that stands for standard input or output."""


@contextmanager
def opened_text(file: Path) -> Iterator[TextIO]:
    """The lines of a file, or of standard input. Bytes that are not UTF-8 are replaced. Raises: OSError."""
    if str(file) == STDIO:
        yield sys.stdin
        return
    with file.open(encoding="utf-8-sig", errors="replace", newline=None) as lines:
        yield lines
