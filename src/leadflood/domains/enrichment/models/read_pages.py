"""Texts of web pages that a source has read, for sources that read them again: nothing is fetched twice."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

MAX_TEXT: Final = 20_000
"""Characters of one page that are passed on."""


@dataclass(frozen=True, slots=True)
class ReadPage:
    """The visible text of a page, line by line. `read_at`: when it was fetched."""

    url: str
    text: str
    read_at: datetime


def cut_pages(pages: Sequence[ReadPage], most_bytes: int) -> list[ReadPage]:
    """The pages with as many of their lines as fit into a number of bytes, as JSON writes them in UTF-8.

    A line that an earlier page has, such as one of a menu, is left out. Each page gets its share of what is left.
    """
    seen: set[str] = set()
    cut: list[ReadPage] = []
    left = most_bytes
    for place, page in enumerate(pages):
        share = left // (len(pages) - place)
        lines: list[str] = []
        for line in page.text.split("\n"):
            if not line or line in seen:
                continue
            seen.add(line)
            fitting = _cut(line, share)
            if fitting:
                lines.append(fitting)
                share -= _size(fitting)
                left -= _size(fitting)
            if len(fitting) < len(line):
                break
        if lines:
            cut.append(ReadPage(page.url, "\n".join(lines), page.read_at))
    return cut


def _cut(line: str, most_bytes: int) -> str:
    """The start of a line that fits."""
    while line and (size := _size(line)) > most_bytes:
        line = line[: max(0, len(line) * most_bytes // size - 1)]
    return line


def _size(line: str) -> int:
    """Bytes of a line and its end in a text of JSON."""
    return len(json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogatepass"))
