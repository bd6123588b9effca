"""A task for the processes that parse pages. They import this module, so it needs little."""

from collections.abc import Iterator
from typing import IO, Any

from selectolax.lexbor import LexborHTMLParser

from leadflood.kernel.parsing import sources_in


def titles(file: IO[bytes], request: list[int]) -> Iterator[dict[str, Any]]:
    """The title of each page; empty where it has none."""
    for source in sources_in(file, request):
        title = LexborHTMLParser(source.text).css_first("title")
        yield {"title": "" if title is None else title.text(strip=True)}
