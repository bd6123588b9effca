"""Attacks of hostile files on a parser, as tasks of the sandbox."""

import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from selectolax.lexbor import LexborHTMLParser

from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.parsing import sources_in


def read_all(file: IO[bytes], request: str) -> Iterator[str]:
    """The file's text, with something before it."""
    yield request + file.read().decode()


def refuse(_file: IO[bytes], _request: None) -> Iterator[None]:
    """Refuse the file in words."""
    raise InvalidInput("There is no \ud800 in leads.")
    yield


def spin(_file: IO[bytes], _request: None) -> Iterator[str]:
    """Say so, then use the processor for ever."""
    yield "spinning"
    while True:
        pass


def wait(_file: IO[bytes], _request: None) -> Iterator[str]:
    """Say so, then do nothing for ever."""
    yield "waiting"
    signal.pause()


def eat(_file: IO[bytes], _request: None) -> Iterator[None]:
    """Use memory without end."""
    eaten = []
    while True:
        eaten.append(bytearray(16 * 1024 * 1024))
    yield


def abort(_file: IO[bytes], _request: None) -> Iterator[None]:
    """End as a fault in a C library does."""
    os.abort()
    yield


def be_killed(_file: IO[bytes], _request: None) -> Iterator[None]:
    """End as the kernel ends a process when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)
    yield


def fail(_file: IO[bytes], _request: None) -> Iterator[None]:
    """A fault of ours."""
    raise KeyError("a cell of somebody's file")
    yield


def say_too_much(_file: IO[bytes], _request: None) -> Iterator[str]:
    """One result of more than a frame may have."""
    yield "x" * 80_000_000


def results_without_end(_file: IO[bytes], _request: None) -> Iterator[str]:
    """A megabyte at a time, for ever."""
    while True:
        yield "x" * 1_000_000


def surroundings(_file: IO[bytes], _request: None) -> Iterator[dict[str, Any]]:
    """Everything that is reachable from inside."""
    yield {
        "environment": dict(os.environ),
        "files": len(os.listdir("/proc/self/fd")),  # noqa: PTH208  names only
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "writes": _can_write(),
    }


def _can_write() -> bool:
    path = Path(f"/tmp/leadflood-sandbox-{os.getpid()}")  # noqa: S108  removed below
    try:
        path.write_bytes(b"x")
    except OSError:
        return False
    finally:
        path.unlink(missing_ok=True)
    return True


def page_titles(file: IO[bytes], request: list[int]) -> Iterator[str]:
    """The title of each page with lexbor; a page whose text is an attack carries it out."""
    for page in sources_in(file, request):
        if page.text == "spin":
            while True:
                pass
        if page.text == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if page.text == "eat":
            yield "".join(["x" * 10**9, "y" * 10**9])
        title = LexborHTMLParser(page.text).css_first("title")
        yield "" if title is None else title.text()
